"""What a chat is like (title, description, who may come in, what newcomers may read), and how
each member keeps it for themselves."""

from __future__ import annotations

from typing import Any

import msgspec

from quartchat.chat.core import MANAGERS, Core, chat_and_member, is_storable
from quartchat.chat.rooms import check_history, check_title
from quartchat.errors import Conflict, Forbidden, Invalid
from quartchat.events import Draft, chat_topic, rfc3339, user_topic
from quartchat.store import rooms
from quartchat.store.people import Fetch
from quartchat.store.writer import Transaction

Ack = dict[str, Any]
MAX_DESCRIPTION = 1000
NOTIFY = ("all", "mentions", "none")


class UpdateChat(msgspec.Struct):
    """What is not given (or null) stays."""

    chat_id: str
    title: str | None = None
    description: str | None = None
    public: bool | None = None
    history: str | None = None


class ChatSettings(msgspec.Struct):
    """`notify`: of what in this chat one is notified: "all", "mentions" or "none". What is not
    given (or null) stays."""

    chat_id: str
    notify: str | None = None
    archived: bool | None = None


async def update(core: Core, actor: str, wish: UpdateChat) -> Ack:
    """{chat_id, event_id}; event_id is None where nothing changed. For owners and admins of a
    group. Raises ChatNotFound, NotAMember, Forbidden, Conflict (direct chat), Invalid."""
    values = _checked(wish)

    async def work(tx: Transaction) -> Ack:
        chat = await for_managers(tx.fetch, wish.chat_id, actor)
        changed = {name: value for name, value in values.items() if getattr(chat, name) != value}
        if not changed:
            return {"chat_id": chat.id, "event_id": None}
        rooms.change(tx, chat.id, **changed)
        return told(tx, chat.id, actor, changed)

    return await core.writer.do(work)


async def for_managers(fetch: Fetch, chat_id: str, actor: str) -> Any:
    """The row of a group that the actor may change. Raises ChatNotFound, NotAMember, Conflict,
    Forbidden."""
    chat, mine = await chat_and_member(fetch, chat_id, actor)
    if chat.kind == "direct":
        raise Conflict("A direct chat has no title, description or picture of its own.")
    if mine.role not in MANAGERS:
        raise Forbidden("Only owners and admins may change this chat.")
    return chat


def told(tx: Transaction, chat_id: str, actor: str, changed: dict[str, Any]) -> Ack:
    """Tell the chat what somebody changed of it."""
    data = {"chat_id": chat_id, "user_id": actor, **changed, "timestamp": rfc3339(tx.now)}
    event = tx.append(Draft(chat_topic(chat_id), "chat_updated", data))
    return {"chat_id": chat_id, "event_id": event.id}


def _checked(wish: UpdateChat) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if wish.title is not None:
        values["title"] = check_title(wish.title)
    if wish.description is not None:
        values["description"] = _check_description(wish.description)
    if wish.public is not None:
        values["public"] = wish.public
    if wish.history is not None:
        values["history"] = check_history(wish.history)
    return values


def _check_description(text: str) -> str:
    text = text.replace("\r\n", "\n").strip()
    if len(text) > MAX_DESCRIPTION or not is_storable(text):
        raise Invalid(
            "A description is at most {most:,} characters.",
            field="description",
            most=MAX_DESCRIPTION,
        )
    return text


async def set_mine(core: Core, actor: str, wish: ChatSettings) -> Ack:
    """Mute or archive a chat for oneself: {chat_id, event_id}. Told to one's other devices.
    Raises ChatNotFound, NotAMember, Invalid."""
    if wish.notify is not None and wish.notify not in NOTIFY:
        raise Invalid('One is notified of "all", "mentions" or "none".', field="notify")

    async def work(tx: Transaction) -> Ack:
        _, mine = await chat_and_member(tx.fetch, wish.chat_id, actor)
        before = {"notify": mine.notify, "archived": mine.archived}
        given = {"notify": wish.notify, "archived": wish.archived}
        after = before | {name: value for name, value in given.items() if value is not None}
        if after == before:
            return {"chat_id": wish.chat_id, "event_id": None}
        rooms.set_mine(tx, wish.chat_id, actor, **after)
        data = {"chat_id": wish.chat_id, "user_id": actor, **after}
        event = tx.append(Draft(user_topic(actor), "chat_settings", data))
        return {"chat_id": wish.chat_id, "event_id": event.id}

    return await core.writer.do(work)
