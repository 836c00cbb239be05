"""The tus protocol 1.0.0 over the addresses of uploads, with the extensions creation,
creation-with-upload, termination and expiration (https://tus.io/protocols/resumable-upload)."""

from __future__ import annotations

import base64
from email.utils import formatdate
from typing import Any

from quart import Response, request

from quartchat.errors import Invalid, TusVersion, UnsupportedMedia
from quartchat.protocol import BeginUpload
from quartchat.transports import base
from quartchat.web import bodies

VERSION = "1.0.0"


def is_asked_for() -> bool:
    """Raises TusVersion."""
    asked = request.headers.get("Tus-Resumable")
    if asked not in (None, VERSION):
        raise TusVersion
    return asked is not None


def say_version(response: Response) -> Response:
    """After each request: refusals say it too."""
    if "Tus-Resumable" in request.headers or request.method in ("OPTIONS", "PATCH"):
        response.headers.update({"Tus-Resumable": VERSION, "Tus-Version": VERSION})
    return response


def about() -> Response:
    """What the server can do, for OPTIONS."""
    most = base.services().settings.max_upload
    extensions = "creation,creation-with-upload,termination,expiration"
    return Response("", 204, headers={"Tus-Max-Size": str(most), "Tus-Extension": extensions})


def headers(state: dict[str, Any]) -> dict[str, str]:
    """Of an upload, as every answer about it has them."""
    return {
        "Upload-Offset": str(state["offset"]),
        "Upload-Length": str(state["size"]),
        "Upload-Metadata": f"filename {base64.b64encode(state['name'].encode()).decode()}",
        "Upload-Expires": formatdate(state["expires_at"], usegmt=True),
        "Cache-Control": "no-store",
    }


async def create(user_id: str, chat_id: str) -> Response:
    """With the first bytes, if they came too; of an upload that is there already they are not
    looked at, its offset is told."""
    length, metadata = _number("Upload-Length"), _metadata()
    uploads = base.services().uploads
    wish = BeginUpload(chat_id, metadata.get("filename", ""), length, metadata.get("client_id"))
    state, is_new = await uploads.begin(user_id, wish)
    if request.mimetype == bodies.TUS and is_new:
        state = await _with_bytes(user_id, state, may_go_on=wish.client_id is not None)
    return Response("", 201, headers={**headers(state), "Location": state["url"]})


async def _with_bytes(user_id: str, state: dict[str, Any], *, may_go_on: bool) -> dict[str, Any]:
    """The state then. Whoever does not hear the address, nor has a `client_id` to ask for it,
    cannot go on."""
    uploads, id_ = base.services().uploads, state["upload_id"]
    try:
        return await uploads.take(user_id, id_, 0, bodies.pieces())
    except BaseException:
        if not may_go_on:
            await uploads.forget(id_, with_attachment=True)
        raise


async def patch(user_id: str, upload_id: str) -> Response:
    if not is_asked_for():
        raise TusVersion
    if request.mimetype != bodies.TUS:
        raise UnsupportedMedia("Send the bytes as {type}.", type=bodies.TUS)
    offset = _number("Upload-Offset")
    state = await base.services().uploads.take(user_id, upload_id, offset, bodies.pieces())
    return Response("", 204, headers=headers(state))


def _number(name: str) -> int:
    raw = request.headers.get(name, "")
    if not (raw.isascii() and raw.isdecimal()) or len(raw) > 15:
        raise Invalid("The header {name} takes a whole number.", field=name, name=name)
    return int(raw)


def _metadata() -> dict[str, str]:
    found = {}
    for pair in request.headers.get("Upload-Metadata", "").split(","):
        key, _, value = pair.strip().partition(" ")
        try:
            found[key] = base64.b64decode(value, validate=True).decode()
        except ValueError:
            raise Invalid(
                "Upload-Metadata takes names with values in Base64.", field="Upload-Metadata"
            ) from None
    return found
