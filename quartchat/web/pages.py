"""The pages of chats, each doing its job by links and forms alone."""

from __future__ import annotations

import uuid
from typing import Any

from quart import Blueprint, Response, request
from sqlalchemy.ext.asyncio import AsyncConnection

from quartchat.access import Caller
from quartchat.chat import membership, messages, people, receipts, rooms
from quartchat.chat.messages import Span
from quartchat.errors import BadRequest, ChatError, ChatNotFound, Invalid, NotAMember, UserNotFound
from quartchat.events import Event
from quartchat.protocol import ChatOnly, CreateChat, MarkRead, Member, read_cursor
from quartchat.transports import base
from quartchat.web import views
from quartchat.web.account import see

blueprint = Blueprint("pages", __name__)
blueprint.after_request(views.keep_login)
PAGE = 60
NEWEST = Span(limit=PAGE)
Form = dict[str, Any]


@blueprint.get("/chats")
async def chat_list() -> Response:
    who = await views.viewer()
    core = base.services().core
    mine = await rooms.my_chats(core, who.user_id)
    return await views.page(
        "chats.html",
        me=await views.person(who),
        chats=mine["chats"],
        cursor=mine["cursor"],
        notice="You are no longer in that chat." if "out" in request.args else None,
        rooms=await rooms.open_rooms(core, who.user_id),
    )


@blueprint.get("/chats/new")
async def new_chat_form() -> Response:
    return await _new_chat_page(await views.viewer(), {})


@blueprint.post("/chats/new")
async def new_chat() -> Response:
    form = dict(await request.form)
    who = await views.viewer()
    try:
        base.services().commands.check_rate(who.user_id)
        wish = await _wish(form)
        chat_id, _ = await rooms.create(base.services().core, who.user_id, wish)
    except ChatError as error:
        return await _new_chat_page(who, form, error)
    return see(f"/chats/{chat_id}")


async def _wish(form: Form) -> CreateChat:
    """The form's names as the command's ids. Raises UserNotFound at its field."""
    if form.get("kind") == "direct":
        return CreateChat("direct", user_id=await _id_of(form.get("user", ""), "user"))
    names = form.get("members", "").replace(",", " ").split()
    members = await people.ids_of(base.services().core, names)
    return CreateChat(
        "group", title=form.get("title", ""), members=members, public=bool(form.get("public"))
    )


async def _id_of(name: str, field: str) -> str:
    return (await people.ids_of(base.services().core, [name], field))[0]


async def _new_chat_page(who: Caller, values: Form, error: ChatError | None = None) -> Response:
    errors = views.form_errors(error)
    if "user_id" in errors:
        errors["user"] = errors.pop("user_id")
    status, me = error.status if error else 200, await views.person(who)
    return await views.page("new_chat.html", me=me, status=status, values=values, errors=errors)


@blueprint.get("/chats/<chat_id>")
async def chat(chat_id: str) -> Response:
    return await chat_page(await views.viewer(), chat_id)


async def chat_page(
    who: Caller, chat_id: str, values: Form | None = None, error: ChatError | None = None
) -> Response:
    """The chat as its members see it, or a public room's preview. The history's read gives
    the cursor: what it does not show, the stream from there on will. Opening the newest page
    is reading it: without JavaScript nothing else could tell."""
    span, focus = _span()
    core = base.services().core
    mine, history, notes = await core.database.read(
        lambda c: _read_chat(c, who.user_id, chat_id, span)
    )
    view = next((c for c in mine["chats"] if c["chat_id"] == chat_id), None)
    shown = view or await rooms.preview(core, chat_id)
    if shown is None:
        raise ChatNotFound
    if shown["unread"] and span == NEWEST:
        await receipts.mark_read(core, who.user_id, MarkRead(chat_id, history["cursor"]))
        shown["unread"] = 0  # as the reader sees it, in the list beside the chat too
    return await views.page(
        "chat.html",
        me=await views.person(who),
        status=error.status if error else 200,
        chats=mine["chats"],
        chat=shown,
        items=views.fragments().timeline(history["messages"], notes),
        cursor=history["cursor"],
        **_neighbours(chat_id, history, span),
        values=values or {},
        errors=views.form_errors(error),
        reply=await _reply(who, chat_id, (values or {}).get("reply_to")),
        is_member=view is not None,
        can_manage=shown["role"] in membership.MANAGERS,
        client_id=(values or {}).get("client_id") or str(uuid.uuid4()),
        max_content=base.services().settings.max_content,
        focus=focus,
    )


async def _read_chat(
    connection: AsyncConnection, user_id: str, chat_id: str, span: Span
) -> tuple[dict[str, Any], dict[str, Any], list[Event]]:
    mine = await rooms.read_my_chats(connection, user_id)
    history, notes = await messages.read_timeline(connection, user_id, chat_id, span)
    return mine, history, notes


def _span() -> tuple[Span, str | None]:
    """The page asked for (newest, before or after an event, up to a message), and the message
    to mark."""
    query = request.args
    before, after = read_cursor(query.get("before")), read_cursor(query.get("after"))
    focus = query.get("focus") or None
    if (
        focus
        and focus.isascii()
        and focus.isdecimal()
        and len(focus) <= 16
        and before is None
        and after is None
    ):
        before = int(focus) + 1
    return Span(before, after, PAGE), focus


def _neighbours(chat_id: str, history: dict[str, Any], span: Span) -> dict[str, str | None]:
    """Links to the pages before and after this one."""
    here, more = f"/chats/{chat_id}", history["has_more"]
    forward = span.after is not None and span.before is None
    older = history["before"] and (more or forward)
    newer = history["after"] and (more if forward else span.before is not None)
    return {
        "older": f"{here}?before={history['before']}" if older else None,
        "newer": f"{here}?after={history['after']}" if newer else None,
    }


async def _reply(who: Caller, chat_id: str, given: str | None) -> dict[str, Any] | None:
    """The quote above the composer. A message that is not there is simply not quoted."""
    message_id = given or request.args.get("reply_to")
    if not message_id:
        return None
    try:
        return await messages.quote(base.services().core, who.user_id, chat_id, message_id)
    except ChatError:
        return None


@blueprint.post("/chats/<chat_id>/messages")
async def send(chat_id: str) -> Response:
    form = dict(await request.form)
    who = await views.viewer()
    fields = {
        "chat_id": chat_id,
        "content": form.get("content", "").replace("\r\n", "\n"),
        "client_id": form.get("client_id") or None,
        "reply_to": form.get("reply_to") or None,
    }
    try:
        await base.services().commands.run(who.user_id, "send_message", fields)
    except (ChatNotFound, NotAMember):
        raise
    except ChatError as error:
        return await chat_page(who, chat_id, form, error)
    return see(f"/chats/{chat_id}#write")


async def changer() -> Caller:
    """Who makes this change. Raises RateLimited."""
    who = await views.viewer()
    base.services().commands.check_rate(who.user_id)
    return who


@blueprint.post("/chats/<chat_id>/join")
async def join(chat_id: str) -> Response:
    who = await changer()
    await membership.join(base.services().core, who.user_id, ChatOnly(chat_id))
    return see(f"/chats/{chat_id}")


@blueprint.post("/chats/<chat_id>/leave")
async def leave(chat_id: str) -> Response:
    who = await changer()
    await membership.leave(base.services().core, who.user_id, ChatOnly(chat_id))
    return see("/chats?out=1")


@blueprint.post("/chats/<chat_id>/members")
async def add_member(chat_id: str) -> Response:
    form = dict(await request.form)
    who = await changer()
    try:
        user_id = await _id_of(form.get("user", ""), "user")
        await membership.add(base.services().core, who.user_id, Member(chat_id, user_id))
    except (UserNotFound, Invalid) as error:
        return await chat_page(who, chat_id, form, error)
    return see(f"/chats/{chat_id}#members")


@blueprint.post("/chats/<chat_id>/members/<path:member>")
async def remove_member(chat_id: str, member: str) -> Response:
    user_id, _, verb = member.rpartition("/")
    if verb != "remove":
        raise BadRequest
    who = await changer()
    await membership.remove(base.services().core, who.user_id, Member(chat_id, user_id))
    return see(f"/chats/{chat_id}#members")
