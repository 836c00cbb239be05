"""Users' rows."""

from __future__ import annotations

import unicodedata
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any

from sqlalchemy import Executable, insert, select, update

from quartchat.store.schema import members, users
from quartchat.store.writer import Transaction

# A reader's `connection.execute` or a writer's `transaction.fetch`.
Fetch = Callable[[Executable], Awaitable[Any]]


INSERT = insert(users)


def name_key(name: str) -> str:
    """Two names with the same key are the same name."""
    return unicodedata.normalize("NFKC", name).casefold()


async def by_id(fetch: Fetch, user_id: str) -> Any | None:
    return (await fetch(select(users).where(users.c.id == user_id))).one_or_none()


async def by_name(fetch: Fetch, name: str) -> Any | None:
    return (await fetch(select(users).where(users.c.name_key == name_key(name)))).one_or_none()


async def by_names(fetch: Fetch, names: Collection[str]) -> dict[str, Any]:
    """name key -> row, of those that exist."""
    keys = {name_key(name) for name in names}
    rows = await fetch(select(users).where(users.c.name_key.in_(keys)))
    return {row.name_key: row for row in rows}


async def share_chat(fetch: Fetch, one: str, other: str) -> bool:
    """Whether there is a chat that both are in."""
    mine, theirs = members.alias(), members.alias()
    both = select(mine.c.chat_id).join(theirs, theirs.c.chat_id == mine.c.chat_id)
    query = both.where(mine.c.user_id == one, theirs.c.user_id == other).limit(1)
    return (await fetch(query)).first() is not None


async def existing(fetch: Fetch, user_ids: Collection[str]) -> dict[str, Any]:
    """id -> row, of those that exist."""
    rows = await fetch(select(users).where(users.c.id.in_(list(user_ids))))
    return {row.id: row for row in rows}


async def any_admin(fetch: Fetch) -> bool:
    return (await fetch(select(users.c.id).where(users.c.is_admin).limit(1))).first() is not None


async def other_admin(fetch: Fetch, user_id: str) -> bool:
    """Whether there is an administrator beside this user."""
    query = select(users.c.id).where(users.c.is_admin, users.c.id != user_id).limit(1)
    return (await fetch(query)).first() is not None


def add(transaction: Transaction, row: Mapping[str, Any]) -> None:
    transaction.run(INSERT, {**row, "name_key": name_key(row["name"])})


def change(transaction: Transaction, user_id: str, **values: Any) -> None:
    if "name" in values:
        values["name_key"] = name_key(values["name"])
    transaction.run(update(users).where(users.c.id == user_id).values(**values))
