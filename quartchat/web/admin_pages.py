"""The pages of administrators: numbers, users, chats, open connections; 403 for others."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from markupsafe import Markup
from quart import Blueprint, Response, request

from quartchat.chat.accounts import Accounts
from quartchat.chat.profiles import standing
from quartchat.errors import ChatError, Forbidden, NotFound
from quartchat.events import rfc3339
from quartchat.transports import base
from quartchat.web import views
from quartchat.web.account import see
from quartchat.web.api_admin import asked_list
from quartchat.web.dates import when
from quartchat.web.locale import _

blueprint = Blueprint("admin_pages", __name__, url_prefix="/admin")
blueprint.after_request(views.keep_login)
Verb = Callable[[Accounts, str, str], Awaitable[None]]
VERBS: dict[str, Verb] = {
    "promote": lambda accounts, user_id, by: accounts.set_admin(user_id, True, by=by),
    "demote": lambda accounts, user_id, by: accounts.set_admin(user_id, False, by=by),
    "logout": lambda accounts, user_id, by: accounts.log_out(user_id, by=by),
    "remove": lambda accounts, user_id, by: accounts.remove(user_id, by=by),
}


@blueprint.get("")
async def overview() -> Response:
    who = await views.viewer()
    found = await base.services().admin.overview(who.user_id)
    return await views.page(
        "admin.html",
        me=await views.person(who),
        numbers=found,
        newest=_moment(found["head"]),
        oldest=_moment(found["floor"]),
        transports=_transports(),
    )


def _moment(event_id: int) -> Markup | str:
    """When the event of this id was appended: ids follow the clock, in microseconds."""
    return when(rfc3339(event_id / 1e6)) if event_id else ""


def _transports() -> dict[str, str]:
    return {
        "websocket": _("WebSocket"),
        "stream": _("streaming"),
        "sse": _("event stream"),
        "poll": _("polling"),
        "html": _("page without scripts"),
    }


@blueprint.get("/users")
async def users() -> Response:
    return await _users_page()


async def _users_page(error: ChatError | None = None) -> Response:
    who, (text, number) = await views.viewer(), asked_list()
    found = await base.services().admin.users(who.user_id, text, number)
    notices = {
        "promote": _("They are an administrator now."),
        "demote": _("They are no administrator any more."),
        "logout": _("They are logged out everywhere."),
        "remove": _("The account is removed."),
    }
    return await views.page(
        "admin_users.html",
        me=await views.person(who),
        status=error.status if error else 200,
        q=text,
        errors=views.form_errors(error),
        notice=notices.get(request.args.get("done", "")),
        **found,
    )


@blueprint.get("/c")
async def chats() -> Response:
    who, (text, number) = await views.viewer(), asked_list()
    found = await base.services().admin.chats(who.user_id, text, number)
    return await views.page("admin_chats.html", me=await views.person(who), q=text, **found)


@blueprint.get("/connections")
async def connections() -> Response:
    who, (_text, number) = await views.viewer(), asked_list()
    admin = base.services().admin
    found = await admin.connections(who.user_id, number)
    numbers = await admin.overview(who.user_id)
    me = await views.person(who)
    return await views.page(
        "admin_connections.html",
        me=me,
        counts=numbers["connections"],
        transports=_transports(),
        **found,
    )


@blueprint.get("/users/<path:user_id>/remove")
async def ask_to_remove(user_id: str) -> Response:
    who = await views.viewer()
    me: dict[str, Any] = await views.person(who)
    if not me["is_admin"]:
        raise Forbidden("This is for administrators.")
    person = await base.services().database.read(lambda c: standing(c.execute, user_id))
    return await views.page("admin_remove.html", me=me, person=person)


@blueprint.post("/users/<path:user_id>/<verb>")
async def change(user_id: str, verb: str) -> Response:
    """promote, demote, logout, remove."""
    if verb not in VERBS:
        raise NotFound
    who = await views.changer()
    try:
        await VERBS[verb](base.services().accounts, user_id, who.user_id)
    except Forbidden:
        raise
    except ChatError as error:
        return await _users_page(error)
    return see(f"/admin/users?done={verb}")
