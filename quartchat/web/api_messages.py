"""The HTTP API of single messages: reading, changing, deleting, reactions, pins."""

from __future__ import annotations

from quart import Blueprint, Response

from quartchat.chat import history
from quartchat.transports import base
from quartchat.web.api import answer, command

blueprint = Blueprint("api_messages", __name__, url_prefix="/api")


@blueprint.get("/messages/<message_id>")
async def read(message_id: str) -> Response:
    who = await base.caller()
    return answer(await history.one(base.services().core, who.user_id, message_id))


@blueprint.patch("/messages/<message_id>")
async def edit(message_id: str) -> Response:
    return await command("edit_message", message_id=message_id)


@blueprint.delete("/messages/<message_id>")
async def delete(message_id: str) -> Response:
    return await command("delete_message", message_id=message_id)


@blueprint.post("/messages/<message_id>/reactions")
async def react(message_id: str) -> Response:
    return await command("react", message_id=message_id)


@blueprint.post("/messages/<message_id>/pin")
async def pin(message_id: str) -> Response:
    return await command("pin_message", message_id=message_id, is_pinned=True)


@blueprint.delete("/messages/<message_id>/pin")
async def unpin(message_id: str) -> Response:
    return await command("pin_message", message_id=message_id, is_pinned=False)


@blueprint.get("/chats/<chat_id>/pins")
async def pinned(chat_id: str) -> Response:
    who = await base.caller()
    return answer(await history.pinned(base.services().core, who.user_id, chat_id))


@blueprint.post("/presence")
async def active() -> Response:
    return await command("active")
