"""Events: what happened, encoded once and shared by every reader.

A *durable* event has an id and stands in the log; an *ephemeral* one has none and moves no
cursor. `topic` says whom it concerns: one chat, one user, or everybody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec

ALL = "*"
DELETED_USER = "Deleted user"  # the name of whoever was removed
OVERHEAD = 600  # bytes of Python objects per event, beside its text
_encode = msgspec.json.Encoder().encode


def chat_topic(chat_id: str) -> str:
    return f"c:{chat_id}"


def user_topic(user_id: str) -> str:
    return f"u:{user_id}"


def chat_of(topic: str) -> str | None:
    """The chat id of a chat's topic, else None."""
    return topic[2:] if topic.startswith("c:") else None


def rfc3339(seconds: float) -> str:
    """Unix time as RFC 3339 in UTC with milliseconds: `2026-11-21T02:00:00.123Z`."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


@dataclass(frozen=True, slots=True)
class Draft:
    """An event that has no id yet. `data` may be a function of the id that it will get."""

    topic: str
    type: str
    data: dict[str, Any] | Callable[[int], dict[str, Any]]


class Event:
    """One event; `json` is its form on the wire, the same bytes from memory and from disk."""

    __slots__ = ("_forms", "_grew", "_weight", "data", "id", "json", "topic", "type")

    def __init__(self, id_: int | None, topic: str, type_: str, data: bytes) -> None:
        self.id, self.topic, self.type, self.data = id_, topic, type_, data
        self.json = self._encoded()
        self._forms: dict[str, bytes] | None = None
        self._weight = len(self.json) * 2 + OVERHEAD
        self._grew: Callable[[int], None] | None = None

    def _encoded(self) -> bytes:
        head = b'{"type":"' if self.id is None else b'{"id":%d,"type":"' % self.id
        return b'%s%s","data":%s}' % (head, self.type.encode(), self.data)

    def redact(self, data: bytes) -> None:
        """Carry less from now on, for all who hold this event; every form is made anew."""
        self.data = data
        self.json, self._forms = self._encoded(), None
        self._weigh(len(self.json) * 2 + OVERHEAD - self._weight)

    def fields(self) -> dict[str, Any]:
        """The event's data, decoded anew."""
        return msgspec.json.decode(self.data)  # type: ignore[no-any-return]

    def form(self, name: str, make: Callable[[Event], bytes]) -> bytes:
        """This event in another form (SSE, HTML …), made once and kept with it."""
        if self._forms is None:
            self._forms = {}
        if name not in self._forms:
            made = self._forms[name] = make(self)
            self._weigh(len(made))
        return self._forms[name]

    def _weigh(self, size: int) -> None:
        self._weight += size
        if self._grew is not None:
            self._grew(size)

    def keep(self, grew: Callable[[int], None]) -> int:
        """Its weight in bytes, for whoever keeps it and is told when it grows."""
        self._grew = grew
        return self._weight

    def let_go(self) -> int:
        """Its weight now; nobody keeps it any more."""
        self._grew = None
        return self._weight


def encode_data(data: Any) -> bytes:
    return _encode(data)


def ephemeral(type_: str, data: Any, topic: str = "") -> Event:
    return Event(None, topic, type_, _encode(data))


@dataclass(slots=True)
class Page:
    """Events to send together, in order. `cursor`: id of the last durable one among them and
    all before; `complete`: nothing that the reader may see waited beyond it when it was read;
    `reached`: all that the reader may see up to this id is in it, or was before; `lead`: an
    ephemeral event for this reader alone, to be sent before the others."""

    events: Sequence[Event]
    cursor: int
    complete: bool = True
    reached: int = 0
    _forms: dict[str, bytes] = field(default_factory=dict)
    lead: Event | None = None

    def led_by(self, event: Event) -> Page:
        """This page with a lead; its joined forms stay shared with who reads it without one."""
        return Page(self.events, self.cursor, self.complete, self.reached, self._forms, event)

    def form(self, name: str, make: Callable[[Iterable[Event]], bytes]) -> bytes:
        """All but the lead in another form, joined once for all who read the same page."""
        if name not in self._forms:
            self._forms[name] = make(self.events)
        return self._forms[name]
