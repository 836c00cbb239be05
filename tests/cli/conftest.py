from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from cli_support import Command
from support.server import Folder, Server, running


@pytest.fixture
def data(new_folder: Folder) -> Path:
    return new_folder()


@pytest_asyncio.fixture
async def server(data: Path) -> AsyncIterator[Server]:
    async with running(data) as made:
        yield made


@pytest_asyncio.fixture
async def start() -> AsyncIterator[Callable[..., Awaitable[Command]]]:
    """Starts `quartchat …`; what still runs at the end is killed."""
    made: list[Command] = []

    async def started(*args: object, **env: str) -> Command:
        made.append(command := await Command.start(*args, **env))
        return command

    yield started
    for command in made:
        await command.kill()
