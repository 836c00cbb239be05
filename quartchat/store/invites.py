"""Rows of invitations by link."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, delete, func, insert, or_, select, update

from quartchat.store.people import Fetch
from quartchat.store.schema import invites, users
from quartchat.store.writer import Transaction

KEPT_SECONDS = 30 * 86400  # so long one that has expired is told from one that never was
INSERT = insert(invites)
_WITH_MAKER = select(
    invites,
    users.c.name.label("maker_name"),
).join(users, users.c.id == invites.c.created_by)


async def get(fetch: Fetch, invite_id: str) -> Any | None:
    """With `maker_name`, the name of who made it."""
    return (await fetch(_WITH_MAKER.where(invites.c.id == invite_id))).one_or_none()


def is_live(row: Any, now: float) -> bool:
    return row.expires_at > now and (row.max_uses is None or row.uses < row.max_uses)


def _live(chat_id: str, now: float) -> ColumnElement[bool]:
    left = or_(invites.c.max_uses.is_(None), invites.c.uses < invites.c.max_uses)
    return (invites.c.chat_id == chat_id) & (invites.c.expires_at > now) & left


async def live(fetch: Fetch, chat_id: str, now: float) -> list[Any]:
    """Those of a chat that still let somebody in, the newest first."""
    query = _WITH_MAKER.where(_live(chat_id, now))
    return list(await fetch(query.order_by(invites.c.created_at.desc(), invites.c.id)))


async def count_live(fetch: Fetch, chat_id: str, now: float) -> int:
    query = select(func.count()).select_from(invites).where(_live(chat_id, now))
    return int((await fetch(query)).scalar_one())


def add(tx: Transaction, row: dict[str, Any]) -> None:
    tx.run(INSERT, row)


def use(tx: Transaction, invite_id: str) -> None:
    tx.run(update(invites).where(invites.c.id == invite_id).values(uses=invites.c.uses + 1))


def remove(tx: Transaction, invite_id: str) -> None:
    tx.run(delete(invites).where(invites.c.id == invite_id))


def remove_by(tx: Transaction, chat_id: str, user_id: str) -> None:
    """All that one person made for a chat."""
    tx.run(delete(invites).where(invites.c.chat_id == chat_id, invites.c.created_by == user_id))


def forget_old(tx: Transaction, chat_id: str) -> None:
    old = invites.c.expires_at < tx.now - KEPT_SECONDS
    tx.run(delete(invites).where(invites.c.chat_id == chat_id, old))
