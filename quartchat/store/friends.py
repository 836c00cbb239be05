"""Rows of friendships and follows."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ColumnElement,
    and_,
    case,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from quartchat.store.people import Fetch
from quartchat.store.schema import follows, friendships, users
from quartchat.store.writer import Transaction

MOST_LISTED = 1000
TAKEN_BACK = 0.0
INSERT, INSERT_FOLLOW = insert(friendships), insert(follows)


def _pair(one: str, other: str) -> ColumnElement[bool]:
    first, second = sorted((one, other))
    return and_(friendships.c.first_id == first, friendships.c.second_id == second)


async def between(fetch: Fetch, one: str, other: str) -> Any | None:
    """Their row: `asked_by`, `asked_at` (0: taken back after it was declined), `accepted_at`,
    `declined_at` (both None: not answered yet)."""
    return (await fetch(select(friendships).where(_pair(one, other)))).one_or_none()


def as_seen(row: Any | None, user_id: str) -> str:
    """A row as one of the two sees it: "none", "friends", "asked" (by this user), "asks". Who was
    declined does not learn of it; who declined sees nothing more of it."""
    if row is None or row.asked_at == TAKEN_BACK:
        return "none"
    if row.accepted_at is not None:
        return "friends"
    if row.asked_by == user_id:
        return "asked"
    return "asks" if row.declined_at is None else "none"


def add(tx: Transaction, asker: str, other: str) -> None:
    first, second = sorted((asker, other))
    row = {"first_id": first, "second_id": second, "asked_by": asker, "asked_at": tx.now}
    tx.run(INSERT, row)


def accept(tx: Transaction, one: str, other: str) -> None:
    _set(tx, one, other, accepted_at=tx.now, declined_at=None)


def decline(tx: Transaction, one: str, other: str) -> None:
    _set(tx, one, other, declined_at=tx.now)


def ask_again(tx: Transaction, asker: str, other: str) -> None:
    """After it was declined: the other one still sees nothing of it."""
    _set(tx, asker, other, asked_at=tx.now)


def take_back(tx: Transaction, asker: str, other: str) -> None:
    """What was declined: the row stays, so that it stays declined."""
    _set(tx, asker, other, asked_at=TAKEN_BACK)


def _set(tx: Transaction, one: str, other: str, **values: Any) -> None:
    tx.run(update(friendships).where(_pair(one, other)).values(**values))


def remove(tx: Transaction, one: str, other: str) -> None:
    tx.run(delete(friendships).where(_pair(one, other)))


def _other(user_id: str) -> ColumnElement[str]:
    """SQL: the other one of a user's friendship."""
    mine = friendships.c.first_id == user_id
    return case((mine, friendships.c.second_id), else_=friendships.c.first_id)


def _mine(user_id: str) -> ColumnElement[bool]:
    return or_(friendships.c.first_id == user_id, friendships.c.second_id == user_id)


def _seen_by(user_id: str) -> ColumnElement[bool]:
    """SQL: of which `as_seen` says anything but "none"."""
    declined = friendships.c.declined_at.is_not(None)
    not_mine = friendships.c.asked_by != user_id
    return ~(declined & (not_mine | (friendships.c.asked_at == TAKEN_BACK)))


async def of_user(fetch: Fetch, user_id: str) -> list[Any]:
    """id, name, picture, and what `as_seen` reads, of the newest `MOST_LISTED`, by name."""
    when = func.coalesce(friendships.c.accepted_at, friendships.c.asked_at)
    query = (
        select(
            users.c.id,
            users.c.name,
            users.c.name_key,
            users.c.picture,
            friendships.c.asked_by,
            friendships.c.asked_at,
            friendships.c.accepted_at,
            friendships.c.declined_at,
        )
        .join(users, users.c.id == _other(user_id))
        .where(_mine(user_id), _seen_by(user_id), users.c.removed_at.is_(None))
        .order_by(when.desc())
        .limit(MOST_LISTED)
    )
    return sorted(await fetch(query), key=lambda row: row.name_key)


async def ids_of_friends(fetch: Fetch, user_id: str, most: int = MOST_LISTED) -> list[str]:
    query = select(_other(user_id).label("id")).where(
        _mine(user_id), friendships.c.accepted_at.is_not(None)
    )
    return [row.id for row in await fetch(query.limit(most))]


def _follow(follower: str, followed: str) -> ColumnElement[bool]:
    return and_(follows.c.follower_id == follower, follows.c.followed_id == followed)


async def is_following(fetch: Fetch, follower: str, followed: str) -> bool:
    return bool((await fetch(select(exists().where(_follow(follower, followed))))).scalar_one())


async def _count(fetch: Fetch, column: Any, user_id: str) -> int:
    query = select(func.count()).select_from(follows).where(column == user_id)
    return int((await fetch(query)).scalar_one())


async def count_follows(fetch: Fetch, user_id: str) -> tuple[int, int]:
    """(followers, following)"""
    followers = await _count(fetch, follows.c.followed_id, user_id)
    return followers, await _count(fetch, follows.c.follower_id, user_id)


async def _listed(fetch: Fetch, mine: Any, other: Any, user_id: str) -> list[Any]:
    query = (
        select(users.c.id, users.c.name, users.c.name_key, users.c.picture)
        .join(follows, other == users.c.id)
        .where(mine == user_id, users.c.removed_at.is_(None))
        .order_by(follows.c.followed_at.desc())
        .limit(MOST_LISTED)
    )
    return sorted(await fetch(query), key=lambda row: row.name_key)


async def followers_of(fetch: Fetch, user_id: str) -> list[Any]:
    """id, name, picture of the newest `MOST_LISTED`, by name."""
    return await _listed(fetch, follows.c.followed_id, follows.c.follower_id, user_id)


async def followed_by(fetch: Fetch, user_id: str) -> list[Any]:
    return await _listed(fetch, follows.c.follower_id, follows.c.followed_id, user_id)


def add_follow(tx: Transaction, follower: str, followed: str) -> None:
    row = {"follower_id": follower, "followed_id": followed, "followed_at": tx.now}
    tx.run(INSERT_FOLLOW, row)


def remove_follow(tx: Transaction, follower: str, followed: str) -> None:
    tx.run(delete(follows).where(_follow(follower, followed)))
