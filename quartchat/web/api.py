"""The HTTP API of chats: the commands of the protocol under their addresses."""

from __future__ import annotations

from typing import Any

from quart import Blueprint, Response, request

from quartchat.access import Caller
from quartchat.chat import history as reading
from quartchat.chat import membership, rooms
from quartchat.errors import Invalid
from quartchat.events import encode_data
from quartchat.protocol import CreateChat, Member, SetRole, read_cursor, shape
from quartchat.transports import base
from quartchat.transports.body import read_fields

blueprint = Blueprint("api", __name__, url_prefix="/api")


def answer(data: Any, status: int = 200) -> Response:
    headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
    return Response(encode_data(data), status, headers=headers)


async def command(name: str, **fixed: Any) -> Response:
    """Run a command with the fields of the body and of the address."""
    fields, lenient = ({}, False) if request.method == "GET" else await read_fields()
    who = await base.caller()  # after the body, which may take its time
    found = await base.services().commands.run(
        who.user_id, name, {**fields, **fixed}, lenient=lenient
    )
    return Response("", 204) if found is None else answer(found[1])


async def changer() -> Caller:
    """Who makes this change. Raises RateLimited."""
    who = await base.caller()
    base.services().commands.check_rate(who.user_id)
    return who


@blueprint.get("/chats")
async def my_chats() -> Response:
    return await command("get_my_chats")


@blueprint.get("/chats/status")
async def chat_status() -> Response:
    return await command("get_chat_status")


@blueprint.post("/chats/<chat_id>/messages")
async def send_message(chat_id: str) -> Response:
    return await command("send_message", chat_id=chat_id)


@blueprint.post("/chats/<chat_id>/typing")
async def typing(chat_id: str) -> Response:
    return await command("typing", chat_id=chat_id)


@blueprint.post("/chats/<chat_id>/read")
async def mark_read(chat_id: str) -> Response:
    return await command("mark_read", chat_id=chat_id)


@blueprint.post("/chats/<chat_id>/members/me")
async def join(chat_id: str) -> Response:
    return await command("join_chat", chat_id=chat_id)


@blueprint.delete("/chats/<chat_id>/members/me")
async def leave(chat_id: str) -> Response:
    return await command("leave_chat", chat_id=chat_id)


@blueprint.post("/chats")
async def create_chat() -> Response:
    fields, lenient = await read_fields()
    who = await changer()
    wish = shape(fields, CreateChat, lenient=lenient)
    core = base.services().core
    chat_id, new = await rooms.create(core, who.user_id, wish)
    return answer(await rooms.one(core, who.user_id, chat_id), 201 if new else 200)


@blueprint.get("/chats/<chat_id>/messages")
async def history(chat_id: str) -> Response:
    who = await base.caller()
    query = request.args
    before, after = read_cursor(query.get("before")), read_cursor(query.get("after"))
    span = reading.Span(before, after, read_limit(query.get("limit")))
    return answer(await reading.history(base.services().core, who.user_id, chat_id, span))


def read_limit(raw: str | None) -> int:
    """The `limit` of a query. Raises Invalid."""
    if raw is None or raw == "":
        return 50
    if not (raw.isascii() and raw.isdecimal()) or len(raw) > 6 or int(raw) < 1:
        raise Invalid("limit takes a whole number from 1 on.", field="limit")
    return int(raw)


@blueprint.post("/chats/<chat_id>/members")
async def add_member(chat_id: str) -> Response:
    fields, lenient = await read_fields()
    who = await changer()
    wish = shape({**fields, "chat_id": chat_id}, Member, lenient=lenient)
    return answer(await membership.add(base.services().core, who.user_id, wish))


@blueprint.delete("/chats/<chat_id>/members/<path:user_id>")
async def remove_member(chat_id: str, user_id: str) -> Response:
    who = await changer()
    wish = Member(chat_id, user_id)
    return answer(await membership.remove(base.services().core, who.user_id, wish))


@blueprint.patch("/chats/<chat_id>/members/<path:user_id>")
async def set_role(chat_id: str, user_id: str) -> Response:
    fields, lenient = await read_fields()
    who = await changer()
    wish = shape({**fields, "chat_id": chat_id, "user_id": user_id}, SetRole, lenient=lenient)
    return answer(await membership.set_role(base.services().core, who.user_id, wish))
