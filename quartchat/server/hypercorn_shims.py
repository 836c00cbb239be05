"""All that touches the insides of Hypercorn, guarded; only multiplex.py imports it too.

What is replaced, and why:
- permessage-deflate is never agreed on: it costs 100 KiB a connection and inflates bombs;
- a WebSocket message over its limit is refused at the header that exceeds it, with 1009,
  and other broken frames get their close code, where Hypercorn closes without a word;
- a frame before the handshake's end, or a handshake that is none, ends the connection;
- `send` suspends now and then, and always after a disconnect: a handler that sends in a
  tight loop cannot keep the loop to itself;
- HTTP/2 is spoken by a protocol of our own, see multiplex.py.

On import HypercornMismatch is raised, with Hypercorn's version, if what is replaced has
not the shape that this was written for.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import hypercorn.protocol as wrapper
from h11 import SERVER
from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.config import Config
from hypercorn.events import Closed, RawData, Updated
from hypercorn.protocol import ProtocolWrapper, h11, ws_stream
from hypercorn.protocol.events import Body, Data, Request, StreamClosed
from hypercorn.protocol.h2 import H2Protocol
from hypercorn.protocol.http_stream import HTTPStream
from hypercorn.protocol.ws_stream import ASGIWebsocketState, WSStream
from wsproto.connection import Connection, ConnectionType
from wsproto.events import CloseConnection, Message, Ping
from wsproto.extensions import Extension
from wsproto.frame_protocol import CloseReason

from quartchat.server.limits import Limits
from quartchat.server.multiplex import Multiplexer
from quartchat.server.patient_h11 import PatientConnection
from quartchat.server.size_limit import SizeLimit

__all__ = ["Closed", "Context", "ProtocolWrapper", "RawData", "Updated", "make_config"]

TURN = 16
"""sends, or received frames, after which a handler or reader lets others have a turn"""


class HypercornMismatch(RuntimeError):
    """The Hypercorn that is installed is not one that this module fits."""


_CONNECTION = "app config context task_group connection_state ssl client server send"
_STREAM = "app config context task_group ssl client server send stream_id"
SHAPES: Mapping[Any, Mapping[str, str]] = {
    ProtocolWrapper: {"__init__": _CONNECTION.replace("connection_", "") + " alpn_protocol"}
    | {"initiate": "", "handle": "event"},
    h11.H11Protocol: {"__init__": _CONNECTION, "stream_send": "event", "_maybe_recycle": ""},
    H2Protocol: {"__init__": _CONNECTION, "initiate": "headers settings", "handle": "event"}
    | {"stream_send": "event"},
    HTTPStream: {"__init__": _STREAM, "handle": "event", "app_send": "message"},
    WSStream: {"__init__": _STREAM, "handle": "event", "app_send": "message"}
    | {"_accept": "message", "_handle_events": "", "_send_error_response": "status_code"}
    | {"_send_wsproto_event": "event"},
    ws_stream.WebsocketBuffer: {"extend": "event", "to_message": "", "clear": ""},
    WorkerContext: {"__init__": "max_requests", "mark_request": ""},
    Extension: {"frame_inbound_header": "proto opcode rsv payload_length"},
}
REPLACED = (
    *((h11, name) for name in ("WSStream", "HTTPStream")),
    (wrapper, "H2Protocol"),
    (wrapper, "H11Protocol"),
)


def check(shapes: Mapping[Any, Mapping[str, str]] = SHAPES) -> None:
    """Raises HypercornMismatch unless each method takes just these arguments after self."""
    missing = [f"{module.__name__}.{name}" for module, name in REPLACED if name not in vars(module)]
    for owner, methods in shapes.items():
        for name, takes in methods.items():
            if _arguments(getattr(owner, name, None)) != takes.split():
                missing.append(f"{owner.__module__}.{owner.__name__}.{name}({takes})")
    if missing:
        raise HypercornMismatch(
            f"quartchat does not fit Hypercorn {version('hypercorn')}, where it does not find "
            f"{', '.join(missing)}; install the version that quartchat's requirements name."
        )


def _arguments(method: Any) -> list[str] | None:
    return list(inspect.signature(method).parameters)[1:] if callable(method) else None


class Context(WorkerContext):
    """What all connections of one server share; `sockets`: the open WebSockets."""

    def __init__(self) -> None:
        super().__init__(None)
        self.sockets: set[GuardedWebSocket] = set()


class GuardedWebSocket(WSStream):
    context: WorkerContext
    _sent = 0

    @property
    def _siblings(self) -> set[GuardedWebSocket]:
        """All of this server; another Hypercorn of this process keeps none."""
        return self.context.sockets if isinstance(self.context, Context) else set()

    @property
    def connection(self) -> Connection:
        return self._connection

    @connection.setter
    def connection(self, _made_by_hypercorn: Connection) -> None:
        limit = SizeLimit(self.config.websocket_max_message_size)
        self._connection = Connection(ConnectionType.SERVER, [limit])

    async def handle(self, event: Any) -> None:
        early = isinstance(event, (Body, Data)) and not self.handshake.accepted
        if early and not self.closed:
            if self.state is ASGIWebsocketState.HANDSHAKE:
                await self._send_error_response(400)
            await self._end()
            return
        await super().handle(event)
        if isinstance(event, Request) and self.closed:
            await self._end()
        elif isinstance(event, StreamClosed):
            self._siblings.discard(self)

    async def app_send(self, message: Any) -> None:
        self._sent += 1
        if self.closed or self._sent % TURN == 0:
            await asyncio.sleep(0)
        await super().app_send(message)

    def ping(self) -> None:
        self.task_group.spawn(self._send_wsproto_event, Ping())

    async def leave(self) -> None:
        """Tells the client that the server goes down."""
        await self._send_wsproto_event(CloseConnection(code=CloseReason.GOING_AWAY))

    async def _accept(self, message: Any) -> None:
        self.handshake.extensions = None
        await super()._accept(message)
        if not self.closed:
            self._siblings.add(self)

    async def _handle_events(self) -> None:
        for turn, event in enumerate(self.connection.events(), 1):
            if turn % TURN == 0:
                await asyncio.sleep(0)
            if self.closed:
                return
            if isinstance(event, Message):
                await self._take(event)
            elif isinstance(event, Ping):
                await self._send_wsproto_event(event.response())
            elif isinstance(event, CloseConnection):
                await self._send_wsproto_event(CloseConnection(code=event.code))
                await self._end()
                return

    async def _take(self, event: Message[Any]) -> None:
        self.buffer.extend(event)
        if event.message_finished and self.app_put is not None:
            await self.app_put(self.buffer.to_message())
            self.buffer.clear()

    async def _end(self) -> None:
        await self.send(StreamClosed(stream_id=self.stream_id))


class GuardedHTTP(HTTPStream):
    _sent = 0

    async def app_send(self, message: Any) -> None:
        self._sent += 1
        if self.closed or self._sent % TURN == 0:
            await asyncio.sleep(0)
        if message is None or not self.closed:
            await super().app_send(message)


class GuardedH11(h11.H11Protocol):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        most = self.config.h11_max_incomplete_size
        self.connection = PatientConnection(SERVER, max_incomplete_event_size=most)


class GuardedH2(Multiplexer):
    http_stream, ws_stream = GuardedHTTP, GuardedWebSocket


def make_config(limits: Limits) -> Config:
    """Hypercorn's settings; it logs nothing but warnings and errors, and no requests."""
    config = Config()
    config.accesslog = None
    config.errorlog = logging.getLogger("hypercorn.error")
    config.errorlog.setLevel(logging.WARNING)
    config.h11_max_incomplete_size = limits.max_headers
    config.h2_max_header_list_size = 4 * limits.max_headers  # beyond it the connection ends
    config.include_server_header = False
    config.keep_alive_max_requests = 2**62
    config.websocket_max_message_size = limits.max_frame
    config.websocket_ping_interval = None
    return config


def _install() -> None:
    guarded = {"WSStream": GuardedWebSocket, "HTTPStream": GuardedHTTP, "H2Protocol": GuardedH2}
    guarded["H11Protocol"] = GuardedH11
    for module, name in REPLACED:
        setattr(module, name, guarded[name])


check()
_install()
