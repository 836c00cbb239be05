"""Who is told of what all do in a chat, as far as it is small: what grows with the square of a
chat's members ends at `SMALL_CHAT`."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, exists, select

from quartchat.store.people import Fetch
from quartchat.store.schema import members, messages, users

SMALL_CHAT = 100  # members


def is_small(chat_id: str | ColumnElement[str]) -> ColumnElement[bool]:
    """SQL: whether a chat has at most so many members; reads no more of them than that."""
    other = members.alias()
    more = select(other.c.user_id).where(other.c.chat_id == chat_id)
    return ~exists(more.offset(SMALL_CHAT).limit(1))


async def small(fetch: Fetch, chat_id: str) -> bool:
    return bool((await fetch(select(is_small(chat_id)))).scalar_one())


async def members_if_small(fetch: Fetch, chat_id: str) -> list[str]:
    """The ids of the members of a small chat, else none."""
    query = select(members.c.user_id).where(members.c.chat_id == chat_id, is_small(chat_id))
    return [row.user_id for row in await fetch(query)]


def _readers(chat_id: str) -> Select[Any]:
    return (
        select(members.c.user_id, users.c.name, members.c.read_upto.label("event_id"))
        .join(users, users.c.id == members.c.user_id)
        .where(members.c.chat_id == chat_id, users.c.removed_at.is_(None))
        .order_by(members.c.read_upto.desc(), users.c.name_key)
    )


async def readers(fetch: Fetch, chat_id: str, user_id: str) -> list[dict[str, Any]]:
    """`user_id`, `name` and up to which `event_id` they have read, the furthest first: all
    members of a small chat; in a larger one this user alone."""
    seen = (members.c.user_id == user_id) | is_small(chat_id)
    return [dict(row._mapping) for row in await fetch(_readers(chat_id).where(seen))]


async def any_unread(fetch: Fetch, member: Any, upto: int) -> bool:
    """Whether there is a message of others up to this id that the member has not read."""
    query = select(messages.c.event_id).where(
        messages.c.chat_id == member.chat_id,
        messages.c.event_id > member.read_upto,
        messages.c.event_id <= upto,
        messages.c.sender_id != member.user_id,
        messages.c.deleted.is_(False),
    )
    return (await fetch(query.limit(1))).first() is not None
