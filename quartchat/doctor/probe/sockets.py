"""WebSockets: whether they open, whether what is sent comes back, and for how long."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from statistics import median

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidProxyMessage,
    InvalidProxyStatus,
    InvalidStatus,
    ProxyError,
)
from websockets.typing import Origin

from quartchat.doctor.measured import Idle, Measured, Why
from quartchat.doctor.probe import certificate
from quartchat.doctor.probe.path import Path

# The first that fits; each is a kind of what stands further below.
REASONS: tuple[tuple[type[Exception], Why], ...] = (
    (ProxyError, "denied"),
    (InvalidProxyMessage, "denied"),
    (TimeoutError, "silent"),
    (ConnectionClosed, "cut"),
    (InvalidHandshake, "cut"),
    (EOFError, "cut"),
    (ValueError, "changed"),
    (Exception, "unreachable"),
)
FAILED = (OSError, InvalidHandshake, ConnectionClosed, EOFError, ValueError)
ECHOES = 4
EVERY = 2.0
ECHO = '{"k": %d}'


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[ClientConnection]:
    url, _name = path.address("w")
    # Another context than that of HTTP, on which HTTP/2 is offered.
    more = {"ssl": certificate.like(path.tls)} if url.startswith("https") else {}
    async with connect(
        "ws" + url.removeprefix("http"),
        origin=Origin(path.origin),
        proxy=path.proxy,
        compression=None,
        ping_interval=None,
        open_timeout=path.patience,
        close_timeout=1,
        **more,  # type: ignore[arg-type]
    ) as socket:
        yield socket


async def socket(path: Path, m: Measured) -> None:
    """Opens one and has a few numbers echoed."""
    began = time.monotonic()
    try:
        async with opened(path) as connection:
            m.socket.is_open = True
            trips = [await _echo(connection, number, path.patience) for number in range(ECHOES)]
            m.socket.first = (time.monotonic() - began - sum(trips[1:])) * 1000
            m.socket.rtt = median(trips[1:]) * 1000
            m.socket.why = ""
    except FAILED as error:
        m.socket.why, m.socket.status = _told(error)


async def _echo(connection: ClientConnection, number: int, patience: float) -> float:
    """Seconds to the echo. Raises TimeoutError, ConnectionClosed, and ValueError for what is
    none."""
    began = time.monotonic()
    await connection.send(str(number))
    async with asyncio.timeout(patience):
        answer = await connection.recv()
    if answer not in (ECHO % number, (ECHO % number).encode()):
        raise ValueError(answer)
    return time.monotonic() - began


def _told(error: Exception) -> tuple[Why, int]:
    """(why, status) of what went wrong with opening or keeping a WebSocket."""
    if isinstance(error, InvalidStatus):
        status = error.response.status_code
        return ("busy" if status == 429 else "refused"), status
    if isinstance(error, InvalidProxyStatus):
        return "denied", error.response.status_code
    return next(why for kind, why in REASONS if isinstance(error, kind)), 0


async def idle(path: Path, m: Measured, seconds: float, *, talks: bool) -> None:
    """One that is kept for so long: silent, or with a number every now and then."""
    began, lasted, number = time.monotonic(), Idle("cut"), 0
    m.idle["pings" if talks else "socket"] = lasted
    grace = 3 + path.rtt / 1000
    try:
        async with opened(path) as connection:
            began = time.monotonic()
            while (left := began + seconds - time.monotonic()) > 0:
                await _silence(connection, min(left, EVERY) if talks else left)
                number += 1
                await _echo(connection, number, grace)
                lasted.lasted = time.monotonic() - began
            lasted.why, lasted.lasted = "", seconds
    except FAILED as error:
        lasted.why, lasted.status = _told(error)
        if lasted.why != "silent":
            lasted.lasted = time.monotonic() - began


async def _silence(connection: ClientConnection, seconds: float) -> None:
    """Raises ConnectionClosed if it ends meanwhile."""
    closed = asyncio.ensure_future(connection.wait_closed())
    try:
        done, _ = await asyncio.wait([closed], timeout=seconds)
    finally:
        closed.cancel()
    if done:
        await connection.recv()
