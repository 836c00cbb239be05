"""What a user's bell shows: the list of their notifications, and what of it they have read."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncConnection

from quartchat.chat.core import Core
from quartchat.chat.notices import of_row
from quartchat.errors import Invalid, NotificationNotFound
from quartchat.events import Draft, user_topic
from quartchat.store import log, notifications
from quartchat.store.writer import Transaction

MOST_AT_ONCE = 200


async def reading(tx: Transaction, user_id: str, which: ColumnElement[bool]) -> Callable[[], None]:
    """Reads which of these notifications of the user are unread. What it returns marks them as
    read, and appends `notifications_read` if there were any."""
    ids = await notifications.unread(tx.fetch, user_id, which)
    left = await notifications.count_unread(tx.fetch, user_id) - len(ids) if ids else 0
    return lambda: _mark(tx, user_id, ids, left)


async def reading_of_messages(tx: Transaction, message_ids: Collection[int]) -> Callable[[], None]:
    """The same of what all users were notified of these messages."""
    theirs = await notifications.unread_of(tx.fetch, message_ids)
    counts = await notifications.counts_unread(tx.fetch, theirs) if theirs else {}

    def tell() -> None:
        for user_id, ids in theirs.items():
            _mark(tx, user_id, ids, counts[user_id] - len(ids))

    return tell


def _mark(tx: Transaction, user_id: str, ids: list[int], left: int) -> None:
    if not ids:
        return
    notifications.mark(tx, ids)
    data = {"user_id": user_id, "notification_ids": [str(id_) for id_ in ids], "unread": left}
    tx.append(Draft(user_topic(user_id), "notifications_read", data))


async def read_all(core: Core, actor: str) -> dict[str, Any]:
    """Mark all as read: {unread: 0}."""
    return await core.writer.do(lambda tx: _read(tx, actor, None))


async def read_some(core: Core, actor: str, ids: Collection[str]) -> dict[str, Any]:
    """Mark these as read: {unread}, the number left. Ids of others are passed over. Raises
    Invalid (none, or too many), NotificationNotFound (none of them is the caller's)."""
    if not 0 < len(ids) <= MOST_AT_ONCE:
        raise Invalid("Name 1 to {most} notifications.", field="ids", most=MOST_AT_ONCE)
    numbers = [_number(id_) for id_ in ids]
    return await core.writer.do(lambda tx: _read(tx, actor, notifications.among(numbers)))


async def _read(tx: Transaction, actor: str, which: ColumnElement[bool] | None) -> dict[str, Any]:
    if which is not None and not await notifications.any_of(tx.fetch, actor, which):
        raise NotificationNotFound
    ids = await notifications.unread(tx.fetch, actor, which)
    left = await notifications.count_unread(tx.fetch, actor) - len(ids)
    _mark(tx, actor, ids, left)
    return {"unread": left}


def _number(id_: str) -> int:
    """The event id; 0 for what is none."""
    return int(id_) if id_.isascii() and id_.isdecimal() and len(id_) <= 16 else 0


@dataclass(frozen=True, slots=True)
class Span:
    """Which page: the newest, or those before an event id; all, or the unread ones."""

    before: int | None = None
    limit: int = 50
    unread: bool = False


async def page(core: Core, actor: str, span: Span) -> dict[str, Any]:
    """{notifications, newest first, unread, has_more, before, cursor}: `unread` is the number of
    all unread ones, `before` where the next page begins, `cursor` that of this read."""
    return await core.database.read(lambda c: read_page(c, actor, span))


async def read_page(connection: AsyncConnection, actor: str, span: Span) -> dict[str, Any]:
    """The same, as part of a read of more."""
    limit = max(1, min(span.limit, MOST_AT_ONCE))
    rows, more = await notifications.page(
        connection.execute, actor, before=span.before, limit=limit, unread=span.unread
    )
    return {
        "notifications": [of_row(row) for row in rows],
        "unread": await notifications.count_unread(connection.execute, actor),
        "has_more": more,
        "before": rows[-1].event_id if rows else None,
        "cursor": (await log.state(connection)).head,
    }


async def count_unread(core: Core, actor: str) -> int:
    return await core.database.read(lambda c: notifications.count_unread(c.execute, actor))


async def open_one(core: Core, actor: str, notification_id: str) -> dict[str, Any]:
    """Mark one as read, and give its `notification.data`. Raises NotificationNotFound."""
    number = _number(notification_id)
    await read_some(core, actor, [notification_id])
    row = await core.database.read(lambda c: notifications.get(c.execute, actor, number))
    if row is None:
        raise NotificationNotFound
    return of_row(row)
