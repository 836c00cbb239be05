"""The command line as a program of its own."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.readers import PATIENCE

import quartchat

ROOT = Path(quartchat.__file__).parent.parent
SLOWEST = 3 * PATIENCE  # an interpreter on a busy machine takes seconds to start


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str

    def check_failed(self, *says: str, code: int = 1) -> None:
        """A sentence on standard error that a person can act on, and nothing else."""
        assert (self.code, self.out) == (code, "")
        assert "Traceback" not in self.err
        assert len(self.err.strip().splitlines()) <= 4, self.err
        for text in says:
            assert text in self.err


class Command:
    """`quartchat …`, running."""

    def __init__(self, process: Process) -> None:
        self.process = process

    @classmethod
    async def start(cls, *args: object, **env: str) -> Command:
        known = {k: v for k, v in os.environ.items() if not k.startswith("QUARTCHAT_")}
        words = [sys.executable, "-m", "quartchat", *map(str, args)]
        env = {**known, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error", **env}
        return cls(
            await asyncio.create_subprocess_exec(
                *words, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=env
            )
        )

    async def line(self) -> str:
        assert self.process.stdout
        async with asyncio.timeout(SLOWEST):
            return (await self.process.stdout.readline()).decode().rstrip("\n")

    async def event(self) -> dict[str, Any]:
        return json.loads(await self.line())

    async def result(self, given: str | None = None) -> Result:
        async with asyncio.timeout(SLOWEST):
            raw = await self.process.communicate(None if given is None else given.encode())
        out, err = (text.decode() for text in raw)
        return Result(self.process.returncode or 0, out, err)

    async def end(self, how: signal.Signals = signal.SIGTERM) -> Result:
        self.process.send_signal(how)
        return await self.result()

    async def kill(self) -> None:
        if self.process.returncode is None:
            self.process.kill()
            await self.process.communicate()


async def cli(*args: object, given: str | None = None, **env: str) -> Result:
    command = await Command.start(*args, **env)
    try:
        return await command.result(given)
    finally:
        await command.kill()
