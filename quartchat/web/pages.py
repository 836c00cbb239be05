"""The pages of chats, each doing its job by links and forms alone."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from quart import Blueprint, Response, request
from sqlalchemy.ext.asyncio import AsyncConnection

from quartchat.access import Caller
from quartchat.addresses import chats_url
from quartchat.chat import attachments, membership, messages, receipts, rooms
from quartchat.errors import ChatError, ChatNotFound, NotAMember
from quartchat.protocol import ChatOnly, MarkRead
from quartchat.transports import base
from quartchat.web import chat_head, message_form, now, places, timeline, views
from quartchat.web.account import see
from quartchat.web.places import Part, Place
from quartchat.web.reactions import PALETTE, with_names
from quartchat.web.timeline import Reader

blueprint = Blueprint("pages", __name__)
blueprint.after_request(views.keep_login)
Form = dict[str, Any]
SEEN_BY_UPTO = 20  # members of a chat in which it is told who has seen a message


@dataclass(frozen=True, slots=True)
class Read:
    """What one read of the store says: the reader's chats, the part of the history, and who has
    read how far (in small chats)."""

    chats: list[dict[str, Any]]
    view: dict[str, Any] | None
    part: Part
    receipts: Sequence[dict[str, Any]] | None


@blueprint.get("/c/<chat_id>")
async def chat(chat_id: str) -> Response:
    return await chat_page(await views.viewer(), chat_id)


async def chat_page(
    who: Caller, chat_id: str, values: Form | None = None, error: ChatError | None = None
) -> Response:
    """The chat as its members see it, or a public room's preview. The history's read gives
    the cursor: what it does not show, the stream from there on will. Opening a page that shows
    the newest is reading it: without JavaScript nothing else could tell."""
    core, settings = base.services().core, base.services().settings
    place = await places.place_of(core, who.user_id, chat_id, request.args)
    read = await core.read_in_turn(who.user_id, lambda c: _read(c, who.user_id, chat_id, place))
    shown = read.view or await rooms.preview(core, chat_id, who.user_id)
    if shown is None:
        raise ChatNotFound
    reader = _reader(who.user_id, shown, place, read.receipts or ())
    unread = await _mark_read(who, shown, read.part)
    return await views.page(
        "chat.html",
        me=await views.person(who),
        status=error.status if error else 200,
        chats=[one for one in read.chats if not one["archived"] or one["chat_id"] == chat_id],
        chat=shown,
        **await chat_head.of(who, shown),
        **await _shown(core, chat_id, read.part, reader),
        place=place,
        unread=unread,
        read_upto=reader.read_upto,
        receipts=read.receipts,
        cursor=read.part.cursor,
        values=values or {},
        errors=views.form_errors(error),
        reply=await _reply(who, chat_id, (values or {}).get("reply_to")),
        is_member=read.view is not None,
        client_id=(values or {}).get("client_id") or str(uuid.uuid4()),
        frame=now.place(chat_id, now.chosen(), reader.read_upto),
        palette=PALETTE,
        max_content=settings.max_content,
        max_upload=settings.max_upload,
        max_files=settings.max_attachments,
        chosen=await attachments.chosen(core, who.user_id, chat_id, values or {}),
    )


async def _read(connection: AsyncConnection, user_id: str, chat_id: str, place: Place) -> Read:
    chats = (await rooms.read_my_chats(connection, user_id))["chats"]
    view = next((one for one in chats if one["chat_id"] == chat_id), None)
    part = await places.read(connection, user_id, chat_id, place)
    told = None
    if view is not None and view["member_count"] <= SEEN_BY_UPTO:
        told = (await receipts.read_receipts(connection, user_id, chat_id))["receipts"]
    return Read(chats, view, part, told)


def _reader(
    user_id: str, shown: dict[str, Any], place: Place, told: Sequence[dict[str, Any]]
) -> Reader:
    upto = place.read_upto
    if upto is None and shown["unread"]:
        upto = shown["read_upto"]
    return Reader(user_id, upto, told)


async def _mark_read(who: Caller, shown: dict[str, Any], part: Part) -> int:
    """How many were unread before."""
    unread = int(shown["unread"])
    if unread and part.newer is None:
        wish = MarkRead(shown["chat_id"], part.cursor)
        await receipts.mark_read(base.services().core, who.user_id, wish)
        shown["unread"] = 0  # as the reader sees it, in the list beside the chat too
    return unread


async def _shown(core: Any, chat_id: str, part: Part, reader: Reader) -> dict[str, Any]:
    here = chats_url(chat_id)
    await with_names(core, part.messages)
    return {
        "items": timeline.lines(part, reader),
        "has_messages": bool(part.messages),
        "older": f"{here}?before={part.older}" if part.older else None,
        "newer": f"{here}?after={part.newer}" if part.newer else None,
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


@blueprint.get("/c/<chat_id>/timeline")
async def history_part(chat_id: str) -> Response:
    """The same part of the history as the page with this query shows, for a page that has
    others already."""
    who, core = await views.viewer(), base.services().core
    place = await places.place_of(core, who.user_id, chat_id, request.args)
    part = await core.database.read(lambda c: places.read(c, who.user_id, chat_id, place))
    shown = await _shown(core, chat_id, part, Reader(who.user_id))
    return await views.page("partials/timeline.html", me=None, **shown, cursor=part.cursor)


@blueprint.get("/c/<chat_id>/head")
async def head(chat_id: str) -> Response:
    """What stands above the messages as it is now, for a page that is open."""
    who = await views.viewer()
    shown = await rooms.one(base.services().core, who.user_id, chat_id)
    if shown is None:
        raise NotAMember
    return await views.page(
        "partials/chat_top.html",
        me=await views.person(who),
        chat=shown,
        is_member=True,
        **await chat_head.of(who, shown),
    )


@blueprint.post("/c/<chat_id>/messages")
async def send(chat_id: str) -> Response:
    """What was typed and the files that came stay in the form if the message is refused."""
    who = await views.viewer()
    form: Form = {"attachments": []}
    try:
        await message_form.read(who.user_id, chat_id, form)
        fields = {
            "chat_id": chat_id,
            "content": form.get("content", "").replace("\r\n", "\n"),
            "client_id": form.get("client_id") or None,
            "reply_to": form.get("reply_to") or None,
            "attachments": form["attachments"],
        }
        await base.services().commands.run(who.user_id, "send_message", fields)
    except (ChatNotFound, NotAMember):
        raise
    except ChatError as error:
        return await chat_page(who, chat_id, form, error)
    core = base.services().core
    if await attachments.drop_unsent(core, who.user_id, chat_id, form["attachments"]):
        base.services().sweeper.wake()
    return see(chats_url(chat_id) + "#write")


@blueprint.post("/c/<chat_id>/join")
async def join(chat_id: str) -> Response:
    who = await views.changer()
    await membership.join(base.services().core, who.user_id, ChatOnly(chat_id))
    return see(chats_url(chat_id))


@blueprint.post("/c/<chat_id>/leave")
async def leave(chat_id: str) -> Response:
    who = await views.changer()
    await membership.leave(base.services().core, who.user_id, ChatOnly(chat_id))
    return see(chats_url() + "?out=1")
