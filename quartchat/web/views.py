"""What all pages share: who looks at them, the frame around them, and errors as pages."""

from __future__ import annotations

import secrets
from typing import Any

from quart import Response, current_app, g, request

from quartchat.access import REFRESH_COOKIE, Caller, Way, check_same_origin
from quartchat.addresses import shortened
from quartchat.chat import bell, people, profiles
from quartchat.errors import ChatError, TokenExpired, Unauthenticated
from quartchat.locale.texts import gettext
from quartchat.transports import base
from quartchat.web.account import renewed
from quartchat.web.cookies import set_cookies
from quartchat.web.fragments import Fragments
from quartchat.web.render import Renderer

NEARLY_OVER = 30.0  # seconds: a stream that a page opens should not end at once


def renderer() -> Renderer:
    return current_app.extensions["quartchat.renderer"]  # type: ignore[no-any-return]


def fragments() -> Fragments:
    return current_app.extensions["quartchat.fragments"]  # type: ignore[no-any-return]


def nonce() -> str:
    """The one of this response: the only inline style that its policy lets through."""
    if "nonce" not in g:
        g.nonce = secrets.token_urlsafe(16)
    return str(g.nonce)


async def viewer() -> Caller:
    """Who looks at the page. One whose access token has expired is renewed on the way, so
    that nothing is lost that was typed meanwhile. What happens from now on, the page's own
    connection tells. Raises Unauthenticated."""
    g.cursor = base.services().feed.tail.head
    try:
        who = await base.caller()
    except TokenExpired:
        return await _renewed()
    left = who.identity.expires_at - base.services().clock()
    if who.way is Way.COOKIE and left < NEARLY_OVER and REFRESH_COOKIE in request.cookies:
        return await _renewed()
    return who


async def _renewed() -> Caller:
    if request.method != "GET":
        check_same_origin(base.services(), base.knock(request))
    g.grant = await renewed()
    return Caller(await base.services().logins.identify(g.grant.access_token), Way.COOKIE)


async def changer() -> Caller:
    """Who makes this change, by a form. Raises Unauthenticated, RateLimited."""
    who = await viewer()
    base.services().commands.check_rate(who.user_id)
    return who


async def person(who: Caller) -> dict[str, Any]:
    """The viewer as the templates' `me`."""
    row = await people.get(base.services().core, who.user_id)
    if row is None:
        raise Unauthenticated
    return {
        **profiles.card(row),
        "is_admin": row.is_admin,
        "email": row.email,
        "about": row.about,
        "unread": await bell.count_unread(base.services().core, who.user_id),
    }


async def page(
    name: str, *, me: dict[str, Any] | None, status: int = 200, **context: Any
) -> Response:
    shared = {"me": me, "status": status, "nonce": nonce(), "path": shortened(request.path)}
    shared["cursor"] = g.get("cursor") or base.services().feed.tail.head
    html = renderer().page(name, **{**shared, **context})
    headers = {"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store"}
    return Response(html, status, headers=headers)


async def error_page(error: ChatError) -> Response:
    return await page(
        "error.html",
        me=await _perhaps_me(),
        status=error.status,
        code=error.code,
        message=error.text(gettext),
        method=request.method,
    )


def form_errors(error: ChatError | None) -> dict[str, str]:
    """What a form shows of a refusal: field -> text; "" is the form as a whole."""
    if error is None:
        return {}
    base.log_refusal(error, method=request.method, path=request.path, status=error.status)
    return {error.field or "": error.text(gettext)}


async def _perhaps_me() -> dict[str, Any] | None:
    try:
        return await person(await base.caller())
    except ChatError:
        return None


def keep_login(response: Response) -> Response:
    """After each page: the cookies of a login that was renewed on the way."""
    grant = g.pop("grant", None)
    return set_cookies(response, grant) if grant else response
