"""What people put on messages: reactions and pins. And the traces by which deleting a message
finds all that repeats it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import and_, delete, func, insert, select

from quartchat.events import Event
from quartchat.store.log import event_of
from quartchat.store.people import Fetch
from quartchat.store.schema import events, messages, pins, reactions, traces
from quartchat.store.writer import Transaction

SHOWN_BY = 200  # of those who reacted with the same, so many are named
INSERT_REACTION, INSERT_PIN, INSERT_TRACE = insert(reactions), insert(pins), insert(traces)
Marks = dict[int, dict[str, Any]]


async def of(fetch: Fetch, message_ids: Collection[int]) -> Marks:
    """message id -> `reactions` and `pinned`, of those messages that have any."""
    found: Marks = {}
    if not message_ids:
        return found
    ids = list(message_ids)
    for row in await fetch(select(pins.c.message_id).where(pins.c.message_id.in_(ids))):
        found.setdefault(row.message_id, {})["pinned"] = True
    query = select(reactions).where(reactions.c.message_id.in_(ids))
    by_message: dict[int, list[Any]] = {}
    for row in await fetch(query.order_by(reactions.c.reacted_at, reactions.c.user_id)):
        by_message.setdefault(row.message_id, []).append(row)
    for message_id, rows in by_message.items():
        found.setdefault(message_id, {})["reactions"] = summed(
            (row.emoji, row.user_id) for row in rows
        )
    return found


def summed(given: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
    """(emoji, user id) in the order in which they came -> [{emoji, count, user_ids}], each emoji
    at the place of its first."""
    users: dict[str, list[str]] = {}
    for emoji, user_id in given:
        users.setdefault(emoji, []).append(user_id)
    return [
        {"emoji": emoji, "count": len(ids), "user_ids": ids[:SHOWN_BY]}
        for emoji, ids in users.items()
    ]


async def reactions_to(fetch: Fetch, message_id: int) -> list[tuple[str, str]]:
    """(emoji, user id), oldest first."""
    query = select(reactions.c.emoji, reactions.c.user_id).where(
        reactions.c.message_id == message_id
    )
    rows = await fetch(query.order_by(reactions.c.reacted_at, reactions.c.user_id))
    return [(row.emoji, row.user_id) for row in rows]


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
