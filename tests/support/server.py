"""The real application under the real server, in the test's own event loop."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx

from quartchat.app import create_app
from quartchat.assemble import limits_of
from quartchat.config import Settings
from quartchat.server.limits import Limits
from quartchat.server.run import serve
from quartchat.server.sockets import address, open_socket
from quartchat.server.tls import Certificate
from quartchat.services import Services
from quartchat.store import log as rows
from quartchat.store import people
from support.clock import Clock
from support.log import STORES
from support.readers import (
    PATIENCE,
    TRANSPORTS,
    Call,
    Read,
    Reader,
    Refused,
    Transport,
    http_client,
)

_numbers = itertools.count(1)
QUIET: dict[str, Any] = {"no_limits": True, "log_level": "error", "log_format": "json"}


@dataclass
class Person:
    server: Server
    user_id: str
    name: str
    token: str
    refresh_token: str
    session_id: str
    readers: list[Reader] = field(default_factory=list)

    def connect(self, transport: Transport | Read | str = "ws", **asked: Any) -> Reader:
        """See `Call` for what may be asked: cursor, chats, hb, query, headers …"""
        if isinstance(transport, str):
            transport = TRANSPORTS[transport]
        read = transport.read if isinstance(transport, Transport) else transport
        call = Call(self.server.url, asked.pop("token", self.token), self.user_id, **asked)
        self.server.readers.append(reader := Reader(read, call))
        return reader

    async def live(self, transport: Transport | str = "ws", **asked: Any) -> Reader:
        """A connection that has caught up: from now on it is live."""
        reader = self.connect(transport, **asked)
        greets = TRANSPORTS[transport].greets if isinstance(transport, str) else transport.greets
        if greets or asked.get("cursor") is None:
            await reader.until("caught_up")
        return reader

    async def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}", **more.pop("headers", {})}
        url = f"{self.server.url}{path}"
        return await self.server.client.request(method, url, headers=headers, **more)

    async def api(self, method: str, path: str, **fields: Any) -> Any:
        """The JSON of an answer. Raises Refused."""
        response = await self.request(method, f"/api{path}", json=fields if fields else None)
        if response.status_code >= 400:
            raise Refused(response.status_code, response.content)
        return response.json() if response.content else None

    async def say(self, chat_id: str, content: str = "", **more: Any) -> Any:
        """Send a message over HTTP; the ack."""
        text = content or f"message {next(_numbers)}"
        return await self.api("POST", f"/chats/{chat_id}/messages", content=text, **more)

    async def say_many(self, chat_id: str, number: int) -> list[int]:
        """Event ids of as many messages, sent one after the other."""
        return [(await self.say(chat_id))["event_id"] for _ in range(number)]

    async def direct(self, other: Person) -> str:
        return (await self.api("POST", "/chats", kind="direct", user_id=other.user_id))["chat_id"]

    async def group(self, *others: Person, public: bool = False, title: str = "") -> str:
        members = [other.user_id for other in others]
        wanted = {"title": title or f"group {next(_numbers)}", "public": public}
        made = await self.api("POST", "/chats", kind="group", members=members, **wanted)
        return made["chat_id"]

    async def add(self, chat_id: str, other: Person) -> Any:
        return await self.api("POST", f"/chats/{chat_id}/members", user_id=other.user_id)

    async def remove(self, chat_id: str, other: Person) -> Any:
        return await self.api("DELETE", f"/chats/{chat_id}/members/{other.user_id}")

    async def history(self, chat_id: str) -> list[Any]:
        return (await self.api("GET", f"/chats/{chat_id}/messages?limit=200"))["messages"]

    async def may_see(self, after: int = 0) -> list[dict[str, Any]]:
        """What the log itself says that this person may see now, in order."""
        import msgspec

        scope = await self.server.services.feed.scopes.of(self.user_id)
        events = await self.server.services.database.read(
            lambda c: rows.after(c, scope.starts(after), 1_000_000)
        )
        return [msgspec.json.decode(event.json) for event in events]


@dataclass
class Server:
    url: str
    services: Services
    client: httpx.AsyncClient
    clock: Clock
    readers: list[Reader] = field(default_factory=list)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    stopped: asyncio.Event = field(default_factory=asyncio.Event)

    async def user(self, name: str = "", email: str | None = None) -> Person:
        """A new user, logged in, without the 50 ms that argon2 takes on purpose."""
        name = name or f"user{next(_numbers)}"
        user_id = uuid.uuid4().hex[:16]
        row = {"id": user_id, "name": name, "email": email, "password_hash": None}

        async def work(tx: Any) -> None:
            people.add(tx, {**row, "is_admin": False, "created_at": tx.now})

        await self.services.writer.do(work)
        grant = await self.services.logins.start(SimpleNamespace(id=user_id, name=name))
        keys = (grant.access_token, grant.refresh_token, grant.session_id)
        return Person(self, user_id, name, *keys)

    async def log_in_again(self, person: Person) -> Person:
        """The same user with a second login, as from another device."""
        row = SimpleNamespace(id=person.user_id, name=person.name)
        grant = await self.services.logins.start(row)
        keys = (grant.access_token, grant.refresh_token, grant.session_id)
        return Person(self, person.user_id, person.name, *keys)

    async def users(self, number: int) -> list[Person]:
        return [await self.user() for _ in range(number)]

    async def head(self) -> int:
        return (await self.services.database.read(rows.state)).head

    async def count_events(self) -> int:
        everything = self.services.database.read(lambda c: rows.everything(c, 0, 1_000_000))
        return len(await everything)

    def move_clock(self, seconds: float) -> None:
        """The server's clock jumps; who waits for a moment looks at it again."""
        self.clock.move(seconds)
        for session in self.services.sessions:
            session.nudge()

    async def stop(self) -> None:
        """As SIGTERM does; returns when the server is down."""
        self.stopping.set()
        async with asyncio.timeout(PATIENCE):
            await self.stopped.wait()

    async def close_readers(self) -> None:
        for reader in self.readers:
            await reader.close()
        self.readers.clear()


@asynccontextmanager
async def running(
    data: Path, *, store: str = "sqlite", certificate: Certificate | None = None, **settings: Any
) -> AsyncIterator[Server]:
    assert store in STORES, "say here how the application is started on the other store"
    clock = Clock()
    limits: Limits = settings.pop("limits", None) or limits_of(Settings(**settings))
    app = create_app(Settings(data=data, **{**QUIET, **settings}), clock=clock)
    sock = open_socket("127.0.0.1", 0)
    url = address(sock, "https" if certificate else "http")
    ready, stop = asyncio.Event(), asyncio.Event()

    async def drain() -> None:
        await app.extensions["quartchat"].sessions.drain()

    serving = asyncio.create_task(
        serve(
            app,
            sock,
            stop=stop,
            drain=drain,
            ready=ready.set,
            certificate=certificate,
            limits=limits,
        )
    )
    try:
        await _first(ready, serving)
        async with http_client() as client:
            server = Server(url, app.extensions["quartchat"], client, clock, stopping=stop)
            serving.add_done_callback(lambda _: server.stopped.set())
            try:
                yield server
            finally:
                await server.close_readers()
    finally:
        stop.set()
        async with asyncio.timeout(PATIENCE):
            await serving


async def _first(ready: asyncio.Event, serving: asyncio.Task[None]) -> None:
    waiting = asyncio.create_task(ready.wait())
    await asyncio.wait([waiting, serving], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if serving.done():
        serving.result()


def no_ids(events: Collection[dict[str, Any]]) -> list[str]:
    return [event["type"] for event in events if "id" not in event]


def ids(events: Collection[dict[str, Any]]) -> list[int]:
    return [event["id"] for event in events if "id" in event]


Folder = Callable[..., Path]
