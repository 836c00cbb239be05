"""The newest messages of a chat for browsers without JavaScript, by the best way that gets through.

A streamed page shows each message at once, but many proxies hold a page back until it ends. So
its first piece refers, at its very end, to a style sheet: once that is asked for, the piece has
arrived. Where it is not, the stream ends, and a page takes over that ends each time and comes back
by itself (`now_frame.py` has what stands around both). A proxy may also drop a refresh of 10 s and
more, keep what must not be kept, and give up on an answer after 5 s: hence the numbers below.
"""

from __future__ import annotations

import asyncio
import secrets
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Any

from quart import Blueprint, Response, request

from quartchat.access import Caller
from quartchat.addresses import chats_url
from quartchat.delivery.session import Goodbye
from quartchat.delivery.subscriber import Subscriber, Wish
from quartchat.errors import RateLimited, TokenExpired, Unauthenticated
from quartchat.transports import base
from quartchat.web import live, live_page, views
from quartchat.web.account import see
from quartchat.web.look import keep_choice
from quartchat.web.signs import signs
from quartchat.web.timeline import Days

blueprint = Blueprint("now", __name__)
blueprint.after_request(views.keep_login)
HERE = "/c/<chat_id>/now"
COOKIE = "qc_now"
LIVE, TURNS, STILL = "live", "turns", "still"
HELD = "held"  # the stream was: in turns for a while, then it is tried again
TRY_AGAIN_SECONDS = 900
HOLD_SECONDS = 3.0
NOT_KEPT = {"Cache-Control": "no-store, no-transform", "Pragma": "no-cache", "Vary": "*"}


@dataclass(frozen=True, slots=True)
class Ways:
    """For `partials/ways.html`. `url`: of this page. `held`: it was tried live, in vain.
    `target`: the frame for another way. `live_url`: of a stream of which no proof is asked."""

    url: str
    way: str
    held: bool = False
    target: str = "_self"
    live_url: str = ""


@blueprint.get(HERE)
async def now(chat_id: str) -> Response:
    """`how`: a choice of the reader, kept in a cookie. `r`: the page around this one, which is
    told when there is something to show. `again`: it is a refresh, and may wait for news."""
    try:
        who = await views.viewer()
    except Unauthenticated:
        return await views.page("live_over.html", me=None, back=chats_url(chat_id))
    how = request.args.get("how", "")
    if how in (LIVE, TURNS):
        response = see(place(chat_id, how, _read_upto()).url)
        response.headers.update(NOT_KEPT)
        return keep_choice(response, COOKIE, "" if how == LIVE else TURNS)
    way = {STILL: STILL, HELD: TURNS}.get(how) or chosen()
    if way == LIVE:
        response = await _streamed(who, chat_id)
    else:
        response = await _finite(who, chat_id, way, held=how == HELD)
    response.headers.update(NOT_KEPT)
    if how == STILL:
        keep_choice(response, COOKIE, STILL)
    if how == HELD:
        keep_choice(response, COOKIE, TURNS, TRY_AGAIN_SECONDS)
    return response


def chosen() -> str:
    """How this browser gets news, by the reader's choice or by what it can."""
    kept = request.cookies.get(COOKIE, "")
    if kept in (TURNS, STILL):
        return kept
    return LIVE if loads_styles() else TURNS


def loads_styles() -> bool:
    """Text browsers do not, so they could never tell that a piece has arrived; nor do they ask
    for https in place of http, as all others do."""
    return "Upgrade-Insecure-Requests" in request.headers


@dataclass(frozen=True, slots=True)
class Place:
    """Of the newest messages in the page of a chat: another one for each page. The name tells,
    too, up to where the reader had read."""

    url: str
    name: str


def place(chat_id: str, way: str, read_upto: int | None = None) -> Place:
    name = secrets.token_hex(6) + ("" if read_upto is None else f"u{read_upto}")
    if way == STILL or not loads_styles():
        return Place(f"{chats_url(chat_id, 'now')}?r={name}", name)
    return Place(chats_url(chat_id, "now", name, "2"), name)


def _read_upto() -> int | None:
    upto = page_around().partition("u")[2]
    return int(upto) if upto.isdecimal() and len(upto) <= 16 else None


def page_around() -> str:
    given = request.args.get("r", "")
    return given if given.isascii() and given.isalnum() and len(given) <= 32 else ""


def _url(chat_id: str, **more: str) -> str:
    asked = "".join(f"&{name}={value}" for name, value in more.items())
    return f"{chats_url(chat_id, 'now')}?r={page_around() or secrets.token_hex(6)}{asked}"


def _ways(chat_id: str, way: str, *, held: bool = False) -> Ways:
    if not loads_styles():
        return Ways(_url(chat_id), way, live_url=chats_url(chat_id, "live"))
    return Ways(_url(chat_id), way, held, "_self" if way == STILL else "_parent")


async def _streamed(who: Caller, chat_id: str) -> Response:
    name = secrets.token_hex(6)
    proof = live.Proof(
        sign=signs().of(who.user_id, name),
        url=f"{chats_url(chat_id, 'now', name, 'first.css')}?r={page_around()}",
        otherwise=_url(chat_id, how=HELD),
    )
    shown: dict[str, Any] = {"ways": _ways(chat_id, LIVE), "read_upto": _read_upto()}
    return await live.streamed(who, chat_id, live.Frame(proof, shown))


async def _finite(who: Caller, chat_id: str, way: str, *, held: bool) -> Response:
    """A request is under way nearly always, so news are told at once; and it refreshes to the
    same address, which leaves nothing among the pages to go back to."""
    refresh = ""
    if way == TURNS:
        ended = await _news(who, chat_id) if "again" in request.args else None
        wait = live.AGAIN_SECONDS if isinstance(ended, Goodbye) else 0
        refresh = f"{wait};url={_url(chat_id, again='1')}"
    signs().of(who.user_id, page_around()).set()
    shown: dict[str, Any] = {"ways": _ways(chat_id, way, held=held), "refresh": refresh}
    shown["read_upto"] = _read_upto()
    head, _cursor = await live_page.begin(who, chat_id, Wish(), Days(), **shown)
    return Response(head + live_page.piece("live_close"), headers={"Content-Type": live.TYPE})


async def _news(who: Caller, chat_id: str) -> object:
    """Waits a little for something new in the chat; what ended the wait, if the server did.
    Raises Unauthenticated for a login that ended."""
    shared, wanted = base.services(), Wish(chats=frozenset({chat_id}))
    with suppress(RateLimited), shared.sessions.open(who.identity, "html", "") as session:
        pages = Subscriber(session, shared.feed, wanted, shared.clock).pages()
        with suppress(TimeoutError):
            async with asyncio.timeout(HOLD_SECONDS), aclosing(pages):
                async for page in pages:
                    if any(event.id is not None for event in page.events):
                        break
        if isinstance(session.ending, Unauthenticated | TokenExpired):
            raise session.ending
        return session.ending
    return None
