"""Reactions to messages, and pinning them."""

from __future__ import annotations

from functools import cache
from typing import Any

from quartchat.chat import visible
from quartchat.chat.core import MANAGERS, Core
from quartchat.chat.text import gist_of
from quartchat.errors import Forbidden, Invalid
from quartchat.events import Draft, chat_topic, rfc3339
from quartchat.protocol import PinMessage, React
from quartchat.store import marks, people
from quartchat.store.marks import Given
from quartchat.store.writer import Transaction

Ack = dict[str, Any]
MOST_EMOJI = 20  # different ones on one message
MOST_PINS = 50
LONGEST_EMOJI = 12  # code points: families and flags are sequences
# Unicode Technical Standard 51: a sign that is shown as a picture by itself or because U+FE0F says
# so, with or without a tone of skin; a keycap; a flag; and several of them joined by U+200D.
_EMOJI = r"""
    (?<one> \p{RI}{2}
          | [0-9\#*] \uFE0F? \u20E3
          | (?: \p{EBase}\p{EMod}
              | (?!\p{RI}|\p{EMod}) \p{EPres} \uFE0F?
              | (?!\p{ASCII}) \p{Emoji} \uFE0F )
            (?: [\U000E0020-\U000E007E]+ \U000E007F )? )
    (?: \u200D (?: (?&one) | (?!\p{ASCII}|\p{RI}|\p{EMod}) \p{Emoji} ) )*
    """


@cache
def _emoji() -> Any:
    import regex  # noqa: PLC0415  (3 MB, for the first reaction)

    return regex.compile(_EMOJI, regex.VERBOSE)


def check_emoji(text: str) -> str:
    """Raises Invalid unless this is one emoji, as Unicode writes them."""
    if len(text) > LONGEST_EMOJI or not _emoji().fullmatch(text):
        raise Invalid("A reaction is one emoji.", field="emoji")
    return text


async def react(core: Core, actor: str, wish: React) -> Ack:
    """Put a reaction on a message, or take one's own away (`is_on` false). A repeat changes
    nothing (`event_id` null). Raises Invalid, MessageNotFound, AlreadyGone."""
    check_emoji(wish.emoji)
    return await core.writer.do(lambda tx: _react(tx, actor, wish))


async def _react(tx: Transaction, actor: str, wish: React) -> Ack:
    _, _, row = await visible.standing(tx.fetch, actor, wish.message_id)
    ack = {"message_id": wish.message_id, "event_id": None}
    mine = (row.event_id, wish.emoji, actor)
    if await marks.has_reacted(tx.fetch, *mine) == wish.is_on:
        return ack
    before = (await marks.given(tx.fetch, [row.event_id])).get(row.event_id, [])
    after = _more(before, wish.emoji, (tx.now, actor)) if wish.is_on else _less(before, mine)
    if len(after) > MOST_EMOJI:
        raise Invalid("At most {most} different reactions.", field="emoji", most=MOST_EMOJI)
    person = await people.by_id(tx.fetch, actor)
    (marks.add_reaction if wish.is_on else marks.remove_reaction)(tx, *mine)
    data = {"message_id": wish.message_id, "chat_id": row.chat_id, "user_id": actor}
    data |= {"name": person.name if person else actor, "emoji": wish.emoji, "is_on": wish.is_on}
    data["reactions"] = marks.shown(after)
    event = tx.append(Draft(chat_topic(row.chat_id), "message_reacted", data))
    return {**ack, "event_id": event.id}


def _more(before: list[Given], emoji: str, new: tuple[float, str]) -> list[Given]:
    """What stands on a message once one more has reacted."""
    kinds = {one.emoji: one for one in before}
    same = kinds.setdefault(emoji, Given(emoji, 0))
    same.count += 1
    if len(same.first) <= marks.SHOWN_BY:
        same.first.append(new)
    return list(kinds.values())


def _less(before: list[Given], gone: tuple[int, str, str]) -> list[Given]:
    """What is left once one has taken theirs back."""
    _, emoji, user_id = gone
    for one in before:
        if one.emoji == emoji:
            one.count -= 1
            one.first = [(at, who) for at, who in one.first if who != user_id]
    return [one for one in before if one.count]


async def pin(core: Core, actor: str, wish: PinMessage) -> Ack:
    """Pin a message to its chat, or unpin it; in groups for owners and admins. A repeat changes
    nothing (`event_id` null). Raises MessageNotFound, AlreadyGone, Forbidden, Invalid."""
    return await core.writer.do(lambda tx: _pin(tx, actor, wish))


async def _pin(tx: Transaction, actor: str, wish: PinMessage) -> Ack:
    _, member, row = await visible.standing(tx.fetch, actor, wish.message_id)
    if member.role not in MANAGERS:
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
    data |= {"excerpt": gist_of(row).text, "timestamp": rfc3339(tx.now)}
    event = tx.append(Draft(chat_topic(row.chat_id), "message_pinned", data))
    assert event.id is not None
    marks.add_trace(tx, row.event_id, event.id)
    if wish.is_pinned:
        marks.add_pin(tx, row.chat_id, row.event_id, actor)
    else:
        marks.remove_pin(tx, row.chat_id, row.event_id)
    return {**ack, "event_id": event.id}
