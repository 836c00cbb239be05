"""Rows of chats and their members."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Select, and_, case, delete, func, insert, literal, select, update

from quartchat.store.people import Fetch
from quartchat.store.schema import chats, members, messages
from quartchat.store.writer import Transaction

MOST_UNREAD = 10_000  # counted; a page shows fewer, and a count of all would read them all
INSERT_CHAT, INSERT_MEMBER = insert(chats), insert(members)


async def get(fetch: Fetch, chat_id: str) -> Any | None:
    return (await fetch(select(chats).where(chats.c.id == chat_id))).one_or_none()


async def by_pair(fetch: Fetch, pair: str) -> Any | None:
    return (await fetch(select(chats).where(chats.c.pair == pair))).one_or_none()


async def by_title(fetch: Fetch, title: str) -> Any | None:
    """The oldest group of this title, a public one if there is one."""
    query = select(chats).where(chats.c.title == title, chats.c.kind == "group")
    best = query.order_by(chats.c.public.desc(), chats.c.created_at).limit(1)
    return (await fetch(best)).one_or_none()


async def by_client_id(fetch: Fetch, user_id: str, client_id: str) -> Any | None:
    query = select(chats).where(chats.c.created_by == user_id, chats.c.client_id == client_id)
    return (await fetch(query)).one_or_none()


async def membership(fetch: Fetch, chat_id: str, user_id: str) -> Any | None:
    query = select(members).where(members.c.chat_id == chat_id, members.c.user_id == user_id)
    return (await fetch(query)).one_or_none()


async def since(fetch: Fetch, user_id: str) -> dict[str, tuple[int, int]]:
    """chat id -> the ids of the first event that the user may see, and of the first message that
    they may read back (0: all)."""
    query = (
        select(members.c.chat_id, members.c.since, chats.c.history)
        .join(chats, chats.c.id == members.c.chat_id)
        .where(members.c.user_id == user_id)
    )
    rows = await fetch(query)
    return {row.chat_id: (row.since, 0 if row.history == "all" else row.since) for row in rows}


async def count_mine(fetch: Fetch, user_id: str) -> int:
    """How many chats a user is in."""
    query = select(func.count()).select_from(members).where(members.c.user_id == user_id)
    return int((await fetch(query)).scalar_one())


def _mine(user_id: str) -> Select[Any]:
    shown_from = case((chats.c.history == "all", 0), else_=members.c.since)
    last = (
        select(func.max(messages.c.event_id))
        .where(messages.c.chat_id == chats.c.id, messages.c.event_id >= shown_from)
        .scalar_subquery()
    )
    waiting = (
        select(literal(1))
        .where(
            messages.c.chat_id == chats.c.id,
            messages.c.event_id > members.c.read_upto,
            messages.c.event_id >= members.c.since,
            messages.c.sender_id != user_id,
            messages.c.deleted.is_(False),
        )
        .limit(MOST_UNREAD)
        .correlate(chats, members)
    )
    unread = select(func.count()).select_from(waiting.subquery()).scalar_subquery()
    size = (
        select(func.count())
        .select_from(other := members.alias())
        .where(other.c.chat_id == chats.c.id)
        .scalar_subquery()
    )
    return (
        select(
            chats,
            members.c.role,
            members.c.since,
            members.c.read_upto,
            members.c.notify,
            members.c.archived,
            last.label("last"),
            unread.label("unread"),
            size.label("member_count"),
        )
        .join(members, members.c.chat_id == chats.c.id)
        .where(members.c.user_id == user_id)
    )


async def mine(fetch: Fetch, user_id: str, only: str | None = None) -> list[Any]:
    """The user's chats (or one of them), the one with the newest message first."""
    query = _mine(user_id)
    if only is not None:
        query = query.where(chats.c.id == only)
    rows = list(await fetch(query))
    return sorted(rows, key=lambda row: -(row.last or row.since))


async def has_owner(fetch: Fetch, chat_id: str) -> bool:
    query = select(members.c.user_id).where(members.c.chat_id == chat_id)
    return (await fetch(query.where(members.c.role == "owner").limit(1))).first() is not None


async def heir(fetch: Fetch, chat_id: str, leaving: str) -> str | None:
    """Who becomes owner when the owner leaves: an admin, else who has been there longest."""
    query = (
        select(members.c.user_id, members.c.role)
        .where(members.c.chat_id == chat_id, members.c.user_id != leaving)
        .order_by(members.c.role, members.c.since)
        .limit(1)
    )
    row = (await fetch(query)).one_or_none()
    return row.user_id if row else None


async def those_in(fetch: Fetch, chat_id: str, user_ids: Collection[str]) -> set[str]:
    """Those of the users who are members of the chat."""
    query = select(members.c.user_id).where(
        members.c.chat_id == chat_id, members.c.user_id.in_(list(user_ids))
    )
    return {row.user_id for row in await fetch(query)}


def add_member(
    transaction: Transaction, chat_id: str, user_id: str, role: str, since_id: int
) -> None:
    row = {"chat_id": chat_id, "user_id": user_id, "role": role, "since": since_id}
    transaction.run(INSERT_MEMBER, {**row, "read_upto": since_id})


def remove_member(transaction: Transaction, chat_id: str, user_id: str) -> None:
    transaction.run(delete(members).where(_is(chat_id, user_id)))


def set_role(transaction: Transaction, chat_id: str, user_id: str, role: str) -> None:
    transaction.run(update(members).where(_is(chat_id, user_id)).values(role=role))


def set_mine(transaction: Transaction, chat_id: str, user_id: str, **values: Any) -> None:
    """A member's own settings of a chat: `notify`, `archived`."""
    transaction.run(update(members).where(_is(chat_id, user_id)).values(**values))


def change(transaction: Transaction, chat_id: str, **values: Any) -> None:
    transaction.run(update(chats).where(chats.c.id == chat_id).values(**values))


def set_read(transaction: Transaction, chat_id: str, user_id: str, event_id: int) -> None:
    transaction.run(update(members).where(_is(chat_id, user_id)).values(read_upto=event_id))


def _is(chat_id: str, user_id: str) -> Any:
    return and_(members.c.chat_id == chat_id, members.c.user_id == user_id)
