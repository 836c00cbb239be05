from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from support.process import ServerProcess
from support.server import Folder, Server, running

sys.path.insert(0, str(Path(__file__).parent.parent / "browser"))

from proxies.case import Door
from proxies.house import make_certificate
from proxies.place import Place, free_port
from proxies.relay import Relay, relaying

Start = Callable[[Place], Awaitable[Door]]


@pytest_asyncio.fixture
async def server(new_folder: Folder) -> AsyncIterator[Server]:
    async with running(new_folder()) as made:
        yield made


@pytest_asyncio.fixture
async def site(new_folder: Folder) -> AsyncIterator[ServerProcess]:
    """A server of its own, whose answers do not wait for the test's own work."""
    async with ServerProcess(new_folder("site"), "--no-limits", "--log-level", "error") as made:
        yield made


@pytest_asyncio.fixture
async def place(
    site: ServerProcess, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[Place]:
    """Where a proxy before the site, or on the way to it, is started."""
    import ssl

    tmp_path.chmod(0o755)
    certificate, tls = make_certificate(tmp_path), free_port()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    async with (
        relaying(Relay(site.port, None), tls, context),
        Place(request.node.name, site.port, tls, certificate) as made,
    ):
        yield made
