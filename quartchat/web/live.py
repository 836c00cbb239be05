"""Streamed HTML: the messages of a chat as a page that never ends, for browsers without
JavaScript. The same fragments as everywhere, appended to a response that stays open."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from quart import Blueprint, Response, request

from quartchat.access import Caller
from quartchat.chat import receipts, rooms
from quartchat.delivery.session import Goodbye
from quartchat.delivery.subscriber import Subscriber, Wish
from quartchat.errors import (
    ChatError,
    NotAMember,
    NotFound,
    RateLimited,
    TokenExpired,
    Unauthenticated,
)
from quartchat.events import Page
from quartchat.protocol import MarkRead, read_cursor
from quartchat.services import Services
from quartchat.transports import base, forms
from quartchat.web import places, timeline, views
from quartchat.web.locale import current
from quartchat.web.places import Place
from quartchat.web.timeline import Days, Reader

blueprint = Blueprint("live", __name__)
blueprint.after_request(views.keep_login)
TYPE = "text/html; charset=utf-8"
# What hides the old text of a message in a document that can only grow.
STYLES = {
    "edited": "#m{id} .body{{text-decoration:line-through;opacity:.6}}"
    ".of-m{id}:has(~.of-m{id}){{display:none}}",
    "deleted": "#m{id} .body,#m{id} .quote,#m{id} .marks,#m{id} .reactions,#m{id} .acts,"
    ".of-m{id},.quote a[href$='#m{id}'] .said,.note a[href$='#m{id}']{{display:none}}"
    "#m{id} .bubble::before{{content:var(--gone);font-style:italic}}",
}
FOR_EVER = "public, max-age=31536000, immutable"
AGAIN_SECONDS = 5  # a server that is started anew should be back; some proxies cut 10 and more


@blueprint.get("/chats/<chat_id>/live")
async def live(chat_id: str) -> Response:
    """With a cursor: what came after it. Without: the newest page of history, then on."""
    if request.method == "HEAD":
        return Response("", headers={**base.HEADERS, "Content-Type": TYPE})
    who = await views.viewer()
    view = await rooms.one(base.services().core, who.user_id, chat_id)
    if view is None:
        raise NotAMember
    wanted = replace(await base.wish(request, who.user_id), chats=frozenset({chat_id}))
    days = Days()
    items, cursor = await _first_page(who, view, wanted, days)
    if view["unread"] and items:
        await _mark_read(base.services(), who, chat_id, cursor)
    head = _head(await views.person(who), view, items)
    body = _body(base.services(), who, head, replace(wanted, cursor=cursor), _end(chat_id), days)
    response = Response(body, headers={**base.HEADERS, "Content-Type": TYPE})
    response.timeout = None
    return response


@blueprint.get("/marks/<what>/<message_id>.css")
async def old_text(what: str, message_id: str) -> Response:
    """The style that an appended line brings along for a message further up."""
    if what not in STYLES or not (message_id.isascii() and message_id.isdecimal()):
        raise NotFound
    headers = {"Content-Type": "text/css; charset=utf-8", "Cache-Control": FOR_EVER}
    return Response(STYLES[what].format(id=message_id[:16]), headers=headers)


def _head(me: dict[str, Any], view: dict[str, Any], items: list[Any]) -> str:
    context: dict[str, Any] = {"me": me, "chat": view, "items": items, "nonce": views.nonce()}
    context["has_messages"] = not items or view["last_message"] is not None
    return views.renderer().page("live.html", **context, path=request.path)


async def _first_page(
    who: Caller, view: dict[str, Any], wanted: Wish, days: Days
) -> tuple[list[Any], int]:
    if wanted.cursor is not None:
        return [], wanted.cursor
    upto = read_cursor(request.args.get("unread"))
    if upto is None and view["unread"]:
        upto = view["read_upto"]
    part = await base.services().database.read(
        lambda c: places.read(c, who.user_id, view["chat_id"], Place())
    )
    return timeline.lines(part, Reader(who.user_id, upto), days), part.cursor


def _end(chat_id: str) -> str:
    """The last piece: the page comes back by itself, from the history."""
    url = views.link("chats", chat_id, "live")
    return views.renderer().page("partials/live_end.html", retry_seconds=AGAIN_SECONDS, url=url)


async def _read(shared: Services, who: Caller, wanted: Wish, page: Page) -> None:
    """What a reader without JavaScript was shown, they have read."""
    news = (event for event in page.events if event.type == "new_message")
    if any(event.fields()["sender_id"] != who.user_id for event in news):
        for chat_id in wanted.chats or ():
            await _mark_read(shared, who, chat_id, page.cursor)


async def _mark_read(shared: Services, who: Caller, chat_id: str, upto: int) -> None:
    with contextlib.suppress(ChatError):  # removed meanwhile, or the store is full
        await receipts.mark_read(shared.core, who.user_id, MarkRead(chat_id, upto))


def _new_day(page: Page, days: Days) -> bytes:
    """The line of the day on which these messages were said, if it is a new one."""
    said = next((event for event in page.events if event.type == "new_message"), None)
    line = days.line(said.fields().get("timestamp")) if said else ""
    return line.encode()


async def _body(
    shared: Services, who: Caller, head: str, wanted: Wish, end: str, days: Days
) -> AsyncIterator[bytes]:
    yield head.encode()
    form = forms.fragments(shared.fragments(current()))
    try:
        with shared.sessions.open(who.identity, "html", "") as session:
            async with aclosing(Subscriber(session, shared.feed, wanted, shared.clock).pages()) as (
                pages
            ):
                async for page in pages:
                    if any(event.type == "reset" for event in page.events):
                        break
                    yield _new_day(page, days) + form.page(page)
                    await _read(shared, who, wanted, page)
            ended = session.ending
    except RateLimited:
        ended = Goodbye(0)
    if not isinstance(ended, Unauthenticated) or isinstance(ended, TokenExpired):
        yield end.encode()
