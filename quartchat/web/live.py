"""Streamed HTML: the messages of a chat as a page that never ends, for browsers without
JavaScript. The same fragments as everywhere, appended to a response that stays open."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from quart import Blueprint, Response, request

from quartchat.access import Caller
from quartchat.addresses import chats_url
from quartchat.delivery.session import Goodbye, Session
from quartchat.delivery.subscriber import Subscriber, Wish
from quartchat.errors import NotFound, RateLimited, TokenExpired, Unauthenticated
from quartchat.events import Page
from quartchat.services import Services
from quartchat.transports import base, forms
from quartchat.web import live_page, views
from quartchat.web.live_page import piece
from quartchat.web.locale import current
from quartchat.web.signs import seen
from quartchat.web.timeline import Days

blueprint = Blueprint("live", __name__)
blueprint.after_request(views.keep_login)
TYPE = "text/html; charset=utf-8"
# What hides the old text of a message in a document that can only grow.
STYLES = {
    "edited": "#m{id} .body{{text-decoration:line-through;opacity:.6}}"
    ".of-m{id}:has(~.of-m{id}){{display:none}}",
    "deleted": "#m{id} .body,#m{id} .files,#m{id} .quote,#m{id} .marks,#m{id} .reactions,"
    "#m{id} .acts,.of-m{id},.quote a[href$='#m{id}'] .said,.note a[href$='#m{id}']{{display:none}}"
    "#m{id} .bubble::before{{content:var(--gone);font-style:italic}}",
}
FOR_EVER = "public, max-age=31536000, immutable"
AGAIN_SECONDS = 9  # a server that is started anew should be back; some proxies cut 10 and more
PROOF_SECONDS = 3.0
HELD_BACK = Goodbye(0)


@dataclass(frozen=True, slots=True)
class Proof:
    """That the first piece has arrived: `sign`, given when `url` is asked for. Without it the
    stream ends after PROOF_SECONDS, and the page goes on at `otherwise`."""

    sign: asyncio.Event
    url: str
    otherwise: str


@dataclass(frozen=True, slots=True)
class Frame:
    """What a page in a frame has besides: the page around it brings it back when it has ended.
    `shown`: for `live_page.begin`."""

    proof: Proof
    shown: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Texts:
    """How a page begins, and how it ends: when it was open, and when it was held back."""

    head: str
    last: str
    held: str


@blueprint.get("/c/<chat_id>/live")
async def live(chat_id: str) -> Response:
    """With a cursor: what came after it. Without: the newest page of history, then on."""
    if request.method == "HEAD":
        return Response("", headers={**base.HEADERS, "Content-Type": TYPE})
    return await streamed(await views.viewer(), chat_id)


async def streamed(who: Caller, chat_id: str, frame: Frame | None = None) -> Response:
    """Raises NotAMember."""
    wanted = replace(await base.wish(request, who.user_id), chats=frozenset({chat_id}))
    days = Days()
    shown = frame.shown if frame else {}
    head, cursor = await live_page.begin(who, chat_id, wanted, days, **shown)
    url, seconds = ("", 0) if frame else (chats_url(chat_id, "live"), AGAIN_SECONDS)
    texts = Texts(
        head + (piece("live_proof", url=frame.proof.url) if frame else ""),
        piece("live_end", url=url, retry_seconds=seconds),
        piece("live_held", url=frame.proof.otherwise) if frame else "",
    )
    wanted = replace(wanted, cursor=cursor)
    body = _body(base.services(), who, wanted, days, texts, frame.proof if frame else None)
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


async def _body(
    shared: Services, who: Caller, wanted: Wish, days: Days, texts: Texts, proof: Proof | None
) -> AsyncIterator[bytes]:
    yield texts.head.encode()
    form = forms.fragments(shared.fragments(current()))
    try:
        with shared.sessions.open(who.identity, "html", "") as session:
            pages = Subscriber(session, shared.feed, wanted, shared.clock).pages()
            async with _proven(proof, session), aclosing(pages):
                async for page in pages:
                    if any(event.type == "reset" for event in page.events):
                        break
                    yield _new_day(page, days) + form.page(page)
                    await _read(shared, who, wanted, page)
            ended = session.ending
    except RateLimited:
        ended = Goodbye(0)
    if not isinstance(ended, Unauthenticated) or isinstance(ended, TokenExpired):
        yield (texts.held if ended is HELD_BACK else texts.last).encode()


@asynccontextmanager
async def _proven(proof: Proof | None, session: Session) -> AsyncIterator[None]:
    async def demand() -> None:
        if proof and not await seen(proof.sign, PROOF_SECONDS):
            session.end(HELD_BACK)

    task = asyncio.create_task(demand())
    try:
        yield
    finally:
        task.cancel()


async def _read(shared: Services, who: Caller, wanted: Wish, page: Page) -> None:
    news = (event for event in page.events if event.type == "new_message")
    if any(event.fields()["sender_id"] != who.user_id for event in news):
        for chat_id in wanted.chats or ():
            await live_page.mark_read(shared, who, chat_id, page.cursor)


def _new_day(page: Page, days: Days) -> bytes:
    """The line of the day on which these messages were said, if it is a new one."""
    said = next((event for event in page.events if event.type == "new_message"), None)
    line = days.line(said.fields().get("timestamp")) if said else ""
    return line.encode()
