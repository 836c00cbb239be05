"""Joining, leaving, adding, removing, roles. Each takes effect on open connections at once:
the event of it is what changes who may see the chat (see delivery/scopes.py)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from quartchat.chat import bell
from quartchat.chat.core import MANAGERS, Core, chat_and_member
from quartchat.chat.rooms import need_group, need_place
from quartchat.errors import (
    Banned,
    ChatNotFound,
    Conflict,
    Forbidden,
    Invalid,
    NotAMember,
    UserNotFound,
)
from quartchat.events import Draft, chat_topic, rfc3339, user_topic
from quartchat.protocol import ChatOnly, Member, SetRole
from quartchat.store import bans, invites, people, rooms
from quartchat.store.notifications import of_chat
from quartchat.store.writer import Transaction

Ack = dict[str, Any]
ROLES = (*MANAGERS, "member")


async def join(core: Core, actor: str, wish: ChatOnly) -> Ack:
    """Join a public room; in one that all have left, as its owner. Raises ChatNotFound,
    Forbidden (private), Banned, Invalid (in too many chats)."""

    async def work(tx: Transaction) -> Ack:
        chat = await rooms.get(tx.fetch, wish.chat_id)
        if chat is None:
            raise ChatNotFound
        if await rooms.membership(tx.fetch, wish.chat_id, actor):
            return {"chat_id": wish.chat_id, "event_id": None}
        if await bans.is_banned(tx.fetch, wish.chat_id, actor):
            raise Banned
        if not chat.public:
            raise Forbidden("This chat is private; ask one of its owners to add you.")
        await need_place(core, tx.fetch, actor)
        return await admit(tx, wish.chat_id, actor, by=actor)

    return await core.writer.do(work)


async def add(core: Core, actor: str, wish: Member) -> Ack:
    """Add somebody to a group; for owners and admins. Raises Banned, UserNotFound."""

    async def work(tx: Transaction) -> Ack:
        chat, mine = await chat_and_member(tx.fetch, wish.chat_id, actor)
        need_group(chat)
        if mine.role not in MANAGERS:
            raise Forbidden("Only owners and admins may add people.")
        if await rooms.membership(tx.fetch, wish.chat_id, wish.user_id):
            return {"chat_id": wish.chat_id, "event_id": None}
        if await bans.is_banned(tx.fetch, wish.chat_id, wish.user_id):
            raise Banned(
                "This person is banned from the chat; lift the ban first.", field="user_id"
            )
        return await admit(tx, wish.chat_id, wish.user_id, by=actor)

    return await core.writer.do(work)


async def leave(core: Core, actor: str, wish: ChatOnly) -> Ack:
    """Leave a group. When the owner leaves, an admin or the oldest member follows."""

    async def work(tx: Transaction) -> Ack:
        chat, mine = await chat_and_member(tx.fetch, wish.chat_id, actor)
        need_group(chat)
        heir = await rooms.heir(tx.fetch, wish.chat_id, actor) if mine.role == "owner" else None
        person = await people.by_id(tx.fetch, actor)
        ack = (await _dismissing(tx, wish.chat_id, person, by=actor))()
        if heir is not None:
            _give(tx, wish.chat_id, heir, "owner")
        return ack

    return await core.writer.do(work)


async def remove(core: Core, actor: str, wish: Member) -> Ack:
    """Remove somebody; owners may remove all others, admins may remove members. Invitations
    that they made end."""
    if actor == wish.user_id:
        return await leave(core, actor, ChatOnly(wish.chat_id))

    async def work(tx: Transaction) -> Ack:
        chat, mine = await chat_and_member(tx.fetch, wish.chat_id, actor)
        need_group(chat)
        theirs = await rooms.membership(tx.fetch, wish.chat_id, wish.user_id)
        if theirs is None:
            raise NotAMember("This user is not a member of the chat.")
        if not may_dismiss(mine, theirs):
            raise Forbidden("You may not remove this member.")
        person = await people.by_id(tx.fetch, wish.user_id)
        return (await expelling(tx, wish.chat_id, person, by=actor))()

    return await core.writer.do(work)


def may_dismiss(mine: Any, theirs: Any) -> bool:
    """Owners may all others, admins members."""
    return bool(mine.role == "owner" or (mine.role == "admin" and theirs.role == "member"))


async def set_role(core: Core, actor: str, wish: SetRole) -> Ack:
    """Make a member an admin or an admin a member (whose invitations end), or hand the chat over to
    them ("owner": the actor becomes an admin); for the owner. event_id is None where nothing
    changes. Raises ChatNotFound, NotAMember, Forbidden, Conflict (of one's own role), Invalid."""
    if wish.role not in ROLES:
        raise Invalid('A role is "owner", "admin" or "member".', field="role")

    async def work(tx: Transaction) -> Ack:
        theirs = await _whose_role(tx, actor, wish)
        if theirs.role == wish.role:
            return {"chat_id": wish.chat_id, "event_id": None}
        if wish.role == "owner":
            _give(tx, wish.chat_id, actor, "admin")
        if wish.role not in MANAGERS:
            invites.remove_by(tx, wish.chat_id, wish.user_id)
        return _give(tx, wish.chat_id, wish.user_id, wish.role)

    return await core.writer.do(work)


async def _whose_role(tx: Transaction, actor: str, wish: SetRole) -> Any:
    chat, mine = await chat_and_member(tx.fetch, wish.chat_id, actor)
    need_group(chat)
    if mine.role != "owner":
        raise Forbidden("Only the owner may change roles.")
    if actor == wish.user_id and wish.role != "owner":
        raise Conflict("You are the owner: hand the chat over to somebody, or leave it.")
    theirs = await rooms.membership(tx.fetch, wish.chat_id, wish.user_id)
    if theirs is None:
        raise NotAMember("This user is not a member of the chat.")
    return theirs


def _give(tx: Transaction, chat_id: str, user_id: str, role: str) -> Ack:
    rooms.set_role(tx, chat_id, user_id, role)
    data = {"chat_id": chat_id, "user_id": user_id, "role": role}
    event = tx.append(Draft(chat_topic(chat_id), "chat_updated", data))
    return {"chat_id": chat_id, "event_id": event.id}


async def admit(tx: Transaction, chat_id: str, user_id: str, by: str) -> Ack:
    """Let somebody in who may come; into a chat that all have left, as its owner. Raises
    UserNotFound."""
    person = await people.by_id(tx.fetch, user_id)
    if person is None or person.removed_at is not None:
        raise UserNotFound(field="user_id")
    role = "member" if await rooms.has_owner(tx.fetch, chat_id) else "owner"
    event = tx.append(Draft(chat_topic(chat_id), "user_joined", _about(tx, chat_id, person, by)))
    assert event.id is not None
    rooms.add_member(tx, chat_id, user_id, role, event.id)
    return {"chat_id": chat_id, "event_id": event.id}


async def expelling(tx: Transaction, chat_id: str, person: Any, by: str) -> Callable[[], Ack]:
    """Reads what it needs. What it returns puts somebody out, and ends the invitations that they
    made: they know them."""
    dismiss = await _dismissing(tx, chat_id, person, by)

    def expel() -> Ack:
        invites.remove_by(tx, chat_id, person.id)
        return dismiss()

    return expel


async def _dismissing(tx: Transaction, chat_id: str, person: Any, by: str) -> Callable[[], Ack]:
    """Told to the chat, and to the one who is out: they see nothing more of the chat itself, and
    what they were notified of it is read."""
    read = await bell.reading(tx, person.id, of_chat(chat_id))

    def dismiss() -> Ack:
        data = _about(tx, chat_id, person, by)
        event = tx.append(Draft(chat_topic(chat_id), "user_left", data))
        tx.append(Draft(user_topic(person.id), "user_left", data))
        rooms.remove_member(tx, chat_id, person.id)
        read()
        return {"chat_id": chat_id, "event_id": event.id}

    return dismiss


def _about(tx: Transaction, chat_id: str, person: Any, by: str) -> dict[str, Any]:
    who = {"user_id": person.id, "chat_id": chat_id, "name": person.name}
    return {**who, "by": by, "timestamp": rfc3339(tx.now)}
