"""Taking in what was said elsewhere: authors and times are kept, and a repeat adds nothing."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from quartchat.chat import messages, rooms
from quartchat.chat.core import Core
from quartchat.chat.people import free_name
from quartchat.errors import ChatNotFound, UserNotFound
from quartchat.events import rfc3339
from quartchat.protocol import CreateChat, SendMessage
from quartchat.store import messages as message_rows
from quartchat.store import people
from quartchat.store import rooms as room_rows
from quartchat.store.schema import users
from quartchat.store.writer import Transaction

AUTHORS = uuid.UUID("b1d6a6f2-4f0b-5e0f-9d5e-7f0c1a2b3c4d")


@dataclass(frozen=True, slots=True)
class Said:
    """`key` names the line for ever; `at` is Unix time in seconds."""

    author: str
    content: str
    at: float
    key: str


async def open_room(core: Core, name: str, owner: str | None) -> str:
    """The id of the chat of this id or title; a public room is made where there is none, for
    the user `owner` or the first administrator. Raises UserNotFound, ChatNotFound."""
    found = await core.database.read(lambda c: _find_room(c, name))
    if found is not None:
        return found
    owner_id = await core.database.read(lambda c: _owner(c, owner))
    wish = CreateChat(kind="group", title=name, public=True)
    return (await rooms.create(core, owner_id, wish))[0]


async def _find_room(connection: AsyncConnection, name: str) -> str | None:
    chat = await room_rows.get(connection.execute, name)
    chat = chat or await room_rows.by_title(connection.execute, name)
    if chat is not None and chat.kind != "group":
        raise ChatNotFound("A direct chat is between two people; name a group or a room.")
    return chat.id if chat is not None else None


async def _owner(connection: AsyncConnection, name: str | None) -> str:
    if name is not None:
        row = await people.by_name(connection.execute, name)
    else:
        query = select(users).order_by(users.c.is_admin.desc(), users.c.created_at).limit(1)
        row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise UserNotFound(
            "The room needs an owner, and there is no user {name!r}; see quartchat user add."
            if name
            else "The room needs an owner, and there is no user yet; see quartchat user add.",
            name=name,
        )
    return str(row.id)


async def put(core: Core, chat_id: str, said: Sequence[Said]) -> int:
    """Append what is not there yet, in this order, in one transaction; how many were new."""
    return await core.writer.do(lambda tx: _put(tx, chat_id, said))


async def _put(tx: Transaction, chat_id: str, said: Sequence[Said]) -> int:
    chat = await room_rows.get(tx.fetch, chat_id)
    if chat is None:
        raise ChatNotFound
    ids = {_author_id(one.author): one.author for one in said}
    there = await message_rows.known(tx.fetch, list(ids), [one.key for one in said])
    authors = await people.existing(tx.fetch, list(ids))
    strangers = await _strangers(tx, {i: n for i, n in ids.items() if i not in authors})
    for row in strangers:
        people.add(tx, row.__dict__)
    authors |= {row.id: row for row in strangers}
    fresh = list({one.key: one for one in said if one.key not in there}.values())
    for one in fresh:
        wish = SendMessage(chat_id, one.content, client_id=one.key)
        messages.append(tx, chat, authors[_author_id(one.author)], wish, rfc3339(one.at))
    return len(fresh)


class _Author:
    """A user as a row, before there is one."""

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)


async def _strangers(tx: Transaction, missing: dict[str, str]) -> list[Any]:
    """Rows of users for authors not seen before. They have no password: nobody is let in as
    them; a name that is taken here gets a number behind it."""
    rows: list[Any] = []
    taken: set[str] = set()
    for user_id, nick in missing.items():
        name = await free_name(tx, nick, taken)
        taken.add(people.name_key(name))
        values = {"id": user_id, "name": name, "email": None, "password_hash": None}
        rows.append(_Author(**values, is_admin=False, created_at=tx.now))
    return rows


def _author_id(nick: str) -> str:
    return "import-" + uuid.uuid5(AUTHORS, nick.casefold()).hex[:20]
