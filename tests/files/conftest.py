from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest_asyncio
from support.server import Folder, Server, running

Start = Callable[..., Awaitable[Server]]


@pytest_asyncio.fixture
async def start(new_folder: Folder, leaves_no_task: None) -> AsyncIterator[Start]:
    """Starts a server with the settings that a test needs; in a new folder, or in a given one."""
    async with AsyncExitStack() as stack:
        folders = iter(f"data{number}" for number in range(100))

        async def started(folder: Path | None = None, **settings: Any) -> Server:
            where = folder or new_folder(next(folders))
            return await stack.enter_async_context(running(where, **settings))

        yield started


@pytest_asyncio.fixture
async def server(start: Start) -> Server:
    return await start()
