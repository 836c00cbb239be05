"""Which part of a chat's history a page shows: the newest, before or after an event, around a
message, or from a day on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from quartchat.chat import history as reading
from quartchat.chat.core import Core
from quartchat.chat.history import Span
from quartchat.events import Event
from quartchat.protocol import read_cursor

PAGE = 60
BESIDE = PAGE // 2  # messages on each side of one that a link leads to


@dataclass(frozen=True, slots=True)
class Place:
    """`focus`: the message to mark, with what was said around it. `read_upto`: where the line
    of the unread ones is drawn, if not where the reader is now. `missing`: the day asked for,
    on and after which nothing was said; "" for what is no day."""

    before: int | None = None
    after: int | None = None
    focus: int | None = None
    read_upto: int | None = None
    missing: str | None = None

    @property
    def is_newest(self) -> bool:
        return self.before is None and self.after is None and self.focus is None


@dataclass(frozen=True, slots=True)
class Part:
    """Messages and notes, each oldest first. `older`, `newer`: the event ids before and after
    which there are more messages, None where there are none. `above`: the event id that it begins
    after, if it was read from there on. `cursor`: of the read."""

    messages: list[dict[str, Any]]
    notes: list[Event]
    older: int | None
    newer: int | None
    cursor: int
    above: int | None = None


async def place_of(core: Core, actor: str, chat_id: str, query: Mapping[str, str]) -> Place:
    """What the query asks for. Raises BadCursor, ChatNotFound, NotAMember."""
    before, after = read_cursor(query.get("before")), read_cursor(query.get("after"))
    read_upto = read_cursor(query.get("unread"))
    if before is not None or after is not None:
        return Place(before, after, read_upto=read_upto)
    focus = query.get("focus", "")
    if focus.isascii() and focus.isdecimal() and len(focus) <= 16:
        return Place(focus=int(focus))
    if query.get("date"):
        return await _from_day(core, actor, chat_id, query["date"])
    return Place(read_upto=read_upto)


async def _from_day(core: Core, actor: str, chat_id: str, wanted: str) -> Place:
    try:
        day = date.fromisoformat(wanted).isoformat()
    except ValueError:
        return Place(missing="")
    first = await reading.starting(core, actor, chat_id, f"{day}T00:00:00.000Z")
    return Place(missing=day) if first is None else Place(after=first - 1)


async def read(connection: AsyncConnection, actor: str, chat_id: str, place: Place) -> Part:
    """Raises ChatNotFound, NotAMember."""
    if place.focus is not None:
        return await _around(connection, actor, chat_id, place.focus)
    span = Span(place.before, place.after, PAGE)
    page, notes = await reading.read_timeline(connection, actor, chat_id, span)
    more, first, last = page["has_more"], page["before"], page["after"]
    return Part(
        page["messages"],
        notes,
        older=first if more or span.forward else None,
        newer=last if (more if span.forward else span.before is not None) else None,
        cursor=page["cursor"],
        above=place.after,
    )


async def _around(connection: AsyncConnection, actor: str, chat_id: str, focus: int) -> Part:
    upto, notes = await reading.read_timeline(
        connection, actor, chat_id, Span(before=focus + 1, limit=BESIDE)
    )
    then, later = await reading.read_timeline(
        connection, actor, chat_id, Span(after=focus, limit=BESIDE)
    )
    return Part(
        upto["messages"] + then["messages"],
        notes + later,
        older=upto["before"] if upto["has_more"] else None,
        newer=then["after"] if then["has_more"] else None,
        cursor=then["cursor"],
    )
