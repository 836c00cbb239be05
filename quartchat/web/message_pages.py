"""One message as a page: reading it alone, answering, changing, deleting, reacting, pinning."""

from __future__ import annotations

import uuid
from typing import Any

from quart import Blueprint, Response, request

from quartchat.access import Caller
from quartchat.addresses import chats_url
from quartchat.chat import history, receipts, rooms
from quartchat.chat.core import MANAGERS, Core
from quartchat.errors import ChatError, MessageNotFound
from quartchat.store.audience import SMALL_CHAT
from quartchat.transports import base
from quartchat.web import views
from quartchat.web.account import see
from quartchat.web.reactions import PALETTE, with_names

blueprint = Blueprint("message_pages", __name__)
blueprint.after_request(views.keep_login)
Form = dict[str, Any]
MOST_NAMED = 200  # of those who reacted with the same
HERE = "/c/<chat_id>/messages/<message_id>"


@blueprint.get(HERE)
async def message(chat_id: str, message_id: str) -> Response:
    return await message_page(await views.viewer(), chat_id, message_id)


async def message_page(
    who: Caller,
    chat_id: str,
    message_id: str,
    values: Form | None = None,
    error: ChatError | None = None,
) -> Response:
    """With what was typed and refused. Raises MessageNotFound."""
    core = base.services().core
    chat, shown = await _found(core, who.user_id, chat_id, message_id)
    await with_names(core, [shown], MOST_NAMED)
    own = shown["sender_id"] == who.user_id
    moderates = chat["kind"] == "group" and chat["role"] in MANAGERS
    return await views.page(
        "message_page.html",
        me=await views.person(who),
        status=error.status if error else 200,
        chat=chat,
        message=shown,
        item=views.fragments().of_message(shown),
        own=own,
        may_delete=own or moderates,
        may_pin=chat["role"] in MANAGERS,
        mine=(mine := _emoji_of(shown, who.user_id)),
        palette=[*PALETTE, *(emoji for emoji in mine if emoji not in PALETTE)],
        readers=await _readers(core, who.user_id, chat, shown),
        values={"content": shown["content"] or "", **(values or {})},
        errors=views.form_errors(error),
        client_id=str(uuid.uuid4()),
    )


async def _found(
    core: Core, user_id: str, chat_id: str, message_id: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    shown = await history.one(core, user_id, message_id)
    chat = await rooms.one(core, user_id, chat_id)
    if chat is None or shown["chat_id"] != chat_id:
        raise MessageNotFound
    return chat, shown


def _emoji_of(shown: dict[str, Any], user_id: str) -> list[str]:
    return [one["emoji"] for one in shown.get("reactions", ()) if user_id in one["user_ids"]]


async def _readers(
    core: Core, user_id: str, chat: dict[str, Any], shown: dict[str, Any]
) -> list[dict[str, Any]] | None:
    """Who has read it, beside who wrote it; None in a chat too large to tell."""
    if chat["member_count"] > SMALL_CHAT:
        return None
    found = await receipts.of_members(core, user_id, chat["chat_id"])
    return [
        one
        for one in found["receipts"]
        if one["event_id"] >= shown["event_id"] and one["user_id"] != shown["sender_id"]
    ]


@blueprint.get(f"{HERE}/delete")
async def ask_to_delete(chat_id: str, message_id: str) -> Response:
    who = await views.viewer()
    chat, shown = await _found(base.services().core, who.user_id, chat_id, message_id)
    return await views.page(
        "delete_message.html", me=await views.person(who), chat=chat, message=shown
    )


@blueprint.post(f"{HERE}/delete")
async def delete(chat_id: str, message_id: str) -> Response:
    await request.form
    who = await views.viewer()
    await _found(base.services().core, who.user_id, chat_id, message_id)
    await _run(who, "delete_message", message_id)
    return _back(chat_id, message_id)


@blueprint.post(f"{HERE}/edit")
async def edit(chat_id: str, message_id: str) -> Response:
    form = dict(await request.form)
    content = form.get("content", "").replace("\r\n", "\n")
    return await _change(chat_id, message_id, "edit_message", {"content": content}, form)


@blueprint.post(f"{HERE}/react")
async def react(chat_id: str, message_id: str) -> Response:
    """`emoji` is put on, `off` is taken back."""
    form = await request.form
    emoji = form.get("off") or form.get("emoji", "")
    fields = {"emoji": emoji.strip(), "is_on": "off" not in form}
    return await _change(chat_id, message_id, "react", fields, {"emoji": fields["emoji"]})


@blueprint.post(f"{HERE}/pin")
async def pin(chat_id: str, message_id: str) -> Response:
    form = await request.form
    fields = {"is_pinned": form.get("is_pinned") != "0"}
    return await _change(chat_id, message_id, "pin_message", fields, {})


async def _change(
    chat_id: str, message_id: str, command: str, fields: Form, typed: Form
) -> Response:
    """Back to the message's place; what is wrong with a field is said beside it."""
    who = await views.viewer()
    await _found(base.services().core, who.user_id, chat_id, message_id)
    try:
        await _run(who, command, message_id, **fields)
    except ChatError as error:
        if error.status not in (413, 422):
            raise
        return await message_page(who, chat_id, message_id, typed, error)
    return _back(chat_id, message_id)


async def _run(who: Caller, command: str, message_id: str, **fields: Any) -> None:
    wish = {"message_id": message_id, **fields}
    await base.services().commands.run(who.user_id, command, wish)


def _back(chat_id: str, message_id: str) -> Response:
    return see(f"{chats_url(chat_id)}?focus={message_id}#m{message_id}")
