"""The commands of the protocol: one table, whatever way a command came."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from quartchat import protocol
from quartchat.chat import edits, marks, membership, messages, receipts, rooms
from quartchat.chat.core import Core
from quartchat.chat.presence import Presence
from quartchat.chat.status import status
from quartchat.errors import RateLimited, UnknownType
from quartchat.limits import Buckets

Answer = tuple[str, dict[str, Any]] | None
SIGNAL_FACTOR = 4  # typing and receipts may come this much more often than messages


@dataclass(frozen=True, slots=True)
class Command:
    """`answer`: the type of the reply, None when there is none."""

    shape: type[msgspec.Struct]
    run: Callable[[Commands, str, Any], Awaitable[dict[str, Any] | None]]
    answer: str | None = "ack"


class Commands:
    def __init__(self, core: Core, presence: Presence, clock: Callable[[], float]) -> None:
        self.core, self.presence = core, presence
        rate, burst = core.settings.messages_per_second, core.settings.messages_burst
        self._messages = Buckets(rate, burst, clock)
        self._signals = Buckets(rate * SIGNAL_FACTOR, burst * SIGNAL_FACTOR, clock)

    async def run(
        self, actor: str, name: str, data: Mapping[str, Any], *, lenient: bool = False
    ) -> Answer:
        """(type, data) of the answer. Raises ChatError: UnknownType, Invalid, RateLimited, and
        what the verb raises."""
        command = TABLE.get(name)
        if command is None:
            raise UnknownType("There is no command {name!r}.", name=name[:60])
        self.check_rate(actor, name)
        if name not in READING:
            self.presence.touch(actor)
        wish = protocol.shape(data, command.shape, lenient=lenient)
        found = await command.run(self, actor, wish)
        return None if command.answer is None else (command.answer, found or {})

    def check_rate(self, actor: str, name: str = "") -> None:
        """Raises RateLimited. What is no command (HTTP alone has it) counts like a message."""
        if self.core.settings.no_limits:
            return
        buckets = self._messages if name not in SIGNALS else self._signals
        wait = buckets.take(actor)
        if wait:
            raise RateLimited(retry_after=wait)

    async def send(self, actor: str, wish: protocol.SendMessage) -> dict[str, Any]:
        ack = await messages.send(self.core, actor, wish, self.presence.is_away_or_gone)
        self.presence.stopped(wish.chat_id, actor)
        return ack

    async def edit(self, actor: str, wish: protocol.EditMessage) -> dict[str, Any]:
        return await edits.edit(self.core, actor, wish)

    async def delete(self, actor: str, wish: protocol.MessageOnly) -> dict[str, Any]:
        return await edits.delete(self.core, actor, wish)

    async def react(self, actor: str, wish: protocol.React) -> dict[str, Any]:
        return await marks.react(self.core, actor, wish)

    async def pin(self, actor: str, wish: protocol.PinMessage) -> dict[str, Any]:
        return await marks.pin(self.core, actor, wish)

    async def active(self, actor: str, _: protocol.Nothing) -> None:
        """That they did something, which each command counts as."""

    async def typing(self, actor: str, wish: protocol.Typing) -> None:
        await self.presence.set_typing(actor, wish)

    async def mark_read(self, actor: str, wish: protocol.MarkRead) -> dict[str, Any]:
        return await receipts.mark_read(self.core, actor, wish)

    async def my_chats(self, actor: str, _: protocol.Nothing) -> dict[str, Any]:
        return await rooms.my_chats(self.core, actor)

    async def chat_status(self, actor: str, _: protocol.Nothing) -> dict[str, Any]:
        return await status(self.core, self.presence, actor)

    async def join(self, actor: str, wish: protocol.ChatOnly) -> dict[str, Any]:
        return await membership.join(self.core, actor, wish)

    async def leave(self, actor: str, wish: protocol.ChatOnly) -> dict[str, Any]:
        return await membership.leave(self.core, actor, wish)


READING = frozenset({"get_my_chats", "get_chat_status"})  # programs ask again and again
SIGNALS = READING | {"typing", "mark_read", "active"}
TABLE: dict[str, Command] = {
    "send_message": Command(protocol.SendMessage, Commands.send),
    "edit_message": Command(protocol.EditMessage, Commands.edit),
    "delete_message": Command(protocol.MessageOnly, Commands.delete),
    "react": Command(protocol.React, Commands.react),
    "pin_message": Command(protocol.PinMessage, Commands.pin),
    "active": Command(protocol.Nothing, Commands.active, answer=None),
    "typing": Command(protocol.Typing, Commands.typing, answer=None),
    "mark_read": Command(protocol.MarkRead, Commands.mark_read),
    "get_my_chats": Command(protocol.Nothing, Commands.my_chats, "my_chats"),
    "get_chat_status": Command(protocol.Nothing, Commands.chat_status, "chat_status"),
    "join_chat": Command(protocol.ChatOnly, Commands.join),
    "leave_chat": Command(protocol.ChatOnly, Commands.leave),
}
