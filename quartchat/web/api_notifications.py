"""The HTTP API of notifications, and of who has read what."""

from __future__ import annotations

import msgspec
from quart import Blueprint, Response, request

from quartchat.chat import bell, receipts
from quartchat.errors import Invalid
from quartchat.protocol import read_cursor, shape
from quartchat.transports import base
from quartchat.transports.body import read_fields
from quartchat.web.api import answer, changer, read_limit

blueprint = Blueprint("api_notifications", __name__, url_prefix="/api")


class ReadNotifications(msgspec.Struct):
    """Some by their ids, or all."""

    ids: list[str] = []
    all: bool = False


@blueprint.get("/notifications")
async def listed() -> Response:
    who, query = await base.caller(), request.args
    span = bell.Span(
        before=read_cursor(query.get("before")),
        limit=read_limit(query.get("limit")),
        unread=query.get("unread") == "1",
    )
    return answer(await bell.page(base.services().core, who.user_id, span))


@blueprint.post("/notifications/read")
async def mark_read() -> Response:
    fields, lenient = await read_fields()
    who = await changer()
    wish = shape(fields, ReadNotifications, lenient=lenient)
    core = base.services().core
    if wish.all:
        return answer(await bell.read_all(core, who.user_id))
    if not wish.ids:
        raise Invalid("Say which: some ids, or all.", field="ids")
    return answer(await bell.read_some(core, who.user_id, wish.ids))


@blueprint.get("/chats/<chat_id>/receipts")
async def read_by(chat_id: str) -> Response:
    who = await base.caller()
    return answer(await receipts.of_members(base.services().core, who.user_id, chat_id))
