"""What people put on messages: reactions and pins. And the traces by which deleting a message
finds all that repeats it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, and_, delete, func, insert, or_, select

from quartchat.events import Event
from quartchat.store.log import event_of
from quartchat.store.people import Fetch
from quartchat.store.schema import events, messages, pins, reactions, traces
from quartchat.store.writer import Transaction

SHOWN_BY = 20  # of those who reacted with the same, so many are named: the first
INSERT_REACTION, INSERT_PIN, INSERT_TRACE = insert(reactions), insert(pins), insert(traces)
Marks = dict[int, dict[str, Any]]


@dataclass(slots=True)
class Given:
    """One emoji on one message: how many have put it there, and the first of them, in order: when
    and who (one more than `SHOWN_BY`: who follows when one of them takes it back)."""

    emoji: str
    count: int
    first: list[tuple[float, str]] = field(default_factory=list)

    def data(self) -> dict[str, Any]:
        user_ids = [user_id for _, user_id in self.first[:SHOWN_BY]]
        return {"emoji": self.emoji, "count": self.count, "user_ids": user_ids}


async def of(fetch: Fetch, message_ids: Collection[int], reader: str | None = None) -> Marks:
    """message id -> `reactions` (as `shown` of it) and `pinned`, of those messages that have any.
    A `reader` who has reacted is named also beyond the first, at the end."""
    found: Marks = {}
    if not message_ids:
        return found
    ids = list(message_ids)
    for row in await fetch(select(pins.c.message_id).where(pins.c.message_id.in_(ids))):
        found.setdefault(row.message_id, {})["pinned"] = True
    by_message = await given(fetch, ids)
    many = [id_ for id_, kinds in by_message.items() if any(one.count > SHOWN_BY for one in kinds)]
    mine = await _by(fetch, many, reader) if reader and many else set()
    for message_id, kinds in by_message.items():
        put_on = found.setdefault(message_id, {})["reactions"] = shown(kinds)
        for one in put_on:
            if (message_id, one["emoji"]) in mine and reader not in one["user_ids"]:
                one["user_ids"].append(reader)
    return found


def shown(kinds: Collection[Given]) -> list[dict[str, Any]]:
    """[{emoji, count, user_ids (the first)}], each emoji at the place of its first."""
    return [one.data() for one in sorted(kinds, key=lambda one: one.first[0])]


async def given(fetch: Fetch, message_ids: Collection[int]) -> dict[int, list[Given]]:
    """message id -> its reactions. Beside the counts it reads only who is named."""
    counted = _counted(message_ids).subquery()
    query = (
        select(counted.c.count, reactions)
        .join(
            reactions,
            and_(
                reactions.c.message_id == counted.c.message_id,
                reactions.c.emoji == counted.c.emoji,
                or_(counted.c.upto.is_(None), reactions.c.reacted_at <= counted.c.upto),
            ),
        )
        .order_by(reactions.c.reacted_at, reactions.c.user_id)
    )
    kinds: dict[tuple[int, str], Given] = {}
    for row in await fetch(query):
        one = Given(row.emoji, row.count)
        first = kinds.setdefault((row.message_id, row.emoji), one).first
        if len(first) <= SHOWN_BY:  # more come only of those who reacted at the same moment
            first.append((row.reacted_at, row.user_id))
    found: dict[int, list[Given]] = {}
    for (message_id, _), one in kinds.items():
        found.setdefault(message_id, []).append(one)
    return found


def _counted(message_ids: Collection[int]) -> Select[Any]:
    """message_id, emoji, count, and when the last came who is read (NULL: all are)."""
    same = reactions.alias()
    upto = (
        select(same.c.reacted_at)
        .where(same.c.message_id == reactions.c.message_id, same.c.emoji == reactions.c.emoji)
        .order_by(same.c.reacted_at)
        .offset(SHOWN_BY)
        .limit(1)
        .correlate(reactions)
        .scalar_subquery()
    )
    return (
        select(
            reactions.c.message_id,
            reactions.c.emoji,
            func.count().label("count"),
            upto.label("upto"),
        )
        .where(reactions.c.message_id.in_(list(message_ids)))
        .group_by(reactions.c.message_id, reactions.c.emoji)
    )


async def _by(fetch: Fetch, ids: Collection[int], user_id: str) -> set[tuple[int, str]]:
    """(message id, emoji) of this user's reactions to these messages."""
    query = select(reactions.c.message_id, reactions.c.emoji).where(
        reactions.c.user_id == user_id, reactions.c.message_id.in_(list(ids))
    )
    return {(row.message_id, row.emoji) for row in await fetch(query)}


async def has_reacted(fetch: Fetch, message_id: int, emoji: str, user_id: str) -> bool:
    query = select(reactions.c.emoji).where(
        reactions.c.message_id == message_id,
        reactions.c.emoji == emoji,
        reactions.c.user_id == user_id,
    )
    return (await fetch(query)).first() is not None


def add_reaction(tx: Transaction, message_id: int, emoji: str, user_id: str) -> None:
    row = {"message_id": message_id, "emoji": emoji, "user_id": user_id, "reacted_at": tx.now}
    tx.run(INSERT_REACTION, row)


def remove_reaction(tx: Transaction, message_id: int, emoji: str, user_id: str) -> None:
    mine = and_(reactions.c.emoji == emoji, reactions.c.user_id == user_id)
    tx.run(delete(reactions).where(reactions.c.message_id == message_id, mine))


async def pinned_in(fetch: Fetch, chat_id: str) -> list[int]:
    """Ids of the pinned messages of a chat, the newest pin first."""
    query = select(pins.c.message_id).where(pins.c.chat_id == chat_id)
    rows = await fetch(query.order_by(pins.c.pinned_at.desc(), pins.c.message_id.desc()))
    return [row.message_id for row in rows]


async def count_pins(fetch: Fetch, chat_id: str) -> int:
    query = select(func.count()).select_from(pins).where(pins.c.chat_id == chat_id)
    return int((await fetch(query)).scalar_one())


def add_pin(tx: Transaction, chat_id: str, message_id: int, user_id: str) -> None:
    row = {"chat_id": chat_id, "message_id": message_id, "pinned_by": user_id}
    tx.run(INSERT_PIN, {**row, "pinned_at": tx.now})


def remove_pin(tx: Transaction, chat_id: str, message_id: int) -> None:
    tx.run(delete(pins).where(pins.c.chat_id == chat_id, pins.c.message_id == message_id))


def remove_all(tx: Transaction, message_id: int) -> None:
    """A deleted message carries neither."""
    tx.run(delete(reactions).where(reactions.c.message_id == message_id))
    tx.run(delete(pins).where(pins.c.message_id == message_id))


def add_trace(tx: Transaction, message_id: int, event_id: int) -> None:
    """This event repeats something of that message."""
    tx.run(INSERT_TRACE, {"message_id": message_id, "event_id": event_id})


async def carriers(fetch: Fetch, message_id: int) -> list[Event]:
    """The events that carry something of a message: the one that brought it, and its traces."""
    traced = select(traces.c.event_id).where(traces.c.message_id == message_id)
    query = select(events.c.id, events.c.topic, events.c.type, events.c.data).where(
        (events.c.id == message_id) | events.c.id.in_(traced)
    )
    return [event_of(row) for row in await fetch(query)]


async def traced_by(fetch: Fetch, sender_id: str) -> set[int]:
    """Ids of the events that repeat something of any message of this sender."""
    theirs = select(messages.c.event_id).where(messages.c.sender_id == sender_id)
    query = select(traces.c.event_id).where(traces.c.message_id.in_(theirs))
    return {row.event_id for row in await fetch(query)}
