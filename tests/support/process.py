"""The real server as a program of its own, to be stopped and killed."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from pathlib import Path

import quartchat

START_SECONDS = 20.0
STOP_SECONDS = 10.0


class ServerProcess:
    """`quartchat serve` over one data folder. Started again it takes the same port."""

    def __init__(self, data: Path, *flags: str) -> None:
        self.data, self.flags = data, flags
        self.url, self.port = "", 0
        self._process: Process | None = None

    async def start(self) -> str:
        """The address, once it serves. Raises RuntimeError if it ends instead."""
        command = [sys.executable, "-m", "quartchat", "serve", "--host", "127.0.0.1"]
        command += ["--port", str(self.port), "--data", str(self.data), *self.flags]
        root = str(Path(quartchat.__file__).parent.parent)
        with (self.data.parent / f"{self.data.name}.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *command, stdout=PIPE, stderr=log, env={**os.environ, "PYTHONPATH": root}
            )
        assert self._process.stdout is not None
        async with asyncio.timeout(START_SECONDS):
            line = (await self._process.stdout.readline()).decode().strip()
        if not line.startswith("http"):
            raise RuntimeError(f"the server did not start: {line!r}")
        self.url, self.port = line, int(line.rpartition(":")[2])
        return line

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    async def kill(self) -> None:
        """As a power cut would: no handler of its own runs any more."""
        await self._end(signal.SIGKILL)

    async def terminate(self) -> int:
        """As an operator would; the exit code."""
        return await self._end(signal.SIGTERM)

    async def _end(self, how: signal.Signals) -> int:
        assert self._process is not None
        with suppress(ProcessLookupError):
            self._process.send_signal(how)
        async with asyncio.timeout(STOP_SECONDS):
            await self._process.communicate()
        assert self._process.returncode is not None
        return self._process.returncode

    async def __aenter__(self) -> ServerProcess:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._process is not None and self._process.returncode is None:
            await self.kill()
