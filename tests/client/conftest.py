"""The small server on a free port of loopback, and clients that wait for nothing."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from fake_server import TOKEN, Clock, Fake, Open, Sleeps, build
from hypercorn.asyncio import serve
from hypercorn.config import Config

from quartchat.client import Client


@pytest.fixture
async def fake() -> AsyncIterator[Fake]:
    listening = socket.create_server(("127.0.0.1", 0))
    fake = Fake(f"http://127.0.0.1:{listening.getsockname()[1]}")
    config = Config()
    config.bind, config.accesslog, config.errorlog = [f"fd://{listening.fileno()}"], None, None
    config.graceful_timeout = 1.0
    stop = asyncio.Event()
    app = build(fake)
    serving = asyncio.ensure_future(serve(app, config, shutdown_trigger=stop.wait))
    listening.detach()
    yield fake
    fake.stopped = True
    fake.wake()
    stop.set()
    await serving


@pytest.fixture
def sleeps() -> Sleeps:
    return Sleeps()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def open_client(fake: Fake, sleeps: Sleeps, clock: Clock) -> AsyncIterator[Open]:
    opened: list[Client] = []

    def open_client(token: str | Callable[[], Awaitable[str]] = TOKEN, **more: Any) -> Client:
        given: dict[str, Any] = {"sleep": sleeps, "clock": clock, "random": lambda: 1.0} | more
        opened.append(Client(fake.url, token, **given))
        return opened[-1]

    yield open_client
    for client in opened:
        await client.aclose()
