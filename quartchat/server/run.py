"""Runs an ASGI application on one socket until it is told to stop, and stops in order.

Stopping: no new connections; the application drains its streams; requests in flight
finish; what is left is closed, its handlers cancelled and awaited; and only then does the
application's lifespan end, so every handler still has its store. All of it takes less than
five seconds whatever clients do, if the lifespan itself is quick.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import os
import signal
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any

from quartchat.server.asgi import App
from quartchat.server.body import wrap
from quartchat.server.edge import Edge, within
from quartchat.server.lifespan import Lifespan
from quartchat.server.limits import Limits
from quartchat.server.sockets import ServerStartError
from quartchat.server.tls import Certificate

BACKLOG = 2048
FLIGHT_SECONDS = 0.8
TLS_END_SECONDS = 1.0
"""how long the other end has to confirm that a connection over TLS ends"""
SIGNALS = (signal.SIGTERM, signal.SIGINT)

logger = logging.getLogger(__name__)


async def serve(
    app: App,
    sock: socket.socket,
    *,
    stop: asyncio.Event,
    drain: Callable[[], Awaitable[None]],
    ready: Callable[[], None] | None = None,
    max_frame: int | None = None,
    drain_seconds: float = 3.0,
    limits: Limits | None = None,
    certificate: Certificate | None = None,
) -> None:
    """Serves `app` on the bound socket `sock` until `stop` is set; `sock` is closed then.

    `drain` tells every stream to end itself and returns when none is left; it is cut off
    after `drain_seconds`. `ready` is called once connections are accepted. Cancelling stops
    without draining. `max_frame`, in bytes, wins over that of `limits`. With a `certificate`
    it speaks TLS, and HTTP/2 to who wants it. Raises ServerStartError if the application or the
    socket cannot start.
    """
    limits = limits or Limits()
    limits = dataclasses.replace(limits, max_frame=max_frame or limits.max_frame)
    async with _lifespan(app) as state:
        edge = Edge(wrap(app, limits), state, limits)
        server = await _listen(edge, sock, certificate)
        watches = [asyncio.create_task(edge.watch())]
        if certificate is not None:
            watches.append(asyncio.create_task(certificate.watch()))
        try:
            if ready is not None:
                ready()
            await stop.wait()
            server.close()
            await edge.stop_taking()
            await _drain(drain, drain_seconds)
            await within(FLIGHT_SECONDS, edge.handlers.none.wait())
        finally:
            server.close()
            for watch in watches:
                watch.cancel()
            await edge.stop_taking()
            await edge.close()


def run(main: Callable[[asyncio.Event], Coroutine[Any, Any, int | None]]) -> int:
    """Runs `main(stop)` on uvloop where it is installed; returns its exit code (None is 0).

    SIGTERM and SIGINT set `stop`; a second one ends the process at once, which loses
    nothing that was committed.
    """
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(_with_signals(main)) or 0


@contextlib.asynccontextmanager
async def _lifespan(app: App) -> AsyncIterator[dict[str, Any]]:
    lifespan = Lifespan(app)
    await lifespan.start()
    try:
        yield lifespan.state
    finally:
        problem = await lifespan.stop()
        if problem is not None:
            logger.error("the application did not stop cleanly: %s", problem)


async def _listen(
    edge: Edge, sock: socket.socket, certificate: Certificate | None
) -> asyncio.Server:
    try:
        sock.listen(BACKLOG)  # uvloop, left to do it, would not say that it failed
    except OSError as error:
        where = sock.getsockname()[:2]
        raise ServerStartError(
            f"The server cannot listen on {where[0]} port {where[1]}: {error.strerror}. "
            "Stop what uses it, or choose another port with --port."
        ) from error
    loop = asyncio.get_running_loop()
    if certificate is None:
        return await loop.create_server(edge.protocol, sock=sock, backlog=BACKLOG)
    return await loop.create_server(
        edge.protocol,
        sock=sock,
        backlog=BACKLOG,
        ssl=certificate.context,
        ssl_handshake_timeout=edge.limits.header_seconds,
        ssl_shutdown_timeout=TLS_END_SECONDS,
    )


async def _drain(drain: Callable[[], Awaitable[None]], seconds: float) -> None:
    async def logged() -> None:
        try:
            await drain()
        except Exception:
            logger.exception("draining failed")

    if not await within(seconds + 0.1, logged()):
        logger.warning("some streams did not end in %g seconds; closing them", seconds)


async def _with_signals(main: Callable[[asyncio.Event], Coroutine[Any, Any, int | None]]) -> Any:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    loop.set_exception_handler(log_loop_error)

    def on_signal(number: int) -> None:
        if stop.is_set():
            logger.warning("told to stop twice; ending at once")
            logging.shutdown()
            os._exit(128 + number)
        stop.set()

    for number in SIGNALS:
        loop.add_signal_handler(number, on_signal, number)
    return await main(stop)


def log_loop_error(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """The loop's exception handler: what clients cause is a line at debug level."""
    error = context.get("exception")
    if isinstance(error, (ConnectionError, TimeoutError, ssl.SSLError)):
        logger.debug("a client's connection broke: %r", error)
    else:
        logger.error("%s", context.get("message", "an error in the loop"), exc_info=error)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415 - optional
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory
