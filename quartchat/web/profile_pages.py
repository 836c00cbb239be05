"""One's own profile: each part of it a form of its own."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from quart import Blueprint, Response, request

from quartchat.access import Caller
from quartchat.chat import people, pictures, profiles
from quartchat.chat.profiles import EditProfile
from quartchat.errors import ChatError
from quartchat.transports import base
from quartchat.web import views
from quartchat.web.account import guarded, see
from quartchat.web.locale import _
from quartchat.web.pictures import read_upload

blueprint = Blueprint("profile_pages", __name__)
blueprint.after_request(views.keep_login)
Form = dict[str, Any]


@blueprint.get("/profile")
async def profile() -> Response:
    return await _page(await views.viewer(), {})


async def _page(who: Caller, given: Form, error: ChatError | None = None) -> Response:
    """With what was typed and refused, else with what is stored."""
    notices = {
        "1": _("Saved."),
        "password": _("Your password is changed; other devices are logged out."),
    }
    me, errors = await views.person(who), views.form_errors(error)
    if "password" in errors:
        errors["new_password"] = errors.pop("password")
    return await views.page(
        "profile.html",
        me=me,
        status=error.status if error else 200,
        values={"name": me["name"], "email": me["email"] or "", "about": me["about"], **given},
        errors=errors,
        most_about=profiles.MAX_ABOUT,
        notice=None if error else notices.get(request.args.get("saved", "")),
    )


async def _saved(
    who: Caller, work: Awaitable[object], given: Form | None = None, saved: str = "1"
) -> Response:
    try:
        await work
    except ChatError as error:
        return await _page(who, given or {}, error)
    return see(f"/profile?saved={saved}")


@blueprint.post("/profile")
async def change() -> Response:
    form = await request.form
    who = await views.changer()
    given = {"name": form.get("name", ""), "about": form.get("about", "").replace("\r\n", "\n")}
    wish = EditProfile(**given)
    return await _saved(who, profiles.change(base.services().core, who.user_id, wish), given)


@blueprint.post("/profile/email")
async def change_email() -> Response:
    form = await request.form
    who = await views.changer()
    given = {"email": form.get("email", "")}
    wish = EditProfile(email=given["email"])
    return await _saved(who, profiles.change(base.services().core, who.user_id, wish), given)


@blueprint.post("/profile/password")
async def change_password() -> Response:
    form = await request.form
    who = await views.changer()
    work = _new_password(who, form.get("current_password", ""), form.get("new_password", ""))
    return await _saved(who, work, saved="password")


async def _new_password(who: Caller, current: str, new: str) -> None:
    shared = base.services()
    with guarded(shared, who.user_id):
        await people.change_password(shared.core, who.user_id, current, new)
    await shared.logins.end_others(who.user_id, who.identity.session_id)


@blueprint.post("/profile/picture")
async def change_picture() -> Response:
    who = await views.changer()
    return await _saved(who, _new_picture(who))


async def _new_picture(who: Caller) -> None:
    await pictures.set_mine(base.services().core, who.user_id, await read_upload())


@blueprint.post("/profile/picture/remove")
async def remove_picture() -> Response:
    who = await views.changer()
    return await _saved(who, pictures.set_mine(base.services().core, who.user_id, None))
