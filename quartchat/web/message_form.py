"""The form below a chat, as a browser without scripts sends it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from quart import request

from quartchat.chat import attachments
from quartchat.errors import ChatError, ChatNotFound, NotAMember
from quartchat.transports import base
from quartchat.web import bodies
from quartchat.web.multipart import read_form


async def read(user_id: str, chat_id: str, form: dict[str, Any]) -> None:
    """Puts its fields into `form`, as far as they come; `attachments`: the ids of files that came
    earlier, and of those that come now. What stops a file is raised when all has been read;
    `refused` is its name then."""
    files: list[str] = form["attachments"]
    refusals: list[tuple[str, ChatError]] = []
    if request.mimetype != bodies.FORM:
        given = await request.form
        form.update(given.to_dict(), attachments=[*files, *given.getlist("attachments")])
        return

    async def take(name: str, pieces: AsyncIterator[bytes]) -> None:
        try:
            attachments.check_number([*files, name], base.services().settings.max_attachments)
            made = await base.services().uploads.whole(user_id, chat_id, name, pieces)
            files.append(made["attachment_id"])
        except (ChatNotFound, NotAMember):  # there is no page to show the form on
            raise
        except ChatError as refused:
            refused.field = "file"
            refusals.append((name, refused))

    def field(name: str, value: str) -> None:
        if name == "attachments":
            files.append(value)
        else:
            form[name] = value

    await read_form(take, field)
    for form["refused"], refused in refusals:
        raise refused
