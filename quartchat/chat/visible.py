"""Who may read which messages: decided here for pages, single messages and what is done to them."""

from __future__ import annotations

from typing import Any

from quartchat.chat.core import chat_and_member
from quartchat.errors import AlreadyGone, Banned, MessageNotFound
from quartchat.store import bans, messages, rooms
from quartchat.store.people import Fetch


def first_seen(chat: Any, member: Any | None) -> int:
    """Id of the first message that a member may read back; 0: all."""
    return 0 if chat.history == "all" or member is None else int(member.since)


async def readable(fetch: Fetch, actor: str, chat_id: str) -> tuple[Any, Any]:
    """The chat, and the membership of who reads (None in a public room that they may read
    without). Raises ChatNotFound, NotAMember, Banned (from a public room)."""
    chat = await rooms.get(fetch, chat_id)
    member = await rooms.membership(fetch, chat_id, actor) if chat else None
    if member is None and (chat is None or not chat.public or chat.history != "all"):
        return await chat_and_member(fetch, chat_id, actor)
    if member is None and await bans.is_banned(fetch, chat_id, actor):
        raise Banned
    return chat, member


async def message(fetch: Fetch, actor: str, message_id: str) -> tuple[Any, Any, Any]:
    """(chat, membership, row) of a message in a chat of the user's. Raises MessageNotFound: whoever
    may not read it does not learn that there is one."""
    row = await messages.get(fetch, message_id)
    chat = await rooms.get(fetch, row.chat_id) if row else None
    member = await rooms.membership(fetch, row.chat_id, actor) if row else None
    if row is None or member is None or row.event_id < first_seen(chat, member):
        raise MessageNotFound
    return chat, member, row


async def standing(fetch: Fetch, actor: str, message_id: str) -> tuple[Any, Any, Any]:
    """The same of one that was not deleted. Raises MessageNotFound, AlreadyGone."""
    chat, member, row = await message(fetch, actor, message_id)
    if row.deleted:
        raise AlreadyGone
    return chat, member, row
