from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest_asyncio
from others import Following
from relay import Relay
from support.server import Folder, Server, running


@pytest_asyncio.fixture
async def server(new_folder: Folder) -> AsyncIterator[Server]:
    async with running(new_folder()) as made:
        yield made


@pytest_asyncio.fixture
async def relay(server: Server) -> AsyncIterator[Relay]:
    async with Relay(server.url) as made:
        yield made


@pytest_asyncio.fixture
async def following() -> AsyncIterator[Callable[..., Following]]:
    """Runs clients in the background, to the end of the test."""
    made: list[Following] = []

    def follow(events: object) -> Following:
        made.append(Following(events))  # type: ignore[arg-type]
        return made[-1]

    yield follow
    for one in made:
        await one.close()
