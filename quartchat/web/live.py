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
from quartchat.chat import messages, receipts, rooms
from quartchat.delivery.session import Goodbye
from quartchat.delivery.subscriber import Subscriber, Wish
from quartchat.errors import ChatError, NotAMember, RateLimited, TokenExpired, Unauthenticated
from quartchat.events import Page
from quartchat.protocol import MarkRead
from quartchat.services import Services
from quartchat.transports import base, forms
from quartchat.web import views

blueprint = Blueprint("live", __name__)
blueprint.after_request(views.keep_login)
PAGE = 60
TYPE = "text/html; charset=utf-8"
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
    items, cursor = await _first_page(who, chat_id, wanted)
    if view["unread"] and items:
        await _mark_read(base.services(), who, chat_id, cursor)
    head = _head(await views.person(who), view, items)
    body = _body(base.services(), who, head, replace(wanted, cursor=cursor), _end(chat_id))
    response = Response(body, headers={**base.HEADERS, "Content-Type": TYPE})
    response.timeout = None
    return response


def _head(me: dict[str, Any], view: dict[str, Any], items: list[Any]) -> str:
    context = {"me": me, "chat": view, "items": items, "nonce": views.nonce()}
    return views.renderer().page("live.html", **context, path=request.path)


async def _first_page(who: Caller, chat_id: str, wanted: Wish) -> tuple[list[Any], int]:
    if wanted.cursor is not None:
        return [], wanted.cursor
    span = messages.Span(limit=PAGE)
    history, notes = await base.services().database.read(
        lambda c: messages.read_timeline(c, who.user_id, chat_id, span)
    )
    shown = views.fragments().timeline(history["messages"], notes)
    return list(shown), int(history["cursor"])


def _end(chat_id: str) -> str:
    """The last piece: the page comes back by itself, from the history."""
    url = f"/chats/{chat_id}/live"
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


async def _body(
    shared: Services, who: Caller, head: str, wanted: Wish, end: str
) -> AsyncIterator[bytes]:
    yield head.encode()
    form = forms.fragments(shared.fragment)
    try:
        with shared.sessions.open(who.identity, "html", "") as session:
            async with aclosing(Subscriber(session, shared.feed, wanted, shared.clock).pages()) as (
                pages
            ):
                async for page in pages:
                    if any(event.type == "reset" for event in page.events):
                        break
                    yield form.page(page)
                    await _read(shared, who, wanted, page)
            ended = session.ending
    except RateLimited:
        ended = Goodbye(0)
    if not isinstance(ended, Unauthenticated) or isinstance(ended, TokenExpired):
        yield end.encode()
