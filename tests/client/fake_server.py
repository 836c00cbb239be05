"""A small server that speaks the protocol, and misbehaves as it is told."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from quart import Quart, Response, request, websocket

from quartchat.client import Client

Event = dict[str, Any]
Open = Callable[..., Client]
TOKEN = "the-token"


@dataclass
class Plan:
    """How one connection goes. `cut_after` is the number of durable events before its end."""

    cut_after: int | None = None
    status: int | None = None
    signed: bool = True
    close: int | None = None
    silent: bool = False
    swallowed: set[int] = field(default_factory=set)
    twice: bool = False
    prelude: tuple[Event, ...] = ()
    retry: int | None = None
    garbage: bool = False
    heartbeat: float = 15.0
    beat: bool = False
    hold: bool = True


@dataclass
class Fake:
    """The log, what was asked, and how the next connections go: `plans`, then `usual`."""

    url: str = ""
    log: list[Event] = field(default_factory=list)
    plans: deque[Plan] = field(default_factory=deque)
    usual: Callable[[], Plan] = Plan
    asked: list[tuple[str, dict[str, str], dict[str, str]]] = field(default_factory=list)
    posted: list[dict[str, Any]] = field(default_factory=list)
    answers: deque[Any] = field(default_factory=deque)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    stopped: bool = False

    def say(self, *ids: int, type_: str = "new_message") -> None:
        for id_ in ids:
            self.log.append({"id": id_, "type": type_, "data": {"content": f"no. {id_}\u2028"}})
        self.wake()

    def wake(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()

    @property
    def head(self) -> int:
        return self.log[-1]["id"] if self.log else 0

    @property
    def ways(self) -> list[str]:
        return [path for path, _, _ in self.asked]

    def begin(self, path: str, headers: Any, query: Any) -> tuple[Plan, int]:
        self.asked.append((path, {k.lower(): v for k, v in headers.items()}, dict(query)))
        plan = self.plans.popleft() if self.plans else self.usual()
        cursor = query.get("last_event_id")
        return plan, self.head if cursor is None else int(cursor)

    async def events(self, plan: Plan, cursor: int) -> AsyncIterator[Event]:
        """What one streaming connection sends."""
        hello = {"cursor": cursor, "head": self.head, "heartbeat": plan.heartbeat}
        yield {"type": "hello", "data": hello}
        for event in plan.prelude:
            yield event
        sent, caught_up = 0, False
        while not self.stopped:
            changed = self.changed
            for event in [event for event in self.log if event["id"] > cursor]:
                if sent == plan.cut_after:
                    return
                cursor, sent = event["id"], sent + 1
                for _ in range(0 if cursor in plan.swallowed else 2 if plan.twice else 1):
                    yield event
            if not caught_up:
                caught_up = True
                yield {"type": "caught_up", "data": {"last_event_id": cursor}}
            if plan.beat:
                yield {"type": "heartbeat", "data": {"last_event_id": cursor}}
            if sent == plan.cut_after:
                return
            await changed.wait()


def refusal(plan: Plan) -> Response:
    body = json.dumps({"code": "because", "detail": "The server says no."})
    kind = "application/problem+json" if plan.signed else "text/html"
    return Response(body, plan.status, content_type=kind)


def line(event: Event) -> bytes:
    return json.dumps(event, ensure_ascii=False).encode() + b"\n"


def field_lines(event: Event) -> bytes:
    id_ = b"id: %d\n" % event["id"] if "id" in event else b""
    return id_ + b"data: " + line(event) + b"\n"


async def body(fake: Fake, plan: Plan, cursor: int, name: str) -> AsyncIterator[bytes]:
    """The pieces of a stream, cut in the middle of an event."""
    yield b" " * 2048 + b"\n" if name == "stream" else b": padding\n\n"
    if plan.retry is not None and name == "sse":
        yield b"retry: %d\n\n" % plan.retry
    while plan.silent and not fake.stopped:
        await fake.changed.wait()
    async for event in fake.events(plan, cursor):
        frame = b"data: <html>\n\n" if plan.garbage else FRAMES[name](event)
        yield frame[:9]
        yield frame[9:]


FRAMES = {"stream": line, "sse": field_lines}
KINDS = {"stream": "application/octet-stream", "sse": "text/event-stream"}


def streaming(fake: Fake, name: str) -> Callable[[], Awaitable[Response]]:
    async def view() -> Response:
        plan, cursor = fake.begin(name, request.headers, request.args)
        if plan.status:
            return refusal(plan)
        response = Response(body(fake, plan, cursor, name), content_type=KINDS[name])
        response.timeout = None
        return response

    view.__name__ = name
    return view


async def socket_view(fake: Fake) -> Any:
    plan, cursor = fake.begin("ws", websocket.headers, websocket.args)
    if plan.status:
        return refusal(plan)
    await websocket.accept()
    if plan.silent:
        await websocket.receive()
    async for event in fake.events(plan, cursor):
        await websocket.send("<html>" if plan.garbage else json.dumps([event]))
    await websocket.close(plan.close or 1001)
    return None


async def poll_view(fake: Fake) -> Any:
    plan, cursor = fake.begin("poll", request.headers, request.args)
    if plan.status:
        return refusal(plan)
    if plan.garbage:
        return "<html>"
    waits = plan.hold and request.args["timeout"] != "0"
    while waits and fake.head <= cursor and not fake.stopped:
        await fake.changed.wait()
    missed = [event for event in fake.log if event["id"] > cursor][: plan.cut_after]
    last = missed[-1]["id"] if missed else cursor
    for event in plan.prelude:
        last = event["data"].get("head", last)
    events = [*plan.prelude, *(event for event in missed if event["id"] not in plan.swallowed)]
    return {"events": events * (2 if plan.twice else 1), "last_event_id": last}


async def send_view(fake: Fake, chat_id: str) -> Any:
    sent = await request.get_json()
    fake.posted.append({"chat_id": chat_id, **sent, "by": request.headers["Authorization"]})
    answer = fake.answers.popleft() if fake.answers else 200
    if answer == 200:
        return {"client_id": sent["client_id"], "message_id": "7", "event_id": 7}
    if isinstance(answer, int):
        return refusal(Plan(status=answer, signed=answer < 500))
    return answer


def build(fake: Fake) -> Quart:
    app = Quart("fake")
    app.websocket("/t/w", endpoint="ws")(partial(socket_view, fake))
    app.get("/t/s")(streaming(fake, "stream"))
    app.get("/t/e")(streaming(fake, "sse"))
    app.get("/t/p", endpoint="poll")(partial(poll_view, fake))
    app.post("/api/chats/<chat_id>/messages", endpoint="send")(partial(send_view, fake))
    return app


class Sleeps(list[float]):
    """Stands for asyncio.sleep: notes how long was asked for, and takes no time."""

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)
        await asyncio.sleep(0)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now
