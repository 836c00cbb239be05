"""What all transports share: who asks, what they wish, and the headers of what never ends."""

from __future__ import annotations

import traceback
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import structlog
from quart import Request, Response, Websocket, current_app, request

from quartchat.access import (
    SAFE_METHODS,
    Caller,
    Knock,
    Way,
    check_same_origin,
    find_caller,
)
from quartchat.chat.core import chat_and_member
from quartchat.delivery.session import Session
from quartchat.delivery.subscriber import Subscriber, Wish
from quartchat.errors import (
    ChatError,
    Invalid,
    OtherUser,
    RateLimited,
    Unauthenticated,
    Unavailable,
)
from quartchat.events import Page, ephemeral
from quartchat.locale.language import current
from quartchat.locale.texts import gettext
from quartchat.protocol import read_cursor
from quartchat.services import Fragment, Services
from quartchat.store.people import Fetch
from quartchat.transports.forms import PAD, Form, lines, sse

# An EventSource gives up for good at an error status: it is told to come back later.
STREAMS = frozenset({"/events", "/stream", "/t/e", "/t/s"})
HEARTBEATS = (1.0, 60.0)
OVERLOAD_RETRY_MS = 5000
SSE_TYPE = "text/event-stream; charset=utf-8"
STREAM_TYPE = "application/octet-stream"
HEADERS = {
    "Cache-Control": "no-store, no-transform",
    "X-Accel-Buffering": "no",
    "Content-Encoding": "identity",
    "X-Content-Type-Options": "nosniff",
}


log = structlog.get_logger("quartchat")


def ending(asked: Request) -> dict[str, str]:
    """Headers that end the connection behind an answer, where `close=1` asks for it."""
    ends = asked.args.get("close") == "1" and asked.http_version.startswith("1")
    return {"Connection": "close"} if ends else {}


def log_fault(event: str, error: BaseException, **details: object) -> None:
    """One line about a fault of ours: where it happened, and no data of users."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{Path(frame.filename).name}:{frame.lineno}"
    log.error(event, error=type(error).__name__, where=where, **details)


def log_refusal(error: ChatError, **details: object) -> None:
    """One line about a request that was refused: nothing of what was sent, no query."""
    log.info("refused", code=error.code, **details)


def services() -> Services:
    return current_app.extensions["quartchat"]  # type: ignore[no-any-return]


def knock(asked: Request | Websocket) -> Knock:
    return Knock(
        headers=asked.headers,
        cookies=asked.cookies,
        query=asked.args,
        address=asked.remote_addr or "",
        host=asked.host,
        scheme=asked.scheme,
    )


async def caller() -> Caller:
    """Who makes this request. Raises Unauthenticated, OtherUser for a page (`u`) of somebody who
    was logged in there before, and CrossOrigin for a change that another site made with the
    user's cookies."""
    found = await find_caller(services(), knock(request))
    if found is None:
        raise Unauthenticated
    if request.args.get("u", found.user_id) != found.user_id:
        raise OtherUser
    if found.way is Way.COOKIE and request.method not in SAFE_METHODS:
        check_same_origin(services(), knock(request))
    return found


async def wish(asked: Request | Websocket, user_id: str, given: Any = None) -> Wish:
    """What the query (and a cursor from elsewhere) asks for. Raises BadCursor, Invalid,
    ChatNotFound, NotAMember."""
    settings = services().settings
    query = asked.args
    if query.get("u", user_id) != user_id:
        raise OtherUser
    header = asked.headers.get("Last-Event-ID")
    cursor = read_cursor(query.get("last_event_id"), query.get("c"), header, given)
    return Wish(
        cursor=cursor,
        chats=await _chats(query.get("chats"), user_id),
        heartbeat=_seconds(query.get("hb"), "hb", settings.heartbeat, *HEARTBEATS),
        page_size=_page_size(query.get("limit"), settings.page_size),
    )


async def streaming_wish(asked: Request | Websocket, user_id: str) -> Wish:
    """As `wish`, for what stays open: it can be asked to beat sooner, and to chain its pages."""
    ramp, chain = (asked.args.get(name) == "1" for name in ("ramp", "chain"))
    return replace(await wish(asked, user_id), ramp=ramp, chain=chain)


async def _chats(raw: str | None, user_id: str) -> frozenset[str] | None:
    if not raw:
        return None
    chats = frozenset(part for part in raw.split(",") if part)
    await services().database.read(lambda c: _all_mine(c.execute, chats, user_id))
    return chats


async def _all_mine(fetch: Fetch, chats: frozenset[str], user_id: str) -> None:
    for chat_id in chats:
        await chat_and_member(fetch, chat_id, user_id)


def _page_size(raw: str | None, most: int) -> int:
    if not raw:
        return most
    if not (raw.isascii() and raw.isdecimal() and int(raw[:9]) > 0):
        raise Invalid("limit takes a whole number, 1 or greater.", field="limit")
    return min(int(raw[:9]), most)


def _seconds(raw: str | None, name: str, default: float, least: float, most: float) -> float:
    try:
        value = default if raw is None or raw == "" else float(raw)
    except ValueError as error:
        raise Invalid("{name} takes a number of seconds.", field=name, name=name) from error
    if not value == value:  # noqa: PLR0124  (not a number)
        raise Invalid("{name} takes a number of seconds.", field=name, name=name)
    return min(max(value, least), most)


def hold_seconds(raw: str | None) -> float:
    """The `timeout` of a poll. Raises Invalid."""
    return _seconds(raw, "timeout", 25.0, 0.0, 55.0)


def html_wanted(asked: Request | Websocket) -> Fragment | None:
    """The fragments that are to go with the events, in the language of the request."""
    return services().fragments(current()) if asked.args.get("html") == "1" else None


def subscribe(session: Session, wanted: Wish) -> Subscriber:
    return Subscriber(session, services().feed, wanted, services().clock)


def streamed(who: Caller, name: str, wanted: Wish, form: Form, content_type: str) -> Response:
    """A response that stays open and carries the subscriber's pages, one write a page."""
    if request.method == "HEAD":
        return Response("", headers={**HEADERS, "Content-Type": content_type})
    body = _body(services(), who, name, request.remote_addr or "", wanted, form)
    if request.args.get("pad") == "1":
        body = _padded(body)
    response = Response(body, headers={**HEADERS, "Content-Type": content_type})
    response.timeout = None
    return response


async def _body(
    shared: Services, who: Caller, name: str, address: str, wanted: Wish, form: Form
) -> AsyncGenerator[bytes]:
    try:
        with shared.sessions.open(who.identity, name, address) as session:
            reader = Subscriber(session, shared.feed, wanted, shared.clock)
            async with aclosing(reader.pages()) as pages:
                async for page in pages:
                    yield form.page(page)
    except (RateLimited, Unavailable) as error:
        log_refusal(error, transport=name, user_id=who.user_id)
        yield form.page(Page([overload(error)], 0))


def overload(error: ChatError) -> Any:
    """Told with 200 and an end: an EventSource gives up for good at an error status."""
    return ephemeral("goodbye", {"retry_ms": OVERLOAD_RETRY_MS, "message": error.text(gettext)})


def come_back(error: ChatError) -> Response:
    """A whole stream that says no more than to come back later."""
    is_sse = request.path in ("/events", "/t/e")
    form = sse(None, named=False) if is_sse else lines(None)
    kind = SSE_TYPE if is_sse else STREAM_TYPE
    body = form.page(Page([overload(error)], 0))
    return Response(body, headers={**HEADERS, "Content-Type": kind})


async def _padded(body: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    yield PAD
    async with aclosing(body) as pieces:
        async for piece in pieces:
            yield piece
