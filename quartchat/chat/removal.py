"""Removing a person: what they wrote and their name go out of the log; their id stays, for what
others did with them refers to it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, or_, select, update

from quartchat.chat.core import Core
from quartchat.chat.redaction import without
from quartchat.errors import Conflict, UserNotFound
from quartchat.events import ALL, Draft, Event, chat_topic, rfc3339, user_topic
from quartchat.store import log, marks, messages, people, pictures, rooms
from quartchat.store.schema import (
    bans,
    chats,
    follows,
    friendships,
    invites,
    login_sessions,
    members,
    notifications,
    reactions,
    tickets,
    users,
)
from quartchat.store.schema import messages as message_table
from quartchat.store.writer import Transaction

NAME = "Deleted user"
REMOVED = "This account was removed."


async def remove(core: Core, user_id: str) -> list[str]:
    """Remove the account: logins end, chats are left, messages are redacted, in one transaction
    with the `user_removed` that says so. The ids of the logins that ended. The only
    administrator stays (Conflict). Raises UserNotFound."""
    return await core.writer.do(lambda tx: remove_in(tx, user_id))


async def remove_in(tx: Transaction, user_id: str) -> list[str]:
    person = await people.by_id(tx.fetch, user_id)
    if person is None or person.removed_at is not None:
        raise UserNotFound
    if person.is_admin and not await _other_admin(tx, user_id):
        raise Conflict("This is the only administrator; make another one first.")
    logins = await _logins(tx, user_id)
    chats = await _groups(tx, user_id)
    said = await messages.ids_by(tx.fetch, user_id)
    carriers = await marks.carriers_by(tx.fetch, user_id)
    carriers |= {event.id: event for event in await log.mentioning(tx.fetch, user_id)}
    replies = await messages.replies_to_sender(tx.fetch, user_id)
    _leave(tx, user_id, chats)
    tx.append(Draft(ALL, "user_removed", {"user_id": user_id, "timestamp": rfc3339(tx.now)}))
    for event in carriers.values():
        tx.redact(event, less_of(event, said, user_id))
    for reply in replies:
        quote = {**messages.decode(reply.quote), "excerpt": "", "deleted": True}
        quoted = messages.encode({**quote, "sender_name": NAME})
        messages.change(tx, reply.event_id, quote=quoted)
    _take_rows(tx, user_id)
    pictures.forget_unused(tx, person.picture)
    return logins


async def _other_admin(tx: Transaction, user_id: str) -> bool:
    query = select(users.c.id).where(users.c.is_admin, users.c.id != user_id).limit(1)
    return (await tx.fetch(query)).first() is not None


async def _logins(tx: Transaction, user_id: str) -> list[str]:
    query = select(login_sessions.c.id).where(login_sessions.c.user_id == user_id)
    return [row.id for row in await tx.fetch(query)]


async def _groups(tx: Transaction, user_id: str) -> dict[str, str | None]:
    """The groups of theirs: chat id -> who becomes its owner, if they were."""
    query = (
        select(members.c.chat_id, members.c.role)
        .join(chats, chats.c.id == members.c.chat_id)
        .where(members.c.user_id == user_id, chats.c.kind == "group")
    )
    rows = list(await tx.fetch(query))
    return {
        row.chat_id: await rooms.heir(tx.fetch, row.chat_id, user_id)
        if row.role == "owner"
        else None
        for row in rows
    }


def _leave(tx: Transaction, user_id: str, left: dict[str, str | None]) -> None:
    for chat_id, heir in left.items():
        data = {"user_id": user_id, "chat_id": chat_id, "name": NAME, "by": user_id}
        data["timestamp"] = rfc3339(tx.now)
        tx.append(Draft(chat_topic(chat_id), "user_left", data))
        tx.append(Draft(user_topic(user_id), "user_left", data))
        rooms.remove_member(tx, chat_id, user_id)
        if heir is not None:
            rooms.set_role(tx, chat_id, heir, "owner")
            role = {"chat_id": chat_id, "user_id": heir, "role": "owner"}
            tx.append(Draft(chat_topic(chat_id), "chat_updated", role))


def less_of(event: Event, said: set[str], user_id: str) -> dict[str, Any]:
    """The event's data without what they said (`said`: ids of their messages) and their name."""
    data = event.fields()
    quoted = (data.get("quote") or {}).get("message_id")
    for message_id in {data.get("message_id"), quoted} & said:
        if message_id == quoted:
            data["quote"] = {**data["quote"], "sender_name": NAME}
        data = without(event, str(message_id), data)
    if event.type == "notification" and data.get("actor", {}).get("user_id") == user_id:
        data |= {"message": REMOVED, "excerpt": ""}
        if data.get("chat_kind") == "direct":  # it bears their name
            data["chat_title"] = NAME
    return dict(nameless(data, user_id))


def nameless(value: Any, user_id: str) -> Any:
    """The same with the person's name and address taken out, wherever their id stands by."""
    if isinstance(value, list):
        return [nameless(one, user_id) for one in value]
    if not isinstance(value, dict):
        return value
    kept = {key: nameless(one, user_id) for key, one in value.items()}
    if kept.get("user_id") == user_id:
        kept.pop("email", None)
        if "name" in kept:
            kept["name"] = NAME
    return kept


def _take_rows(tx: Transaction, user_id: str) -> None:
    mine = message_table.c.sender_id == user_id
    gone: dict[str, Any] = {"content": "", "quote": None, "mentions": "[]", "deleted": True}
    tx.run(update(message_table).where(mine).values(**gone))
    pair = or_(friendships.c.first_id == user_id, friendships.c.second_id == user_id)
    follow = or_(follows.c.follower_id == user_id, follows.c.followed_id == user_id)
    for table, where in (
        (reactions, reactions.c.user_id == user_id),
        (friendships, pair),
        (follows, follow),
        (notifications, notifications.c.user_id == user_id),
        (tickets, tickets.c.user_id == user_id),
        (invites, invites.c.created_by == user_id),
        (bans, bans.c.user_id == user_id),
        (login_sessions, login_sessions.c.user_id == user_id),
    ):
        tx.run(delete(table).where(where))
    nobody: dict[str, Any] = {"name": NAME, "name_key": f"removed {user_id}", "email": None, "about": ""}
    nobody |= {"password_hash": None, "is_admin": False, "picture": None, "preferences": "{}"}
    values = {**nobody, "removed_at": tx.now, "last_seen": None}
    tx.run(update(users).where(users.c.id == user_id).values(**values))
