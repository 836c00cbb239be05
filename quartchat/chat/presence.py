"""Who is here: signals that are not stored. What is kept of it is when somebody was last seen."""

from __future__ import annotations

import asyncio
import heapq

import structlog

from quartchat.chat.comings import Comings
from quartchat.chat.core import Core
from quartchat.chat.lastseen import LastSeen
from quartchat.chat.typing import Typists
from quartchat.protocol import Typing

log = structlog.get_logger("quartchat.presence")
LEASE_SECONDS = 35.0  # a client that polls is away between two polls, but not gone
AWAY_SECONDS = 300.0  # without doing anything
NOTE_SECONDS = 300.0  # how old `last_seen` of those who are here may be after a crash
SWEEP_SECONDS = 5.0


class Presence:
    """`hold` and `release` count a user's open connections; the last release starts a lease.
    All that ends by itself is ended by `sweep`, which `run` calls every few seconds."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._typists = Typists(core)
        self._last_seen = LastSeen(core)
        self._held: dict[str, int] = {}
        self._left: dict[str, float] = {}  # whose last connection closed then, and may come back
        self._active: dict[str, float] = {}  # of all who are here: when they last did something
        self._away: set[str] = set()
        self._noted = core.clock()
        self._comings = Comings(core)

    def hold(self, user_id: str, *, is_new: bool = True) -> None:
        """A connection opened. `is_new`: by somebody's doing, which one of many polls is not."""
        was_here = self.is_online(user_id)
        self._left.pop(user_id, None)
        self._held[user_id] = self._held.get(user_id, 0) + 1
        if not was_here:
            self._announce("user_online", user_id)
        if is_new or not was_here:
            self.touch(user_id)

    def release(self, user_id: str) -> None:
        self._held[user_id] -= 1
        if self._held[user_id] == 0:
            del self._held[user_id]
            self._left[user_id] = self._core.clock()

    def touch(self, user_id: str) -> None:
        """They did something now. Who has no connection does not come online by it."""
        now = self._core.clock()
        if not self.is_online(user_id):
            self._last_seen.note(user_id, now)
            return
        self._active[user_id] = now
        if user_id in self._away:
            self._away.discard(user_id)
            self._announce("user_online", user_id)

    def is_online(self, user_id: str) -> bool:
        """Whether they have a connection, or had one a moment ago; also while they are away."""
        return user_id in self._held or user_id in self._left

    def is_away_or_gone(self, user_id: str) -> bool:
        return self.state(user_id) != "online"

    def state(self, user_id: str) -> str:
        """ "online", "away" or "offline"."""
        if not self.is_online(user_id):
            return "offline"
        return "away" if user_id in self._away else "online"

    def online(self) -> set[str]:
        """The ids of all who are here, those who are away among them."""
        return {*self._held, *self._left}

    def away(self) -> set[str]:
        return set(self._away)

    def last_active(self, most: int) -> list[str]:
        """So many of those who are here: who did something last."""
        if len(self._active) <= most:
            return list(self._active)
        return heapq.nlargest(most, self._active, key=self._active.__getitem__)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            try:
                await self.sweep()
            except Exception as error:  # it must live on: nobody would go offline any more
                log.error("sweep_failed", error=f"{type(error).__name__}: {error}"[:300])

    async def sweep(self) -> None:
        """End what is over by the clock, and write down who was last seen when."""
        now = self._core.clock()
        for user_id in [one for one, at in self._left.items() if now - at >= LEASE_SECONDS]:
            self._gone(user_id)
        for user_id, at in self._active.items():
            if now - at >= AWAY_SECONDS and user_id not in self._away:
                self._away.add(user_id)
                self._announce("user_away", user_id)
        self._typists.sweep()
        if now - self._noted >= NOTE_SECONDS:
            self._note_all(now)
        await self._last_seen.write()

    def _gone(self, user_id: str) -> None:
        self._last_seen.note(user_id, self._left.pop(user_id))
        del self._active[user_id]
        self._away.discard(user_id)
        self._announce("user_offline", user_id)

    def _note_all(self, now: float) -> None:
        self._noted = now
        for user_id in self.online():
            self._last_seen.note(user_id, self._left.get(user_id, now))

    def _announce(self, type_: str, user_id: str) -> None:
        self._comings.tell(type_, user_id)

    def typing(self) -> dict[str, set[str]]:
        """chat id -> who is typing in it."""
        return self._typists.of_chats()

    async def set_typing(self, actor: str, wish: Typing) -> None:
        """Tell the chat; stops by itself after 6 s. Raises ChatNotFound, NotAMember."""
        await self._typists.set(actor, wish)

    def stopped(self, chat_id: str, user_id: str) -> None:
        """Whoever has sent a message is not typing it any more."""
        self._typists.stop(chat_id, user_id)

    async def close(self) -> None:
        self._typists.close()
        self._note_all(self._core.clock())
        await self._last_seen.write()
        await self._comings.close()
