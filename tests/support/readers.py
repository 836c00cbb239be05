"""One tiny client per transport, each made of other people's libraries, all of one shape.

A transport is an async generator of events over a `Call`; `Reader` runs it in the background
and gives what it brought with a bounded wait. A new transport joins by one line of TRANSPORTS.
"""

from __future__ import annotations

import asyncio
import json
import re
import ssl
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import httpx
import httpx_sse
import websockets
from websockets.asyncio.client import ClientConnection, connect

Event = dict[str, Any]
PATIENCE = 5.0  # seconds: how long to wait for what must come
TLS = ssl.create_default_context()  # made once: it takes 20 ms


class Refused(Exception):
    """The server answered with an error status. `code` is that of the problem document."""

    def __init__(self, status: int, body: bytes = b"") -> None:
        super().__init__(f"{status} {body[:200]!r}")
        self.status = status
        self.problem = json.loads(body) if body[:1] == b"{" else {}
        self.code = self.problem.get("code")


@dataclass
class Call:
    """What to ask for, and what became of it."""

    url: str
    token: str | None
    user_id: str = ""
    cursor: int | str | None = None
    chats: Collection[str] | None = None
    hb: float | None = None
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    by_header: bool = False  # the cursor travels in Last-Event-ID
    hold: float = 5.0  # seconds: how long a poll is held
    commands: list[Event] = field(default_factory=list)  # for the serial poll
    answered: dict[str, str] = field(default_factory=dict)  # the response's headers
    socket: ClientConnection | None = None
    opened: asyncio.Event = field(default_factory=asyncio.Event)
    close_code: int | None = None
    close_reason: str = ""
    retry_ms: int | None = None

    def address(self, path: str, **more: str) -> str:
        query = {**self.query, **more}
        if self.cursor is not None and not self.by_header:
            query.setdefault("last_event_id", str(self.cursor))
        if self.chats is not None:
            query["chats"] = ",".join(self.chats)
        if self.hb is not None:
            query["hb"] = str(self.hb)
        return f"{self.url}{path}?{urlencode(query)}"

    def sent_headers(self) -> dict[str, str]:
        sent = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        if self.cursor is not None and self.by_header:
            sent["Last-Event-ID"] = str(self.cursor)
        return sent | self.headers


def http_client() -> httpx.AsyncClient:
    """As many connections at once as a test wants."""
    timeout, limits = httpx.Timeout(PATIENCE, read=None), httpx.Limits(max_connections=None)
    return httpx.AsyncClient(timeout=timeout, limits=limits, verify=TLS)


async def _answered(call: Call, response: httpx.Response) -> None:
    call.answered = dict(response.headers)
    if response.status_code != 200:
        raise Refused(response.status_code, await response.aread())


async def read_websocket(call: Call, path: str, **query: str) -> AsyncIterator[Event]:
    address = call.address(path.format(user_id=call.user_id), **query).replace("http", "ws", 1)
    async with connect(
        address,
        additional_headers=call.sent_headers(),
        compression=None,
        proxy=None,
        max_size=None,
        ping_interval=None,
    ) as socket:
        call.socket = socket
        call.opened.set()
        try:
            async for frame in socket:
                found = json.loads(frame)
                for event in found if isinstance(found, list) else [found]:
                    yield event
        except websockets.ConnectionClosed:
            pass
        finally:
            call.close_code, call.close_reason = socket.close_code, socket.close_reason or ""


async def read_stream(call: Call, path: str, **query: str) -> AsyncIterator[Event]:
    async with (
        http_client() as client,
        client.stream("GET", call.address(path, **query), headers=call.sent_headers()) as response,
    ):
        await _answered(call, response)
        async for line in response.aiter_lines():
            if line.strip():
                yield json.loads(line)


async def read_sse(call: Call, path: str, **query: str) -> AsyncIterator[Event]:
    address, headers = call.address(path, **query), call.sent_headers()
    async with (
        http_client() as client,
        httpx_sse.aconnect_sse(client, "GET", address, headers=headers) as source,
    ):
        await _answered(call, source.response)
        async for sse in source.aiter_sse():
            event = json.loads(sse.data)
            assert sse.event == (event["type"] if query.get("named") else "message")
            assert "id" not in event or sse.id == str(event["id"])
            call.retry_ms = sse.retry if sse.retry is not None else call.retry_ms
            yield event


async def read_poll(call: Call, path: str, **query: str) -> AsyncIterator[Event]:
    async with http_client() as client:
        while True:
            address = call.address(path, timeout=str(call.hold), **query)
            response = await client.get(address, headers=call.sent_headers())
            await _answered(call, response)
            for event in _of_poll(call, response):
                yield event
                if event["type"] == "goodbye":
                    return


async def read_serial_poll(call: Call, path: str, **query: str) -> AsyncIterator[Event]:
    async with http_client() as client:
        while True:
            commands, call.commands = call.commands, []
            body = {"last_event_id": call.cursor, "timeout": call.hold, "commands": commands}
            cursor, call.cursor = call.cursor, None
            address, call.cursor = call.address(path, **query), cursor
            response = await client.post(address, headers=call.sent_headers(), json=body)
            await _answered(call, response)
            for event in _of_poll(call, response):
                yield event
                if event["type"] == "goodbye":
                    return


def _of_poll(call: Call, response: httpx.Response) -> list[Event]:
    answer = response.json()
    assert set(answer) == {"events", "last_event_id"}
    call.cursor = answer["last_event_id"]
    return answer["events"]


async def read_live_html(call: Call, chat_id: str) -> AsyncIterator[Event]:
    """Only the ids: a page shows no JSON. Without a cursor it begins with the history."""
    address, headers = call.address(f"/chats/{chat_id}/live"), call.sent_headers()
    async with http_client() as client, client.stream("GET", address, headers=headers) as response:
        await _answered(call, response)
        rest = ""
        async for text in response.aiter_text():
            *whole, rest = re.split(r"(?<=>)", rest + text)
            for id_ in re.findall(r'data-event-id="(\d+)"', "".join(whole)):
                yield {"id": int(id_), "type": "shown", "data": {}}


Read = Callable[[Call], AsyncIterator[Event]]


@dataclass(frozen=True)
class Transport:
    """`greets`: each connection says hello and caught_up, and beats. `duplex`: commands go
    the same way."""

    name: str
    read: Read
    greets: bool = True
    duplex: bool = False


def _make(name: str, read: Any, path: str, **query: str) -> Transport:
    kinds = {"greets": "poll" not in read.__name__, "duplex": "websocket" in read.__name__}
    return Transport(name, lambda call: read(call, path, **query), **kinds)


ALL = [
    _make("ws", read_websocket, "/ws"),
    _make("ws-batch", read_websocket, "/ws", batch="1"),
    _make("ws-of-user", read_websocket, "/websocket/ws/{user_id}"),
    _make("stream", read_stream, "/stream"),
    _make("stream-pad", read_stream, "/stream", pad="1"),
    _make("sse", read_sse, "/events"),
    _make("sse-named", read_sse, "/events", named="1"),
    _make("poll", read_poll, "/poll"),
    _make("poll-serial", read_serial_poll, "/poll"),
]
# The same under neutral names: that they are the same is tried once, not in every test.
NEUTRAL = [
    _make("neutral-ws", read_websocket, "/t/w"),
    _make("neutral-stream", read_stream, "/t/s"),
    _make("neutral-sse", read_sse, "/t/e"),
    _make("neutral-poll", read_poll, "/t/p"),
    _make("neutral-serial", read_serial_poll, "/t/p"),
]
TRANSPORTS = {transport.name: transport for transport in ALL + NEUTRAL}
# One of each kind, where trying every pair of addresses would only take longer.
KINDS = [TRANSPORTS[name] for name in ("ws", "ws-batch", "stream", "sse", "poll", "poll-serial")]
GREETING = [transport for transport in ALL if transport.greets]


class Reader:
    """One connection. `seen` is all that it brought, `cursor` the last durable id of it."""

    def __init__(self, read: Read, call: Call) -> None:
        self.call, self.seen = call, []
        self.cursor: int | None = int(call.cursor) if str(call.cursor).isdecimal() else None
        self._taken = 0
        self._news = asyncio.Event()
        self._error: BaseException | None = None
        self._task = asyncio.create_task(self._pump(read))

    async def _pump(self, read: Read) -> None:
        try:
            async with aclosing(read(self.call)) as events:  # type: ignore[type-var]
                async for event in events:
                    self._take(event)
        except Exception as error:
            self._error = error
        finally:
            self._news.set()
            self.call.opened.set()

    def _take(self, event: Event) -> None:
        self.seen.append(event)
        if "id" in event:
            self.cursor = event["id"]
        elif event["type"] == "reset":
            self.cursor = event["data"]["head"]
        elif event["type"] == "hello":
            self.cursor = event["data"]["cursor"]
        self._news.set()

    async def next_event(self, patience: float = PATIENCE) -> Event:
        """The next one not taken yet. Raises Refused or what broke the connection, EOFError at
        its end, TimeoutError."""
        async with asyncio.timeout(patience):
            while self._taken >= len(self.seen):
                if self._task.done():
                    raise self._error or EOFError(f"{self.call.close_code}")
                self._news.clear()
                await self._news.wait()
        self._taken += 1
        return self.seen[self._taken - 1]

    async def until(
        self, wanted: Callable[[Event], bool] | str, patience: float = PATIENCE
    ) -> list[Event]:
        """All events up to the first wanted one (a type, or what a function says), with it."""
        test = (lambda event: event["type"] == wanted) if isinstance(wanted, str) else wanted
        found: list[Event] = []
        try:
            async with asyncio.timeout(patience):
                while not found or not test(found[-1]):
                    found.append(await self.next_event(patience))
        except TimeoutError:
            raise TimeoutError(
                f"{wanted} did not come; but: {[e['type'] for e in found]}"
            ) from None
        return found

    async def until_id(self, id_: int, patience: float = PATIENCE) -> list[Event]:
        return await self.until(lambda event: event.get("id") == id_, patience)

    async def one(self, wanted: Callable[[Event], bool] | str, patience: float = PATIENCE) -> Event:
        return (await self.until(wanted, patience))[-1]

    async def end(self, patience: float = PATIENCE) -> list[Event]:
        """Wait until the server ends the connection: what came before that."""
        async with asyncio.timeout(patience):
            await asyncio.wait([self._task])
        rest, self._taken = self.seen[self._taken :], len(self.seen)
        if self._error is not None:
            raise self._error
        return rest

    async def refusal(self, patience: float = PATIENCE) -> tuple[str, int | None]:
        """The error's code with the HTTP status or the close code, as the transport tells it."""
        try:
            events = await self.end(patience)
        except Refused as error:
            return error.code, error.status
        errors = [event for event in events if event["type"] == "error"]
        return errors[-1]["data"]["code"], self.call.close_code

    @property
    def ended(self) -> bool:
        return self._task.done()

    @property
    def durable(self) -> list[Event]:
        return [event for event in self.seen if "id" in event]

    def types(self) -> list[str]:
        return [event["type"] for event in self.seen]

    async def send(self, type_: str, data: Any = None, **more: Any) -> None:
        """A command, over a WebSocket."""
        await self.raw(json.dumps({"type": type_, "data": data or {}, **more}))

    async def raw(self, frame: str | bytes) -> None:
        async with asyncio.timeout(PATIENCE):
            await self.call.opened.wait()
        assert self.call.socket is not None
        await self.call.socket.send(frame)

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])
