"""What has been read: up to an event, once per read and not per message."""

from __future__ import annotations

from typing import Any

from quartchat.chat.core import Core, chat_and_member
from quartchat.errors import Invalid
from quartchat.events import Draft, chat_topic
from quartchat.protocol import MarkRead
from quartchat.store import rooms
from quartchat.store.writer import Transaction


async def mark_read(core: Core, actor: str, wish: MarkRead) -> dict[str, Any]:
    """All up to `event_id` (default: the head) is read. Never goes back; a repeat appends
    nothing. Raises ChatNotFound, NotAMember, Invalid (an event that was not yet)."""

    async def work(tx: Transaction) -> dict[str, Any]:
        _, member = await chat_and_member(tx.fetch, wish.chat_id, actor)
        upto = tx.head if wish.event_id is None else wish.event_id
        if not 0 <= upto <= tx.head:
            raise Invalid("There is no such event yet.", field="event_id")
        if upto > member.read_upto:
            rooms.set_read(tx, wish.chat_id, actor, upto)
            data = {"user_id": actor, "chat_id": wish.chat_id, "event_id": upto}
            tx.append(Draft(chat_topic(wish.chat_id), "messages_read", data))
        return {"chat_id": wish.chat_id, "event_id": max(upto, member.read_upto)}

    return await core.writer.do(work)
