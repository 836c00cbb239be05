"""The fields of a request's body: JSON, text/plain holding JSON, or a form, because some
proxies refuse the first."""

from __future__ import annotations

from typing import Any

from quart import request

from quartchat.errors import TooLarge, UnsupportedMedia
from quartchat.protocol import read_object
from quartchat.transports import base

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
TEXTS = ("application/json", "text/plain", "")


async def read_fields() -> tuple[dict[str, Any], bool]:
    """(fields, whether they are text that wants converting). Raises BadRequest, TooLarge,
    UnsupportedMedia."""
    longest = base.services().settings.max_frame
    if (request.content_length or 0) > longest:
        raise TooLarge("The body is larger than {longest:,} bytes.", longest=longest)
    mime = request.mimetype
    if mime in FORMS:
        return _form_fields(await request.form), True
    if mime in TEXTS or mime.endswith("+json"):
        raw = await request.get_data(cache=False)
        if len(raw) > longest:
            raise TooLarge("The body is larger than {longest:,} bytes.", longest=longest)
        return (read_object(raw) if raw.strip() else {}), False
    raise UnsupportedMedia


def _form_fields(form: Any) -> dict[str, Any]:
    """Fields of a form: several of one name, or a name ending in `[]`, make a list."""
    fields: dict[str, Any] = {}
    for name in form:
        values = form.getlist(name)
        if name.endswith("[]") or name in LISTS:
            fields[name.removesuffix("[]")] = [part for v in values for part in _parts(v)]
        elif values[-1] != "" or name == "content":
            fields[name] = values[-1]
    return fields


LISTS = frozenset({"members", "attachments", "ids"})


def _parts(value: str) -> list[str]:
    return [part.strip() for part in value.split(",") if part.strip()]
