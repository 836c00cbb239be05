"""The directory of public rooms."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

from msgspec import Meta
from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from quartchat.events import rfc3339
from quartchat.store.members import picture_url
from quartchat.store.people import Fetch, name_key
from quartchat.store.schema import bans, chats, members, messages

Count = Annotated[int, Meta(ge=0, le=2**53)]


class RoomPlace(NamedTuple):
    """Where a page of rooms ended."""

    member_count: Count
    title: str
    chat_id: str


def _public(user_id: str) -> Select[Any]:
    """The public rooms that do not ban the user."""
    joined = members.alias()
    size = select(func.count()).where(members.c.chat_id == chats.c.id)
    banned = select(bans.c.chat_id).where(bans.c.user_id == user_id)
    return (
        select(
            chats.c.id,
            chats.c.title,
            chats.c.description,
            chats.c.picture,
            chats.c.created_at,
            size.scalar_subquery().label("member_count"),
            joined.c.user_id.is_not(None).label("is_member"),
        )
        .outerjoin(joined, and_(joined.c.chat_id == chats.c.id, joined.c.user_id == user_id))
        .where(chats.c.public, chats.c.id.not_in(banned))
    )


async def public_rooms(
    fetch: Fetch, user_id: str, q: str, after: RoomPlace | None, limit: int
) -> list[Any]:
    """Rows of public rooms, the largest first, then by title. `q`: what title or description
    holds, whatever the case of its letters; databases know the cases of some scripts only, so
    the rows are looked through here."""
    rooms = _public(user_id).subquery()
    query = select(rooms).order_by(rooms.c.member_count.desc(), rooms.c.title, rooms.c.id)
    if after is not None:
        query = query.where(_behind(rooms.c, after))
    if not (key := name_key(q)):
        return list(await fetch(query.limit(limit)))
    found = await fetch(query)
    return [row for row in found if key in name_key(f"{row.title}\n{row.description}")][:limit]


def _behind(columns: Any, place: RoomPlace) -> ColumnElement[bool]:
    size, title = columns.member_count, columns.title
    same_title = and_(title == place.title, columns.id > place.chat_id)
    same_size = and_(size == place.member_count, or_(title > place.title, same_title))
    return or_(size < place.member_count, same_size)


async def open_to(fetch: Fetch, user_id: str, limit: int = 100) -> list[dict[str, Any]]:
    """The largest public rooms that the user has not joined and may."""
    rooms = _public(user_id).subquery()
    query = select(rooms).where(~rooms.c.is_member)
    best = query.order_by(rooms.c.member_count.desc(), rooms.c.title, rooms.c.id).limit(limit)
    return await shown(fetch, list(await fetch(best)))


async def shown(fetch: Fetch, rows: list[Any]) -> list[dict[str, Any]]:
    """Rooms {chat_id, title, description, picture, member_count, is_member, last_activity}."""
    last = await _last_said(fetch, [row.id for row in rows])
    return [
        {
            "chat_id": row.id,
            "title": row.title,
            "description": row.description,
            "picture": picture_url(row.picture),
            "member_count": row.member_count,
            "is_member": bool(row.is_member),
            "last_activity": last.get(row.id) or rfc3339(row.created_at),
        }
        for row in rows
    ]


async def _last_said(fetch: Fetch, chat_ids: list[str]) -> dict[str, str]:
    """chat id -> the time of its newest message."""
    newest = select(func.max(messages.c.event_id)).where(messages.c.chat_id == chats.c.id)
    query = (
        select(chats.c.id, messages.c.timestamp)
        .join(messages, messages.c.event_id == newest.correlate(chats).scalar_subquery())
        .where(chats.c.id.in_(chat_ids))
    )
    return {row.id: row.timestamp for row in await fetch(query)}
