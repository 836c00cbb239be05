"""HTTP/2, one frame at a time, by a client that may be as bad as a test wants."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import h2.config
import h2.connection
import h2.events as seen
import h2.settings
from edge_support import Raw, Site
from hyperframe.frame import GoAwayFrame
from wsproto.connection import Connection, ConnectionType

PATIENCE = 10.0


class Client:
    def __init__(self, raw: Raw, **settings: int) -> None:
        self.raw = raw
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
        codes = h2.settings.SettingCodes
        for name, value in settings.items():
            self.h2.local_settings[codes[name.upper()]] = value
        self.h2.local_settings.acknowledge()
        self.h2.initiate_connection()
        self.events: list[Any] = []
        self.untaken: set[int] = set()  # streams whose data is not acknowledged
        self.goaways: list[GoAwayFrame] = []  # kept from h2, which would take no more after one
        self.h2._frame_dispatch_table[GoAwayFrame] = self._keep  # type: ignore[attr-defined]
        self.flush()

    def ask(self, path: str, *, method: str = "GET", end: bool = True, **more: str) -> int:
        """The stream of a new request."""
        head = {":method": method, ":path": path, ":authority": "x", ":scheme": "http"}
        return self.open({**head, **{name.replace("_", "-"): more[name] for name in more}}, end)

    def open(self, headers: dict[str, str], end: bool = True) -> int:
        stream = self.h2.get_next_available_stream_id()
        self.h2.send_headers(stream, list(headers.items()), end_stream=end)
        self.flush()
        return stream

    def data(self, stream: int, data: bytes, *, end: bool = False) -> None:
        self.h2.send_data(stream, data, end_stream=end)
        self.flush()

    def reset(self, stream: int) -> None:
        self.h2.reset_stream(stream, 8)
        self.flush()

    def flush(self) -> None:
        self.raw.write(self.h2.data_to_send())

    async def next(self, kind: type, stream: int | None = None) -> Any:
        """The next event of this kind (on this stream)."""
        async with asyncio.timeout(PATIENCE):
            while True:
                for event in self.events:
                    if isinstance(event, kind) and stream in (None, event.stream_id):
                        self.events.remove(event)
                        return event
                if not await self.read():
                    raise EOFError("the server ended the connection")

    async def read(self) -> bool:
        data = await self.raw.reader.read(65536)
        for event in self.h2.receive_data(data) if data else ():
            self.events.append(event)
            if isinstance(event, seen.DataReceived) and event.flow_controlled_length:
                size, stream = event.flow_controlled_length, event.stream_id
                if stream in self.untaken:
                    self.h2.increment_flow_control_window(size)  # of the connection
                else:
                    self.h2.acknowledge_received_data(size, stream)
        self.flush()
        return bool(data)

    async def answer(self, stream: int) -> tuple[int, bytes]:
        """(status, body) of a stream that ends."""
        status = await self.status(stream)
        await self.next(seen.StreamEnded, stream)
        mine = [one for one in self.events if isinstance(one, seen.DataReceived)]
        body = b"".join(one.data for one in mine if one.stream_id == stream)
        self.events = [one for one in self.events if getattr(one, "stream_id", 0) != stream]
        return status, body

    async def status(self, stream: int) -> int:
        headers = (await self.next(seen.ResponseReceived, stream)).headers
        return int(dict(headers)[b":status"])

    async def get(self, path: str) -> tuple[int, bytes]:
        return await self.answer(self.ask(path))

    async def goaway(self) -> GoAwayFrame:
        async with asyncio.timeout(PATIENCE):
            while not self.goaways:
                assert await self.read(), "the server ended the connection without a word"
        return self.goaways[-1]

    async def end(self) -> GoAwayFrame:
        """The last GOAWAY before the server ended the connection."""
        async with asyncio.timeout(PATIENCE):
            with contextlib.suppress(ConnectionError):
                while await self.read():
                    pass
        return self.goaways[-1]

    def _keep(self, frame: GoAwayFrame) -> tuple[list[Any], list[Any]]:
        self.goaways.append(frame)
        return [], []


class Socket:
    """A WebSocket on a stream of an HTTP/2 connection (RFC 8441)."""

    def __init__(self, client: Client, path: str = "/ws") -> None:
        head = {":method": "CONNECT", ":protocol": "websocket", ":scheme": "http"}
        more = {":path": path, ":authority": "x", "sec-websocket-version": "13"}
        self.client, self.ws = client, Connection(ConnectionType.CLIENT)
        self.stream = client.open({**head, **more}, end=False)
        self.seen: list[Any] = []

    def send(self, event: Any) -> None:
        self.client.data(self.stream, self.ws.send(event))

    async def next(self) -> Any:
        while not self.seen:
            came = await self.client.next(seen.DataReceived, self.stream)
            self.ws.receive_data(came.data)
            self.seen += self.ws.events()
        return self.seen.pop(0)


async def connect(site: Site, **settings: int) -> Client:
    return Client(await site.connect(), **settings)
