"""Signing up, logging in, and tokens, over HTTP."""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from quart import Blueprint, Response, redirect, request

from quartchat.access import REFRESH_COOKIE, Way, check_same_origin
from quartchat.addresses import chats_url
from quartchat.chat import people, tickets
from quartchat.chat.logins import Grant
from quartchat.errors import Forbidden, RateLimited, Unauthenticated
from quartchat.protocol import Credentials, Refresh, SignUp, shape
from quartchat.services import Services
from quartchat.store.people import name_key
from quartchat.transports import base
from quartchat.transports.body import read_fields
from quartchat.web.api import answer
from quartchat.web.cookies import clear_cookies, set_cookies

blueprint = Blueprint("account", __name__, url_prefix="/api")


@blueprint.post("/signup")
async def sign_up() -> Response:
    fields, lenient = await read_fields()
    grant = await signed_up(shape(fields, SignUp, lenient=lenient))
    return set_cookies(answer(grant.answer(), 201), grant)


@blueprint.post("/login")
async def log_in() -> Response:
    fields, lenient = await read_fields()
    grant = await logged_in(shape(fields, Credentials, lenient=lenient))
    return set_cookies(answer(grant.answer()), grant)


async def signed_up(wish: SignUp) -> Grant:
    """For pages and API: a new user, logged in; by the first start's setup code an admin."""
    shared = base.services()
    check_same_origin(shared, base.knock(request))
    wait = shared.signups.take(request.remote_addr or "")
    if wait and not shared.settings.no_limits:
        raise RateLimited("Too many new accounts from here; wait a minute.", retry_after=wait)
    if wish.setup:
        await check_setup(wish.setup)
    user = await people.sign_up(shared.core, wish, first_admin=bool(wish.setup))
    return await shared.logins.start(user)


async def check_setup(code: str) -> None:
    """Raises Forbidden: whoever was given a link to become administrator must not end up as
    somebody else without being told."""
    if not await people.needs_admin(base.services().core):
        raise Forbidden("This link was used: there is an administrator already.")
    if not hmac.compare_digest(code.encode(), base.services().setup_code.encode()):
        raise Forbidden(
            "This is not the link that the server printed when it started; take that one."
        )


@contextmanager
def guarded(shared: Services, name: str) -> Iterator[None]:
    """Counts a guess at a password before it is tried, and gives it back when it was right: by
    address, and by name from all addresses together. Raises RateLimited."""
    address = request.remote_addr or ""
    checks = ((shared.guesses_from, address), (shared.guesses_at, name_key(name.strip()[:100])))
    wait = max(buckets.wait(key) for buckets, key in checks)
    if wait and not shared.settings.no_limits:
        raise RateLimited("Too many failed logins; wait a minute.", retry_after=wait)
    for buckets, key in checks:
        buckets.take(key)
    yield
    for buckets, key in checks:
        buckets.give_back(key)


async def logged_in(wish: Credentials) -> Grant:
    """For pages and API. Raises WrongPassword, and RateLimited after too many of them."""
    shared = base.services()
    check_same_origin(shared, base.knock(request))
    with guarded(shared, wish.name):
        user = await people.log_in(shared.core, wish)
    return await shared.logins.start(user)


@blueprint.post("/token/refresh")
async def refresh() -> Response:
    """By the token in the body, once each; or by the cookie of a browser."""
    fields, lenient = await read_fields()
    check_same_origin(base.services(), base.knock(request))  # it sets cookies
    token = shape(fields, Refresh, lenient=lenient).refresh_token
    grant = await (base.services().logins.refresh(token) if token else renewed())
    return set_cookies(answer(grant.answer()), grant)


@blueprint.post("/token/renew")
async def renew() -> Response:
    """For pages with scripts: new cookies, and no token that a script could read."""
    check_same_origin(base.services(), base.knock(request))
    return set_cookies(Response("", 204), await renewed())


async def renewed() -> Grant:
    """New tokens by the browser's refresh cookie. Raises Unauthenticated."""
    token = request.cookies.get(REFRESH_COOKIE)
    if not token:
        raise Unauthenticated("There is no refresh token; log in again.")
    return await base.services().logins.refresh(token, by_cookie=True)


@blueprint.post("/logout")
async def log_out() -> Response:
    await end_login()
    return clear_cookies(answer({}))


async def end_login() -> None:
    """End the caller's login, by whichever of their tokens is still good."""
    check_same_origin(base.services(), base.knock(request))
    logins = base.services().logins
    try:
        session_id = (await base.caller()).identity.session_id
    except Unauthenticated:
        session_id = logins.session_of(request.cookies.get(REFRESH_COOKIE) or "")
    if session_id:
        await logins.end(session_id)


@blueprint.post("/ticket")
async def ticket() -> Response:
    """A single-use ticket for `?ticket=`."""
    who = await base.caller()
    if who.way is Way.TICKET:
        raise Unauthenticated("A ticket does not buy another one; send your token.")
    shared = base.services()
    made = await tickets.make(shared.core, who.identity)
    return answer({"ticket": made, "expires_in": shared.settings.ticket_seconds}, 201)


def safe_next(target: str | None) -> str:
    """A path on this site: an address of another one would be an open redirect."""
    if not target or not target.startswith("/") or target[1:2] in ("/", "\\"):
        return chats_url()
    return target if target.isprintable() else chats_url()


def see(target: str) -> Response:
    """303: the browser fetches the target by GET."""
    response: Any = redirect(target, 303)
    return response  # type: ignore[no-any-return]
