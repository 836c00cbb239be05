"""Bans: who is put out of a group and may not come back. Effective on open connections at
once, as leaving is."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from quartchat.chat.core import MANAGERS, Core, chat_and_member
from quartchat.chat.membership import Ack, expelling, may_dismiss
from quartchat.chat.paging import bounded, cut, read_mark
from quartchat.chat.rooms import need_group
from quartchat.errors import Forbidden, Invalid, UserNotFound
from quartchat.events import rfc3339
from quartchat.protocol import Member
from quartchat.store import bans, people, rooms
from quartchat.store.bans import BanPlace
from quartchat.store.people import Fetch
from quartchat.store.writer import Transaction


async def ban(core: Core, actor: str, wish: Member) -> Ack:
    """Ban a member, who is removed by it, or somebody who is none: {chat_id, user_id, event_id}
    with the event of leaving, or None. Owners may ban all others, admins members. Raises
    ChatNotFound, NotAMember, Conflict (direct chat), Forbidden, Invalid, UserNotFound."""
    if actor == wish.user_id:
        raise Invalid("You cannot ban yourself.", field="user_id")

    async def work(tx: Transaction) -> Ack:
        mine = await _manager(tx.fetch, wish.chat_id, actor)
        person = await people.by_id(tx.fetch, wish.user_id)
        if person is None or person.removed_at is not None:
            raise UserNotFound(field="user_id")
        theirs = await rooms.membership(tx.fetch, wish.chat_id, wish.user_id)
        if theirs is not None and not may_dismiss(mine, theirs):
            raise Forbidden("You may not ban this member.")
        expel = await expelling(tx, wish.chat_id, person, by=actor) if theirs is not None else dict
        if not await bans.is_banned(tx.fetch, wish.chat_id, wish.user_id):
            bans.add(tx, wish.chat_id, wish.user_id, actor)
        return {"chat_id": wish.chat_id, "user_id": wish.user_id, "event_id": None, **expel()}

    return await core.writer.do(work)


async def unban(core: Core, actor: str, wish: Member) -> Ack:
    """Lift a ban, if there is one: {chat_id, user_id, event_id: None}. For owners and admins."""

    async def work(tx: Transaction) -> Ack:
        await _manager(tx.fetch, wish.chat_id, actor)
        bans.remove(tx, wish.chat_id, wish.user_id)
        return {"chat_id": wish.chat_id, "user_id": wish.user_id, "event_id": None}

    return await core.writer.do(work)


async def banned(
    core: Core, actor: str, chat_id: str, before: str | None = None, limit: int = 50
) -> dict[str, Any]:
    """{bans: [{user_id, name, banned_by, timestamp}], before, has_more}, the newest first; for
    owners and admins. `before`, of the page before, asks for the next."""
    most, place = bounded(limit), read_mark(before, BanPlace, "before")

    async def work(connection: AsyncConnection) -> dict[str, Any]:
        await _manager(connection.execute, chat_id, actor)
        found = await bans.page(connection.execute, chat_id, place, most + 1)
        page, end = cut(found, most, lambda row: (row.banned_at, row.user_id))
        return {"bans": [_shown(row) for row in page], "before": end, "has_more": end is not None}

    return await core.database.read(work)


def _shown(row: Any) -> dict[str, Any]:
    who = {"user_id": row.user_id, "name": row.name, "banned_by": row.banned_by}
    return {**who, "timestamp": rfc3339(row.banned_at)}


async def _manager(fetch: Fetch, chat_id: str, actor: str) -> Any:
    """The actor's membership, as owner or admin of a group."""
    chat, mine = await chat_and_member(fetch, chat_id, actor)
    need_group(chat)
    if mine.role not in MANAGERS:
        raise Forbidden("Only owners and admins decide who is banned.")
    return mine
