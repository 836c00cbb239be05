"""Rows of notifications. A row only refers to what it tells of: names, titles and excerpts are
looked up when it is shown. So renaming, editing and deleting need no change here."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, exists, func, insert, or_, select, update

from quartchat.store.people import Fetch
from quartchat.store.schema import chats, members, messages, notifications, users
from quartchat.store.writer import Transaction

MOST_KEPT = 1000  # per user
INSERT = insert(notifications)
_SHOWN = (
    select(
        notifications,
        users.c.name.label("actor_name"),
        users.c.removed_at.label("actor_removed_at"),
        chats.c.title.label("title"),
        chats.c.kind.label("kind"),
        messages.c.content.label("content"),
        messages.c.attachments.label("attachments"),
        messages.c.deleted.label("deleted"),
    )
    .outerjoin_from(notifications, users, users.c.id == notifications.c.actor_id)
    .outerjoin(chats, chats.c.id == notifications.c.chat_id)
    .outerjoin(messages, messages.c.event_id == notifications.c.message_id)
)


def of_chat(chat_id: str, upto: int | None = None) -> ColumnElement[bool]:
    """SQL: about messages of this chat, all or up to this id."""
    here = notifications.c.chat_id == chat_id
    return here if upto is None else and_(here, notifications.c.message_id <= upto)


def among(ids: Collection[int]) -> ColumnElement[bool]:
    """SQL: one of these."""
    return notifications.c.event_id.in_(list(ids))


def of_actor(type_: str, actor_id: str) -> ColumnElement[bool]:
    """SQL: of this type, about what this user did."""
    return and_(notifications.c.type == type_, notifications.c.actor_id == actor_id)


def _standing() -> ColumnElement[bool]:
    """SQL: but for those of chats that whose they are is not in any more."""
    here = exists().where(
        members.c.chat_id == notifications.c.chat_id,
        members.c.user_id == notifications.c.user_id,
        members.c.since <= notifications.c.message_id,
    )
    return or_(notifications.c.chat_id.is_(None), here)


def _theirs(user_id: str) -> ColumnElement[bool]:
    """SQL: the user's, but for those of chats that they are not in any more."""
    return and_(notifications.c.user_id == user_id, _standing())


async def get(fetch: Fetch, user_id: str, event_id: int) -> Any | None:
    query = _SHOWN.where(notifications.c.event_id == event_id, _theirs(user_id))
    return (await fetch(query)).one_or_none()


async def page(
    fetch: Fetch, user_id: str, *, before: int | None, limit: int, unread: bool
) -> tuple[list[Any], bool]:
    """The newest first (or those before an event id), and whether there are older ones."""
    query = _SHOWN.where(_theirs(user_id))
    if before is not None:
        query = query.where(notifications.c.event_id < before)
    if unread:
        query = query.where(notifications.c.is_read.is_(False))
    query = query.order_by(notifications.c.event_id.desc()).limit(limit + 1)
    rows = list(await fetch(query))
    return rows[:limit], len(rows) > limit


async def count_unread(fetch: Fetch, user_id: str) -> int:
    query = select(func.count()).where(_theirs(user_id), notifications.c.is_read.is_(False))
    return int((await fetch(query)).scalar_one())


async def unread(fetch: Fetch, user_id: str, which: ColumnElement[bool] | None = None) -> list[int]:
    """Event ids of the user's unread notifications (or of some of them), in order."""
    query = select(notifications.c.event_id).where(
        _theirs(user_id), notifications.c.is_read.is_(False)
    )
    query = query if which is None else query.where(which)
    return [row.event_id for row in await fetch(query.order_by(notifications.c.event_id))]


async def unread_of(fetch: Fetch, message_ids: Collection[int]) -> dict[str, list[int]]:
    """user id -> the event ids of their unread notifications of these messages."""
    query = select(notifications.c.user_id, notifications.c.event_id).where(
        notifications.c.message_id.in_(list(message_ids)),
        notifications.c.is_read.is_(False),
        _standing(),
    )
    found: dict[str, list[int]] = {}
    for row in await fetch(query.order_by(notifications.c.event_id)):
        found.setdefault(row.user_id, []).append(row.event_id)
    return found


async def counts_unread(fetch: Fetch, user_ids: Collection[str]) -> dict[str, int]:
    """user id -> how many unread ones they have, of those who have any."""
    query = select(notifications.c.user_id, func.count().label("count")).where(
        notifications.c.user_id.in_(list(user_ids)), notifications.c.is_read.is_(False), _standing()
    )
    rows = await fetch(query.group_by(notifications.c.user_id))
    return {row.user_id: row.count for row in rows}


async def any_of(fetch: Fetch, user_id: str, which: ColumnElement[bool]) -> bool:
    query = select(notifications.c.event_id).where(_theirs(user_id), which)
    return (await fetch(query.limit(1))).first() is not None


def mark(tx: Transaction, ids: Collection[int]) -> None:
    tx.run(
        update(notifications).where(notifications.c.event_id.in_(list(ids))).values(is_read=True)
    )


def remove(tx: Transaction, user_id: str, which: ColumnElement[bool]) -> None:
    tx.run(delete(notifications).where(notifications.c.user_id == user_id, which))


def add(tx: Transaction, row: dict[str, Any], oldest: int | None = None) -> None:
    """`oldest`: what must go to make room for it, with all before it (see `recipients`)."""
    if oldest is not None:
        remove(tx, row["user_id"], notifications.c.event_id <= oldest)
    tx.run(INSERT, {**row, "data": json.dumps(row["data"]), "is_read": False})


def _oldest() -> Any:
    """SQL: the one of a user's notifications that has no place beside a new one."""
    theirs = notifications.alias()
    query = select(theirs.c.event_id).where(theirs.c.user_id == users.c.id)
    newest = query.order_by(theirs.c.event_id.desc()).offset(MOST_KEPT - 1).limit(1)
    return newest.correlate(users).scalar_subquery().label("oldest")


async def recipient(fetch: Fetch, user_id: str) -> Any | None:
    """id, preferences, `oldest` (the event id of what must go when one is added, or None)."""
    query = select(users.c.id, users.c.preferences, _oldest())
    return (await fetch(query.where(users.c.id == user_id))).one_or_none()


async def recipients(
    fetch: Fetch, chat_id: str, mentioned: Collection[str], away: Collection[str]
) -> list[Any]:
    """As `recipient`, of those members whom a message may be told: who is mentioned and has not
    silenced the chat; of who is away those who have not muted it, and have no unread
    `new_message` of it yet."""
    waiting = notifications.alias()
    told = exists().where(
        waiting.c.user_id == users.c.id,
        waiting.c.is_read.is_(False),
        waiting.c.chat_id == chat_id,
        waiting.c.type == "new_message",
        waiting.c.message_id >= members.c.since,
    )
    away_now = and_(users.c.id.in_(list(away)), members.c.notify == "all", ~told)
    named = and_(users.c.id.in_(list(mentioned)), members.c.notify != "none")
    query = (
        select(users.c.id, users.c.preferences, _oldest())
        .join(members, members.c.user_id == users.c.id)
        .where(members.c.chat_id == chat_id, users.c.id.in_([*mentioned, *away]))
        .where(or_(named, away_now))
    )
    return list(await fetch(query))
