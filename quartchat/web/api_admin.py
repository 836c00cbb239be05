"""The HTTP API of administrators; 403 for others."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType
from quart import Blueprint, Response, request

from quartchat.chat.accounts import Accounts
from quartchat.errors import Invalid
from quartchat.protocol import shape
from quartchat.transports import base
from quartchat.transports.body import read_fields
from quartchat.web.api import answer, changer

blueprint = Blueprint("api_admin", __name__, url_prefix="/api/admin")


class EditUser(msgspec.Struct):
    """What is not given stays."""

    is_admin: bool | UnsetType = UNSET
    new_password: str | UnsetType = UNSET


@blueprint.get("/overview")
async def overview() -> Response:
    who = await base.caller()
    return answer(await base.services().admin.overview(who.user_id))


@blueprint.get("/users")
async def users() -> Response:
    who = await base.caller()
    return answer(await base.services().admin.users(who.user_id, *asked_list()))


@blueprint.get("/chats")
async def chats() -> Response:
    who = await base.caller()
    return answer(await base.services().admin.chats(who.user_id, *asked_list()))


@blueprint.get("/connections")
async def connections() -> Response:
    who = await base.caller()
    return answer(await base.services().admin.connections(who.user_id, asked_list()[1]))


def asked_list() -> tuple[str, int]:
    """(what is searched for, which page from 1 on) of the query. Raises Invalid."""
    raw = request.args.get("page") or "1"
    if not (raw.isascii() and raw.isdecimal()) or len(raw) > 6 or int(raw) < 1:
        raise Invalid("page takes a whole number from 1 on.", field="page")
    return request.args.get("q", "")[:100], int(raw)


@blueprint.patch("/users/<path:user_id>")
async def edit(user_id: str) -> Response:
    fields, lenient = await read_fields()
    by = (await changer()).user_id
    wish = shape(fields, EditUser, lenient=lenient)
    if wish.new_password is not UNSET:
        await _accounts().set_password(user_id, wish.new_password, by=by)
    if wish.is_admin is not UNSET:
        await _accounts().set_admin(user_id, wish.is_admin, by=by)
    return answer({"user_id": user_id})


@blueprint.post("/users/<path:user_id>/logout")
async def log_out(user_id: str) -> Response:
    await _accounts().log_out(user_id, by=(await changer()).user_id)
    return answer({"user_id": user_id})


@blueprint.delete("/users/<path:user_id>")
async def remove(user_id: str) -> Response:
    await _accounts().remove(user_id, by=(await changer()).user_id)
    return answer({"user_id": user_id})


def _accounts() -> Accounts:
    return base.services().accounts
