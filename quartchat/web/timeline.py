"""The lines of a timeline: messages and notes in their order, the days between them, the line
before what is unread, and who has seen one's newest message."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from quartchat.web import views
from quartchat.web.places import Part
from quartchat.web.render import Renderer


@dataclass
class Days:
    """Says when a new day begins, in UTC; also when no request is there any more."""

    renderer: Renderer = field(default_factory=views.renderer)
    last: str = ""

    def line(self, timestamp: str | None) -> Markup:
        """The line of the day of this moment (RFC 3339), if it is another than before."""
        day = (timestamp or "")[:10]
        if not day or day == self.last:
            return Markup()
        self.last = day
        return _partial("day", self.renderer, day=day)


@dataclass(frozen=True, slots=True)
class Reader:
    """Whose page it is. `read_upto`: the event up to which they had read; None: no line is
    drawn. `receipts`: who has read how far, where that is told."""

    user_id: str
    read_upto: int | None = None
    receipts: Sequence[dict[str, Any]] = field(default=())


def lines(part: Part, reader: Reader, days: Days | None = None) -> list[Markup]:
    """The timeline of a part of history, line by line."""
    return list(_lines(part, reader, days or Days()))


def _lines(part: Part, reader: Reader, days: Days) -> Iterator[Markup]:
    fragments = views.fragments()
    messages = {message["event_id"]: message for message in part.messages}
    notes = {note.id: note for note in part.notes if note.id is not None}
    unread, mine = first_unread(part, reader), newest_of(part.messages, reader.user_id)
    for id_ in sorted({*messages, *notes}):
        said = messages.get(id_)
        yield days.line((said or notes[id_].fields()).get("timestamp"))
        if id_ == unread:
            yield _partial("unread_line")
        yield fragments.of_message(said) if said else Markup(fragments.of_event(notes[id_]) or "")  # noqa: S704
        if id_ == mine:
            yield _seen_line(id_, reader)


def first_unread(part: Part, reader: Reader) -> int | None:
    """The id of the first message that the reader had not read, if it is in this part."""
    upto = reader.read_upto
    if upto is None or not _reaches(part, upto):
        return None
    for message in part.messages:
        theirs = message["sender_id"] != reader.user_id and not message.get("deleted")
        if theirs and message["event_id"] > upto:
            return int(message["event_id"])
    return None


def _reaches(part: Part, upto: int) -> bool:
    """Whether all that was said after this event begins in this part."""
    begins = part.above if part.above is not None else 0
    if part.above is None and part.older is not None:
        begins = part.messages[0]["event_id"]
    return begins <= upto


def newest_of(messages: Sequence[dict[str, Any]], user_id: str) -> int | None:
    """The id of the newest message here of this user that still stands."""
    ids = (m["event_id"] for m in messages if m["sender_id"] == user_id and not m.get("deleted"))
    return max(ids, default=None)


def _seen_line(message_id: int, reader: Reader) -> Markup:
    others = [one for one in reader.receipts if one["user_id"] != reader.user_id]
    names = [one["name"] for one in others if one["event_id"] >= message_id]
    return _partial("seen", names=names) if names else Markup()


def _partial(name: str, renderer: Renderer | None = None, **context: Any) -> Markup:
    html = (renderer or views.renderer()).page(f"partials/{name}.html", **context)
    return Markup(html)  # noqa: S704  (made by the templates, which escape)
