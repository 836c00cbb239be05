"""The HTTP API of what chats are like, who is in them, invitations, bans, and the directory."""

from __future__ import annotations

from quart import Blueprint, Response, request

from quartchat.chat import bans, details, directory, invites
from quartchat.chat.details import ChatSettings, UpdateChat
from quartchat.chat.invites import MakeInvite
from quartchat.protocol import Member, shape
from quartchat.transports import base
from quartchat.transports.body import read_fields
from quartchat.web.api import answer, changer, read_limit

blueprint = Blueprint("api_rooms", __name__, url_prefix="/api")


@blueprint.patch("/chats/<chat_id>")
async def update(chat_id: str) -> Response:
    fields, lenient = await read_fields()
    who = await changer()
    wish = shape({**fields, "chat_id": chat_id}, UpdateChat, lenient=lenient)
    return answer(await details.update(base.services().core, who.user_id, wish))


@blueprint.patch("/chats/<chat_id>/settings")
async def set_mine(chat_id: str) -> Response:
    fields, lenient = await read_fields()
    who = await changer()
    wish = shape({**fields, "chat_id": chat_id}, ChatSettings, lenient=lenient)
    return answer(await details.set_mine(base.services().core, who.user_id, wish))


@blueprint.get("/chats/<chat_id>/members")
async def members(chat_id: str) -> Response:
    who, query, core = await base.caller(), request.args, base.services().core
    limit = read_limit(query.get("limit"))
    return answer(
        await directory.members(
            core, who.user_id, chat_id, query.get("q", ""), query.get("after"), limit
        )
    )


@blueprint.get("/rooms")
async def public_rooms() -> Response:
    who, query, core = await base.caller(), request.args, base.services().core
    limit = read_limit(query.get("limit"))
    return answer(
        await directory.public_rooms(
            core, who.user_id, query.get("q", ""), query.get("before"), limit
        )
    )


@blueprint.get("/chats/<chat_id>/invites")
async def live_invites(chat_id: str) -> Response:
    who = await base.caller()
    return answer(await invites.live(base.services().core, who.user_id, chat_id))


@blueprint.post("/chats/<chat_id>/invites")
async def make_invite(chat_id: str) -> Response:
    fields, lenient = await read_fields()
    who = await changer()
    wish = shape({**fields, "chat_id": chat_id}, MakeInvite, lenient=lenient)
    return answer(await invites.make(base.services().core, who.user_id, wish), 201)


@blueprint.delete("/chats/<chat_id>/invites/<invite_id>")
async def end_invite(chat_id: str, invite_id: str) -> Response:
    who = await changer()
    return answer(await invites.end(base.services().core, who.user_id, chat_id, invite_id))


@blueprint.get("/invites/<invite_id>")
async def preview_invite(invite_id: str) -> Response:
    who = await base.caller()
    return answer(await invites.preview(base.services().core, who.user_id, invite_id))


@blueprint.post("/invites/<invite_id>")
async def accept_invite(invite_id: str) -> Response:
    who = await changer()
    return answer(await invites.accept(base.services().core, who.user_id, invite_id))


@blueprint.get("/chats/<chat_id>/bans")
async def banned(chat_id: str) -> Response:
    who, query, core = await base.caller(), request.args, base.services().core
    limit = read_limit(query.get("limit"))
    return answer(await bans.banned(core, who.user_id, chat_id, query.get("before"), limit))


@blueprint.post("/chats/<chat_id>/bans")
async def ban(chat_id: str) -> Response:
    fields, lenient = await read_fields()
    who = await changer()
    wish = shape({**fields, "chat_id": chat_id}, Member, lenient=lenient)
    return answer(await bans.ban(base.services().core, who.user_id, wish))


@blueprint.delete("/chats/<chat_id>/bans/<path:user_id>")
async def unban(chat_id: str, user_id: str) -> Response:
    who = await changer()
    wish = Member(chat_id, user_id)
    return answer(await bans.unban(base.services().core, who.user_id, wish))
