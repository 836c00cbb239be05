"""Messages: sending them once, and reading back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from quartchat.chat.core import (
    Core,
    chat_and_member,
    check_client_id,
    is_storable,
)
from quartchat.chat.mentions import candidates
from quartchat.errors import Conflict, Invalid, MessageNotFound, TooLarge, UserNotFound
from quartchat.events import Draft, Event, chat_topic, rfc3339
from quartchat.protocol import SendMessage
from quartchat.store import log, messages, people, rooms
from quartchat.store.writer import Transaction

Ack = dict[str, Any]
EXCERPT = 140
MAX_HISTORY = 200
NOTES = ("chat_created", "user_joined", "user_left", "system_message")


async def send(core: Core, actor: str, wish: SendMessage) -> Ack:
    """Answered once the message is committed; the same client_id again gives the same answer.
    Raises Invalid, TooLarge, ChatNotFound, NotAMember, MessageNotFound (reply_to), Conflict."""
    check_client_id(wish.client_id)
    check_content(wish.content, core.settings.max_content)
    if wish.attachments:
        raise Invalid("This server does not take attachments.", field="attachments")
    return await core.writer.do(lambda tx: _send(tx, actor, wish))


def check_content(content: str, longest: int) -> None:
    if not content.strip():
        raise Invalid("Write something: the message is empty.", field="content")
    if len(content) > longest:
        raise TooLarge(
            f"The message has {len(content):,} characters; {longest:,} are allowed.",
            field="content",
        )
    if not is_storable(content):
        raise Invalid("The message holds characters that are no text (NUL).", field="content")


async def _send(tx: Transaction, actor: str, wish: SendMessage) -> Ack:
    if wish.client_id and (sent := await messages.by_client_id(tx.fetch, actor, wish.client_id)):
        if sent.chat_id != wish.chat_id:
            raise Conflict("This client_id was used for a message in another chat.")
        return _ack(sent.client_id, sent.event_id, sent.timestamp)
    chat, member = await chat_and_member(tx.fetch, wish.chat_id, actor)
    sender = await people.by_id(tx.fetch, actor)
    if sender is None:
        raise UserNotFound
    quoted = await _quote(tx.fetch, chat, member, wish.reply_to) if wish.reply_to else None
    mentions = await _mentioned(tx, wish)
    return append(tx, chat, sender, wish, rfc3339(tx.now), quote=quoted, mentions=mentions)


def append(
    tx: Transaction,
    chat: Any,
    sender: Any,
    wish: SendMessage,
    timestamp: str,
    *,
    quote: dict[str, Any] | None = None,
    mentions: list[str] | None = None,
) -> Ack:
    """Put a message that was checked into the log, with its row."""
    fields: dict[str, Any] = {
        "message_id": "",
        "chat_id": chat.id,
        "sender_id": sender.id,
        "sender": {"user_id": sender.id, "name": sender.name},
        "content": wish.content,
        "timestamp": timestamp,
        "client_id": wish.client_id,
        "attachments": [],
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
    return _ack(wish.client_id, event.id, timestamp)


def _ack(client_id: str | None, event_id: int, timestamp: str) -> Ack:
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
        return await _quote(connection.execute, chat, member, message_id)

    return await core.database.read(work)


async def _quote(fetch: people.Fetch, chat: Any, member: Any, reply_to: str) -> dict[str, Any]:
    found = await messages.get(fetch, reply_to)
    if found is None or found.chat_id != chat.id or found.event_id < first_seen(chat, member):
        raise MessageNotFound("The message that you reply to is not in this chat.")
    text = " ".join(found.content.split())
    excerpt = text if len(text) <= EXCERPT else text[: EXCERPT - 1] + "…"
    return {"message_id": str(found.event_id), "sender_name": found.sender_name, "excerpt": excerpt}


async def _mentioned(tx: Transaction, wish: SendMessage) -> list[str]:
    """The ids of the members of the chat whose names are mentioned, in order of mention."""
    names = candidates(wish.content)
    if not names:
        return []
    found = await people.by_names(tx.fetch, names)
    meant = [found[key].id for key in map(people.name_key, names) if key in found]
    members = await rooms.those_in(tx.fetch, wish.chat_id, meant)
    return [user for user in dict.fromkeys(meant) if user in members]


def first_seen(chat: Any, member: Any | None) -> int:
    """Id of the first message that a member may read back; 0: all."""
    return 0 if chat.history == "all" or member is None else int(member.since)


@dataclass(frozen=True, slots=True)
class Span:
    """Which page of history: the newest messages, those before an event id, or after one."""

    before: int | None = None
    after: int | None = None
    limit: int = 50


async def history(core: Core, actor: str, chat_id: str, span: Span) -> dict[str, Any]:
    """A page, oldest first, with the cursor of its read. Members read what the chat allows
    them; a public room may be read by all users. Raises ChatNotFound, NotAMember."""
    return await core.database.read(lambda c: read_history(c, actor, chat_id, span))


async def read_history(
    connection: AsyncConnection, actor: str, chat_id: str, span: Span
) -> dict[str, Any]:
    """The same, as part of a read of more."""
    chat, member = await _readable(connection, actor, chat_id)
    rows, more = await messages.page(
        connection.execute,
        chat_id,
        first=first_seen(chat, member),
        before=span.before,
        after=span.after,
        limit=max(1, min(span.limit, MAX_HISTORY)),
    )
    page = _history(rows, more, (await log.state(connection)).head)
    return page if member else _without_emails(page)


async def read_timeline(
    connection: AsyncConnection, actor: str, chat_id: str, span: Span
) -> tuple[dict[str, Any], list[Event]]:
    """A page of history, and the comings and goings (as far as the log keeps them) between
    its messages: what somebody would have on the page who had been there."""
    page = await read_history(connection, actor, chat_id, span)
    chat, member = await _readable(connection, actor, chat_id)
    above, upto = first_seen(chat, member) - 1, page["cursor"]
    if span.after is not None and span.before is None:
        above = max(above, span.after)
        upto = page["after"] if page["has_more"] else upto
    else:
        upto = span.before - 1 if span.before is not None else upto
        above = page["before"] - 1 if page["has_more"] else above
    return page, await log.between(connection, chat_topic(chat_id), NOTES, above, upto)


async def _readable(connection: AsyncConnection, actor: str, chat_id: str) -> tuple[Any, Any]:
    """The chat, and the membership of who reads (None in a public room that they may read
    without). Raises ChatNotFound, NotAMember."""
    chat = await rooms.get(connection.execute, chat_id)
    member = await rooms.membership(connection.execute, chat_id, actor) if chat else None
    if chat is None or not (member or (chat.public and chat.history == "all")):
        return await chat_and_member(connection.execute, chat_id, actor)
    return chat, member


def _without_emails(page: dict[str, Any]) -> dict[str, Any]:
    """As somebody sees it who has not joined."""
    for message in page["messages"]:
        message["sender"].pop("email", None)
    return page


def _history(rows: list[Any], more: bool, cursor: int) -> dict[str, Any]:
    return {
        "messages": [{**messages.data_of(row), "event_id": row.event_id} for row in rows],
        "before": rows[0].event_id if rows else None,
        "after": rows[-1].event_id if rows else None,
        "has_more": more,
        "cursor": cursor,
    }
