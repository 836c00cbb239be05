"""Rows of bans: who may not come into a chat."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import and_, delete, insert, or_, select

from quartchat.store.people import Fetch
from quartchat.store.schema import bans, users
from quartchat.store.writer import Transaction

INSERT = insert(bans)


class BanPlace(NamedTuple):
    """Where a page of bans ended."""

    banned_at: float
    user_id: str


async def is_banned(fetch: Fetch, chat_id: str, user_id: str) -> bool:
    query = select(bans.c.user_id).where(bans.c.chat_id == chat_id, bans.c.user_id == user_id)
    return (await fetch(query)).first() is not None


async def page(fetch: Fetch, chat_id: str, after: BanPlace | None, limit: int) -> list[Any]:
    """(user_id, name, banned_by, banned_at), the newest first."""
    where = [bans.c.chat_id == chat_id]
    if after is not None:
        same = and_(bans.c.banned_at == after.banned_at, bans.c.user_id > after.user_id)
        where.append(or_(bans.c.banned_at < after.banned_at, same))
    query = (
        select(bans.c.user_id, users.c.name, bans.c.banned_by, bans.c.banned_at)
        .join(users, users.c.id == bans.c.user_id)
        .where(*where)
        .order_by(bans.c.banned_at.desc(), bans.c.user_id)
        .limit(limit)
    )
    return list(await fetch(query))


def add(tx: Transaction, chat_id: str, user_id: str, banned_by: str) -> None:
    row = {"chat_id": chat_id, "user_id": user_id, "banned_by": banned_by}
    tx.run(INSERT, {**row, "banned_at": tx.now})


def remove(tx: Transaction, chat_id: str, user_id: str) -> None:
    tx.run(delete(bans).where(bans.c.chat_id == chat_id, bans.c.user_id == user_id))
