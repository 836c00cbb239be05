"""What an administrator sees of all users and chats: numbers, and lists in pages."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Select, and_, func, or_, select

from quartchat.store.people import Fetch, name_key
from quartchat.store.schema import chats, members, messages, users


async def count_users(fetch: Fetch) -> int:
    query = select(func.count()).select_from(users).where(users.c.removed_at.is_(None))
    return int((await fetch(query)).scalar_one())


async def count_chats(fetch: Fetch) -> int:
    return int((await fetch(select(func.count()).select_from(chats))).scalar_one())


async def count_messages(fetch: Fetch) -> int:
    """With the deleted ones; reads an index of all, so ask seldom."""
    return int((await fetch(select(func.count()).select_from(messages))).scalar_one())


async def list_users(fetch: Fetch, text: str, offset: int, limit: int) -> list[Any]:
    """Rows of users by name, those who were removed last; of whom a name or email holds `text`."""
    query = select(users)
    if text:
        key = name_key(text)
        named = users.c.name_key.contains(key, autoescape=True) & users.c.removed_at.is_(None)
        mailed = func.lower(users.c.email).contains(text.lower(), autoescape=True)
        query = query.where(or_(named, mailed, users.c.id == text))
    order = (users.c.removed_at.is_not(None), users.c.name_key)
    return list(await fetch(query.order_by(*order).offset(offset).limit(limit)))


def _chats() -> Select[Any]:
    here = members.c.chat_id == chats.c.id
    size = select(func.count()).select_from(members).where(here).scalar_subquery()
    said = messages.c.chat_id == chats.c.id
    count = select(func.count()).select_from(messages).where(said).scalar_subquery()
    last = (
        select(messages.c.timestamp)
        .where(said)
        .order_by(messages.c.event_id.desc())
        .limit(1)
        .scalar_subquery()
    )
    return select(
        chats, size.label("members"), count.label("messages"), last.label("last_message_at")
    )


async def list_chats(fetch: Fetch, text: str, offset: int, limit: int) -> list[Any]:
    """Rows of chats with members, messages and last_message_at, the newest chat first; of which
    the title, or the name of one of the two of a direct chat, holds `text`."""
    query = _chats()
    if text:
        who = users.c.name_key.contains(name_key(text), autoescape=True)
        named = (
            select(members.c.chat_id)
            .join(users, users.c.id == members.c.user_id)
            .where(members.c.chat_id == chats.c.id, who)
        )
        titled = func.lower(chats.c.title).contains(text.lower(), autoescape=True)
        direct = and_(chats.c.kind == "direct", named.exists())
        query = query.where(or_(titled, direct, chats.c.id == text))
    order = (chats.c.created_at.desc(), chats.c.id)
    return list(await fetch(query.order_by(*order).offset(offset).limit(limit)))


async def names_in(fetch: Fetch, chat_ids: Collection[str]) -> dict[str, list[str]]:
    """chat id -> the names of its members, of small chats."""
    query = (
        select(members.c.chat_id, users.c.name)
        .join(users, users.c.id == members.c.user_id)
        .where(members.c.chat_id.in_(list(chat_ids)))
        .order_by(users.c.name_key)
    )
    found: dict[str, list[str]] = {}
    for row in await fetch(query):
        found.setdefault(row.chat_id, []).append(row.name)
    return found


async def names_of(fetch: Fetch, user_ids: Collection[str]) -> dict[str, str]:
    query = select(users.c.id, users.c.name).where(users.c.id.in_(list(user_ids)))
    return {row.id: row.name for row in await fetch(query)}
