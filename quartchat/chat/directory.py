"""Looking around: the public rooms, and who is in a chat."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from quartchat.chat.core import Core
from quartchat.chat.paging import bounded, check_query, cut, read_mark
from quartchat.errors import Banned, ChatNotFound, NotAMember
from quartchat.store import bans, directory, rooms
from quartchat.store import members as stored
from quartchat.store.directory import RoomPlace
from quartchat.store.members import MemberPlace
from quartchat.store.people import Fetch


async def public_rooms(
    core: Core, user_id: str, q: str = "", before: str | None = None, limit: int = 50
) -> dict[str, Any]:
    """{rooms: [{chat_id, title, description, picture, member_count, is_member, last_activity}],
    before, has_more}: public rooms, the largest first, then by title, without those that ban the
    user. `q`: a part of title or description. `before`, of the page before, asks for the next.
    Raises Invalid."""
    q, most = check_query(q), bounded(limit)
    place = read_mark(before, RoomPlace, "before")

    async def work(connection: AsyncConnection) -> dict[str, Any]:
        fetch = connection.execute
        found = await directory.public_rooms(fetch, user_id, q, place, most + 1)
        page, end = cut(found, most, lambda row: (row.member_count, row.title, row.id))
        shown = await directory.shown(fetch, page)
        return {"rooms": shown, "before": end, "has_more": end is not None}

    return await core.database.read(work)


async def members(
    core: Core, actor: str, chat_id: str, q: str = "", after: str | None = None, limit: int = 50
) -> dict[str, Any]:
    """{members: [{user_id, name, role, picture}], member_count, after, has_more}: owner, admins,
    then by joining; of a public room for everybody. `q`: a part of the name. `after`, of the
    page before, asks for the next. Raises ChatNotFound, NotAMember, Banned,
    Invalid."""
    q, most = check_query(q), bounded(limit)
    place = read_mark(after, MemberPlace, "after")

    async def work(connection: AsyncConnection) -> dict[str, Any]:
        fetch = connection.execute
        chat = await _visible(connection, actor, chat_id)
        found = await stored.page(fetch, chat_id, q, place, most + 1)
        page, end = cut(found, most, lambda row: (row.rank, row.since, row.user_id))
        return {
            "members": [
                stored.member_of(row.user_id, row.name, row.role, row.picture) for row in page
            ],
            "member_count": await _count(fetch, chat),
            "after": end,
            "has_more": end is not None,
        }

    return await core.database.read(work)


async def _visible(connection: AsyncConnection, actor: str, chat_id: str) -> Any:
    fetch = connection.execute
    chat = await rooms.get(fetch, chat_id)
    if chat is None:
        raise ChatNotFound
    if await rooms.membership(fetch, chat_id, actor):
        return chat
    if not chat.public:
        raise NotAMember
    if await bans.is_banned(fetch, chat_id, actor):
        raise Banned
    return chat


async def _count(fetch: Fetch, chat: Any) -> int:
    """In a direct chat somebody may be left whose account was removed."""
    return (
        len(await stored.first(fetch, chat.id)) if chat.pair else await stored.size(fetch, chat.id)
    )
