"""A small application, a server for it in this very loop, and clients without manners."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import quart

from quartchat.server.limits import Limits
from quartchat.server.run import serve
from quartchat.server.sockets import address, open_socket

UPGRADE = (
    "Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


async def until(condition: Callable[[], Any], seconds: float = 10.0) -> None:
    """Returns when the condition holds; fails when it does not in time."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while not condition():
        assert loop.time() < deadline, "waited in vain"
        await asyncio.sleep(0.005)


class Streams:
    """What an application keeps to drain: open streams, and the word that they end."""

    def __init__(self) -> None:
        self.open = 0
        self.ended = 0
        self.draining = asyncio.Event()
        self.none = asyncio.Event()

    @contextlib.contextmanager
    def one(self) -> Any:
        self.open += 1
        try:
            yield
        finally:
            self.open -= 1
            self.ended += 1
            if not self.open:
                self.none.set()

    async def drain(self) -> None:
        self.draining.set()
        if self.open:
            await self.none.wait()


def make_app(log: list[str] | None = None) -> quart.Quart:
    """`/hello`, `/echo`, `/events` and `/ws`, which end on drain; `app.extensions["streams"]`."""
    app = quart.Quart("edge")
    streams = app.extensions["streams"] = Streams()
    log = [] if log is None else log

    @app.before_serving
    async def opened() -> None:
        log.append("open")

    @app.after_serving
    async def closed() -> None:
        log.append("closed")

    @app.get("/hello")
    async def hello() -> str:
        return "hello"

    @app.post("/echo")
    async def echo() -> bytes:
        data: bytes = await quart.request.get_data()
        return data

    @app.get("/events")
    async def events() -> quart.Response:
        async def body() -> AsyncIterator[bytes]:
            with streams.one():
                yield b"data: first\n\n"
                await streams.draining.wait()
                yield b"retry: 100\n\n"

        response = quart.Response(body(), content_type="text/event-stream")
        response.timeout = None
        return response

    @app.websocket("/ws")
    async def ws() -> None:
        with streams.one():
            await quart.websocket.accept()
            ending = asyncio.ensure_future(streams.draining.wait())
            reading = asyncio.ensure_future(echo_all())
            try:
                await asyncio.wait((ending, reading), return_when=asyncio.FIRST_COMPLETED)
            finally:
                ending.cancel()
                reading.cancel()
            await quart.websocket.close(1001)

    return app


async def echo_all() -> None:
    window = quart.websocket.scope["quartchat.window"]
    while True:
        data = await quart.websocket.receive()
        window.consumed()
        await quart.websocket.send(data)


class Site:
    def __init__(self, app: Any, sock: socket.socket) -> None:
        self.app, self.sock = app, sock
        self.url = address(sock)
        self.port: int = sock.getsockname()[1]
        self.stop = asyncio.Event()
        self.task: asyncio.Task[None]
        self.opened: list[Raw] = []

    async def connect(self, **options: Any) -> Raw:
        raw = Raw(*await asyncio.open_connection("127.0.0.1", self.port, **options))
        self.opened.append(raw)
        return raw

    async def send(self, text: str) -> Raw:
        """A connection on which this text was sent."""
        raw = await self.connect()
        raw.write(text.encode("latin1"))
        return raw

    async def get(self, path: str, headers: str = "") -> Raw:
        return await self.send(f"GET {path} HTTP/1.1\r\nHost: x\r\n{headers}\r\n")

    async def upgraded(self, path: str = "/ws") -> Raw:
        """A WebSocket after its handshake, for frames made by hand."""
        raw = await self.send(f"GET {path} HTTP/1.1\r\n{UPGRADE}\r\n")
        assert "101" in await raw.head()
        return raw

    async def stopped(self) -> float:
        """Stops the server; seconds that it took."""
        began = time.perf_counter()
        self.stop.set()
        await self.task
        return time.perf_counter() - began


class Raw:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def write(self, data: bytes) -> None:
        self.writer.write(data)

    async def head(self) -> str:
        return (await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 10)).decode()

    async def line(self) -> bytes:
        return await asyncio.wait_for(self.reader.readline(), 10)

    async def rest(self) -> bytes:
        """All that still comes until the server ends the connection, by FIN or reset."""
        got = bytearray()
        with contextlib.suppress(ConnectionError):
            while data := await asyncio.wait_for(self.reader.read(65536), 10):
                got += data
        return bytes(got)

    def reset(self) -> None:
        """Ends with a TCP reset."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def close(self) -> None:
        self.writer.transport.abort()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()

    async def __aenter__(self) -> Raw:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, declare: int = -1) -> bytes:
    """A masked client frame; its header can declare another length than it has."""
    length = len(payload) if declare < 0 else declare
    head = bytes([opcode | (0x80 if fin else 0)])
    if length < 126:
        head += bytes([0x80 | length])
    elif length < 65536:
        head += bytes([0x80 | 126]) + struct.pack("!H", length)
    else:
        head += bytes([0x80 | 127]) + struct.pack("!Q", length)
    return head + b"\0\0\0\0" + payload


def close_code(data: bytes) -> int:
    """The code of a close frame that stands at the end of what the server sent."""
    start = data.index(b"\x88")
    code: int = struct.unpack("!H", data[start + 2 : start + 4])[0]
    return code


@contextlib.asynccontextmanager
async def serving(
    app: Any, *, limits: Limits | None = None, drain: Any = None, **options: Any
) -> AsyncIterator[Site]:
    """The application on a free port, in this loop, until the block ends."""
    site = Site(app, open_socket("127.0.0.1", 0))
    accepting = asyncio.Event()
    streams = getattr(app, "extensions", {}).get("streams")
    drain = drain or (streams.drain if streams else asyncio.Event().wait)
    running = serve(
        app, site.sock, stop=site.stop, drain=drain, ready=accepting.set, limits=limits, **options
    )
    site.task = asyncio.create_task(running)
    ready = asyncio.create_task(accepting.wait())
    await asyncio.wait((site.task, ready), return_when=asyncio.FIRST_COMPLETED)
    ready.cancel()
    try:
        yield site
    finally:
        site.stop.set()
        await site.task
        for raw in site.opened:
            await raw.close()
