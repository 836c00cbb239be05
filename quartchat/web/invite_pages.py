"""Invitations by link: making and ending them, and where they lead."""

from __future__ import annotations

from quart import Blueprint, Response, request

from quartchat.addresses import chats_url
from quartchat.chat import invites
from quartchat.chat.invites import MakeInvite
from quartchat.errors import ChatError, Invalid
from quartchat.transports import base
from quartchat.web import views
from quartchat.web.account import see
from quartchat.web.room_pages import about_page

blueprint = Blueprint("invite_pages", __name__)
blueprint.after_request(views.keep_login)


@blueprint.get("/invite/<invite_id>")
async def preview(invite_id: str) -> Response:
    who = await views.viewer()
    found = await invites.preview(base.services().core, who.user_id, invite_id)
    if found["is_member"]:
        return see(chats_url(found["chat"]["chat_id"]))
    return await views.page("invite.html", me=await views.person(who), **found)


@blueprint.post("/invite/<invite_id>")
async def accept(invite_id: str) -> Response:
    who = await views.changer()
    ack = await invites.accept(base.services().core, who.user_id, invite_id)
    return see(chats_url(ack["chat_id"]))


@blueprint.post("/c/<chat_id>/invites")
async def invite(chat_id: str) -> Response:
    form = dict(await request.form)
    who = await views.changer()
    try:
        wish = MakeInvite(
            chat_id,
            _number(form.get("expires_in"), "expires_in") or invites.WEEK,
            _number(form.get("max_uses"), "max_uses"),
        )
        await invites.make(base.services().core, who.user_id, wish)
    except ChatError as error:
        return await about_page(who, chat_id, form, error)
    return see(chats_url(chat_id, "about") + "#invites")


def _number(text: str | None, field: str) -> int | None:
    text = (text or "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdecimal()) or len(text) > 9:
        raise Invalid("This takes a whole number.", field=field)
    return int(text)


@blueprint.post("/c/<chat_id>/invites/<invite_id>/end")
async def end_invite(chat_id: str, invite_id: str) -> Response:
    who = await views.changer()
    await invites.end(base.services().core, who.user_id, chat_id, invite_id)
    return see(chats_url(chat_id, "about") + "#invites")
