"""Invitations by link: whoever knows the link comes in, until it expires or is used up."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from quartchat.chat.core import MANAGERS, Core, chat_and_member, check_client_id, new_id
from quartchat.chat.membership import Ack, admit
from quartchat.chat.rooms import need_group, need_place
from quartchat.errors import (
    Banned,
    Conflict,
    Forbidden,
    Invalid,
    InviteExpired,
    InviteNotFound,
)
from quartchat.events import rfc3339
from quartchat.store import bans, invites, members, rooms
from quartchat.store.people import Fetch
from quartchat.store.writer import Transaction

MOST_LIVE = 50  # of one chat
WEEK = 7 * 86400
SHORTEST, LONGEST = 300, 365 * 86400  # seconds
MOST_USES = 10_000


class MakeInvite(msgspec.Struct):
    """`expires_in`: seconds; `max_uses`: how many may come in by it, None: any number;
    `client_id`: of the one who makes it, in this chat."""

    chat_id: str
    expires_in: int = WEEK
    max_uses: int | None = None
    client_id: str | None = None


async def make(core: Core, actor: str, wish: MakeInvite) -> dict[str, Any]:
    """The new invitation {invite_id, chat_id, url, expires_at, max_uses, uses, created_by}, or the
    one that was made with this client_id; for owners and admins. Raises ChatNotFound, NotAMember,
    Forbidden, Conflict (a direct chat; too many), Invalid."""
    _check(wish)
    invite_id = core.id_of("invite", actor, wish.chat_id, wish.client_id or new_id())

    async def work(tx: Transaction) -> dict[str, Any]:
        await _need_manager(tx.fetch, wish.chat_id, actor)
        if (before := await invites.get(tx.fetch, invite_id)) is not None:
            return _shown(dict(before._mapping))
        if await invites.count_live(tx.fetch, wish.chat_id, tx.now) >= MOST_LIVE:
            raise Conflict(
                "A chat has at most {most} invitations at once; end one first.", most=MOST_LIVE
            )
        row = _row(tx, invite_id, actor, wish)
        invites.forget_old(tx, wish.chat_id)
        invites.add(tx, row)
        return _shown(row)

    return await core.writer.do(work)


def _check(wish: MakeInvite) -> None:
    check_client_id(wish.client_id)
    if not SHORTEST <= wish.expires_in <= LONGEST:
        raise Invalid("An invitation lasts from 5 minutes to a year.", field="expires_in")
    if wish.max_uses is not None and not 1 <= wish.max_uses <= MOST_USES:
        raise Invalid(
            "An invitation is for 1 to {most:,} people, or for any number.",
            field="max_uses",
            most=MOST_USES,
        )


def _row(tx: Transaction, invite_id: str, actor: str, wish: MakeInvite) -> dict[str, Any]:
    return {
        "id": invite_id,
        "chat_id": wish.chat_id,
        "created_by": actor,
        "created_at": tx.now,
        "expires_at": tx.now + wish.expires_in,
        "max_uses": wish.max_uses,
        "uses": 0,
    }


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "invite_id": row["id"],
        "chat_id": row["chat_id"],
        "url": f"/invite/{row['id']}",
        "expires_at": rfc3339(row["expires_at"]),
        "max_uses": row["max_uses"],
        "uses": row["uses"],
        "created_by": row["created_by"],
    }


async def live(core: Core, actor: str, chat_id: str) -> dict[str, Any]:
    """{invites: […]} that still let somebody in, the newest first, each as `make` gives it with
    `maker_name`; for owners and admins."""

    async def work(connection: AsyncConnection) -> dict[str, Any]:
        await _need_manager(connection.execute, chat_id, actor)
        rows = await invites.live(connection.execute, chat_id, core.clock())
        shown = [{**_shown(dict(row._mapping)), "maker_name": row.maker_name} for row in rows]
        return {"invites": shown}

    return await core.database.read(work)


async def end(core: Core, actor: str, chat_id: str, invite_id: str) -> Ack:
    """End an invitation: {chat_id, invite_id}. Raises InviteNotFound."""

    async def work(tx: Transaction) -> Ack:
        await _need_manager(tx.fetch, chat_id, actor)
        row = await invites.get(tx.fetch, invite_id)
        if row is None or row.chat_id != chat_id:
            raise InviteNotFound
        invites.remove(tx, invite_id)
        return {"chat_id": chat_id, "invite_id": invite_id}

    return await core.writer.do(work)


async def preview(core: Core, actor: str, invite_id: str) -> dict[str, Any]:
    """What the link leads to: {invite_id, chat: {chat_id, title, description, picture,
    member_count}, invited_by: {user_id, name}, expires_at, is_member}. Raises InviteNotFound,
    InviteExpired, Banned."""

    async def work(connection: AsyncConnection) -> dict[str, Any]:
        fetch = connection.execute
        row, member = await _open(fetch, actor, invite_id, core.clock())
        return {
            "invite_id": invite_id,
            "chat": await _face(fetch, row.chat_id),
            "invited_by": {"user_id": row.created_by, "name": row.maker_name},
            "expires_at": rfc3339(row.expires_at),
            "is_member": member is not None,
        }

    return await core.database.read(work)


async def _face(fetch: Fetch, chat_id: str) -> dict[str, Any]:
    chat: Any = await rooms.get(fetch, chat_id)
    return {
        "chat_id": chat_id,
        "title": chat.title,
        "description": chat.description,
        "picture": members.picture_url(chat.picture),
        "member_count": await members.size(fetch, chat_id),
    }


async def accept(core: Core, actor: str, invite_id: str) -> Ack:
    """Come in by a link: {chat_id, event_id}; event_id is None, and no use counted, for who is
    in already. They came by themselves: `by` of `user_joined` is their own id. Raises
    InviteNotFound, InviteExpired, Banned, Invalid (in too many chats)."""

    async def work(tx: Transaction) -> Ack:
        row, member = await _open(tx.fetch, actor, invite_id, tx.now)
        if member is not None:
            return {"chat_id": row.chat_id, "event_id": None}
        await need_place(core, tx.fetch, actor)
        ack = await admit(tx, row.chat_id, actor, by=actor)
        invites.use(tx, invite_id)
        return ack

    return await core.writer.do(work)


async def _open(fetch: Fetch, actor: str, invite_id: str, now: float) -> tuple[Any, Any]:
    """The invitation, and the membership of who holds it, if they are in: to them it leads as
    long as it is there."""
    row = await invites.get(fetch, invite_id)
    if row is None:
        raise InviteNotFound
    member = await rooms.membership(fetch, row.chat_id, actor)
    if member is None and await bans.is_banned(fetch, row.chat_id, actor):
        raise Banned
    if member is None and row.expires_at <= now:
        raise InviteExpired
    if member is None and not invites.is_live(row, now):
        raise InviteExpired("This invitation was used up; ask for a new one.")
    return row, member


async def _need_manager(fetch: Fetch, chat_id: str, actor: str) -> None:
    chat, mine = await chat_and_member(fetch, chat_id, actor)
    need_group(chat)
    if mine.role not in MANAGERS:
        raise Forbidden("Only owners and admins may invite by a link.")
