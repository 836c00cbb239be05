"""Friends: asking, accepting, declining, taking back, ending. A pair has one friendship, whoever
asked first; each change is told to both on their own topics. A request that was declined is not
told as such: to who asked it looks as if it waited, and for `QUIET_SECONDS` they can ask again as
often as they like without the other hearing of it."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from quartchat.chat import bell, notifications
from quartchat.chat.core import Core
from quartchat.chat.profiles import card, standing
from quartchat.errors import Conflict, Invalid, NotFound
from quartchat.events import Draft, user_topic
from quartchat.store import friends, log
from quartchat.store.notifications import of_actor
from quartchat.store.writer import Transaction

Ack = dict[str, Any]
REQUEST, ACCEPTED = "friend_request", "friend_accepted"
QUIET_SECONDS = 30 * 86400


async def ask(core: Core, actor: str, other: str) -> Ack:
    """Ask for friendship; who was asked by the other accepts with it, also after they declined. A
    repeat changes nothing. {user_id, friendship} as the caller sees it now. Raises Invalid
    (oneself), UserNotFound."""
    if actor == other:
        raise Invalid("You cannot be a friend of yourself.", field="user_id")

    async def work(tx: Transaction) -> Ack:
        me, them, row = await _pair(tx, actor, other)
        if _waits_for(row, actor):
            return await _befriend(tx, me, them)
        if row is not None and row.declined_at is not None and row.asked_by == actor:
            return await _ask_again(tx, me, them, row)
        now = friends.as_seen(row, actor)
        return _ack(other, now) if now != "none" else await _ask(tx, me, them)

    return await core.writer.do(work)


def _waits_for(row: Any, actor: str) -> bool:
    """Whether the other one has asked, and would be a friend if the actor wants, too."""
    if row is None or row.accepted_at is not None or row.asked_by == actor:
        return False
    return bool(row.asked_at != friends.TAKEN_BACK)


async def _ask(tx: Transaction, me: Any, them: Any) -> Ack:
    tell = await notifications.of_person(tx, me, them.id, REQUEST)
    friends.remove(tx, me.id, them.id)  # what one declined of the other who took it back
    friends.add(tx, me.id, them.id)
    _announce(tx, me, them, "asked", "asks")
    tell()
    return _ack(them.id, "asked")


async def _ask_again(tx: Transaction, me: Any, them: Any, row: Any) -> Ack:
    if tx.now - row.declined_at >= QUIET_SECONDS:
        return await _ask(tx, me, them)
    if row.asked_at == friends.TAKEN_BACK:
        friends.ask_again(tx, me.id, them.id)
        _say(tx, me, them, "asked")
    return _ack(them.id, "asked")


async def accept(core: Core, actor: str, other: str) -> Ack:
    """Say yes to who asked; again: nothing more. Raises UserNotFound, NotFound (no request),
    Conflict (the caller asked)."""

    async def work(tx: Transaction) -> Ack:
        me, them, row = await _pair(tx, actor, other)
        now = friends.as_seen(row, actor)
        if now == "none":
            raise NotFound("There is no friend request of this user; perhaps it was taken back.")
        if now == "asked":
            raise Conflict("You asked this user; it is for them to accept.")
        return _ack(other, now) if now == "friends" else await _befriend(tx, me, them)

    return await core.writer.do(work)


async def decline(core: Core, actor: str, other: str) -> Ack:
    """Say no to who asked, who is not told; where there is no request, nothing happens. Raises
    UserNotFound, Conflict (the caller asked, or they are friends)."""

    async def work(tx: Transaction) -> Ack:
        me, them, row = await _pair(tx, actor, other)
        now = friends.as_seen(row, actor)
        if now == "friends":
            raise Conflict("You are friends already; end the friendship instead.")
        if now == "asked":
            raise Conflict("You asked this user; take your request back instead.")
        return await _decline(tx, me, them) if now == "asks" else _ack(other, now)

    return await core.writer.do(work)


async def _decline(tx: Transaction, me: Any, them: Any) -> Ack:
    answered = await bell.reading(tx, me.id, of_actor(REQUEST, them.id))
    friends.decline(tx, me.id, them.id)
    _say(tx, me, them, "none")
    answered()
    return _ack(them.id, "none")


async def end(core: Core, actor: str, other: str) -> Ack:
    """Take back what one asked, or end the friendship, or decline. Raises UserNotFound."""

    async def work(tx: Transaction) -> Ack:
        me, them, row = await _pair(tx, actor, other)
        now = friends.as_seen(row, actor)
        if now == "none":
            return _ack(other, "none")
        if now == "asks":
            return await _decline(tx, me, them)
        if row.declined_at is not None:
            friends.take_back(tx, actor, other)
            _say(tx, me, them, "none")
            return _ack(other, "none")
        return await _part(tx, me, them)

    return await core.writer.do(work)


async def _pair(tx: Transaction, actor: str, other: str) -> tuple[Any, Any, Any]:
    """The rows of both, and that of what they are to each other."""
    me, them = await standing(tx.fetch, actor), await standing(tx.fetch, other)
    return me, them, await friends.between(tx.fetch, actor, other)


async def _befriend(tx: Transaction, me: Any, them: Any) -> Ack:
    tell = await notifications.of_person(tx, me, them.id, ACCEPTED)
    answered = await bell.reading(tx, me.id, of_actor(REQUEST, them.id))
    friends.accept(tx, me.id, them.id)
    _announce(tx, me, them, "friends", "friends")
    tell()
    answered()
    return _ack(them.id, "friends")


async def _part(tx: Transaction, me: Any, them: Any) -> Ack:
    mine = await bell.reading(tx, me.id, of_actor(REQUEST, them.id))
    theirs = await bell.reading(tx, them.id, of_actor(REQUEST, me.id))
    friends.remove(tx, me.id, them.id)
    _announce(tx, me, them, "none", "none")
    mine()
    theirs()
    return _ack(them.id, "none")


def _announce(tx: Transaction, me: Any, them: Any, as_i_see: str, as_they_see: str) -> None:
    _say(tx, me, them, as_i_see)
    _say(tx, them, me, as_they_see)


def _say(tx: Transaction, who: Any, other: Any, now: str) -> None:
    data = {"user_id": other.id, "name": other.name, "friendship": now}
    tx.append(Draft(user_topic(who.id), "friend_updated", data))


def _ack(other: str, now: str) -> Ack:
    return {"user_id": other, "friendship": now}


async def mine(core: Core, actor: str) -> dict[str, Any]:
    """{friends, asking, asked, cursor}: people {user_id, name, picture} by name; `asking` wait
    for the caller's answer, `asked` were asked by the caller."""
    return await core.database.read(lambda c: read_mine(c, actor))


async def read_mine(connection: AsyncConnection, actor: str) -> dict[str, Any]:
    """The same, as part of a read of more."""
    rows = await friends.of_user(connection.execute, actor)
    seen = [(friends.as_seen(row, actor), card(row)) for row in rows]
    lists = {"friends": "friends", "asking": "asks", "asked": "asked"}
    found: dict[str, Any] = {
        name: [person for now, person in seen if now == state] for name, state in lists.items()
    }
    return {**found, "cursor": (await log.state(connection)).head}
