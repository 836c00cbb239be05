"""Sending files: in one form, or in pieces that can be gone on with after a cut."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from quart import Blueprint, Response, request

from quartchat.chat import attachments
from quartchat.chat.quota import too_large
from quartchat.errors import BadRequest, Invalid
from quartchat.protocol import BeginUpload, read_cursor, shape
from quartchat.transports import base
from quartchat.transports.body import read_fields
from quartchat.web import bodies, tus
from quartchat.web.api import answer, read_limit
from quartchat.web.multipart import read_form

blueprint = Blueprint("uploads", __name__)
blueprint.after_request(tus.say_version)


@blueprint.post("/api/chats/<chat_id>/files")
async def send_file(chat_id: str) -> Response:
    """The attachment of the form's one file."""
    who, found = await base.caller(), list[dict[str, Any]]()
    if request.mimetype != bodies.FORM:
        raise BadRequest("Send a form (multipart/form-data) with the field `file`.")
    core = base.services().core
    if (request.content_length or 0) > core.settings.max_upload + bodies.ENVELOPE:
        raise too_large(core)

    async def take(name: str, pieces: AsyncIterator[bytes]) -> None:
        if found:
            raise Invalid("Send one file in a request.", field="file")
        uploads = base.services().uploads
        found.append(await uploads.whole(who.user_id, chat_id, name, pieces))

    try:
        await read_form(take)
    except BaseException:
        for one in found:  # nobody learns of it
            await _drop(who.user_id, one["attachment_id"])
        raise
    if not found:
        raise Invalid("Choose a file.", field="file")
    return answer(found[0], 201)


@blueprint.route("/api/chats/<chat_id>/uploads", methods=["OPTIONS"])
@blueprint.route("/api/uploads/<upload_id>", methods=["OPTIONS"])
async def options(chat_id: str = "", upload_id: str = "") -> Response:
    return tus.about()


@blueprint.post("/api/chats/<chat_id>/uploads")
async def begin(chat_id: str) -> Response:
    who = await base.caller()
    if tus.is_asked_for():
        return await tus.create(who.user_id, chat_id)
    fields, lenient = await read_fields()
    wish = shape({**fields, "chat_id": chat_id}, BeginUpload, lenient=lenient)
    state, new = await base.services().uploads.begin(who.user_id, wish)
    return answer(state, 201 if new else 200)


@blueprint.get("/api/uploads/<upload_id>")
async def state(upload_id: str) -> Response:
    """Also what a HEAD of tus asks."""
    tus.is_asked_for()
    who = await base.caller()
    found = await base.services().uploads.state(who.user_id, upload_id)
    response = answer(found)
    response.headers.update(tus.headers(found))
    return response


@blueprint.post("/api/uploads/<upload_id>")
async def go_on(upload_id: str) -> Response:
    who = await base.caller()
    instead = request.headers.get("X-HTTP-Method-Override", "").upper()
    if instead == "PATCH":
        return await tus.patch(who.user_id, upload_id)
    if instead == "DELETE":
        return await cancel(upload_id)
    offset, uploads = _offset(request.args.get("offset")), base.services().uploads
    if request.mimetype != bodies.FORM:
        return answer(await uploads.take(who.user_id, upload_id, offset, bodies.pieces()))
    found = list[dict[str, Any]]()

    async def take(_name: str, pieces: AsyncIterator[bytes]) -> None:
        if found:
            raise Invalid("Send one piece in a request.", field="chunk")
        found.append(await uploads.take(who.user_id, upload_id, offset, pieces))

    await read_form(take)
    if not found:
        raise Invalid("Send the bytes as a file in the field `chunk`.", field="chunk")
    return answer(found[0])


def _offset(raw: str | None) -> int:
    if raw is None or not (raw.isascii() and raw.isdecimal()) or len(raw) > 15:
        raise Invalid("offset takes a whole number: where these bytes belong.", field="offset")
    return int(raw)


@blueprint.patch("/api/uploads/<upload_id>")
async def patch(upload_id: str) -> Response:
    return await tus.patch((await base.caller()).user_id, upload_id)


@blueprint.delete("/api/uploads/<upload_id>")
async def cancel(upload_id: str) -> Response:
    tus.is_asked_for()
    who = await base.caller()
    await base.services().uploads.cancel(who.user_id, upload_id)
    base.services().sweeper.wake()
    return Response("", 204)


@blueprint.delete("/api/attachments/<attachment_id>")
async def drop(attachment_id: str) -> Response:
    """One that was not sent."""
    await _drop((await base.caller()).user_id, attachment_id)
    return Response("", 204)


async def _drop(user_id: str, attachment_id: str) -> None:
    await attachments.drop(base.services().core, user_id, attachment_id)
    base.services().sweeper.wake()


@blueprint.get("/api/chats/<chat_id>/files")
async def of_chat(chat_id: str) -> Response:
    who, query = await base.caller(), request.args
    kind = query.get("kind", "media")
    if kind not in ("media", "files"):
        raise Invalid("kind takes media or files.", field="kind")
    found = await attachments.page(
        base.services().core,
        who.user_id,
        chat_id,
        media=kind == "media",
        before=read_cursor(query.get("before")),
        limit=read_limit(query.get("limit")),
    )
    return answer(found)
