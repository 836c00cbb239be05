"""What stays of an event when the message that it repeats is deleted."""

from __future__ import annotations

from typing import Any

from quartchat.events import Event

GONE = "This message was deleted."


def without(event: Event, message_id: str, before: dict[str, Any] | None = None) -> dict[str, Any]:
    """The event's data (or `before`, what was left of it already) with nothing in it of what
    that message said."""
    data = event.fields() if before is None else dict(before)
    quote = data.get("quote")
    if quote and quote.get("message_id") == message_id:
        data["quote"] = {**quote, "excerpt": "", "deleted": True}
    if data.get("message_id") != message_id:
        return data
    if event.type == "notification":
        return {**data, "message": GONE, "excerpt": "", "thumbnail_url": None, "deleted": True}
    if event.type == "message_pinned":
        return {**data, "excerpt": ""}
    for mark in ("reactions", "pinned", "edited_at"):
        data.pop(mark, None)
    kept: dict[str, Any] = {"mentions": [], "attachments": [], "quote": None, "reply_to": None}
    return {**data, **kept, "content": None, "deleted": True}
