"""Joining, leaving, adding, removing, roles. Each takes effect on open connections at once:
the event of it is what changes who may see the chat (see delivery/scopes.py)."""

from __future__ import annotations

from typing import Any

from quartchat.chat.core import Core, chat_and_member
from quartchat.chat.rooms import need_group
from quartchat.errors import ChatNotFound, Forbidden, Invalid, NotAMember, UserNotFound
from quartchat.events import Draft, chat_topic, rfc3339, user_topic
from quartchat.protocol import ChatOnly, Member, SetRole
from quartchat.store import people, rooms
from quartchat.store.writer import Transaction

Ack = dict[str, Any]
MANAGERS = ("owner", "admin")


async def join(core: Core, actor: str, wish: ChatOnly) -> Ack:
    """Join a public room; in one that all have left, as its owner. Raises ChatNotFound,
    Forbidden (private)."""

    async def work(tx: Transaction) -> Ack:
        chat = await rooms.get(tx.fetch, wish.chat_id)
        if chat is None:
            raise ChatNotFound
        if await rooms.membership(tx.fetch, wish.chat_id, actor):
            return {"chat_id": wish.chat_id, "event_id": None}
        if not chat.public:
            raise Forbidden("This chat is private; ask one of its owners to add you.")
        return await _admit(tx, wish.chat_id, actor, by=actor)

    return await core.writer.do(work)


async def add(core: Core, actor: str, wish: Member) -> Ack:
    """Add somebody to a group; for owners and admins."""

    async def work(tx: Transaction) -> Ack:
        chat, mine = await chat_and_member(tx.fetch, wish.chat_id, actor)
        need_group(chat)
        if mine.role not in MANAGERS:
            raise Forbidden("Only owners and admins may add people.")
        if await rooms.membership(tx.fetch, wish.chat_id, wish.user_id):
            return {"chat_id": wish.chat_id, "event_id": None}
        return await _admit(tx, wish.chat_id, wish.user_id, by=actor)

    return await core.writer.do(work)


async def leave(core: Core, actor: str, wish: ChatOnly) -> Ack:
    """Leave a group. When the owner leaves, an admin or the oldest member follows."""

    async def work(tx: Transaction) -> Ack:
        chat, mine = await chat_and_member(tx.fetch, wish.chat_id, actor)
        need_group(chat)
        heir = await rooms.heir(tx.fetch, wish.chat_id, actor) if mine.role == "owner" else None
        person = await people.by_id(tx.fetch, actor)
        ack = _dismiss(tx, wish.chat_id, person, by=actor)
        if heir is not None:
            rooms.set_role(tx, wish.chat_id, heir, "owner")
            tx.append(_role_changed(wish.chat_id, heir, "owner"))
        return ack

    return await core.writer.do(work)


async def remove(core: Core, actor: str, wish: Member) -> Ack:
    """Remove somebody; owners may remove all others, admins may remove members."""
    if actor == wish.user_id:
        return await leave(core, actor, ChatOnly(wish.chat_id))

    async def work(tx: Transaction) -> Ack:
        chat, mine = await chat_and_member(tx.fetch, wish.chat_id, actor)
        need_group(chat)
        theirs = await rooms.membership(tx.fetch, wish.chat_id, wish.user_id)
        if theirs is None:
            raise NotAMember("This user is not a member of the chat.")
        if mine.role not in MANAGERS or (mine.role == "admin" and theirs.role != "member"):
            raise Forbidden("You may not remove this member.")
        person = await people.by_id(tx.fetch, wish.user_id)
        return _dismiss(tx, wish.chat_id, person, by=actor)

    return await core.writer.do(work)


async def set_role(core: Core, actor: str, wish: SetRole) -> Ack:
    """Make a member an admin or an admin a member; for owners."""
    if wish.role not in ("admin", "member"):
        raise Invalid('A role is "admin" or "member".', field="role")

    async def work(tx: Transaction) -> Ack:
        chat, mine = await chat_and_member(tx.fetch, wish.chat_id, actor)
        need_group(chat)
        theirs = await rooms.membership(tx.fetch, wish.chat_id, wish.user_id)
        if theirs is None:
            raise NotAMember("This user is not a member of the chat.")
        if mine.role != "owner" or theirs.role == "owner":
            raise Forbidden("Only owners may change roles, and not those of owners.")
        rooms.set_role(tx, wish.chat_id, wish.user_id, wish.role)
        event = tx.append(_role_changed(wish.chat_id, wish.user_id, wish.role))
        return {"chat_id": wish.chat_id, "event_id": event.id}

    return await core.writer.do(work)


async def _admit(tx: Transaction, chat_id: str, user_id: str, by: str) -> Ack:
    person = await people.by_id(tx.fetch, user_id)
    if person is None:
        raise UserNotFound
    role = "member" if await rooms.has_owner(tx.fetch, chat_id) else "owner"
    event = tx.append(Draft(chat_topic(chat_id), "user_joined", _about(tx, chat_id, person, by)))
    assert event.id is not None
    rooms.add_member(tx, chat_id, user_id, role, event.id)
    return {"chat_id": chat_id, "event_id": event.id}


def _dismiss(tx: Transaction, chat_id: str, person: Any, by: str) -> Ack:
    """Told to the chat, and to the one who is out: they see nothing more of the chat itself."""
    data = _about(tx, chat_id, person, by)
    event = tx.append(Draft(chat_topic(chat_id), "user_left", data))
    tx.append(Draft(user_topic(person.id), "user_left", data))
    rooms.remove_member(tx, chat_id, person.id)
    return {"chat_id": chat_id, "event_id": event.id}


def _about(tx: Transaction, chat_id: str, person: Any, by: str) -> dict[str, Any]:
    who = {"user_id": person.id, "chat_id": chat_id, "name": person.name}
    return {**who, "by": by, "timestamp": rfc3339(tx.now)}


def _role_changed(chat_id: str, user_id: str, role: str) -> Draft:
    data = {"chat_id": chat_id, "user_id": user_id, "role": role}
    return Draft(chat_topic(chat_id), "chat_updated", data)
