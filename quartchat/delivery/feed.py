"""The log as readers see it: the tail in front of the store, and the wake-ups behind it.

What this process commits comes in through `committed`; what other processes wrote (an
import, another node) is found by looking at the log's head now and then (`follow`).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Collection
from dataclasses import dataclass

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from quartchat.bus.base import Bus
from quartchat.delivery.scopes import REMOVED, Scope, Scopes
from quartchat.events import Event, Page, user_topic
from quartchat.store import log as rows
from quartchat.store.engine import Database
from quartchat.store.tail import Tail, page_of
from quartchat.store.writer import Transaction

FOLLOW_PAGE = 1000
REDACTING = frozenset({"message_deleted", REMOVED})
log = structlog.get_logger("quartchat.feed")


class CursorLost(Exception):
    """The cursor cannot be served. `reason`: "expired" or "unknown"; `head`: go on from here."""

    def __init__(self, reason: str, head: int) -> None:
        super().__init__(reason)
        self.reason, self.head = reason, head


@dataclass(frozen=True, slots=True)
class Position:
    cursor: int
    head: int


class Feed:
    """Takes in every event in id order, own or not: each changes who may see what before
    anything later is shown. Readers are given nothing beyond the last one taken in."""

    def __init__(self, database: Database, tail: Tail, bus: Bus, scopes: Scopes) -> None:
        self.database, self.tail, self.bus, self.scopes = database, tail, bus, scopes
        self.on_removed: Callable[[str], None] = lambda user_id: None
        self._floor = 0  # the newest id that the log does not keep any more
        self._behind = asyncio.Event()

    async def start(self) -> None:
        state = await self.database.read(rows.state)
        self.tail.reset(state.head)
        self._floor = state.floor

    def committed(self, transaction: Transaction) -> None:
        """Take in what this process has just committed, and wake those whom it concerns. Where
        another process wrote in between, the follower takes in both, in their order."""
        self._floor = max(self._floor, transaction.floor)
        if transaction.events and transaction.previous_head == self.tail.head:
            self._take_in(transaction.events)
        elif transaction.events:
            self._behind.set()
        for event in transaction.redacted:  # which may have been appended in the same group
            self.tail.redact(event)

    def _take_in(self, events: list[Event]) -> None:
        changed = self.scopes.take_in(events)
        self.tail.extend(events)
        self.bus.notify({event.topic for event in events} | {user_topic(user) for user in changed})
        for event in events:
            if event.type == REMOVED:
                self.on_removed(str(event.fields()["user_id"]))

    async def follow(self, seconds: float) -> None:
        """Take in what other processes commit; runs until cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._behind.wait()
            self._behind.clear()
            try:
                while await self._catch_up():
                    pass
            except Exception as error:  # it must live on: nobody else would hear of the others
                log.warning("follow_failed", error=f"{type(error).__name__}: {error}"[:300])

    async def _catch_up(self) -> bool:
        """Take in one page of what was not yet; True when there may be more."""
        head = self.tail.head
        state, found = await self.database.read(lambda c: _news(c, head))
        self._floor = max(self._floor, state.floor)
        if found and self.tail.head == head:
            if any(event.type in REDACTING for event in found):
                self.tail.reset(head)  # another process has changed what stands in it
            self._take_in(found)
            return len(found) == FOLLOW_PAGE
        return bool(found)

    async def position(self, cursor: int | None) -> Position:
        """Where a reader begins. None: at the head; 0: with the oldest event kept. Raises
        CursorLost for what retention took away and for ids that were never given out."""
        kept = max(self.tail.floor, self._floor)
        if cursor is not None and kept <= cursor <= self.tail.head:
            return Position(cursor, self.tail.head)
        state = await self.database.read(rows.state)
        if cursor is None:
            return Position(state.head, state.head)
        if cursor > state.head:
            raise CursorLost("unknown", state.head)
        if 0 < cursor < state.floor:
            raise CursorLost("expired", state.head)
        return Position(max(cursor, state.floor), state.head)

    async def read(
        self, user_id: str, chats: Collection[str] | None, cursor: int, limit: int
    ) -> tuple[Page, Scope]:
        """The next page after the cursor of what the user may see now, and their scope now."""
        while True:
            full = await self.scopes.of(user_id)
            scope = full.narrow(chats)
            if cursor >= self.tail.floor:
                return _shown(self.tail.read(scope.starts(cursor), cursor, limit), scope), scope
            head = self.tail.head
            state, events = await self._stored(scope, cursor, head, limit)
            if cursor < state.floor:
                raise CursorLost("expired", state.head)
            if self.scopes.is_current(full):  # else somebody was removed while it was read
                page = page_of(events, limit, head) if events else Page((), cursor, reached=head)
                return _shown(page, scope), scope

    async def _stored(
        self, scope: Scope, cursor: int, head: int, limit: int
    ) -> tuple[rows.State, list[Event]]:
        async def work(connection: AsyncConnection) -> tuple[rows.State, list[Event]]:
            state = await rows.state(connection)
            return state, await rows.after(connection, scope.starts(cursor), limit + 1, head)

        return await self.database.read(work)


async def _news(connection: AsyncConnection, seen: int) -> tuple[rows.State, list[Event]]:
    return await rows.state(connection), await rows.everything(connection, seen, FOLLOW_PAGE)


def _shown(page: Page, scope: Scope) -> Page:
    if not scope.picks(page.events) or all(map(scope.shows, page.events)):
        return page
    shown = [event for event in page.events if scope.shows(event)]
    return Page(shown, page.cursor, page.complete, page.reached)
