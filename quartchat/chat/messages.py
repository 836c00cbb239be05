"""Sending messages, once each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from quartchat.chat import notifications, visible
from quartchat.chat.attachments import check_number, to_send
from quartchat.chat.core import Core, chat_and_member, check_client_id, is_storable
from quartchat.chat.mentions import candidates
from quartchat.chat.redaction import REMOVED
from quartchat.chat.text import gist, gist_of
from quartchat.errors import (
    Conflict,
    Invalid,
    MessageNotFound,
    TooLarge,
    Unauthenticated,
    UserNotFound,
)
from quartchat.events import Draft, chat_topic, rfc3339
from quartchat.protocol import SendMessage
from quartchat.store import files, marks, messages, people, rooms
from quartchat.store.people import Fetch
from quartchat.store.writer import Transaction

Ack = dict[str, Any]
IsAway = Callable[[str], bool]


def nobody(_user_id: str) -> bool:
    """Nobody is away."""
    return False


async def send(core: Core, actor: str, wish: SendMessage, is_away: IsAway = nobody) -> Ack:
    """Answered once the message is committed; the same client_id again gives the same answer.
    Who is mentioned is notified, and who `is_away`. Raises Invalid, TooLarge, ChatNotFound,
    NotAMember, MessageNotFound (reply_to), AttachmentNotFound, UserNotFound (a direct chat's
    other side), Conflict."""
    check_client_id(wish.client_id)
    has_files = bool(wish.attachments)
    check_content(wish.content, core.settings.max_content, may_be_empty=has_files)
    check_number(wish.attachments, core.settings.max_attachments)
    return await core.writer.do(lambda tx: _send(tx, actor, wish, is_away))


def check_not_empty(content: str) -> None:
    if not content.strip():
        raise Invalid("Write something: the message is empty.", field="content")


def check_content(content: str, longest: int, *, may_be_empty: bool = False) -> None:
    if not may_be_empty:
        check_not_empty(content)
    if len(content) > longest:
        raise TooLarge(
            "The message has {size:,} characters; {longest:,} are allowed.",
            field="content",
            size=len(content),
            longest=longest,
        )
    if not is_storable(content):
        raise Invalid("The message holds characters that are no text (NUL).", field="content")


async def _send(tx: Transaction, actor: str, wish: SendMessage, is_away: IsAway) -> Ack:
    if wish.client_id and (sent := await messages.by_client_id(tx.fetch, actor, wish.client_id)):
        if sent.chat_id != wish.chat_id:
            raise Conflict("This client_id was used for a message in another chat.")
        return ack_of(sent.client_id, sent.event_id, sent.timestamp)
    chat, member = await chat_and_member(tx.fetch, wish.chat_id, actor)
    sender = await _sender(tx.fetch, actor, chat)
    quoted, quote_author = await _quote(tx.fetch, chat, member, wish.reply_to)
    mentions = await mentioned(tx.fetch, wish.chat_id, wish.content)
    chosen = await to_send(tx.fetch, actor, wish.chat_id, wish.attachments)
    said = gist(wish.content, chosen)
    notify = await notifications.of_message(tx, chat, sender, said, mentions, quote_author, is_away)
    more: dict[str, Any] = {"attachments": chosen, "quote": quoted, "mentions": mentions}
    return append(tx, chat, sender, wish, rfc3339(tx.now), **more, then=notify)


async def _sender(fetch: Fetch, actor: str, chat: Any) -> Any:
    """Raises UserNotFound, also for the other side of a direct chat, if it was removed."""
    other = messages.other_of(chat.pair, actor) if chat.pair else actor
    found = await people.existing(fetch, {actor, other})
    if actor not in found or other not in found:
        raise UserNotFound
    if found[actor].removed_at is not None:
        raise Unauthenticated(REMOVED)
    if found[other].removed_at is not None:
        raise UserNotFound("This account was removed; nobody would read the message.")
    return found[actor]


def append(
    tx: Transaction,
    chat: Any,
    sender: Any,
    wish: SendMessage,
    timestamp: str,
    *,
    attachments: Sequence[dict[str, Any]] = (),
    quote: dict[str, Any] | None = None,
    mentions: list[str] | None = None,
    then: Callable[[int, dict[str, Any]], None] | None = None,
) -> Ack:
    """Put a message that was checked into the log, with its row; `then` is called with its id
    and data."""
    fields: dict[str, Any] = {
        "message_id": "",
        "chat_id": chat.id,
        "sender_id": sender.id,
        "sender": {"user_id": sender.id, "name": sender.name},
        "content": wish.content,
        "timestamp": timestamp,
        "client_id": wish.client_id,
        "attachments": list(attachments),
        "reply_to": quote["message_id"] if quote else None,
        "quote": quote,
        "mentions": mentions or [],
    }
    if sender.email:
        fields["sender"]["email"] = sender.email
    if chat.pair:
        fields["receiver_id"] = messages.other_of(chat.pair, sender.id)
    topic = chat_topic(chat.id)
    event = tx.append(Draft(topic, "new_message", lambda id_: {**fields, "message_id": str(id_)}))
    assert event.id is not None
    messages.add(tx, fields, event.id)
    files.claim(tx, [one["attachment_id"] for one in attachments], event.id)
    if quote:
        marks.add_trace(tx, int(quote["message_id"]), event.id)
    if then is not None:
        then(event.id, {**fields, "message_id": str(event.id)})
    return ack_of(wish.client_id, event.id, timestamp)


def ack_of(client_id: str | None, event_id: int, timestamp: str) -> Ack:
    return {
        "client_id": client_id,
        "message_id": str(event_id),
        "event_id": event_id,
        "timestamp": timestamp,
    }


async def quote(core: Core, actor: str, chat_id: str, message_id: str) -> dict[str, Any]:
    """What a reply to this message quotes. Raises ChatNotFound, NotAMember, MessageNotFound."""

    async def work(connection: AsyncConnection) -> dict[str, Any]:
        chat, member = await chat_and_member(connection.execute, chat_id, actor)
        return (await _quote(connection.execute, chat, member, message_id))[0] or {}

    return await core.database.read(work)


async def _quote(
    fetch: Fetch, chat: Any, member: Any, reply_to: str | None
) -> tuple[dict[str, Any] | None, str | None]:
    """The quote, and whose message it is."""
    if not reply_to:
        return None, None
    found = await messages.get(fetch, reply_to)
    if (
        found is None
        or found.chat_id != chat.id
        or found.event_id < visible.first_seen(chat, member)
    ):
        raise MessageNotFound(
            "The message that you reply to is not in this chat.", field="reply_to"
        )
    if found.deleted:
        raise MessageNotFound("The message that you reply to was deleted.", field="reply_to")
    text = gist_of(found).text
    quoted = {"message_id": str(found.event_id), "sender_name": found.sender_name}
    return {**quoted, "excerpt": text}, found.sender_id


async def mentioned(fetch: Fetch, chat_id: str, content: str) -> list[str]:
    """The ids of the members of the chat whose names are mentioned, in order of mention."""
    names = candidates(content)
    if not names:
        return []
    found = await people.by_names(fetch, names)
    meant = [found[key].id for key in map(people.name_key, names) if key in found]
    members = await rooms.those_in(fetch, chat_id, meant)
    return [user for user in dict.fromkeys(meant) if user in members]
