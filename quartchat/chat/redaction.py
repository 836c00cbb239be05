"""What stays of an event when the message that it repeats is deleted, or who is named in it
removed."""

from __future__ import annotations

from typing import Any

from quartchat.events import DELETED_USER, Event

GONE = "This message was deleted."
REMOVED = "This account was removed."
# What other programs publish may have fields of the same names, and mean something else.
CARRIERS = frozenset(
    {"new_message", "message_edited", "message_pinned", "message_reacted", "notification"}
)
Data = dict[str, Any]


def without(event: Event, message_id: str, before: Data | None = None) -> Data:
    """The event's data (or `before`, what was left of it already) with nothing in it of what
    that message said."""
    data = event.fields() if before is None else dict(before)
    if event.type not in CARRIERS:
        return data
    quote = data.get("quote")
    if quote and quote["message_id"] == message_id:
        data["quote"] = {**quote, "excerpt": "", "deleted": True}
    return _emptied(event.type, data) if data["message_id"] == message_id else data


def _emptied(type_: str, data: Data) -> Data:
    if type_ == "notification":
        return {**data, "message": GONE, "excerpt": "", "thumbnail_url": None, "deleted": True}
    if type_ == "message_pinned":
        return {**data, "excerpt": ""}
    if type_ == "message_reacted":
        return {**data, "reactions": []}
    kept = {k: v for k, v in data.items() if k not in ("reactions", "pinned", "edited_at")}
    gone: Data = {"mentions": [], "attachments": [], "quote": None, "reply_to": None}
    return {**kept, **gone, "content": None, "deleted": True}


def without_person(event: Event, user_id: str, said: set[str]) -> Data:
    """The event's data without a person's name and what they said (`said`: the ids of their
    messages)."""
    data = event.fields()
    if event.type in CARRIERS:
        quoted = (data.get("quote") or {}).get("message_id")
        if quoted in said:
            data["quote"] = {**data["quote"], "sender_name": DELETED_USER}
        for message_id in {data.get("message_id"), quoted} & said:
            data = without(event, str(message_id), data)
    if event.type == "notification" and data["actor"]["user_id"] == user_id:
        data |= {"message": REMOVED, "excerpt": ""}
        if data.get("chat_kind") == "direct":  # it bears their name
            data["chat_title"] = DELETED_USER
    return dict(_nameless(data, user_id))


def _nameless(value: Any, user_id: str) -> Any:
    """The same with name and address taken out wherever the id stands by."""
    if isinstance(value, list):
        return [_nameless(one, user_id) for one in value]
    if not isinstance(value, dict):
        return value
    kept = {key: _nameless(one, user_id) for key, one in value.items()}
    if kept.get("user_id") == user_id:
        kept.pop("email", None)
        if "name" in kept:
            kept["name"] = DELETED_USER
    return kept
