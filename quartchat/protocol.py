"""Commands and frames, in and out of bytes. Pure: no I/O, no state.

A command is a `type` and `data`; the data of each type is one struct, whatever way it came
(WebSocket frame, JSON body, text/plain holding JSON, form fields).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from quartchat.errors import BadCursor, BadRequest, ChatError, Invalid
from quartchat.events import encode_data

T = TypeVar("T", bound=msgspec.Struct)
MAX_CURSOR = 2**53 - 1


class Frame(msgspec.Struct):
    """A command as it comes over a WebSocket."""

    type: str
    data: dict[str, Any] = {}
    request_id: str | int | None = None


class SendMessage(msgspec.Struct):
    chat_id: str
    content: str = ""
    client_id: str | None = None
    reply_to: str | None = None
    attachments: list[str] = []


class Typing(msgspec.Struct):
    chat_id: str
    is_typing: bool = True


class MarkRead(msgspec.Struct):
    chat_id: str
    event_id: int | None = None


class Nothing(msgspec.Struct):
    pass


class ChatOnly(msgspec.Struct):
    chat_id: str


class Member(msgspec.Struct):
    chat_id: str
    user_id: str


class SetRole(msgspec.Struct):
    chat_id: str
    user_id: str
    role: str


class CreateChat(msgspec.Struct):
    kind: str
    user_id: str | None = None
    title: str = ""
    members: list[str] = []
    public: bool = False
    history: str | None = None
    client_id: str | None = None


class Credentials(msgspec.Struct):
    name: str
    password: str


class SignUp(msgspec.Struct):
    name: str
    password: str
    email: str | None = None


class Refresh(msgspec.Struct):
    refresh_token: str | None = None


def read_object(raw: bytes | str) -> dict[str, Any]:
    """A JSON object from text. Raises BadRequest with a sentence."""
    try:
        value = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequest(f"This is not JSON: {error}") from error
    except RecursionError as error:
        raise BadRequest("This JSON is nested too deeply.") from error
    if not isinstance(value, dict):
        raise BadRequest("A JSON object is needed, as in {…}.")
    return value


def read_frame(raw: str) -> Frame:
    """Raises BadRequest."""
    value = read_object(raw)
    if not isinstance(value.get("type"), str):
        raise BadRequest('A frame needs a "type", as in {"type":"ping","data":{}}.')
    if value.get("data") is None:
        value["data"] = {}
    return shape(value, Frame)


def shape(value: Mapping[str, Any], kind: type[T], *, lenient: bool = False) -> T:
    """A mapping as a struct. `lenient`: numbers and truth may come as text (forms).
    Raises Invalid, naming the field."""
    try:
        return msgspec.convert(dict(value), kind, strict=not lenient)
    except msgspec.ValidationError as error:
        text = str(error)
        field = text.rpartition("$.")[2].rstrip("`") if "$." in text else None
        raise Invalid(f"{text}.", field=field) from error


def read_cursor(*values: str | None) -> int | None:
    """The greatest of the cursors given (header, query); None when there is none."""
    cursors = [_cursor(value) for value in values if value is not None and value != ""]
    return max(cursors, default=None)


def _cursor(value: str) -> int:
    if not (value.isascii() and value.isdecimal()) or len(value) > 16 or int(value) > MAX_CURSOR:
        raise BadCursor
    return int(value)


def reply(type_: str, data: Any, request_id: str | int | None) -> str:
    """An answer to a command, as a frame."""
    frame = {"type": type_, "data": data}
    if request_id is not None:
        frame["request_id"] = request_id
    return encode_data(frame).decode()


def error_frame(error: ChatError, request_id: str | int | None = None) -> str:
    data: dict[str, Any] = {"code": error.code, "message": error.message}
    if error.field:
        data["field"] = error.field
    if error.retryable:
        data["retryable"] = True
    data["request_id"] = request_id
    return encode_data({"type": "error", "data": data}).decode()


def problem(error: ChatError) -> bytes:
    """The error as a problem document (RFC 9457)."""
    document: dict[str, Any] = {
        "type": "about:blank",
        "title": error.code.replace("_", " ").capitalize(),
        "status": error.status,
        "detail": error.message,
        "code": error.code,
        "message": error.message,
    }
    if error.field:
        document["field"] = error.field
    return json.dumps(document).encode()
