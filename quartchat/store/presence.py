"""Who may know of whose coming and going, who of a chat is here, and when users were last seen.

None of it reads all members of a big chat (see `audience.SMALL_CHAT`)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Select, or_, select, update

from quartchat.store.audience import is_small
from quartchat.store.people import Fetch
from quartchat.store.schema import members, users
from quartchat.store.writer import Transaction

AT_ONCE = 500  # values of one IN


def _chats_of(user_id: str, *, small: bool) -> Select[tuple[str]]:
    mine = members.alias()
    fits = is_small(mine.c.chat_id)
    return select(mine.c.chat_id).where(mine.c.user_id == user_id, fits if small else ~fits)


async def acquaintances(fetch: Fetch, user_id: str) -> list[str]:
    """The members, each once, of the user's small chats."""
    small = _chats_of(user_id, small=True)
    query = select(members.c.user_id).where(members.c.chat_id.in_(small)).distinct()
    return [row.user_id for row in await fetch(query)]


async def members_of_small(fetch: Fetch, user_id: str) -> dict[str, set[str]]:
    """chat id -> its members, of each of the user's small chats."""
    small = _chats_of(user_id, small=True)
    query = select(members.c.chat_id, members.c.user_id).where(members.c.chat_id.in_(small))
    found: dict[str, set[str]] = {}
    for row in await fetch(query):
        found.setdefault(row.chat_id, set()).add(row.user_id)
    return found


async def those_in_big(fetch: Fetch, user_id: str, among: Sequence[str]) -> dict[str, set[str]]:
    """chat id -> those of these users who are members, of each of the user's big chats."""
    found = {row.chat_id: set[str]() for row in await fetch(_chats_of(user_id, small=False))}
    if not found:
        return found
    for some in _batches(among):
        query = select(members.c.chat_id, members.c.user_id).where(
            members.c.user_id.in_(some), members.c.chat_id.in_(list(found))
        )
        for row in await fetch(query):
            found[row.chat_id].add(row.user_id)
    return found


def set_seen(tx: Transaction, seen: Mapping[str, float]) -> None:
    """user id -> when they were last seen; never back to an earlier moment."""
    together: dict[float, list[str]] = {}
    for user_id, at in seen.items():
        together.setdefault(at, []).append(user_id)
    for at, user_ids in together.items():
        earlier = or_(users.c.last_seen.is_(None), users.c.last_seen < at)
        for some in _batches(user_ids):
            who = users.c.id.in_(some) & users.c.removed_at.is_(None) & earlier
            tx.run(update(users).where(who).values(last_seen=at))


def _batches(ids: Collection[str]) -> list[list[str]]:
    listed = list(ids)
    return [listed[first : first + AT_ONCE] for first in range(0, len(listed), AT_ONCE)]
