"""The one loop that every transport reads: catching up and being live are the same path.

A subscriber listens before its first read, pulls from its own cursor, and sleeps only when
nothing waits. Nothing is queued for it: a slow reader lags in the log, not in memory, and
takes all that waits in one page.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass

from quartchat.bus.base import Wake
from quartchat.delivery.feed import CursorLost, Feed
from quartchat.delivery.scopes import Scope
from quartchat.delivery.session import Goodbye, Session
from quartchat.errors import ChatError, TokenExpired
from quartchat.events import Event, Page, ephemeral
from quartchat.locale.texts import gettext
from quartchat.protocol import error_data

PROTOCOL = 1
RAMP_SECONDS = 2.0
WARN_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Wish:
    """What a client asked for when it connected. `cursor` None: from the head on. `ramp`: the
    heartbeats begin early, and double up to `heartbeat`. `chain`: each page of durable events
    tells behind which it follows."""

    cursor: int | None = None
    chats: frozenset[str] | None = None
    heartbeat: float = 15.0
    page_size: int = 500
    hold: float | None = None  # a poll ends after so much silence; else a heartbeat breaks it
    ramp: bool = False
    chain: bool = False


class Subscriber:
    """`pages()` ends when the session does; `session.ending` then says why.

    `cursor` is the id of the last durable event handed out (at first: where it began).
    """

    def __init__(
        self, session: Session, feed: Feed, wish: Wish, clock: Callable[[], float]
    ) -> None:
        self._session, self._feed, self._wish, self._clock = session, feed, wish, clock
        self._now = asyncio.get_running_loop().time
        self._quiet_since = self._now()
        self._caught_up = False
        self._interval = min(RAMP_SECONDS, wish.heartbeat) if wish.ramp else wish.heartbeat
        self._position = self.cursor = 0  # read up to there; handed out up to there

    async def pages(self) -> AsyncGenerator[Page]:
        """`hello` (and `reset`), what was missed, `caught_up`, then live events, signals and
        heartbeats; at the end what there is to say about it."""
        with self._feed.bus.listen() as wake:
            self._session.attach(wake)
            await self._listen(wake)
            yield self._say(*(await self._greet()))
            while not self._over():
                wake.clear()
                page = await self._next(wake)
                if page is not None:
                    self._quiet_since = self._now()
                    yield page
            yield self._say(*self._farewell())

    async def _listen(self, wake: Wake) -> None:
        scope = await self._feed.scopes.of(self._session.user_id)
        wake.follow(scope.narrow(self._wish.chats).since)

    async def _next(self, wake: Wake) -> Page | None:
        """What there is to send now; else what there is after a wait; None: look again."""
        page, scope = await self._read()
        wake.follow(scope.since)
        self._position = max(page.cursor, page.reached)
        if page.events:
            return self._handed_out(page)
        if not page.complete:
            return None
        if not self._caught_up:
            self._caught_up = True
            return self._say(self._mark("caught_up"))
        if signals := _signals(wake, scope):
            return Page(signals, self.cursor)
        return await self._wait(wake)

    def _handed_out(self, page: Page) -> Page:
        last = page.events[-1].id
        led = page.led_by(self._mark("after")) if self._wish.chain and last else page
        self.cursor = last or page.cursor
        return led

    async def _wait(self, wake: Wake) -> Page | None:
        left = self._session.expires_at - self._clock()
        if left <= WARN_SECONDS and not self._session.warned:
            self._session.warned = True
            return self._say(ephemeral("token_expiring", {"expires_in": max(0, int(left))}))
        patience = self._interval if self._wish.hold is None else self._wish.hold
        silence = self._quiet_since + patience - self._now()
        if silence <= 0:
            return self._say(self._beat())
        until_step = left if self._session.warned else left - WARN_SECONDS
        await wake.wait(max(0.0, min(silence, until_step)))
        return None

    async def _read(self) -> tuple[Page, Scope]:
        wish, user = self._wish, self._session.user_id
        try:
            return await self._feed.read(user, wish.chats, self._position, wish.page_size)
        except CursorLost as lost:
            scope = (await self._feed.scopes.of(user)).narrow(wish.chats)
            return Page([_reset(lost)], lost.head), scope

    async def _greet(self) -> list[Event]:
        wish, said = self._wish, []
        try:
            position = await self._feed.position(wish.cursor)
            self.cursor, head, resumed = position.cursor, position.head, wish.cursor is not None
        except CursorLost as lost:
            self.cursor, head, resumed = lost.head, lost.head, False
            said = [_reset(lost)]
        self._position = self.cursor
        hello = {
            "user_id": self._session.user_id,
            "head": head,
            "cursor": self.cursor,
            "resumed": resumed,
            "heartbeat": self._interval,
            "protocol": PROTOCOL,
        }
        return [ephemeral("hello", hello), *said]

    def _over(self) -> bool:
        if self._session.ending is None and self._session.expires_at <= self._clock():
            self._session.ending = TokenExpired()
        return self._session.ending is not None

    def _farewell(self) -> list[Event]:
        ending = self._session.ending
        if isinstance(ending, Goodbye):
            return [ephemeral("goodbye", {"retry_ms": ending.retry_ms})]
        if isinstance(ending, ChatError):
            return [ephemeral("error", error_data(ending, gettext))]
        return []

    def _say(self, *events: Event) -> Page:
        return Page(events, self.cursor)

    def _beat(self) -> Event:
        if not self._wish.ramp:
            return self._mark("heartbeat")
        self._interval = min(2 * self._interval, self._wish.heartbeat)
        return ephemeral("heartbeat", {"last_event_id": self.cursor, "heartbeat": self._interval})

    def _mark(self, type_: str) -> Event:
        return ephemeral(type_, {"last_event_id": self.cursor})


def _signals(wake: Wake, scope: Scope) -> list[Event]:
    """The ephemeral events that came, of the topics that the reader may see now."""
    waiting = [wake.signals.popleft() for _ in range(len(wake.signals))]
    return [event for event in waiting if event.topic in scope.since]


def _reset(lost: CursorLost) -> Event:
    return ephemeral("reset", {"reason": lost.reason, "head": lost.head})
