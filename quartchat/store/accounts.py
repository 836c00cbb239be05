"""The rows of an account as a whole: its logins and groups, and taking it all away."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, or_, select, update

from quartchat.events import DELETED_USER
from quartchat.store import files
from quartchat.store.people import Fetch
from quartchat.store.schema import (
    attachments,
    bans,
    chats,
    follows,
    friendships,
    invites,
    login_sessions,
    members,
    messages,
    notifications,
    reactions,
    tickets,
    uploads,
    users,
)
from quartchat.store.writer import Transaction


async def logins(fetch: Fetch, user_id: str) -> list[str]:
    """The ids of those that have not ended."""
    query = select(login_sessions.c.id).where(
        login_sessions.c.user_id == user_id, login_sessions.c.revoked.is_(False)
    )
    return [row.id for row in await fetch(query)]


def end_logins(tx: Transaction, user_id: str) -> None:
    mine = login_sessions.c.user_id == user_id
    tx.run(update(login_sessions).where(mine).values(revoked=True))
    tx.run(delete(tickets).where(tickets.c.user_id == user_id))


async def groups(fetch: Fetch, user_id: str) -> list[Any]:
    """(chat_id, role) in each group of the user."""
    query = (
        select(members.c.chat_id, members.c.role)
        .join(chats, chats.c.id == members.c.chat_id)
        .where(members.c.user_id == user_id, chats.c.kind == "group")
    )
    return list(await fetch(query))


def take_rows(tx: Transaction, user_id: str) -> None:
    """All that belongs to the user goes; of the user and their messages empty rows stay."""
    gone: dict[str, Any] = {"content": "", "quote": None, "deleted": True}
    gone |= {"mentions": "[]", "attachments": "[]"}
    files.let_go(tx, attachments.c.user_id == user_id)
    tx.run(update(messages).where(messages.c.sender_id == user_id).values(**gone))
    pair = or_(friendships.c.first_id == user_id, friendships.c.second_id == user_id)
    follow = or_(follows.c.follower_id == user_id, follows.c.followed_id == user_id)
    for table, where in (
        (members, members.c.user_id == user_id),
        (reactions, reactions.c.user_id == user_id),
        (friendships, pair),
        (follows, follow),
        (notifications, notifications.c.user_id == user_id),
        (tickets, tickets.c.user_id == user_id),
        (invites, invites.c.created_by == user_id),
        (bans, bans.c.user_id == user_id),
        (uploads, uploads.c.user_id == user_id),
        (login_sessions, login_sessions.c.user_id == user_id),
    ):
        tx.run(delete(table).where(where))
    nobody: dict[str, Any] = {"name": DELETED_USER, "name_key": f"removed {user_id}"}
    nobody |= {"email": None, "about": "", "password_hash": None, "is_admin": False}
    nobody |= {"picture": None, "preferences": "{}", "last_seen": None, "removed_at": tx.now}
    tx.run(update(users).where(users.c.id == user_id).values(**nobody))
