"""Files of messages for those who may see them, and the page of all files of a chat."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from quart import Blueprint, Response, request

from quartchat.chat import attachments, rooms
from quartchat.errors import AttachmentNotFound, ChatNotFound
from quartchat.protocol import read_cursor
from quartchat.transports import base
from quartchat.web import views
from quartchat.web.ranges import Content, is_held, respond

blueprint = Blueprint("file_pages", __name__)
blueprint.after_request(views.keep_login)
SIZES = ("small", "large")
WEBP = "image/webp"
IN_PAGE = 30  # messages


@blueprint.get("/files/<attachment_id>")
async def whole(attachment_id: str) -> Response:
    row = await _readable(attachment_id)
    with _known():
        content = Content(row.digest, row.size, row.mime_type, row.name)
        return await respond(base.services().storage, content)


@blueprint.get("/files/<attachment_id>/<which>")
async def thumbnail(attachment_id: str, which: str) -> Response:
    """`small` or `large`, as WebP."""
    row = await _readable(attachment_id)
    digest = getattr(row, which) if which in SIZES else None
    if digest is None:
        raise AttachmentNotFound
    content = Content(digest, 0, WEBP, f"{row.name.rpartition('.')[0] or row.name}.webp")
    headers = content.headers(download=False)
    del headers["Accept-Ranges"]
    if is_held(content):
        return Response("", 304, headers=headers)
    with _known():
        data = b"".join([piece async for piece in base.services().storage.read(digest)])
    return Response(data, headers=headers)


async def _readable(attachment_id: str) -> Any:
    who = await views.viewer()
    return await attachments.readable(base.services().core, who.user_id, attachment_id)


@contextmanager
def _known() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise AttachmentNotFound from None


@blueprint.get("/c/<chat_id>/files")
async def of_chat(chat_id: str) -> Response:
    who, core = await views.viewer(), base.services().core
    kind = "files" if request.args.get("kind") == "files" else "media"
    found = await attachments.page(
        core,
        who.user_id,
        chat_id,
        media=kind == "media",
        before=read_cursor(request.args.get("before")),
        limit=IN_PAGE,
    )
    chat = await rooms.one(core, who.user_id, chat_id) or await rooms.preview(
        core, chat_id, who.user_id
    )
    if chat is None:
        raise ChatNotFound
    return await views.page(
        "chat_files.html",
        me=await views.person(who),
        chat=chat,
        kind=kind,
        **found,
    )
