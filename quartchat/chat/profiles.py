"""People as others see them, finding them, and what one changes of oneself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType
from sqlalchemy.ext.asyncio import AsyncConnection

from quartchat.chat.core import Core, chat_and_member, is_storable
from quartchat.chat.people import check_email, check_name
from quartchat.errors import Invalid, NameTaken, UserNotFound
from quartchat.events import Draft, rfc3339, user_topic
from quartchat.store import friends, names, people
from quartchat.store.members import picture_url
from quartchat.store.people import Fetch
from quartchat.store.writer import Transaction

MAX_ABOUT = 500
MOST_FOUND = 20
Tell = Callable[[str, str | None], None]


class EditProfile(msgspec.Struct):
    """What is not given stays; an empty email or text about oneself takes it away."""

    name: str | UnsetType = UNSET
    email: str | UnsetType | None = UNSET
    about: str | UnsetType | None = UNSET


async def standing(fetch: Fetch, user_id: str) -> Any:
    """The row of a user. Raises UserNotFound, also for one who was removed."""
    row = await people.by_id(fetch, user_id)
    if row is None:
        raise UserNotFound
    if row.removed_at is not None:
        raise UserNotFound("This account was removed.")
    return row


def card(row: Any) -> dict[str, Any]:
    """A user in a list: {user_id, name, picture}."""
    return {"user_id": row.id, "name": row.name, "picture": picture_url(row.picture)}


async def me(core: Core, actor: str) -> dict[str, Any]:
    """{user_id, name, picture, email, about, is_admin}. Raises UserNotFound."""
    return _mine(await core.database.read(lambda c: standing(c.execute, actor)))


def _mine(row: Any) -> dict[str, Any]:
    return {**card(row), "email": row.email, "about": row.about, "is_admin": row.is_admin}


async def profile(
    core: Core, actor: str, user_id: str, state_of: Callable[[str], str]
) -> dict[str, Any]:
    """A user as the caller sees them: {user_id, name, about, picture, presence: {state,
    last_seen}, friendship, is_following, follows_you, followers, following}. When they were
    last seen is for friends and for those who share a chat. Raises UserNotFound."""

    async def work(connection: AsyncConnection) -> dict[str, Any]:
        fetch = connection.execute
        row = await standing(fetch, user_id)
        friendship = await _friendship(fetch, actor, user_id)
        knows = friendship in ("self", "friends") or await people.share_chat(fetch, actor, user_id)
        seen = rfc3339(row.last_seen) if knows and row.last_seen is not None else None
        followers, following = await friends.count_follows(fetch, user_id)
        return {
            **card(row),
            "about": row.about,
            "presence": {"state": state_of(user_id), "last_seen": seen},
            "friendship": friendship,
            "is_following": await friends.is_following(fetch, actor, user_id),
            "follows_you": await friends.is_following(fetch, user_id, actor),
            "followers": followers,
            "following": following,
        }

    return await core.database.read(work)


async def _friendship(fetch: Fetch, actor: str, user_id: str) -> str:
    if actor == user_id:
        return "self"
    return friends.as_seen(await friends.between(fetch, actor, user_id), actor)


async def search(
    core: Core, actor: str, prefix: str, chat_id: str | None = None, limit: int = MOST_FOUND
) -> list[dict[str, Any]]:
    """People {user_id, name, picture} whose names begin so, by name; of one's chat, if one is
    named. At most `MOST_FOUND`. Raises ChatNotFound, NotAMember."""
    most = max(1, min(limit, MOST_FOUND))

    async def work(connection: AsyncConnection) -> list[dict[str, Any]]:
        if chat_id:
            await chat_and_member(connection.execute, chat_id, actor)
        name = prefix.strip().removeprefix("@")
        rows = await names.by_prefix(connection.execute, name, most, chat_id)
        return [card(row) for row in rows]

    return await core.database.read(work)


async def change(core: Core, actor: str, wish: EditProfile) -> dict[str, Any]:
    """Change one's profile; the new one as `me`. Told on one's own topic, a new name to friends
    too. Raises Invalid, NameTaken, UserNotFound."""
    values = _checked(wish)

    async def work(tx: Transaction) -> None:
        row = await standing(tx.fetch, actor)
        changed = {name: value for name, value in values.items() if getattr(row, name) != value}
        if not changed:
            return
        name = changed.get("name", row.name)
        holder = await people.by_name(tx.fetch, name)
        if holder is not None and holder.id != actor:
            raise NameTaken(field="name")
        tell = await telling(tx, actor, to_friends=name != row.name)
        people.change(tx, actor, **changed)
        tell(name, row.picture)

    await core.writer.do(work)
    return await me(core, actor)


async def telling(tx: Transaction, user_id: str, *, to_friends: bool = True) -> Tell:
    """Reads who is told of a new name or picture. What it returns is called with the name and
    the picture's digest that hold now, and appends `user_updated` for each."""
    others = await friends.ids_of_friends(tx.fetch, user_id) if to_friends else []

    def tell(name: str, picture: str | None) -> None:
        data = {"user_id": user_id, "name": name, "picture": picture_url(picture)}
        for who in (user_id, *others):
            tx.append(Draft(user_topic(who), "user_updated", data))

    return tell


def _checked(wish: EditProfile) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if wish.name is not UNSET:
        values["name"] = check_name(wish.name)
    if wish.email is not UNSET:
        values["email"] = check_email(wish.email)
    if wish.about is not UNSET:
        values["about"] = _check_about(wish.about or "")
    return values


def _check_about(about: str) -> str:
    about = about.strip()
    if len(about) > MAX_ABOUT or not is_storable(about):
        raise Invalid("At most {most} characters about yourself.", field="about", most=MAX_ABOUT)
    return about
