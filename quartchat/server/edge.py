"""All connections of one server: takes them in, watches them, ends them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from quartchat.server.asgi import CONNECTION, App
from quartchat.server.connection import Connection, Reader
from quartchat.server.hypercorn_shims import Context, make_config
from quartchat.server.limits import Limits

GOODBYE_SECONDS = 0.1
CLOSE_SECONDS = 0.3
ABORT_SECONDS = 0.4

logger = logging.getLogger(__name__)


class Count:
    """How many there are of something, and an event for when there is none."""

    def __init__(self) -> None:
        self.number = 0
        self.none = asyncio.Event()
        self.none.set()

    def began(self) -> None:
        self.number += 1
        self.none.clear()

    def ended(self, _task: object = None) -> None:
        self.number -= 1
        if self.number == 0:
            self.none.set()


class Edge:
    def __init__(self, app: App, state: dict[str, Any], limits: Limits) -> None:
        self.app, self.state, self.limits = app, state, limits
        self.config, self.context = make_config(limits), Context()
        self.handlers = Count()
        self.connections: dict[Connection, asyncio.Task[None]] = {}
        self._open = Count()
        self._stopping = False

    def protocol(self) -> asyncio.StreamReaderProtocol:
        """A protocol for loop.create_server."""
        return asyncio.StreamReaderProtocol(Reader(), self._connected)

    async def stop_taking(self) -> None:
        """New connections are dropped; one in use ends with its request."""
        self._stopping = True
        await self.context.terminated.set()
        await _all_within(GOODBYE_SECONDS, [one.leave() for one in self.connections])

    async def watch(self) -> None:
        """Ends connections without a request and dead WebSockets, until cancelled."""
        shortest = min(self.limits.header_seconds, self.limits.ping_seconds)
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(min(shortest / 4, 5.0))
            self._look(loop.time())

    async def close(self) -> None:
        """Ends every connection, politely if that is quick; their handlers are awaited."""
        await self._say_goodbye()
        for connection in list(self.connections):
            connection.finish()
        await within(CLOSE_SECONDS, self._open.none.wait())
        for end in (Connection.abort, Connection.cancel):
            for connection in list(self.connections):
                end(connection)
            await within(ABORT_SECONDS, self._open.none.wait())
        if self.connections:
            logger.error("%d handlers would not end; leaving them", self.handlers.number)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert isinstance(reader, Reader)
        if self._stopping or writer.get_extra_info("peername") is None:
            writer.transport.abort()
            return
        connection = Connection(self, reader, writer)
        task = asyncio.get_running_loop().create_task(connection.run())
        self.connections[connection] = task
        self._open.began()
        task.add_done_callback(lambda _task: self._gone(connection))

    def _gone(self, connection: Connection) -> None:
        del self.connections[connection]
        self._open.ended()

    def _look(self, now: float) -> None:
        for connection in list(self.connections):
            since = connection.idle_since
            if since is not None and now - since > self.limits.header_seconds:
                connection.finish()
            else:
                connection.look_for_the_end()
        for stream in list(self.context.sockets):
            owner: Connection = stream.scope["state"][CONNECTION]
            silence = owner.silence(now)
            if silence > 2 * self.limits.ping_seconds:
                owner.abort()
            elif silence > self.limits.ping_seconds and not owner.has_unsent:
                stream.ping()

    async def _say_goodbye(self) -> None:
        await _all_within(GOODBYE_SECONDS, [one.leave() for one in self.context.sockets])


async def _all_within(seconds: float, coroutines: list[Coroutine[Any, Any, None]]) -> None:
    """Does them at once; what is not done in time is cancelled."""
    tasks = [asyncio.ensure_future(one) for one in coroutines]
    if tasks:
        _done, stuck = await asyncio.wait(tasks, timeout=seconds)
        for task in stuck:
            task.cancel()


async def within(seconds: float, awaitable: Any) -> bool:
    """Whether it was done in time; if not it is cancelled, and not waited for."""
    task = asyncio.ensure_future(awaitable)
    done, _pending = await asyncio.wait((task,), timeout=seconds)
    if not done:
        task.cancel()
        await asyncio.wait((task,), timeout=0.1)
    return bool(done)
