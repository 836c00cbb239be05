"""Reactions to messages, and pinning them."""

from __future__ import annotations

import unicodedata
from typing import Any

from quartchat.chat import visible
from quartchat.chat.core import Core
from quartchat.chat.text import excerpt
from quartchat.errors import Forbidden, Invalid
from quartchat.events import Draft, chat_topic, rfc3339
from quartchat.protocol import PinMessage, React
from quartchat.store import marks, people
from quartchat.store.writer import Transaction

Ack = dict[str, Any]
MOST_EMOJI = 20  # different ones on one message
MOST_PINS = 50
LONGEST_EMOJI = 12  # code points: families and flags are sequences
MODIFIERS = frozenset("\u200d\ufe0f\u20e3")


def check_emoji(text: str) -> str:
    """Raises Invalid unless this may be one emoji: symbols, their modifiers, and keycaps."""
    plain = [char for char in text if char not in MODIFIERS]
    signs = [char for char in plain if unicodedata.category(char) in ("So", "Sk")]
    keycap = text.endswith("\u20e3") and len(plain) == 1 and plain[0] in "0123456789#*"
    tagged = all(0xE0020 <= ord(char) <= 0xE007F for char in plain if char not in signs)
    if len(text) > LONGEST_EMOJI or not (keycap or (signs and tagged)):
        raise Invalid("A reaction is one emoji.", field="emoji")
    return text


async def react(core: Core, actor: str, wish: React) -> Ack:
    """Put a reaction on a message, or take one's own away (`is_on` false). A repeat changes
    nothing (`event_id` null). Raises Invalid, MessageNotFound, AlreadyGone."""
    check_emoji(wish.emoji)
    return await core.writer.do(lambda tx: _react(tx, actor, wish))


async def _react(tx: Transaction, actor: str, wish: React) -> Ack:
    _, _, row = await visible.standing(tx.fetch, actor, wish.message_id)
    given = await marks.reactions_to(tx.fetch, row.event_id)
    mine = (wish.emoji, actor)
    ack = {"message_id": wish.message_id, "event_id": None}
    if (mine in given) == wish.is_on:
        return ack
    kinds = {emoji for emoji, _ in given} | {wish.emoji}
    if wish.is_on and len(kinds) > MOST_EMOJI:
        raise Invalid("At most {most} different reactions.", field="emoji", most=MOST_EMOJI)
    person = await people.by_id(tx.fetch, actor)
    if wish.is_on:
        marks.add_reaction(tx, row.event_id, *mine)
    else:
        marks.remove_reaction(tx, row.event_id, *mine)
    after = [*given, mine] if wish.is_on else [one for one in given if one != mine]
    data = {"message_id": wish.message_id, "chat_id": row.chat_id, "user_id": actor}
    data |= {"name": person.name if person else actor, "emoji": wish.emoji, "is_on": wish.is_on}
    data["reactions"] = marks.summed(after)
    event = tx.append(Draft(chat_topic(row.chat_id), "message_reacted", data))
    return {**ack, "event_id": event.id}


async def pin(core: Core, actor: str, wish: PinMessage) -> Ack:
    """Pin a message to its chat, or unpin it; in groups for owners and admins. A repeat changes
    nothing (`event_id` null). Raises MessageNotFound, AlreadyGone, Forbidden, Invalid."""
    return await core.writer.do(lambda tx: _pin(tx, actor, wish))


async def _pin(tx: Transaction, actor: str, wish: PinMessage) -> Ack:
    _, member, row = await visible.standing(tx.fetch, actor, wish.message_id)
    if member.role not in ("owner", "admin"):
        raise Forbidden("Only owners and admins may pin messages.")
    ack = {"message_id": wish.message_id, "event_id": None}
    pinned = row.event_id in await marks.pinned_in(tx.fetch, row.chat_id)
    if pinned == wish.is_pinned:
        return ack
    if wish.is_pinned and await marks.count_pins(tx.fetch, row.chat_id) >= MOST_PINS:
        raise Invalid("At most {most} messages are pinned; unpin one first.", most=MOST_PINS)
    person = await people.by_id(tx.fetch, actor)
    data = {"message_id": wish.message_id, "chat_id": row.chat_id, "user_id": actor}
    data |= {"name": person.name if person else actor, "is_pinned": wish.is_pinned}
    data |= {"excerpt": excerpt(row.content), "timestamp": rfc3339(tx.now)}
    event = tx.append(Draft(chat_topic(row.chat_id), "message_pinned", data))
    assert event.id is not None
    marks.add_trace(tx, row.event_id, event.id)
    if wish.is_pinned:
        marks.add_pin(tx, row.chat_id, row.event_id, actor)
    else:
        marks.remove_pin(tx, row.chat_id, row.event_id)
    return {**ack, "event_id": event.id}
