"""The pages of those who are not in yet, and of the account: log in, sign up, profile."""

from __future__ import annotations

from typing import Any

from quart import Blueprint, Response, request

from quartchat.access import Caller
from quartchat.chat import people
from quartchat.errors import ChatError, Forbidden
from quartchat.protocol import Credentials, SignUp
from quartchat.transports import base
from quartchat.web import views
from quartchat.web.account import end_login, guarded, logged_in, safe_next, see, signed_up
from quartchat.web.cookies import clear_cookies, set_cookies

blueprint = Blueprint("doors", __name__)
blueprint.after_request(views.keep_login)


@blueprint.get("/")
async def front() -> Response:
    return see("/chats")


@blueprint.get("/login")
async def login_form() -> Response:
    return await _login_page({"next": request.args.get("next", "")})


@blueprint.post("/login")
async def login() -> Response:
    form = await request.form
    try:
        grant = await logged_in(Credentials(form.get("name", ""), form.get("password", "")))
    except ChatError as error:
        return await _login_page(dict(form), error)
    return set_cookies(see(safe_next(form.get("next"))), grant)


async def _login_page(values: dict[str, Any], error: ChatError | None = None) -> Response:
    return await views.page(
        "login.html",
        me=None,
        status=error.status if error else 200,
        values=values,
        errors=views.form_errors(error),
        signup_open=base.services().settings.signup,
        notice=None,
    )


@blueprint.get("/signup")
async def signup_form() -> Response:
    return await _signup_page({"setup": request.args.get("setup", "")})


@blueprint.post("/signup")
async def signup() -> Response:
    form = await request.form
    wish = SignUp(form.get("name", ""), form.get("password", ""), form.get("email"))
    wish.setup = form.get("setup", "")
    try:
        grant = await signed_up(wish)
    except ChatError as error:
        return await _signup_page(dict(form), error)
    return set_cookies(see("/chats"), grant)


async def _signup_page(values: dict[str, Any], error: ChatError | None = None) -> Response:
    closed = not (base.services().settings.signup or values.get("setup"))
    status = error.status if error else Forbidden.status if closed else 200
    errors = views.form_errors(error)
    return await views.page(
        "signup.html", me=None, status=status, values=values, errors=errors, closed=closed
    )


@blueprint.get("/profile")
async def profile_form() -> Response:
    me = await views.person(await views.viewer())
    return await _profile_page(me, {"email": me["email"] or ""})


@blueprint.post("/profile")
async def profile() -> Response:
    form = await request.form
    who = await views.viewer()
    given = {name: form.get(name, "") for name in ("email", "current_password", "new_password")}
    try:
        await _change(who, **given)
    except ChatError as error:
        return await _profile_page(await views.person(who), given, error=error)
    return await _profile_page(await views.person(who), given, notice="Saved.")


async def _change(who: Caller, email: str, current_password: str, new_password: str) -> None:
    shared = base.services()
    shared.commands.check_rate(who.user_id)
    if not new_password:
        await people.change(shared.core, who.user_id, email)
        return
    with guarded(shared, who.user_id):
        await people.change(shared.core, who.user_id, email, current_password, new_password)
    await shared.logins.end_others(who.user_id, who.identity.session_id)


async def _profile_page(
    me: dict[str, Any],
    values: dict[str, Any],
    *,
    error: ChatError | None = None,
    notice: str | None = None,
) -> Response:
    errors = views.form_errors(error)
    if error and error.field == "password":
        errors = {"new_password": error.message}
    status = error.status if error else 200
    return await views.page(
        "profile.html", me=me, status=status, values=values, errors=errors, notice=notice
    )


@blueprint.post("/logout")
async def logout() -> Response:
    await end_login()
    return clear_cookies(see("/login"))
