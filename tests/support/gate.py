"""A network that can be cut: what goes to the server goes through it, byte by byte."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

CHUNK = 65536


class Gate:
    """`url`: what browsers are to be given. `connections`: how many go through it now."""

    def __init__(self, target: str) -> None:
        self._target = urlsplit(target)
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._port = 0
        self._age = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def connections(self) -> int:
        return len(self._tasks)

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def lead(self, target: str) -> None:
        """What has been open is lost; what comes goes there from now on."""
        await self.cut()
        self._target = urlsplit(target)
        await self.open()

    def forget(self) -> None:
        """What is open stays open, and brings nothing any more; nobody is told."""
        self._age += 1

    async def cut(self) -> None:
        """Nothing gets through any more, and what was on its way is lost."""
        assert self._server is not None
        self._server.close()
        for task in (tasks := list(self._tasks)):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._join(reader, writer)
        except asyncio.CancelledError:
            pass  # cut: nobody waits for this task, and none is to hear of it
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = self._target.hostname, self._target.port
        try:
            there, back = await asyncio.open_connection(host, port)
        except OSError:
            return
        ways = [
            asyncio.create_task(self._carry(reader, back)),
            asyncio.create_task(self._carry(there, writer)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            back.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        age = self._age
        with suppress(ConnectionError):
            while data := await reader.read(CHUNK):
                if age == self._age:
                    writer.write(data)
                    await writer.drain()


@asynccontextmanager
async def gate_to(target: str) -> AsyncIterator[Gate]:
    gate = Gate(target)
    await gate.open()
    try:
        yield gate
    finally:
        await gate.cut()
