from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from support.server import Folder, Person, Server, running
from windows import Desk, Window, chromium

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.browser)


@pytest_asyncio.fixture
async def server(new_folder: Folder) -> AsyncIterator[Server]:
    async with running(new_folder()) as made:
        yield made


@pytest_asyncio.fixture
async def desk() -> AsyncIterator[Desk]:
    async with chromium() as browser, AsyncExitStack() as stack:
        yield Desk(browser, stack)


@pytest_asyncio.fixture
async def window(server: Server, desk: Desk) -> Callable[..., Awaitable[Window]]:
    """A window of a person who is logged in, or of nobody."""

    async def opened(person: Person | None = None, **more: Any) -> Window:
        cookies = {}
        if person:
            cookies = {"qc_session": person.token, "qc_refresh": person.refresh_token}
        return await desk.window(server.url, cookies, **more)

    return opened
