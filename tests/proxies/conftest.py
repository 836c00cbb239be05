from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio

from proxies.bidi import firefox
from proxies.gauntlet import Gauntlet
from proxies.house import serving, serving_h2
from proxies.programs import missing
from proxies.seat import chromium


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def gauntlet(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Gauntlet]:
    """One site and a browser of each kind that is asked for, for all cases."""
    if lacking := missing(("chromium", "openssl")):
        pytest.skip(", ".join(lacking))
    async with AsyncExitStack() as stack:
        houses = {
            h2: await stack.enter_async_context(start(tmp_path_factory.mktemp("house")))
            for h2, start in ((False, serving), (True, serving_h2))
        }
        makers = {"Chromium": chromium, "Firefox": firefox}
        made = Gauntlet(houses, makers, stack)
        try:
            made.expect(request.session.items)
            yield made
        finally:
            await made.end()
