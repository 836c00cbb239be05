"""What has been read: up to an event, once per read and not per message."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from quartchat.chat import bell
from quartchat.chat.core import Core, chat_and_member
from quartchat.errors import Invalid
from quartchat.events import Draft, chat_topic, user_topic
from quartchat.protocol import MarkRead
from quartchat.store import audience, rooms
from quartchat.store.notifications import of_chat
from quartchat.store.writer import Transaction


async def mark_read(core: Core, actor: str, wish: MarkRead) -> dict[str, Any]:
    """All up to `event_id` (default: the head) is read, and the notifications of it. Never goes
    back; where no message of others was unread, nothing is appended. Told to the chat, in a
    large one only to the reader. Raises ChatNotFound, NotAMember, Invalid (an event that was
    not yet)."""

    async def work(tx: Transaction) -> dict[str, Any]:
        chat, member = await chat_and_member(tx.fetch, wish.chat_id, actor)
        upto = tx.head if wish.event_id is None else wish.event_id
        if not 0 <= upto <= tx.head:
            raise Invalid("There is no such event yet.", field="event_id")
        tell = await bell.reading(tx, actor, of_chat(chat.id, upto))
        if await audience.any_unread(tx.fetch, member, upto):
            topic = chat_topic(chat.id) if await _shared(tx, chat) else user_topic(actor)
            rooms.set_read(tx, chat.id, actor, upto)
            data = {"user_id": actor, "chat_id": chat.id, "event_id": upto}
            tx.append(Draft(topic, "messages_read", data))
        tell()
        return {"chat_id": chat.id, "event_id": max(upto, member.read_upto)}

    return await core.writer.do(work)


async def _shared(tx: Transaction, chat: Any) -> bool:
    return chat.kind == "direct" or await audience.small(tx.fetch, chat.id)


async def of_members(core: Core, actor: str, chat_id: str) -> dict[str, Any]:
    """{receipts: [{user_id, name, event_id}]}, who has read furthest first; in a large chat
    only one's own. Raises ChatNotFound, NotAMember."""
    return await core.database.read(lambda c: read_receipts(c, actor, chat_id))


async def read_receipts(connection: AsyncConnection, actor: str, chat_id: str) -> dict[str, Any]:
    """The same, as part of a read of more."""
    await chat_and_member(connection.execute, chat_id, actor)
    return {"receipts": await audience.readers(connection.execute, chat_id, actor)}
