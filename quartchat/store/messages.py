"""Rows of messages: sending, finding again, pages of history."""

from __future__ import annotations

import json
from collections.abc import Collection
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Update, bindparam, func, insert, select, update

from quartchat.store.people import Fetch
from quartchat.store.schema import chats, messages, users
from quartchat.store.writer import Transaction

INSERT = insert(messages)
_WITH_SENDER = (
    select(
        messages,
        users.c.name.label("sender_name"),
        users.c.email.label("sender_email"),
        users.c.picture.label("sender_picture"),
        chats.c.pair.label("pair"),
    )
    .join_from(messages, users, users.c.id == messages.c.sender_id)
    .join(chats, chats.c.id == messages.c.chat_id)
)


async def get(fetch: Fetch, message_id: str) -> Any | None:
    if not (message_id.isascii() and message_id.isdecimal()) or len(message_id) > 16:
        return None
    query = _WITH_SENDER.where(messages.c.event_id == int(message_id))
    return (await fetch(query)).one_or_none()


async def by_client_id(fetch: Fetch, sender_id: str, client_id: str) -> Any | None:
    query = select(messages).where(
        messages.c.sender_id == sender_id, messages.c.client_id == client_id
    )
    return (await fetch(query)).one_or_none()


async def known(fetch: Fetch, sender_ids: Collection[str], client_ids: Collection[str]) -> set[str]:
    """Those of the client ids that these senders have used already."""
    query = select(messages.c.client_id).where(
        messages.c.sender_id.in_(list(sender_ids)), messages.c.client_id.in_(list(client_ids))
    )
    return {row.client_id for row in await fetch(query)}


async def by_events(fetch: Fetch, event_ids: Collection[int]) -> dict[int, Any]:
    rows = await fetch(_WITH_SENDER.where(messages.c.event_id.in_(list(event_ids))))
    return {row.event_id: row for row in rows}


async def page(
    fetch: Fetch,
    chat_id: str,
    *,
    first: int,
    before: int | None,
    after: int | None,
    limit: int,
) -> tuple[list[Any], bool]:
    """Messages oldest first, and whether there are more in the direction asked: the newest
    ones, those before an event id, or those after one. None older than `first`."""
    where: list[ColumnElement[bool]] = [messages.c.chat_id == chat_id]
    where.append(messages.c.event_id >= first)
    if before is not None:
        where.append(messages.c.event_id < before)
    if after is not None:
        where.append(messages.c.event_id > after)
    forward = after is not None and before is None
    order = messages.c.event_id.asc() if forward else messages.c.event_id.desc()
    rows = list(await fetch(_WITH_SENDER.where(*where).order_by(order).limit(limit + 1)))
    found = rows[:limit]
    return (found if forward else found[::-1]), len(rows) > limit


def data_of(row: Any) -> dict[str, Any]:
    """A row (with its sender) as `new_message.data`, without its marks (store/marks.py)."""
    sender = {"user_id": row.sender_id, "name": row.sender_name}
    if row.sender_email:
        sender["email"] = row.sender_email
    quote = json.loads(row.quote) if row.quote else None
    data: dict[str, Any] = {
        "message_id": str(row.event_id),
        "chat_id": row.chat_id,
        "sender_id": row.sender_id,
        "sender": sender,
        "content": None if row.deleted else row.content,
        "timestamp": row.timestamp,
        "client_id": row.client_id,
        "attachments": json.loads(row.attachments),
        "reply_to": quote["message_id"] if quote else None,
        "quote": quote,
        "mentions": json.loads(row.mentions),
    }
    if row.pair:
        data["receiver_id"] = other_of(row.pair, row.sender_id)
    if row.edited_at and not row.deleted:
        data["edited_at"] = row.edited_at
    if row.deleted:
        data["deleted"] = True
    return data


def other_of(pair: str, user_id: str) -> str:
    """The other user of a direct chat's pair (a JSON list of two ids)."""
    first, second = json.loads(pair)
    return str(second if first == user_id else first)


def row_of(data: dict[str, Any], event_id: int) -> dict[str, Any]:
    """The row that keeps this `new_message.data`."""
    return {
        "event_id": event_id,
        "chat_id": data["chat_id"],
        "sender_id": data["sender_id"],
        "client_id": data["client_id"],
        "content": data["content"],
        "timestamp": data["timestamp"],
        "quote": json.dumps(data["quote"]) if data["quote"] else None,
        "mentions": json.dumps(data["mentions"]),
        "attachments": json.dumps(data["attachments"]),
        "reply_to": int(data["reply_to"]) if data["reply_to"] else None,
    }


def add(transaction: Transaction, data: dict[str, Any], event_id: int) -> None:
    transaction.run(INSERT, row_of(data, event_id))


def change(transaction: Transaction, event_id: int, **values: Any) -> None:
    row = {f"new_{name}": value for name, value in values.items()}
    transaction.run(_change(tuple(values)), {"key": event_id, **row})


@cache
def _change(names: tuple[str, ...]) -> Update:
    """The same statement for the same columns: the writer executes such ones together."""
    statement = update(messages).where(messages.c.event_id == bindparam("key"))
    return statement.values({name: bindparam(f"new_{name}") for name in names})


async def replies_to(fetch: Fetch, event_id: int) -> list[Any]:
    """(event_id, quote) of the messages that quote this one."""
    query = select(messages.c.event_id, messages.c.quote).where(
        messages.c.reply_to == event_id, messages.c.quote.is_not(None)
    )
    return list(await fetch(query))


async def ids_by(fetch: Fetch, sender_id: str) -> set[str]:
    """The message ids of all that this user has said."""
    query = select(messages.c.event_id).where(messages.c.sender_id == sender_id)
    return {str(row.event_id) for row in await fetch(query)}


async def replies_to_sender(fetch: Fetch, sender_id: str) -> list[Any]:
    """(event_id, quote) of the messages that quote any message of this user."""
    theirs = select(messages.c.event_id).where(messages.c.sender_id == sender_id)
    query = select(messages.c.event_id, messages.c.quote).where(
        messages.c.reply_to.in_(theirs), messages.c.quote.is_not(None)
    )
    return list(await fetch(query))


def encode(value: Any) -> str:
    return json.dumps(value)


def decode(text: str) -> Any:
    return json.loads(text)


async def first_since(fetch: Fetch, chat_id: str, timestamp: str) -> int | None:
    """The id of the first message said at this time (RFC 3339, UTC) or later."""
    query = select(func.min(messages.c.event_id)).where(
        messages.c.chat_id == chat_id, messages.c.timestamp >= timestamp
    )
    found: int | None = (await fetch(query)).scalar_one()
    return found
