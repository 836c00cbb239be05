"""HTTP/2: many requests on one connection, none of which can hold up or end the others.

Takes the place of Hypercorn's H2Protocol, on the same seams (RawData and Closed in; RawData,
Closed and Updated out; and the events of its streams). Differences that matter:
- what a handler has not read is held back by the window of its own stream only;
- what the client does not take stays in the handler that sends it: nothing is queued, and a
  stream of which nothing is taken for a while is reset, as the kernel does to a connection;
- an answer before the end of its request asks the client to send no more; a handler that breaks
  off resets its stream, and no other;
- a connection lives for any number of requests, and forgets all of those that have ended;
- the server's end is told by GOAWAY, behind which open streams go on to their end;
- who opens and resets streams faster than people do is sent away.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import h2.config
import h2.connection
import h2.settings
from h2 import events as h2_events
from h2.errors import ErrorCodes
from h2.exceptions import ProtocolError
from hypercorn.events import Closed, RawData, Updated
from hypercorn.protocol.events import Body, Data, EndBody, EndData, Request, Response, StreamClosed
from hyperframe.frame import GoAwayFrame

from quartchat.server.asgi import CONNECTION
from quartchat.server.h2_stream import WINDOW_STEP, Resets, Stream, fault_of, plain_headers

LINGER_SECONDS = 2.0
"""how long a WebSocket's client has to answer a close before its stream is reset"""

logger = logging.getLogger("hypercorn.error")


class Multiplexer:
    http_stream: Any
    ws_stream: Any

    def __init__(
        self,
        app: Any,
        config: Any,
        context: Any,
        task_group: Any,
        connection_state: Any,
        ssl: bool,
        client: Any,
        server: Any,
        send: Any,
    ) -> None:
        self._handler_arguments = (app, config, context, task_group, ssl, client, server)
        self._config, self._context, self._task_group = config, context, task_group
        self._state, self.send = connection_state, send
        self._h2 = _connection(config)
        self._streams: dict[int, Stream] = {}
        self._resets = Resets(asyncio.get_running_loop().time)
        self._leaving = False
        self._came = 0
        self._takes: dict[type, Callable[[Any], Awaitable[None]]] = {
            h2_events.RequestReceived: self._requested,
            h2_events.DataReceived: self._data_came,
            h2_events.StreamEnded: self._all_came,
            h2_events.StreamReset: self._was_reset,
            h2_events.WindowUpdated: self._window_opened,
            h2_events.RemoteSettingsChanged: self._window_opened,
            h2_events.ConnectionTerminated: self._terminated,
        }

    async def initiate(
        self, headers: list[tuple[bytes, bytes]] | None = None, settings: bytes | None = None
    ) -> None:
        """`headers` and `settings`: those of the HTTP/1 request that asked for HTTP/2."""
        if (connection := self._state.get(CONNECTION)) is not None:
            connection.multiplexer = self
        if settings is None:
            self._h2.initiate_connection()
        else:
            self._h2.initiate_upgrade_connection(settings)
        await self._flush()
        if headers is not None:
            await self._requested(h2_events.RequestReceived(stream_id=1, headers=headers))
            await self._all_came(h2_events.StreamEnded(stream_id=1))

    async def handle(self, event: Any) -> None:
        """What came on the connection: RawData, or Closed."""
        if isinstance(event, Closed):
            for stream in list(self._streams.values()):
                await self._forget(stream)
            return
        try:
            events = self._h2.receive_data(event.data)
        except ProtocolError:
            await self._end()
            return
        for one in events:
            if take := self._takes.get(type(one)):
                await take(one)
        await self._flush()

    async def stream_send(self, event: Any) -> None:
        """What a handler sends on its stream."""
        stream = self._streams.get(event.stream_id)
        if stream is None:
            return
        async with stream.sending:  # parts of two frames must not mix
            if stream.is_gone:
                return
            try:
                await self._send(stream, event)
            except (ProtocolError, KeyError):  # the client was faster with its reset
                return

    def parting(self) -> bytes:
        """GOAWAY: which requests were taken in, and that no more will be. Once."""
        if self._leaving:
            return b""
        self._leaving = True
        last = self._h2.highest_inbound_stream_id
        return GoAwayFrame(0, last_stream_id=last, error_code=ErrorCodes.NO_ERROR).serialize()

    async def leave(self) -> None:
        """No new streams from now on; the connection ends with the last that is open."""
        if last := self.parting():
            await self.send(RawData(last))
            await self._end_if_left()

    async def _requested(self, event: h2_events.RequestReceived) -> None:
        if self._leaving:
            self._reset(event.stream_id, ErrorCodes.REFUSED_STREAM)
            return
        method, path, fault = fault_of(event.headers, self._config.h11_max_incomplete_size)
        if fault:
            self._h2.send_headers(event.stream_id, [(":status", str(fault))], end_stream=True)
            if event.stream_ended is None:
                self._reset(event.stream_id, ErrorCodes.NO_ERROR)
            return
        make = self.ws_stream if method == "CONNECT" else self.http_stream
        handler = make(*self._handler_arguments, self.stream_send, event.stream_id)
        stream = self._streams[event.stream_id] = Stream(event.stream_id, handler)
        await self.send(Updated(idle=False))
        headers = plain_headers(event.headers)
        await handler.handle(Request(stream.id, headers, "2", method, path, self._state))

    async def _data_came(self, event: h2_events.DataReceived) -> None:
        size = event.flow_controlled_length
        self._open_shared_window(size)
        stream = self._streams.get(event.stream_id)
        if stream is not None and event.data:
            if padding := size - len(event.data):
                self._open_window(padding, stream.id)
            if stream.take(event.data):
                self._task_group.spawn(self._feed, stream)

    async def _feed(self, stream: Stream) -> None:
        """Hands the handler what comes as fast as it takes it."""
        try:
            async for data in stream.pieces():
                await stream.handler.handle(Body(stream.id, data))
                if size := stream.consumed(len(data)):
                    self._open_window(size, stream.id)
                    await self._flush()
            if not stream.is_gone:
                await self._end_of_request(stream)
        except Exception as error:
            logger.warning("a stream failed: %s", type(error).__name__, exc_info=error)
            await self._drop(stream, ErrorCodes.INTERNAL_ERROR)

    async def _all_came(self, event: h2_events.StreamEnded) -> None:
        stream = self._streams.get(event.stream_id)
        if stream is not None:
            stream.has_all = True
            stream.arrived.set()
            if not stream.is_fed:
                await self._end_of_request(stream)

    async def _end_of_request(self, stream: Stream) -> None:
        if isinstance(stream.handler, self.ws_stream):  # gone without a close
            await self._drop(stream, ErrorCodes.CANCEL)
        else:
            await stream.handler.handle(EndBody(stream.id))

    async def _was_reset(self, event: h2_events.StreamReset) -> None:
        if stream := self._streams.get(event.stream_id):
            await self._forget(stream)
        if self._resets.are_too_many():
            self._h2.close_connection(ErrorCodes.ENHANCE_YOUR_CALM)
            await self._end()

    async def _window_opened(self, event: Any) -> None:
        """Of one stream; of the connection (stream 0), or with new settings, of all."""
        if one := self._streams.get(getattr(event, "stream_id", 0)):
            one.room.set()
        elif not getattr(event, "stream_id", 0):
            for stream in self._streams.values():
                stream.room.set()

    async def _terminated(self, _event: h2_events.ConnectionTerminated) -> None:
        await self._end()

    async def _send(self, stream: Stream, event: Any) -> None:
        if isinstance(event, StreamClosed):
            await self._left(stream)
        elif isinstance(event, Response):
            head = [(b":status", b"%d" % event.status_code), *plain_headers(event.headers)]
            self._h2.send_headers(stream.id, head)
        elif isinstance(event, (Body, Data)):
            await self._send_data(stream, memoryview(event.data))
        elif isinstance(event, (EndBody, EndData)):
            self._h2.end_stream(stream.id)
            stream.is_answered = True
            if isinstance(event, EndData):
                self._let_go_in_time(stream)
        await self._flush()

    async def _send_data(self, stream: Stream, rest: memoryview) -> None:
        while rest and not stream.is_gone:
            window = self._h2.local_flow_control_window(stream.id)
            size = min(len(rest), window, self._h2.max_outbound_frame_size)
            if size > 0:
                self._h2.send_data(stream.id, bytes(rest[:size]))
                rest = rest[size:]
                await self._flush()
                await asyncio.sleep(0)  # the others' turn
            elif not await stream.has_room():
                await self._drop(stream, ErrorCodes.CANCEL)

    async def _left(self, stream: Stream) -> None:
        """The handler has ended; so does the stream, whatever is missing of it."""
        is_socket = isinstance(stream.handler, self.ws_stream)
        await self._forget(stream)
        if is_socket and not stream.is_answered:
            self._h2.end_stream(stream.id)
        elif not stream.is_answered:
            self._reset(stream.id, ErrorCodes.INTERNAL_ERROR)
        if is_socket and not stream.has_all:
            self._let_go_in_time(stream)
        elif stream.is_answered and not stream.has_all:
            self._reset(stream.id, ErrorCodes.NO_ERROR)
        await self._end_if_left()

    def _let_go_in_time(self, stream: Stream) -> None:
        """A client that does not answer the close of a WebSocket keeps its stream no longer."""

        def end() -> None:
            self._task_group.spawn(self._let_go, stream)

        asyncio.get_running_loop().call_later(LINGER_SECONDS, end)

    async def _let_go(self, stream: Stream) -> None:
        self._reset(stream.id, ErrorCodes.NO_ERROR)
        if stream.id in self._streams:
            await self._forget(stream)
        await self._flush()
        await self._end_if_left()

    async def _drop(self, stream: Stream, code: ErrorCodes) -> None:
        self._reset(stream.id, code)
        await self._forget(stream)
        await self._flush()
        await self._end_if_left()

    async def _forget(self, stream: Stream) -> None:
        self._streams.pop(stream.id, None)
        stream.is_gone = True
        stream.room.set()
        stream.arrived.set()
        await stream.handler.handle(StreamClosed(stream.id))
        await self.send(Updated(idle=not self._streams))

    async def _end_if_left(self) -> None:
        if self._leaving and not self._streams:
            await self._end()

    async def _end(self) -> None:
        self._leaving = True
        await self._flush()
        await self.send(Closed())

    def _reset(self, stream_id: int, code: ErrorCodes) -> None:
        try:
            self._h2.reset_stream(stream_id, code)
        except ProtocolError:  # it has ended meanwhile, or the connection has
            return

    def _open_shared_window(self, size: int) -> None:
        self._came += size
        if self._came >= WINDOW_STEP:
            self._open_window(self._came)
            self._came = 0

    def _open_window(self, size: int, stream_id: int | None = None) -> None:
        try:
            self._h2.increment_flow_control_window(size, stream_id)
        except (ProtocolError, KeyError):  # nothing more will come on it
            return

    async def _flush(self) -> None:
        if data := self._h2.data_to_send():
            await self.send(RawData(data))


def _connection(config: Any) -> h2.connection.H2Connection:
    codes = h2.settings.SettingCodes
    settings: Iterable[tuple[Any, int]] = (
        (codes.MAX_CONCURRENT_STREAMS, config.h2_max_concurrent_streams),
        (codes.MAX_HEADER_LIST_SIZE, config.h2_max_header_list_size),
        (codes.ENABLE_CONNECT_PROTOCOL, 1),
    )
    made = h2.connection.H2Connection(
        h2.config.H2Configuration(client_side=False, header_encoding=None)
    )
    made.local_settings = h2.settings.Settings(client=False, initial_values=dict(settings))
    return made
