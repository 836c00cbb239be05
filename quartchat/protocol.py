"""Commands and frames, in and out of bytes. Pure: no I/O, no state.

A command is a `type` and `data`; the data of each type is one struct, whatever way it came
(WebSocket frame, JSON body, text/plain holding JSON, form fields).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec

from quartchat.errors import BadCursor, BadRequest, ChatError, Invalid
from quartchat.events import encode_data

T = TypeVar("T", bound=msgspec.Struct)
Translate = Callable[[str], str]
DEEPEST = 100  # nested lists and objects; what the parser itself takes differs by Python
MAX_CURSOR = 2**53 - 1
DURABLE = frozenset(
    {
        "new_message",
        "message_edited",
        "message_deleted",
        "message_reacted",
        "message_pinned",
        "messages_read",
        "user_joined",
        "user_left",
        "user_updated",
        "user_removed",
        "chat_created",
        "chat_updated",
        "chat_settings",
        "friend_updated",
        "notification",
        "notifications_read",
        "global_notification",
        "system_message",
    }
)
EPHEMERAL = frozenset(
    {
        "user_typing",
        "user_stopped_typing",
        "user_online",
        "user_away",
        "user_offline",
        "hello",
        "after",
        "caught_up",
        "heartbeat",
        "pong",
        "ack",
        "error",
        "reset",
        "goodbye",
        "token_expiring",
        "my_chats",
        "chat_status",
    }
)
OURS = DURABLE | EPHEMERAL  # types that no other program may publish, but for the two notices


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


class EditMessage(msgspec.Struct):
    message_id: str
    content: str = ""


class MessageOnly(msgspec.Struct):
    message_id: str


class React(msgspec.Struct):
    message_id: str
    emoji: str = ""
    is_on: bool = True


class PinMessage(msgspec.Struct):
    message_id: str
    is_pinned: bool = True


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


class BeginUpload(msgspec.Struct):
    chat_id: str
    name: str
    size: int
    client_id: str | None = None


class Credentials(msgspec.Struct):
    name: str
    password: str


class SignUp(msgspec.Struct):
    name: str
    password: str
    email: str | None = None
    setup: str = ""


class Refresh(msgspec.Struct):
    refresh_token: str | None = None


def read_object(raw: bytes | str) -> dict[str, Any]:
    """A JSON object from text. Raises BadRequest with a sentence."""
    value = _json(raw)
    if not isinstance(value, dict):
        raise BadRequest("A JSON object is needed, as in {…}.")
    return value


def read_list(raw: bytes | str) -> list[Any]:
    """A JSON list from text. Raises BadRequest with a sentence."""
    value = _json(raw)
    if not isinstance(value, list):
        raise BadRequest("A JSON list is needed, as in [{…}].")
    return value


def _json(raw: bytes | str) -> Any:
    if _depth(raw) > DEEPEST:
        raise BadRequest("This JSON is nested too deeply.")
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequest("This is not JSON: {error}", error=str(error)) from error
    except RecursionError as error:
        raise BadRequest("This JSON is nested too deeply.") from error


_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)


def _depth(raw: bytes | str) -> int:
    """How deep lists and objects stand in each other; what stands in text does not count."""
    data = raw.encode("utf-8", "surrogatepass") if isinstance(raw, str) else raw
    if data.count(b"{") + data.count(b"[") <= DEEPEST:
        return 0
    depth = deepest = 0
    for char in _TEXT.sub(b"", data):
        depth += (char in b"{[") - (char in b"}]")
        deepest = max(deepest, depth)
    return deepest


def read_frame(raw: str) -> Frame:
    """Raises BadRequest."""
    return as_frame(read_object(raw))


def as_frame(value: dict[str, Any]) -> Frame:
    """Raises BadRequest, Invalid."""
    if not isinstance(value.get("type"), str):
        raise BadRequest('A frame needs a "type", as in {"type":"ping","data":{}}.')
    return shape({**value, "data": {} if value.get("data") is None else value["data"]}, Frame)


def shape(value: Mapping[str, Any], kind: type[T], *, lenient: bool = False) -> T:
    """A mapping as a struct. `lenient`: numbers and truth may come as text (forms).
    Raises Invalid, naming the field."""
    try:
        return msgspec.convert(dict(value), kind, strict=not lenient)
    except msgspec.ValidationError as error:
        raise _invalid(str(error)) from error


_EXPECTED = re.compile(r"Expected `(?P<want>[^`]+)`(?:, got `(?P<got>[^`]+)`)?")
_MISSING = re.compile(r"missing required field `(?P<name>[^`]+)`")
_AT = re.compile(r"at `\$\.?(?P<path>[^`]*)`")
_WORDS = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "nothing",
}


def _invalid(text: str) -> Invalid:
    """msgspec's message as a sentence for people, with the field."""
    at = _AT.search(text)
    field = (at["path"] if at else "") or None
    if missing := _MISSING.search(text):
        name = f"{field}.{missing['name']}" if field else missing["name"]
        return Invalid('The field "{name}" is missing.', field=name, name=name)
    if found := _EXPECTED.search(text):
        return _wrong_kind(field, _words(found["want"]), _words(found["got"] or ""))
    return Invalid("{text}.", field=field, text=text)


def _wrong_kind(field: str | None, want: str, got: str) -> Invalid:
    if field:
        return Invalid(
            'The field "{name}" takes {want}, not {got}.'
            if got
            else 'The field "{name}" takes {want}.',
            field=field,
            name=field,
            want=want,
            got=got,
        )
    return Invalid(
        "This takes {want}, not {got}." if got else "This takes {want}.", want=want, got=got
    )


def _words(types: str) -> str:
    return " or ".join(_WORDS.get(name, name) for name in types.split(" | ") if name != "null")


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


def error_frame(
    error: ChatError, request_id: str | int | None = None, translate: Translate = str
) -> str:
    data = {**error_data(error, translate), "request_id": request_id}
    return encode_data({"type": "error", "data": data}).decode()


def error_data(error: ChatError, translate: Translate = str) -> dict[str, Any]:
    """What an `error` event says of it; `status`: what it would be over HTTP."""
    data = {"code": error.code, "message": error.text(translate)}
    if error.field:
        data["field"] = error.field
    return {**data, "retryable": error.retryable, "status": error.status}


def problem(error: ChatError, translate: Translate = str) -> bytes:
    """The error as a problem document (RFC 9457)."""
    message = error.text(translate)
    document: dict[str, Any] = {
        "type": "about:blank",
        "title": error.code.replace("_", " ").capitalize(),
        "status": error.status,
        "detail": message,
        "code": error.code,
        "message": message,
        **error.details,
    }
    if error.field:
        document["field"] = error.field
    return json.dumps(document).encode()
