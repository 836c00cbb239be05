"""Chats: making them, and what a user sees of theirs."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from quartchat.chat.core import (
    Core,
    check_client_id,
    is_storable,
    is_visible,
    new_id,
    pair_of,
)
from quartchat.errors import Conflict, Invalid, UserNotFound
from quartchat.events import DELETED_USER, Draft, chat_topic, rfc3339
from quartchat.protocol import CreateChat
from quartchat.store import bans, directory, log, members, messages, people, rooms
from quartchat.store.people import Fetch
from quartchat.store.writer import Transaction

MAX_TITLE = 100
MAX_FIRST_MEMBERS = 200
MOST_CHATS = 1000  # of one user


async def create(core: Core, actor: str, wish: CreateChat) -> tuple[str, bool]:
    """(chat id, whether it is new). The one direct chat of a pair is found, not made twice;
    the same client_id again gives the same chat. Raises Invalid (also: in too many chats),
    UserNotFound, Conflict (the chat of this client_id was left)."""
    check_client_id(wish.client_id)
    if wish.kind == "direct":
        return await core.writer.do(lambda tx: _direct(core, tx, actor, wish))
    if wish.kind == "group":
        title = check_title(wish.title)
        return await core.writer.do(lambda tx: _group(core, tx, actor, wish, title))
    raise Invalid('The kind of a chat is "direct" or "group".', field="kind")


def check_title(title: str) -> str:
    title = " ".join(title.split())
    if not is_visible(title) or len(title) > MAX_TITLE or not is_storable(title):
        raise Invalid("A title is 1 to {most} characters.", field="title", most=MAX_TITLE)
    return title


async def need_place(core: Core, fetch: Fetch, user_id: str) -> None:
    """Whoever makes a chat or comes in by themselves may not be in too many. Raises Invalid."""
    if core.settings.no_limits:
        return
    if await rooms.count_mine(fetch, user_id) >= MOST_CHATS:
        raise Invalid("You are in {most:,} chats already, and that is the most.", most=MOST_CHATS)


def check_history(history: str) -> str:
    if history not in ("all", "joined"):
        raise Invalid(
            'The history of a chat is for "all" or from when one "joined".', field="history"
        )
    return history


async def _direct(core: Core, tx: Transaction, actor: str, wish: CreateChat) -> tuple[str, bool]:
    if not wish.user_id:
        raise Invalid("Say with whom: a direct chat needs a user_id.", field="user_id")
    if wish.user_id == actor:
        raise Invalid("A direct chat is with somebody else than yourself.", field="user_id")
    await _need_users(tx, [wish.user_id], "user_id")
    pair = pair_of(actor, wish.user_id)
    if found := await rooms.by_pair(tx.fetch, pair):
        return found.id, False
    await need_place(core, tx.fetch, actor)
    chat = {"kind": "direct", "title": "", "public": False, "history": "all", "pair": pair}
    wish.client_id = None  # the pair itself is the key
    return await _insert(tx, actor, wish, chat, [wish.user_id]), True


async def _group(
    core: Core, tx: Transaction, actor: str, wish: CreateChat, title: str
) -> tuple[str, bool]:
    if wish.client_id and (made := await _made(tx, actor, wish.client_id)):
        return made, False
    await need_place(core, tx.fetch, actor)
    others = list(dict.fromkeys(user for user in wish.members if user != actor))
    if len(others) > MAX_FIRST_MEMBERS:
        raise Invalid("At most {most} members at first.", field="members", most=MAX_FIRST_MEMBERS)
    await _need_users(tx, others, "members")
    history = check_history(wish.history or ("all" if wish.public else "joined"))
    chat = {"kind": "group", "title": title, "public": wish.public, "history": history}
    return await _insert(tx, actor, wish, {**chat, "pair": None}, others), True


async def _made(tx: Transaction, actor: str, client_id: str) -> str | None:
    """The chat that was made with this client_id. Raises Conflict: it could not be shown."""
    found = await rooms.by_client_id(tx.fetch, actor, client_id)
    if found is not None and await rooms.membership(tx.fetch, found.id, actor) is None:
        raise Conflict(
            "You made a chat with this client_id and are not in it any more; take another.",
            field="client_id",
        )
    return str(found.id) if found else None


async def _need_users(tx: Transaction, user_ids: list[str], field: str) -> None:
    found = await people.existing(tx.fetch, user_ids)
    missing = [user for user in user_ids if user not in found or found[user].removed_at is not None]
    if missing:
        raise UserNotFound("There is no user {name!r}.", field=field, name=missing[0][:60])


async def _insert(
    tx: Transaction, actor: str, wish: CreateChat, chat: dict[str, Any], others: list[str]
) -> str:
    chat_id = new_id()
    creator = await people.by_id(tx.fetch, actor)
    if creator is None:
        raise UserNotFound
    row = {**chat, "id": chat_id, "created_at": tx.now, "created_by": actor}
    tx.run(rooms.INSERT_CHAT, {**row, "client_id": wish.client_id})
    data = {
        "chat_id": chat_id,
        "kind": chat["kind"],
        "title": chat["title"],
        "public": chat["public"],
        "user_id": actor,
        "name": creator.name,
        "members": [actor, *others],
        "timestamp": rfc3339(tx.now),
    }
    event = tx.append(Draft(chat_topic(chat_id), "chat_created", data))
    assert event.id is not None
    rooms.add_member(tx, chat_id, actor, "owner", event.id)
    for user in others:
        role = "owner" if chat["kind"] == "direct" else "member"
        rooms.add_member(tx, chat_id, user, role, event.id)
    return chat_id


async def my_chats(core: Core, user_id: str) -> dict[str, Any]:
    """`my_chats`, with the cursor of the read that made it; one at a time of each user."""
    return await core.read_in_turn(user_id, lambda c: read_my_chats(c, user_id))


async def read_my_chats(connection: AsyncConnection, user_id: str) -> dict[str, Any]:
    """The same, as part of a read of more."""
    rows = await rooms.mine(connection.execute, user_id)
    chats = await _views(connection, user_id, rows)
    return {"chats": chats, "cursor": (await log.state(connection)).head}


async def one(core: Core, user_id: str, chat_id: str) -> dict[str, Any] | None:
    """One chat of the user as in `my_chats`, or None."""

    async def work(connection: AsyncConnection) -> dict[str, Any] | None:
        rows = await rooms.mine(connection.execute, user_id, chat_id)
        return next(iter(await _views(connection, user_id, rows)), None)

    return await core.database.read(work)


async def _views(
    connection: AsyncConnection, user_id: str, rows: list[Any]
) -> list[dict[str, Any]]:
    fetch = connection.execute
    newest = await messages.by_events(fetch, [row.last for row in rows if row.last])
    people_of = await members.first_of(fetch, {row.id: row.member_count for row in rows})
    return [_view(user_id, row, people_of.get(row.id, []), newest.get(row.last)) for row in rows]


def _view(user_id: str, row: Any, members: list[dict[str, Any]], last: Any) -> dict[str, Any]:
    face = _other(row, user_id, members) if row.pair else _group_face(row)
    return {
        "chat_id": row.id,
        "kind": row.kind,
        **face,
        "public": row.public,
        "history": row.history,
        "role": row.role,
        "unread": row.unread,
        "read_upto": row.read_upto,
        "notify": row.notify,
        "archived": row.archived,
        "last_message": {**messages.data_of(last), "event_id": last.event_id} if last else None,
        "members": members,
        "member_count": len(members) if row.pair else row.member_count,
    }


def _group_face(chat: Any) -> dict[str, Any]:
    face = {"title": chat.title, "description": chat.description, "other_id": None}
    return {**face, "picture": members.picture_url(chat.picture)}


def _other(row: Any, user_id: str, members: list[dict[str, Any]]) -> dict[str, Any]:
    """A direct chat looks like the other person in it."""
    other_id = messages.other_of(row.pair, user_id)
    other = next((one for one in members if one["user_id"] == other_id), None)
    return {
        "title": str(other["name"]) if other else DELETED_USER,
        "description": "",
        "other_id": other_id,
        "picture": other["picture"] if other else None,
    }


async def preview(core: Core, chat_id: str, user_id: str | None = None) -> dict[str, Any] | None:
    """A public room as somebody sees it who has not joined; None for any other chat, and for
    one that bans this user."""

    async def work(connection: AsyncConnection) -> dict[str, Any] | None:
        fetch = connection.execute
        chat = await rooms.get(fetch, chat_id)
        if chat is None or not chat.public:
            return None
        if user_id is not None and await bans.is_banned(fetch, chat_id, user_id):
            return None
        return {
            "chat_id": chat_id,
            "kind": chat.kind,
            **_group_face(chat),
            "public": True,
            "history": chat.history,
            "role": None,
            "unread": 0,
            "last_message": None,
            "members": await members.first(fetch, chat_id),
            "member_count": await members.size(fetch, chat_id),
        }

    return await core.database.read(work)


async def open_rooms(core: Core, user_id: str) -> list[dict[str, Any]]:
    """The largest public rooms that the user may join, as in the directory."""
    return await core.database.read(lambda c: directory.open_to(c.execute, user_id))


def need_group(chat: Any) -> None:
    if chat.kind == "direct":
        raise Conflict("A direct chat always has the same two people.")
