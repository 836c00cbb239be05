"""Who is in a chat, in the order in which it is shown: owner, admins, then by joining."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, Any, NamedTuple

from msgspec import Meta
from sqlalchemy import ColumnElement, Select, and_, case, func, literal, or_, select, union_all

from quartchat.store.people import Fetch, name_key
from quartchat.store.schema import members, users

SHOWN = 100  # members of a chat in a list of chats
MOST_SHOWN = 2000  # in all of such a list: of many chats fewer of each, but of each at least
LEAST_SHOWN = 2
LARGE = 1000  # members: beyond, the database is asked for each chat by itself
PARTS = 100  # of one statement; SQLite takes 500
Count = Annotated[int, Meta(ge=0, le=2**53)]
# SQL: the order of members.
RANK = case((members.c.role == "owner", 0), (members.c.role == "admin", 1), else_=2)


class MemberPlace(NamedTuple):
    """Where a page of members ended."""

    rank: Count
    since: Count
    user_id: str


async def size(fetch: Fetch, chat_id: str) -> int:
    """How many members a group has: who is removed from the server has left them all."""
    query = select(func.count()).select_from(members).where(members.c.chat_id == chat_id)
    return int((await fetch(query)).scalar_one())


async def first(fetch: Fetch, chat_id: str) -> list[dict[str, Any]]:
    """The first members {user_id, name, role, picture}: owner, admins, then by joining."""
    return (await first_of(fetch, {chat_id: SHOWN + 1})).get(chat_id, [])


async def first_of(fetch: Fetch, sizes: Mapping[str, int]) -> dict[str, list[dict[str, Any]]]:
    """The same of several chats (chat id -> how many members it has) at once; of many chats
    fewer of each (see `share`)."""
    most = share(sizes.values())
    whole = [chat_id for chat_id, size in sizes.items() if size <= most]
    small = [chat_id for chat_id, size in sizes.items() if most < size <= LARGE]
    large = [_first_places(chat_id, most) for chat_id, size in sizes.items() if size > LARGE]
    parts: list[Any] = [_PLACES.where(members.c.chat_id.in_(whole))] if whole else []
    parts += [_first_of_each(small, most)] if small else []
    parts += [union_all(*large[at : at + PARTS]) for at in range(0, len(large), PARTS)]
    found: dict[str, list[dict[str, Any]]] = {}
    for part in parts:
        for chat_id, *member in await fetch(_named(part.subquery())):
            found.setdefault(chat_id, []).append(member_of(*member))
    return found


def share(sizes: Collection[int]) -> int:
    """How many members of each chat are listed, by how many each has: so many that the list
    holds at most `MOST_SHOWN`, but at least `LEAST_SHOWN` and at most `SHOWN` of each."""
    left = MOST_SHOWN
    for place, size in enumerate(sorted(sizes)):
        chats = len(sizes) - place  # which have at least this size
        if size * chats > left:
            return max(LEAST_SHOWN, min(SHOWN, left // chats))
        left -= size
    return SHOWN


_PLACES = select(
    members.c.chat_id, members.c.user_id, members.c.role, members.c.since, RANK.label("rank")
)
_ORDER = (RANK, members.c.since, members.c.user_id)


def _first_of_each(chat_ids: Collection[str], most: int) -> Select[Any]:
    """Of chats that are not large: all their rows are read and sorted."""
    number = func.row_number().over(partition_by=members.c.chat_id, order_by=_ORDER)
    places = _PLACES.add_columns(number.label("number")).where(members.c.chat_id.in_(chat_ids))
    of = places.subquery().c
    return select(of.chat_id, of.user_id, of.role, of.since, of.rank).where(of.number <= most)


def _first_places(chat_id: str, most: int) -> Select[Any]:
    """Of a large chat: the database keeps no more than it gives."""
    first = _PLACES.where(members.c.chat_id == chat_id).order_by(*_ORDER).limit(most)
    return select(first.subquery())


def _named(places: Any) -> Select[Any]:
    of = places.c
    return (
        select(of.chat_id, of.user_id, users.c.name, of.role, users.c.picture)
        .join(users, users.c.id == of.user_id)
        .where(users.c.removed_at.is_(None))
        .order_by(of.rank, of.since, of.user_id)
    )


def member_of(user_id: str, name: str, role: str, picture: str | None) -> dict[str, Any]:
    """A member as shown: `picture` is the digest of one, and becomes its address."""
    return {"user_id": user_id, "name": name, "role": role, "picture": picture_url(picture)}


def picture_url(digest: str | None) -> str | None:
    return f"/pictures/{digest}" if digest else None


async def page(
    fetch: Fetch, chat_id: str, q: str, after: MemberPlace | None, limit: int
) -> list[Any]:
    """Rows (user_id, name, role, picture, since, rank) of members: owner, admins, then by
    joining. `q`: what their names hold."""
    query = (
        select(
            members.c.user_id,
            users.c.name,
            users.c.picture,
            members.c.role,
            members.c.since,
            RANK.label("rank"),
        )
        .join(users, users.c.id == members.c.user_id)
        .where(members.c.chat_id == chat_id, users.c.removed_at.is_(None))
        .order_by(*_ORDER)
        .limit(limit)
    )
    if key := name_key(q):
        query = query.where(users.c.name_key.contains(key, autoescape=True))
    if after is not None:
        query = query.where(_later(after))
    return list(await fetch(query))


def _later(place: MemberPlace) -> ColumnElement[bool]:
    same_since = and_(members.c.since == place.since, members.c.user_id > place.user_id)
    rank = literal(place.rank)
    same_rank = and_(rank == RANK, or_(members.c.since > place.since, same_since))
    return or_(rank < RANK, same_rank)
