"""Notifications: who is told what. (What they have read of it: see bell.py.)"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from quartchat.chat.notices import Notice, Place
from quartchat.chat.text import Gist
from quartchat.events import Draft, rfc3339, user_topic
from quartchat.store import audience, marks, notifications
from quartchat.store.messages import other_of
from quartchat.store.people import Fetch
from quartchat.store.writer import Transaction

Row = Any
Tell = Callable[[int, dict[str, Any]], None]


def is_wanted(preferences: str, type_: str) -> bool:
    """Whether a user has this type of notification on."""
    return bool(json.loads(preferences).get("notify", {}).get(type_, True))


async def of_message(
    tx: Transaction,
    chat: Row,
    sender: Row,
    said: Gist,
    mentions: Sequence[str],
    quote_author_id: str | None,
    is_away: Callable[[str], bool],
) -> Tell:
    """Reads whom a message is to be told. What it returns is called once the message was
    appended, with its event id and data: it appends the notifications. Each is written down in
    `traces`, so that deleting the message finds its event; the rows hold nothing of the
    message."""
    mentioned = set(mentions) - {sender.id}
    perhaps = {*await _others(tx.fetch, chat, sender.id), quote_author_id} - mentioned
    away = [user for user in perhaps if user and user != sender.id and is_away(user)]
    if not mentioned and not away:
        return _tell_nobody
    found = await notifications.recipients(tx.fetch, chat.id, mentioned, away)

    def tell(event_id: int, data: dict[str, Any]) -> None:
        for row in found:
            type_ = "mention" if row.id in mentioned else "new_message"
            is_reply = type_ == "new_message" and row.id == quote_author_id
            place = Place(chat.id, chat.kind, chat.title, event_id, said, is_reply)
            notice = Notice(row.id, type_, sender.id, sender.name, data["timestamp"], place)
            add(tx, notice, row)

    return tell


def _tell_nobody(_event_id: int, _data: dict[str, Any]) -> None:
    pass


async def _others(fetch: Fetch, chat: Row, sender_id: str) -> list[str]:
    """Whom all messages of a chat are told while they are away; nobody in a big one."""
    if chat.pair:
        return [other_of(chat.pair, sender_id)]
    return await audience.members_if_small(fetch, chat.id)


def add(tx: Transaction, notice: Notice, recipient: Row) -> None:
    """Append a notification, with its row, unless the recipient (a row as the store's
    `recipient`) has this type off."""
    if not is_wanted(recipient.preferences, notice.type):
        return
    event = tx.append(Draft(user_topic(notice.user_id), "notification", notice.data))
    assert event.id is not None
    more: dict[str, Any] = {"timestamp": notice.timestamp}
    place = notice.place
    if place is not None:
        marks.add_trace(tx, place.message_id, event.id)
        more |= {"is_reply": True} if place.is_reply else {}
    row = {
        "event_id": event.id,
        "user_id": notice.user_id,
        "type": notice.type,
        "actor_id": notice.actor_id,
        "chat_id": place.chat_id if place else None,
        "message_id": place.message_id if place else None,
        "data": more,
    }
    notifications.add(tx, row, recipient.oldest)


async def of_person(tx: Transaction, actor: Row, user_id: str, type_: str) -> Callable[[], None]:
    """Reads whether a user is to be told what `actor` did. What it returns appends the
    notification, unless one of the same waits unread; one that was read makes room for it."""
    same = notifications.of_actor(type_, actor.id)
    waits = await notifications.unread(tx.fetch, user_id, same)
    recipient = await notifications.recipient(tx.fetch, user_id)

    def tell() -> None:
        if not waits:
            notifications.remove(tx, user_id, same)
            add(tx, Notice(user_id, type_, actor.id, actor.name, rfc3339(tx.now)), recipient)

    return tell
