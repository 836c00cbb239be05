from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest_asyncio
from support.server import Folder, Person, Server, running
from web_support import Start, Visit, Visitor


@pytest_asyncio.fixture
async def start(new_folder: Folder) -> AsyncIterator[Start]:
    """Starts a server with the settings that a test needs."""
    async with AsyncExitStack() as stack:
        folders = iter(f"data{number}" for number in range(100))

        async def started(**settings: Any) -> Server:
            return await stack.enter_async_context(running(new_folder(next(folders)), **settings))

        yield started


@pytest_asyncio.fixture
async def server(start: Start) -> Server:
    return await start()


@pytest_asyncio.fixture
async def visit(server: Server) -> AsyncIterator[Visit]:
    """A browser at the server: nobody's, or a person's who is logged in."""
    async with AsyncExitStack() as stack:

        def visitor(person: Person | None = None, at: Server | None = None) -> Visitor:
            made = Visitor(at or server, person)
            stack.push_async_callback(made.http.aclose)
            return made

        yield visitor
