"""What owners and admins do about a chat: its details, its members, bans."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from quart import Blueprint, Response, request

from quartchat.access import Caller
from quartchat.addresses import chats_url
from quartchat.chat import bans, details, membership, people, pictures, rooms
from quartchat.chat.core import MANAGERS
from quartchat.chat.details import UpdateChat
from quartchat.errors import ChatError, Forbidden, NotFound, UserNotFound
from quartchat.protocol import Member, SetRole
from quartchat.transports import base
from quartchat.web import views
from quartchat.web.account import see
from quartchat.web.pictures import read_upload
from quartchat.web.room_pages import about_page

blueprint = Blueprint("manage_pages", __name__)
blueprint.after_request(views.keep_login)
Form = dict[str, Any]
SURE = ("remove", "ban", "owner")  # what one is asked about before


@blueprint.get("/c/<chat_id>/edit")
async def edit_form(chat_id: str) -> Response:
    return await _edit_page(await views.viewer(), chat_id, {})


async def _edit_page(
    who: Caller, chat_id: str, given: Form, error: ChatError | None = None
) -> Response:
    chat = await rooms.one(base.services().core, who.user_id, chat_id)
    if chat is None or chat["role"] not in MANAGERS or chat["kind"] == "direct":
        raise Forbidden("Only owners and admins may change this chat.")
    return await views.page(
        "edit_chat.html",
        me=await views.person(who),
        status=error.status if error else 200,
        chat=chat,
        values={**chat, **given},
        errors=views.form_errors(error),
        most_description=details.MAX_DESCRIPTION,
    )


@blueprint.post("/c/<chat_id>/edit")
async def edit(chat_id: str) -> Response:
    form = dict(await request.form)
    who = await views.changer()
    given = {"title": form.get("title", ""), "description": form.get("description", "")}
    wish = UpdateChat(
        chat_id, **given, public=bool(form.get("public")), history=form.get("history") or None
    )
    given |= {"public": wish.public, "history": form.get("history", "")}
    return await _edited(
        who, chat_id, details.update(base.services().core, who.user_id, wish), given
    )


@blueprint.post("/c/<chat_id>/picture")
async def change_picture(chat_id: str) -> Response:
    who = await views.changer()
    return await _edited(who, chat_id, _new_picture(who, chat_id))


async def _new_picture(who: Caller, chat_id: str) -> None:
    await pictures.set_of_chat(base.services().core, who.user_id, chat_id, await read_upload())


@blueprint.post("/c/<chat_id>/picture/remove")
async def remove_picture(chat_id: str) -> Response:
    who = await views.changer()
    work = pictures.set_of_chat(base.services().core, who.user_id, chat_id, None)
    return await _edited(who, chat_id, work)


async def _edited(
    who: Caller, chat_id: str, work: Awaitable[object], given: Form | None = None
) -> Response:
    try:
        await work
    except ChatError as error:
        if error.field is None:
            raise
        return await _edit_page(who, chat_id, given or {}, error)
    return see(chats_url(chat_id, "about") + "?saved=1")


@blueprint.post("/c/<chat_id>/add")
async def add(chat_id: str) -> Response:
    form = dict(await request.form)
    who, core = await views.changer(), base.services().core
    try:
        (user_id,) = await people.ids_of(core, [form.get("user", "")], "user")
        await membership.add(core, who.user_id, Member(chat_id, user_id))
    except ChatError as error:
        if error.field is None:
            raise
        error.field = "user"
        return await about_page(who, chat_id, form, error)
    return see(chats_url(chat_id, "about") + "#members")


@blueprint.get("/c/<chat_id>/people/<path:user_id>/<verb>")
async def ask_first(chat_id: str, user_id: str, verb: str) -> Response:
    """Whether one is sure: to remove somebody, to ban them, to hand the chat over to them."""
    who, core = await views.viewer(), base.services().core
    chat, person = await rooms.one(core, who.user_id, chat_id), await people.get(core, user_id)
    if verb not in SURE:
        raise NotFound
    if person is None:
        raise UserNotFound
    if chat is None or chat["role"] not in MANAGERS:
        raise Forbidden
    return await views.page(
        "manage_member.html", me=await views.person(who), chat=chat, verb=verb, person=person
    )


@blueprint.post("/c/<chat_id>/people/<path:user_id>/<verb>")
async def manage(chat_id: str, user_id: str, verb: str) -> Response:
    """remove, ban, unban; or a role: member, admin, owner."""
    who, core = await views.changer(), base.services().core
    wish = Member(chat_id, user_id)
    if verb == "remove":
        await membership.remove(core, who.user_id, wish)
    elif verb == "ban":
        await bans.ban(core, who.user_id, wish)
    elif verb == "unban":
        await bans.unban(core, who.user_id, wish)
    elif verb in membership.ROLES:
        await membership.set_role(core, who.user_id, SetRole(chat_id, user_id, verb))
    else:
        raise NotFound
    return see(chats_url(chat_id, "about") + "#members")
