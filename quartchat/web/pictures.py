"""Pictures of chats and people: sending them, and showing them to whoever may see them."""

from __future__ import annotations

from contextlib import closing

from quart import Blueprint, Response, request
from quart.datastructures import FileStorage
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import RequestEntityTooLarge

from quartchat.chat import pictures
from quartchat.errors import Invalid, UnsupportedMedia
from quartchat.media import shrink
from quartchat.transports import base
from quartchat.web.api import answer, changer

blueprint = Blueprint("pictures", __name__)
HEADERS = {
    "Cache-Control": "private, max-age=31536000, immutable",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
}


async def read_upload() -> bytes:
    """The picture in a request's body: the body itself (image/…), or the field `picture` of a
    form. Raises Invalid, TooLarge (both with the field "picture"), UnsupportedMedia."""
    try:
        if request.mimetype.startswith("image/"):
            return await request.get_data(cache=False, as_text=False, parse_form_data=False)
        if request.mimetype == "multipart/form-data":
            return _file(await request.files)
    except RequestEntityTooLarge:
        raise shrink.too_large() from None
    raise UnsupportedMedia("Send the picture itself (image/…), or a form with a file.")


def _file(files: MultiDict[str, FileStorage]) -> bytes:
    file = files.get("picture")
    if file is None:
        raise Invalid("Choose a picture.", field="picture")
    with closing(file):
        data: bytes = file.read()
    return data


@blueprint.post("/api/chats/<chat_id>/picture")
async def set_of_chat(chat_id: str) -> Response:
    who, core = await changer(), base.services().core
    return answer(await pictures.set_of_chat(core, who.user_id, chat_id, await read_upload()))


@blueprint.delete("/api/chats/<chat_id>/picture")
async def remove_of_chat(chat_id: str) -> Response:
    who = await changer()
    return answer(await pictures.set_of_chat(base.services().core, who.user_id, chat_id, None))


@blueprint.post("/api/me/picture")
async def set_mine() -> Response:
    who, core = await changer(), base.services().core
    return answer(await pictures.set_mine(core, who.user_id, await read_upload()))


@blueprint.delete("/api/me/picture")
async def remove_mine() -> Response:
    who = await changer()
    return answer(await pictures.set_mine(base.services().core, who.user_id, None))


@blueprint.get("/pictures/<digest>")
async def show(digest: str) -> Response:
    who = await base.caller()
    row = await pictures.get(base.services().core, who.user_id, digest)
    return Response(row.data, headers={**HEADERS, "Content-Type": row.mime_type})
