"""Following: one-sided, and the followed is told once."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from quartchat.chat import notifications
from quartchat.chat.core import Core
from quartchat.chat.profiles import card, standing
from quartchat.errors import Invalid
from quartchat.store import friends
from quartchat.store.writer import Transaction

Ack = dict[str, Any]


async def follow(core: Core, actor: str, other: str) -> Ack:
    """{user_id, is_following}. A repeat changes nothing. Raises Invalid (oneself), UserNotFound."""
    if actor == other:
        raise Invalid("You cannot follow yourself.", field="user_id")

    async def work(tx: Transaction) -> Ack:
        me, _ = await standing(tx.fetch, actor), await standing(tx.fetch, other)
        if not await friends.is_following(tx.fetch, actor, other):
            tell = await notifications.of_person(tx, me, other, "new_follower")
            friends.add_follow(tx, actor, other)
            tell()
        return {"user_id": other, "is_following": True}

    return await core.writer.do(work)


async def unfollow(core: Core, actor: str, other: str) -> Ack:
    """{user_id, is_following}. Raises UserNotFound."""

    async def work(tx: Transaction) -> Ack:
        await standing(tx.fetch, other)
        friends.remove_follow(tx, actor, other)
        return {"user_id": other, "is_following": False}

    return await core.writer.do(work)


async def mine(core: Core, actor: str) -> dict[str, Any]:
    """{following, followers}: people {user_id, name, picture} by name."""

    async def work(connection: AsyncConnection) -> dict[str, Any]:
        following = await friends.followed_by(connection.execute, actor)
        followers = await friends.followers_of(connection.execute, actor)
        return {"following": [*map(card, following)], "followers": [*map(card, followers)]}

    return await core.database.read(work)
