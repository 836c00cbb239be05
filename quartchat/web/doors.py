"""The pages of those who are not in yet: log in, sign up; and the way out."""

from __future__ import annotations

from typing import Any

from quart import Blueprint, Response, request

from quartchat.addresses import chats_url
from quartchat.errors import ChatError, Forbidden
from quartchat.protocol import Credentials, SignUp
from quartchat.transports import base
from quartchat.web import account, views
from quartchat.web.account import end_login, logged_in, safe_next, see, signed_up
from quartchat.web.cookies import clear_cookies, set_cookies

blueprint = Blueprint("doors", __name__)
blueprint.after_request(views.keep_login)


@blueprint.get("/")
async def front() -> Response:
    return see(chats_url())


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
    given = {name: request.args.get(name, "") for name in ("setup", "next")}
    try:
        if given["setup"]:
            await account.check_setup(given["setup"])
    except ChatError as error:
        return await _signup_page({**given, "setup": ""}, error)
    return await _signup_page(given)


@blueprint.post("/signup")
async def signup() -> Response:
    form = await request.form
    wish = SignUp(form.get("name", ""), form.get("password", ""), form.get("email"))
    wish.setup = form.get("setup", "")
    try:
        grant = await signed_up(wish)
    except ChatError as error:
        return await _signup_page(dict(form), error)
    return set_cookies(see(safe_next(form.get("next"))), grant)


async def _signup_page(values: dict[str, Any], error: ChatError | None = None) -> Response:
    closed = not (base.services().settings.signup or values.get("setup"))
    status = error.status if error else Forbidden.status if closed else 200
    errors = views.form_errors(error)
    return await views.page(
        "signup.html", me=None, status=status, values=values, errors=errors, closed=closed
    )


@blueprint.post("/logout")
async def logout() -> Response:
    await end_login()
    return clear_cookies(see("/login"))
