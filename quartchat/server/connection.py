"""One TCP connection: reads it, runs what Hypercorn makes of it, and ends in bounded time.

Takes the place of Hypercorn's TCPServer, on the same seam (ProtocolWrapper in; RawData,
Closed and Updated out). Differences that matter:
- the end of the connection reaches the handler although reading is held back (a full window,
  a pipelined request): a fuse ends the reading shortly after the other end has gone;
- closing lingers: what still comes in is thrown away for a while, so that an answer sent before
  its request was read is not lost to a reset;
- nothing waits for ever: `abort` always ends it, and its handlers are awaited.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from quartchat.server.asgi import CONNECTION, WRITER
from quartchat.server.hypercorn_shims import Closed, ProtocolWrapper, RawData, Updated
from quartchat.server.multiplex import Multiplexer
from quartchat.server.tasks import Tasks

if TYPE_CHECKING:
    from quartchat.server.edge import Edge

READ_SIZE = 32 * 2**10
GRACE = 0.5
"""seconds that a handler has to take in what came before the end of the connection"""
FLUSH_SECONDS = 60.0
"""longest time for the last answer to leave; a reader that takes nothing ends much earlier"""
LINGER_BYTES = 2**20
"""how much is thrown away after the last answer; then the sender is left to block"""
QUIET_SECONDS = 0.1
"""silence after which a client over TLS is taken to have sent what it was sending"""
TCP_ESTABLISHED = 1

logger = logging.getLogger("hypercorn.error")


class Reader(asyncio.StreamReader):
    """Tells at once that nothing more will come, where read() tells only who is reading."""

    def __init__(self) -> None:
        super().__init__(limit=READ_SIZE)
        self.on_end: Callable[[], None] | None = None

    def feed_eof(self) -> None:
        super().feed_eof()
        self._tell()

    def set_exception(self, exc: BaseException) -> None:
        super().set_exception(exc)  # type: ignore[arg-type]
        self._tell()

    def _tell(self) -> None:
        if self.on_end is not None:
            self.on_end()


class Connection:
    """`await run()` serves it to its end; `finish()` and `abort()` end it from outside."""

    def __init__(self, edge: Edge, reader: Reader, writer: asyncio.StreamWriter) -> None:
        self._edge, self._reader, self._writer = edge, reader, writer
        self._transport = writer.transport
        self._loop = asyncio.get_running_loop()
        self._tasks = Tasks(edge, self._failed)
        self._fuse: asyncio.Timeout | None = None
        self._finishing = False
        self._thrown_away = 0
        self._reading = True
        self.multiplexer: Multiplexer | None = None
        self._heard = self._idle_since = self._loop.time()
        self._idle = True

    async def run(self) -> None:
        try:
            self._protocol = self._make_protocol()
            await self._protocol.initiate()
            await self._read_to_the_end()
            await self._protocol.handle(Closed())
        except Exception as error:
            self._failed(error)
        finally:
            self._tasks.end()
            await self._close()

    def finish(self) -> None:
        """Sends what is left, then ends; what still comes in is not looked at."""
        if self._finishing:
            return
        self._finishing = True
        if not self._transport.is_closing():
            self._say_farewell()
        self._linger(self._loop.time() + FLUSH_SECONDS)

    async def leave(self) -> None:
        """Takes no new request, as far as its protocol can say so."""
        if self.multiplexer is not None and not self._finishing:
            await self.multiplexer.leave()

    def abort(self) -> None:
        """Ends now; the handlers see a disconnect."""
        self._finishing = True
        self._transport.abort()
        self._burn(0.0)

    def cancel(self) -> None:
        """Cancels handlers that do not end after an abort."""
        self._tasks.cancel()

    @property
    def idle_since(self) -> float | None:
        """When it last began to have no request; None while it has one, or is ending."""
        return self._idle_since if self._idle and not self._finishing else None

    def silence(self, now: float) -> float:
        """Seconds since bytes came; 0 while it is the handlers that hold reading back."""
        return now - self._heard if self._reading else 0.0

    @property
    def has_unsent(self) -> bool:
        return self._transport.get_write_buffer_size() > 0

    def look_for_the_end(self) -> None:
        """Finds that the other end has gone although nobody reads: the kernel knows."""
        sock = self._writer.get_extra_info("socket")
        if self._reading or sock is None or not hasattr(socket, "TCP_INFO"):
            return
        state = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)
        if state[0] != TCP_ESTABLISHED:
            self._burn()

    def _say_farewell(self) -> None:
        if self.multiplexer is not None:
            self._transport.write(self.multiplexer.parting())
        if self._transport.can_write_eof():
            self._transport.write_eof()

    def _make_protocol(self) -> ProtocolWrapper:
        state: Any = {**self._edge.state, WRITER: self._writer, CONNECTION: self}
        edge, get = self._edge, self._writer.get_extra_info
        client, server = get("peername")[:2], get("sockname")[:2]
        app: Any = edge.app
        tasks: Any = self._tasks
        tls = get("ssl_object")
        over = (False, None) if tls is None else (True, tls.selected_alpn_protocol())
        arguments = (app, edge.config, edge.context, tasks, state, over[0], client, server)
        return ProtocolWrapper(*arguments, self._send, over[1])

    async def _read_to_the_end(self) -> None:
        self._reader.on_end = self._burn
        try:
            async with asyncio.timeout(None) as self._fuse:
                while data := await self._reader.read(READ_SIZE):
                    self._heard = self._loop.time()
                    if self._finishing:
                        await self._throw_away(data)
                        continue
                    self._reading = False
                    await self._protocol.handle(RawData(data))
                    self._reading = True
        except OSError:  # TimeoutError, of the fuse or of the kernel, is one too
            pass
        finally:
            self._fuse = None

    async def _throw_away(self, data: bytes) -> None:
        self._thrown_away += len(data)
        if self._thrown_away > LINGER_BYTES:
            await self._writer.wait_closed()

    def _burn(self, seconds: float = GRACE) -> None:
        when = self._loop.time() + seconds
        if self._fuse is not None and not self._fuse.expired():
            self._fuse.reschedule(min(when, self._fuse.when() or when))

    async def _send(self, event: Any) -> None:
        if isinstance(event, RawData):
            await self._write(event.data)
        elif isinstance(event, Closed):
            self.finish()
        elif isinstance(event, Updated):
            self._idle, self._idle_since = event.idle, self._loop.time()

    async def _write(self, data: bytes) -> None:
        if self._finishing or self._transport.is_closing():
            await asyncio.sleep(0)
            return
        self._writer.write(data)
        with contextlib.suppress(OSError):  # the reader hears of it too, and tells the handlers
            await self._writer.drain()

    def _linger(self, flushed_by: float) -> None:
        if self._transport.is_closing():
            return
        if self.has_unsent and self._loop.time() < flushed_by:
            self._loop.call_later(self._edge.limits.linger_seconds, self._linger, flushed_by)
        elif self._writer.get_extra_info("ssl_object") is None:
            self._loop.call_later(self._edge.limits.linger_seconds, self._transport.abort)
        else:
            self._close_when_quiet(self._loop.time() + self._edge.limits.linger_seconds)

    def _close_when_quiet(self, latest: float) -> None:
        """TLS has no half-closed state: its end is said only when nothing more comes in."""
        now = self._loop.time()
        if now - self._heard > QUIET_SECONDS or now > latest:
            self._transport.close()
        else:
            self._loop.call_later(QUIET_SECONDS, self._close_when_quiet, latest)

    def _failed(self, error: BaseException) -> None:
        logger.warning("a connection failed: %s", type(error).__name__, exc_info=error)
        self.abort()

    async def _close(self) -> None:
        await self._tasks.join()
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()
