"""What stands around the newest messages in a page without JavaScript, so that it mends itself.

A frame whose address cannot be reached shows the browser's error, for ever. So around it stands a
page that the browser keeps: its refresh counts from when all that it holds has ended or failed. It
leads to a second page that is kept, and that one back to it, and to another try, though no server
is there. A picture that does not end holds the refresh back as long as all is well.
"""

from __future__ import annotations

import asyncio

from quart import Blueprint, Response

from quartchat.access import Caller
from quartchat.addresses import chats_url
from quartchat.errors import NotFound, RateLimited, Unauthenticated
from quartchat.transports import base
from quartchat.web import views
from quartchat.web.now import HERE, NOT_KEPT, page_around
from quartchat.web.signs import seen, signs

blueprint = Blueprint("now_frame", __name__)
blueprint.after_request(views.keep_login)
STEPS = {"1": "2", "2": "1"}
KEPT = {"Cache-Control": "private, max-age=86400, immutable"}
SHOWN_SECONDS = 10.0
CALM_SECONDS = 50.0  # most proxies cut what is silent for 60
NOBODY_SECONDS = 10.0


@blueprint.get(f"{HERE}/<name>/<step>")
async def around(chat_id: str, name: str, step: str) -> Response:
    """Step 1 holds the messages, step 2 nothing."""
    if step not in STEPS:
        raise NotFound
    response = await views.page(
        "live_frame.html",
        me=None,
        here=chats_url(chat_id, "now"),
        place=name,
        step=step,
        other=STEPS[step],
    )
    response.headers.update(KEPT)
    return response


@blueprint.get(f"{HERE}/<name>/first.css")
async def arrived(chat_id: str, name: str) -> Response:
    """Asked for by the end of a stream's first piece."""
    who = await views.viewer()
    signs().of(who.user_id, name).set()
    signs().of(who.user_id, page_around()).set()
    return _sheet("")


@blueprint.get(f"{HERE}/<name>/shown.css")
async def shown(chat_id: str, name: str) -> Response:
    """For the pages around: the messages take the place of what stands there, once they have
    come."""
    who = await views.viewer()
    is_there = await seen(signs().of(who.user_id, name), SHOWN_SECONDS)
    return _sheet(views.renderer().files.text("css/noscript.css") if is_there else "")


@blueprint.get(f"{HERE}/<name>/calm.svg")
async def calm(chat_id: str, name: str) -> Response:
    """A picture that comes when the page should try anew."""
    try:
        await _until_it_ends(await views.viewer())
    except Unauthenticated:
        await asyncio.sleep(NOBODY_SECONDS)
    return Response("", 204, headers=NOT_KEPT)


async def _until_it_ends(who: Caller) -> None:
    shared = base.services()
    try:
        with (
            shared.sessions.open(who.identity, "html", "") as session,
            shared.feed.bus.listen() as wake,
        ):
            session.attach(wake)
            until = asyncio.get_running_loop().time() + CALM_SECONDS
            while (
                session.ending is None and (left := until - asyncio.get_running_loop().time()) > 0
            ):
                wake.clear()
                await wake.wait(left)
    except RateLimited:
        await asyncio.sleep(NOBODY_SECONDS)


def _sheet(content: str) -> Response:
    headers = {**NOT_KEPT, "Content-Type": "text/css; charset=utf-8"}
    return Response(content or "/* */", headers=headers)
