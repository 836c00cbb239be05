"""The list of one's chats, and making a new one."""

from __future__ import annotations

from typing import Any

from quart import Blueprint, Response, request

from quartchat.access import Caller
from quartchat.addresses import chats_url
from quartchat.chat import people, rooms
from quartchat.errors import ChatError, NotAMember
from quartchat.protocol import CreateChat
from quartchat.transports import base
from quartchat.web import views
from quartchat.web.account import see
from quartchat.web.locale import _

blueprint = Blueprint("lists", __name__)
blueprint.after_request(views.keep_login)
Form = dict[str, Any]


@blueprint.get("/c")
async def chat_list() -> Response:
    who = await views.viewer()
    mine = await rooms.my_chats(base.services().core, who.user_id)
    archive = "archived" in request.args
    shown = [chat for chat in mine["chats"] if chat["archived"] == archive]
    return await views.page(
        "chats.html",
        me=await views.person(who),
        chats=with_presence(shown),
        archived=sum(chat["archived"] for chat in mine["chats"]),
        is_archive=archive,
        cursor=mine["cursor"],
        notice=_("You are no longer in that chat.") if "out" in request.args else None,
        rooms=await rooms.open_rooms(base.services().core, who.user_id),
    )


def with_presence(chats: list[Form]) -> list[Form]:
    """Chats as in `my_chats`, the direct ones with the `presence` of the other."""
    state = base.services().presence.state
    return [
        chat | ({"presence": state(chat["other_id"])} if chat["other_id"] else {}) for chat in chats
    ]


@blueprint.get("/c/<chat_id>/row")
async def chat_row(chat_id: str) -> Response:
    """One row of the list as it stands now, for a page that has the others already."""
    who = await views.viewer()
    chat = await rooms.one(base.services().core, who.user_id, chat_id)
    if chat is None:
        raise NotAMember
    (shown,) = with_presence([chat])
    return await views.page("partials/chat_row.html", me=await views.person(who), chat=shown)


@blueprint.get("/c/new")
async def new_chat_form() -> Response:
    known = {"kind": request.args.get("kind", ""), "user": request.args.get("with", "")}
    return await _new_chat_page(await views.viewer(), known)


@blueprint.post("/c/new")
async def new_chat() -> Response:
    form = dict(await request.form)
    who = await views.viewer()
    try:
        base.services().commands.check_rate(who.user_id)
        wish = await _wish(form)
        chat_id, _new = await rooms.create(base.services().core, who.user_id, wish)
    except ChatError as error:
        return await _new_chat_page(who, form, error)
    return see(chats_url(chat_id))


async def _wish(form: Form) -> CreateChat:
    """The form's names as the command's ids. Raises UserNotFound at its field."""
    core = base.services().core
    if form.get("kind") == "direct":
        (other,) = await people.ids_of(core, [form.get("user", "")], "user")
        return CreateChat("direct", user_id=other)
    names = form.get("members", "").replace(",", " ").split()
    members = await people.ids_of(core, names)
    return CreateChat(
        "group", title=form.get("title", ""), members=members, public=bool(form.get("public"))
    )


async def _new_chat_page(who: Caller, values: Form, error: ChatError | None = None) -> Response:
    errors = views.form_errors(error)
    if "user_id" in errors:
        errors["user"] = errors.pop("user_id")
    status, me = error.status if error else 200, await views.person(who)
    return await views.page("new_chat.html", me=me, status=status, values=values, errors=errors)
