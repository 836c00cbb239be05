"""The server as a process of its own, for people that were made before; and what it takes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from support.process import ServerProcess
from support.readers import http_client
from support.server import Person, running


async def people_in(folder: Path) -> tuple[Person, str]:
    """Somebody with a chat, in a data folder that no server uses any more."""
    async with running(folder) as server:
        (ada,) = await server.users(1)
        return ada, await ada.group()


@asynccontextmanager
async def served(who: Person, folder: Path, *flags: str) -> AsyncIterator[tuple[Any, Person]]:
    """The process, and the person as its client."""
    flags = ("--no-limits", *flags)
    async with ServerProcess(folder, *flags) as process, http_client() as client:
        server: Any = SimpleNamespace(url=process.url, client=client)
        yield process, replace(who, server=server)


def resident(process: Any) -> int:
    """Bytes of memory that the process has now."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024
