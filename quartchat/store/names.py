"""Finding people by the beginning of their names."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, exists, select

from quartchat.store import audience
from quartchat.store.people import Fetch, name_key
from quartchat.store.schema import members, users

LAST_CHAR = "\U0010ffff"


async def by_prefix(fetch: Fetch, prefix: str, limit: int, chat_id: str | None = None) -> list[Any]:
    """Rows of users, by name; of a chat, if one is given. Nobody who was removed."""
    query = select(users).where(users.c.removed_at.is_(None))
    if key := name_key(prefix):
        query = query.where(users.c.name_key >= key, users.c.name_key < key + LAST_CHAR)
    if chat_id is not None:
        query = _within(query, chat_id, small=await audience.small(fetch, chat_id))
    return list(await fetch(query.order_by(users.c.name_key).limit(limit)))


def _within(query: Select[Any], chat_id: str, *, small: bool) -> Select[Any]:
    """In a small chat the members are looked through; in a large one the names, in their order,
    until enough of them are members."""
    if small:
        ours = query.join(members, members.c.user_id == users.c.id)
        return ours.where(members.c.chat_id == chat_id)
    here = exists().where(members.c.chat_id == chat_id, members.c.user_id == users.c.id)
    return query.where(here)
