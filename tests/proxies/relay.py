"""A TCP relay that does to connections what bad networks do; each `Mischief` is one of them."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from time import monotonic

READ = 65536


@dataclass
class Mischief:
    """Seconds and bytes; None: never. Counted per connection, from when the mischief is on.

    `swallow_after`: everything vanishes, nothing is closed (`swallow`: "up", "down", "both").
    `forget_idle`: the same after so long a silence. `reset_after_bytes`: reset by then (down).
    `life`: closed after so long. `delay`: one way. `rate`: bytes per second and direction.
    `connect_delay`: before the first byte. `most`: further connections wait, open and silent.
    `down_for`, `up_for`: all is cut, in turns.
    `dark_from`, `dark_for`: everything vanishes in that time, for the flows of then for ever.
    """

    swallow_after: float | None = None
    swallow: str = "both"
    forget_idle: float | None = None
    reset_after_bytes: int | None = None
    life: float | None = None
    delay: float = 0.0
    rate: float | None = None
    connect_delay: float = 0.0
    most: int | None = None
    down_for: float | None = None
    up_for: float = 5.0
    dark_from: float | None = None
    dark_for: float = 0.0


@dataclass(eq=False)
class Flow:
    """One connection and its fate."""

    relay: Relay
    client: asyncio.StreamWriter
    began: float = field(default_factory=monotonic)
    stirred: float = field(default_factory=monotonic)
    bytes_down: int = 0
    lost: bool = False
    server: asyncio.StreamWriter | None = None

    def vanishes(self, way: str) -> bool:
        """Whether what goes this way now is never seen again."""
        plan, now = self.relay.mischief, monotonic()
        if plan is None:
            return False
        silent, self.stirred = now - self.stirred, now
        dark = (
            plan.dark_from is not None
            and 0 <= now - self.relay.since - plan.dark_from < plan.dark_for
        )
        if dark or (plan.forget_idle is not None and silent >= plan.forget_idle):
            self.lost = True
        old = plan.swallow_after is not None and now - self.began >= plan.swallow_after
        return self.lost or (old and plan.swallow in (way, "both"))

    def cut(self, hard: bool = False) -> None:
        for writer in (self.client, self.server):
            if writer is None:
                continue
            if not hard:
                writer.close()
                continue
            sock = writer.get_extra_info("socket")
            with suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()


class Relay:
    """`begin()` puts the mischief on, and cuts what is open: the person moved to a bad network."""

    def __init__(self, up: int, mischief: Mischief | None, later: Mischief | None = None) -> None:
        self._up, self.mischief, self._later = up, mischief, later
        self.since = monotonic()
        self.flows: set[Flow] = set()
        self.is_down = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._ended = False

    async def begin(self) -> None:
        self.mischief, self.since = self._later, monotonic()
        for flow in [*self.flows]:
            flow.cut(hard=True)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        flow = Flow(self, writer)
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            if self.is_down:
                flow.cut(hard=True)
                return
            plan = self.mischief
            while plan and plan.most is not None and len(self.flows) >= plan.most:
                await asyncio.sleep(0.1)
            self.flows.add(flow)
            if plan and plan.connect_delay:
                await asyncio.sleep(plan.connect_delay)
            with suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
                await self._join(flow, reader)
        except asyncio.CancelledError:
            if not self._ended:
                raise  # else nobody asks for this task's end
        finally:
            self.flows.discard(flow)
            self._tasks.discard(task)
            flow.cut()

    async def _join(self, flow: Flow, reader: asyncio.StreamReader) -> None:
        plan = self.mischief
        up_reader, flow.server = await asyncio.open_connection("127.0.0.1", self._up)
        life = plan.life if plan else None
        async with asyncio.timeout(life), asyncio.TaskGroup() as group:
            group.create_task(self._carry(flow, "up", reader, flow.server))
            group.create_task(self._carry(flow, "down", up_reader, flow.client))

    async def _carry(
        self, flow: Flow, way: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        line: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        sending = asyncio.create_task(self._send(flow, way, line, writer))
        try:
            while data := await reader.read(READ):
                if not flow.vanishes(way):
                    line.put_nowait((monotonic(), data))
            if flow.lost or flow.vanishes(way):
                await asyncio.Event().wait()  # not even the end is seen
            line.put_nowait((monotonic(), b""))
            await sending
        except OSError:
            flow.cut()
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    async def _send(
        self,
        flow: Flow,
        way: str,
        line: asyncio.Queue[tuple[float, bytes]],
        writer: asyncio.StreamWriter,
    ) -> None:
        while True:
            at, data = await line.get()
            plan = self.mischief or Mischief()
            if plan.delay and (wait := at + plan.delay - monotonic()) > 0:
                await asyncio.sleep(wait)
            if not data:
                with suppress(OSError):
                    writer.write_eof() if writer.can_write_eof() else writer.close()
                return
            flow.bytes_down += len(data) if way == "down" else 0
            most = plan.reset_after_bytes
            if most is not None and flow.bytes_down > most:
                writer.write(data[: max(0, len(data) - (flow.bytes_down - most))])
                flow.cut(hard=True)
                return
            await self._write(plan, data, writer)

    async def _write(self, plan: Mischief, data: bytes, writer: asyncio.StreamWriter) -> None:
        size = max(1, int(plan.rate / 4)) if plan.rate else len(data)
        for start in range(0, len(data), size):
            writer.write(data[start : start + size])
            await writer.drain()
            if plan.rate:
                await asyncio.sleep(size / plan.rate)

    async def turns(self) -> None:
        """The network that comes and goes."""
        while True:
            plan = self.mischief
            if plan is None or plan.down_for is None:
                await asyncio.sleep(0.2)
                continue
            await asyncio.sleep(plan.up_for)
            self.is_down = True
            for flow in [*self.flows]:
                flow.cut(hard=True)
            await asyncio.sleep(plan.down_for)
            self.is_down = False

    async def end(self) -> None:
        self._ended = True
        for task in [*self._tasks]:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def relaying(
    relay: Relay, port: int, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Relay]:
    server = await asyncio.start_server(relay.serve, "127.0.0.1", port, backlog=200, ssl=tls)
    turning = asyncio.create_task(relay.turns())
    try:
        yield relay
    finally:
        turning.cancel()
        server.close()
        await relay.end()
