"""How far a client has come in the log; pure, no I/O.

The cursor moves when the consumer has taken an event, not when it arrives: what was not
taken comes again after a break, and what comes again is not given twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Event = dict[str, Any]


@dataclass(slots=True)
class Position:
    """`cursor` is the id of the last event taken in, None before the server named the head."""

    cursor: int | None = None

    def is_new(self, event: Event) -> bool:
        """Whether this is no repeat; ephemeral events never are."""
        id_ = _id(event.get("id"))
        return id_ is None or self.cursor is None or id_ > self.cursor

    def took(self, event: Event) -> None:
        """The event was taken in: moves the cursor, also back where a reset says so."""
        id_, data = _id(event.get("id")), event["data"]
        if event["type"] == "reset":
            self.cursor = _id(data.get("head"))
        elif event["type"] == "hello" and self.cursor is None:
            self.cursor = _id(data.get("cursor"))
        elif id_ is not None:
            self.cursor = id_

    def has_hole(self, event: Event) -> bool:
        """Whether a heartbeat tells of an event that was sent and did not come through."""
        if event["type"] != "heartbeat" or self.cursor is None:
            return False
        sent = _id(event["data"].get("last_event_id"))
        return sent is not None and sent > self.cursor


def _id(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
