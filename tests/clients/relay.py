"""A TCP relay whose connections a test can cut, as networks do."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from urllib.parse import urlsplit


class Relay:
    """Between a client and the server at `target` (an address such as http://127.0.0.1:8000)."""

    def __init__(self, target: str) -> None:
        self._where = urlsplit(target).hostname, urlsplit(target).port
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.url = ""
        self.served = 0

    async def __aenter__(self) -> Relay:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.cut()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def cut(self) -> int:
        """Resets all that is open: nobody is told anything. How many connections that were."""
        for writer in (cut := list(self._open)):
            writer.transport.abort()
        return len(cut) // 2

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.served += 1
        try:
            there = await asyncio.open_connection(*self._where)
        except OSError:
            writer.transport.abort()
            return
        self._open |= {writer, there[1]}
        for source, target in ((reader, there[1]), (there[0], writer)):
            self._tasks.add(task := asyncio.create_task(_copy(source, target)))
            task.add_done_callback(self._tasks.discard)


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await source.read(2**16):
            target.write(data)
            await target.drain()
    with suppress(OSError):
        target.close()
        await target.wait_closed()
