"""Changing and deleting messages. A deleted one keeps its place, and nothing of it is left in
what the log gives out from then on."""

from __future__ import annotations

from typing import Any

from quartchat.chat import bell, visible
from quartchat.chat.core import MANAGERS, Core
from quartchat.chat.messages import check_content, check_not_empty, mentioned
from quartchat.chat.redaction import without
from quartchat.errors import Forbidden
from quartchat.events import Draft, Event, chat_topic, rfc3339
from quartchat.protocol import EditMessage, MessageOnly
from quartchat.store import files, marks, messages
from quartchat.store.people import Fetch
from quartchat.store.writer import Transaction

Ack = dict[str, Any]
NO_FILES = "[]"


async def edit(core: Core, actor: str, wish: EditMessage) -> Ack:
    """Change one's own message. The same text again changes nothing (`event_id` null). Raises
    Invalid, TooLarge, MessageNotFound, AlreadyGone, Forbidden."""
    check_content(wish.content, core.settings.max_content, may_be_empty=True)
    return await core.writer.do(lambda tx: _edit(tx, actor, wish))


async def _edit(tx: Transaction, actor: str, wish: EditMessage) -> Ack:
    _, _, row = await visible.standing(tx.fetch, actor, wish.message_id)
    if row.sender_id != actor:
        raise Forbidden("Only who wrote a message may change it.")
    if row.attachments == NO_FILES:
        check_not_empty(wish.content)
    if row.content == wish.content:
        return _ack(row.event_id, None, row.edited_at or row.timestamp)
    mentions = await mentioned(tx.fetch, row.chat_id, wish.content)
    whole = await _whole(tx.fetch, row)
    now = rfc3339(tx.now)
    whole |= {"user_id": actor, "content": wish.content, "mentions": mentions, "edited_at": now}
    event = tx.append(Draft(chat_topic(row.chat_id), "message_edited", whole))
    messages.change(
        tx,
        row.event_id,
        content=wish.content,
        edited_at=now,
        mentions=messages.encode(mentions),
    )
    _trace(tx, row, event)
    return _ack(row.event_id, event.id, now)


async def _whole(fetch: Fetch, row: Any) -> dict[str, Any]:
    """The message as in history: who has only this event can show it."""
    put_on = await marks.of(fetch, [row.event_id])
    return {**messages.data_of(row), **put_on.get(row.event_id, {})}


def _trace(tx: Transaction, row: Any, event: Event) -> None:
    assert event.id is not None
    marks.add_trace(tx, row.event_id, event.id)
    if row.reply_to:
        marks.add_trace(tx, row.reply_to, event.id)


async def delete(core: Core, actor: str, wish: MessageOnly) -> Ack:
    """Delete one's own message, or in a group as an owner or admin anybody's. What repeated it
    (edits, quotes, notifications) is redacted in the same transaction. A repeat changes nothing
    (`event_id` null). Raises MessageNotFound, Forbidden."""
    return await core.writer.do(lambda tx: _delete(tx, actor, wish.message_id))


async def _delete(tx: Transaction, actor: str, message_id: str) -> Ack:
    chat, member, row = await visible.message(tx.fetch, actor, message_id)
    moderates = chat.kind == "group" and member.role in MANAGERS
    if row.sender_id != actor and not moderates:
        raise Forbidden("Only who wrote a message, or an admin of the chat, may delete it.")
    if row.deleted:
        return _ack(row.event_id, None, rfc3339(tx.now))
    data = {"message_id": message_id, "chat_id": row.chat_id, "user_id": actor}
    data |= {"sender_id": row.sender_id, "timestamp": rfc3339(tx.now)}
    event = await take_out(tx, [row], data)
    return _ack(row.event_id, event.id, data["timestamp"])


async def take_out(tx: Transaction, rows: list[Any], data: dict[str, Any]) -> Event:
    """Redact these messages of one chat everywhere, and append the event that says so of the
    last of them. What was notified of them is read with it."""
    found = [(row, await marks.carriers(tx.fetch, row.event_id)) for row in rows]
    replies = [await messages.replies_to(tx.fetch, row.event_id) for row in rows]
    read = await bell.reading_of_messages(tx, [row.event_id for row in rows])
    event = tx.append(Draft(chat_topic(data["chat_id"]), "message_deleted", data))
    for (row, carriers), answers in zip(found, replies, strict=True):
        for carrier in carriers:
            tx.redact(carrier, without(carrier, str(row.event_id)))
        for answer in answers:
            messages.change(tx, answer.event_id, quote=messages.encode(_empty(answer.quote)))
        gone: dict[str, Any] = {"content": "", "quote": None, "deleted": True}
        messages.change(tx, row.event_id, **gone, mentions="[]", attachments=NO_FILES)
        if row.attachments != NO_FILES:
            files.let_go_of_message(tx, row.event_id)
        marks.remove_all(tx, row.event_id)
    read()
    return event


def _empty(quote: str) -> dict[str, Any]:
    return {**messages.decode(quote), "excerpt": "", "deleted": True}


def _ack(message_id: int, event_id: int | None, timestamp: str) -> Ack:
    return {"message_id": str(message_id), "event_id": event_id, "timestamp": timestamp}
