"""The directory of public rooms, and what one reads and does about a chat beside talking in it."""

from __future__ import annotations

from typing import Any

from quart import Blueprint, Response, request

from quartchat.access import Caller
from quartchat.addresses import chats_url
from quartchat.chat import bans, details, directory, history, invites, rooms
from quartchat.chat.core import MANAGERS
from quartchat.chat.details import ChatSettings
from quartchat.errors import ChatError, ChatNotFound, NotAMember
from quartchat.transports import base
from quartchat.web import views
from quartchat.web.account import see
from quartchat.web.locale import _

blueprint = Blueprint("room_pages", __name__)
blueprint.after_request(views.keep_login)
Form = dict[str, Any]
PAGE = 50


@blueprint.get("/rooms")
async def room_list() -> Response:
    who, query = await views.viewer(), request.args
    wanted, before = query.get("q", ""), query.get("before")
    found = await directory.public_rooms(base.services().core, who.user_id, wanted, before, PAGE)
    return await views.page(
        "rooms.html", me=await views.person(who), q=wanted, is_first=not before, **found
    )


@blueprint.get("/c/<chat_id>/about")
async def about(chat_id: str) -> Response:
    return await about_page(await views.viewer(), chat_id)


async def about_page(
    who: Caller, chat_id: str, values: Form | None = None, error: ChatError | None = None
) -> Response:
    """Of a chat of one's own, or of a public room. With what was typed and refused."""
    core, query = base.services().core, request.args
    mine = await rooms.one(core, who.user_id, chat_id)
    chat = mine or await rooms.preview(core, chat_id, who.user_id)
    if chat is None:
        raise ChatNotFound
    found = await directory.members(
        core, who.user_id, chat_id, query.get("q", ""), query.get("after"), PAGE
    )
    pins = await history.pinned(core, who.user_id, chat_id)
    manages = chat["kind"] == "group" and chat["role"] in MANAGERS
    return await views.page(
        "about.html",
        me=await views.person(who),
        status=error.status if error else 200,
        chat=chat,
        is_member=mine is not None,
        members=[_with_presence(one) for one in found["members"]],
        after=found["after"],
        q=query.get("q", ""),
        is_first=not query.get("after"),
        pins=pins["messages"],
        manages=manages,
        **await _for_managers(who, chat_id) if manages else {},
        values=values or {},
        errors=views.form_errors(error),
        notice=_("Saved.") if "saved" in query and not error else None,
    )


def _with_presence(person: dict[str, Any]) -> dict[str, Any]:
    return {**person, "presence": base.services().presence.state(person["user_id"])}


async def _for_managers(who: Caller, chat_id: str) -> dict[str, Any]:
    core = base.services().core
    live = await invites.live(core, who.user_id, chat_id)
    banned = await bans.banned(core, who.user_id, chat_id, request.args.get("bans"), PAGE)
    return {**live, "bans": banned["bans"], "more_bans": banned["before"], "site": _site()}


def _site() -> str:
    return request.host_url.rstrip("/")


@blueprint.post("/c/<chat_id>/mine")
async def set_mine(chat_id: str) -> Response:
    """How one keeps the chat for oneself: `notify`, `archived`."""
    form = await request.form
    who = await views.changer()
    wish = ChatSettings(chat_id, form.get("notify"), bool(form.get("archived")))
    await details.set_mine(base.services().core, who.user_id, wish)
    return see(chats_url(chat_id, "about") + "?saved=1")


@blueprint.get("/c/<chat_id>/leave")
async def ask_to_leave(chat_id: str) -> Response:
    who = await views.viewer()
    chat = await rooms.one(base.services().core, who.user_id, chat_id)
    if chat is None:
        raise NotAMember
    return await views.page("leave.html", me=await views.person(who), chat=chat)
