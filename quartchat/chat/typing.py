"""Who is typing: signals that are not stored and end by themselves."""

from __future__ import annotations

import asyncio

from quartchat.chat.core import Core, chat_and_member
from quartchat.events import chat_topic, ephemeral
from quartchat.protocol import Typing
from quartchat.store import audience
from quartchat.store.people import Fetch

TYPING_SECONDS = 6.0
# Who goes on typing is told again after so long: less than the 3 s after which a browser says so.
QUIET_SECONDS = 2.5
MOST_IN_BIG = 5  # in a big chat nobody reads a longer list, and each is told to all its members


class Typists:
    """Those who type, each until a moment, the earliest first."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._until: dict[tuple[str, str], float] = {}
        self._told: dict[tuple[str, str], float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def of_chats(self) -> dict[str, set[str]]:
        """chat id -> who is typing in it."""
        found: dict[str, set[str]] = {}
        for chat_id, user_id in self._until:
            found.setdefault(chat_id, set()).add(user_id)
        return found

    async def set(self, actor: str, wish: Typing) -> None:
        """Tell the chat, unless it was told just now. Of those who type in a big chat at once only
        the first few are told. Raises ChatNotFound, NotAMember."""
        is_small = await self._core.database.read(lambda c: _is_small(c.execute, actor, wish))
        key = (wish.chat_id, actor)
        if not wish.is_typing:
            self.stop(*key)
        elif is_small or self._has_room(*key):
            self._go_on(key, self._core.clock())
            self._wait()

    def _go_on(self, key: tuple[str, str], now: float) -> None:
        self._until.pop(key, None)  # to the end: the order is that of the moments
        self._until[key] = now + TYPING_SECONDS
        if not 0 <= now - self._told.get(key, -QUIET_SECONDS) < QUIET_SECONDS:
            self._told[key] = now
            self._signal("user_typing", key)

    def _has_room(self, chat_id: str, user_id: str) -> bool:
        others = [who for chat, who in self._until if chat == chat_id and who != user_id]
        return len(others) < MOST_IN_BIG

    def stop(self, chat_id: str, user_id: str) -> None:
        if self._until.pop((chat_id, user_id), None) is not None:
            self._told.pop((chat_id, user_id), None)
            self._signal("user_stopped_typing", (chat_id, user_id))

    def sweep(self) -> None:
        """Those whose time is over have stopped."""
        now = self._core.clock()
        for chat_id, user_id in [key for key, until in self._until.items() if until <= now]:
            self.stop(chat_id, user_id)

    def _wait(self) -> None:
        if self._timer is None and self._until:
            left = next(iter(self._until.values())) - self._core.clock()
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(min(max(0.05, left), TYPING_SECONDS), self._look)

    def _look(self) -> None:
        self._timer = None
        self.sweep()
        self._wait()

    def _signal(self, type_: str, key: tuple[str, str]) -> None:
        chat_id, user_id = key
        data = {"user_id": user_id, "chat_id": chat_id}
        self._core.bus.signal(ephemeral(type_, data, chat_topic(chat_id)))

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._until.clear()
        self._told.clear()


async def _is_small(fetch: Fetch, actor: str, wish: Typing) -> bool:
    await chat_and_member(fetch, wish.chat_id, actor)
    return await audience.small(fetch, wish.chat_id)
