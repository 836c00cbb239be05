"""The loop that follows events for ever: connect, read, notice silence, come back.

It ends when it is cancelled, or when the server refuses for good. Whatever else happens,
the consumer gets each durable event after its cursor once, in order.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass

from quartchat.client.backoff import Backoff
from quartchat.client.choice import Choice
from quartchat.client.errors import Broken, Refused
from quartchat.client.position import Event, Position
from quartchat.client.transports import TRANSPORTS, Ask

CONTROL = frozenset({"hello", "caught_up", "heartbeat", "pong", "goodbye", "token_expiring"})
# A connection that lived so long was a good one: the next try comes soon.
GOOD_AFTER = 10.0
# The server is there, but not this way to it.
NOT_THIS_WAY = frozenset({404, 405, 426})


@dataclass(slots=True)
class Follow:
    """One consumer's way through the log.

    `ask` makes the question for a cursor (a fresh token each time); `sleep`, `clock` and the
    random of `backoff` are given, so that tests need not wait; `notice` is told of each break.
    `renewable` is whether a token that ended can be had anew.
    """

    ask: Callable[[int | None], Awaitable[Ask]]
    position: Position
    choice: Choice
    backoff: Backoff
    sleep: Callable[[float], Awaitable[None]]
    clock: Callable[[], float]
    notice: Callable[[str], None]
    renewable: bool = False
    _limit: float = 0.0
    _retry: float | None = None
    _proven: bool = False
    _may_renew: bool = False

    async def events(self) -> AsyncGenerator[Event, None]:
        """All that arrives, control events included, without repeats. Raises Refused."""
        while True:
            self._proven, self._retry, began, keeps = False, None, self.clock(), False
            try:
                async with aclosing(self._connection()) as connection:
                    async for event in connection:
                        yield event
                        self.position.took(event)
                reason: Exception = Broken("The connection ended.")
            except Refused as refused:
                reason, keeps = refused, self._is_renewed(refused)
                self._judge(refused)
            except _failures() as error:
                reason = error
            await self._pause(reason, self.clock() - began, keeps)

    async def _connection(self) -> AsyncGenerator[Event, None]:
        """The new events of one connection, until it ends, fails or has to be left."""
        ask = await self.ask(self.position.cursor)
        self._limit, heard = ask.patience, 2 * ask.heartbeat + 1
        async with aclosing(TRANSPORTS[self.choice.name](ask)) as arriving:
            while (event := await self._next(arriving)) is not None:
                if self.position.has_hole(event):
                    raise self._useless("An event was lost on the way.")
                self._limit = heard = _limit(event, heard)
                self._note(event)
                if self.position.is_new(event):
                    yield event
                if event["type"] == "goodbye" or self._leaves(event):
                    return

    async def _next(self, arriving: AsyncGenerator[Event, None]) -> Event | None:
        try:
            async with asyncio.timeout(self._limit):
                return await anext(arriving, None)
        except TimeoutError as error:
            raise self._useless(f"Nothing was heard for {self._limit:g} seconds.") from error

    def _useless(self, why: str) -> Broken:
        """This transport is not to be trusted: the next one is to be tried."""
        self._proven = False
        return Broken(why)

    def _note(self, event: Event) -> None:
        self._may_renew = True
        if event["type"] == "caught_up":
            self._proven = True
            self.choice.worked()
        elif event["type"] == "goodbye":
            self._retry = _seconds(event["data"].get("retry_ms"), 1000.0) / 1000

    def _leaves(self, event: Event) -> bool:
        """For a fresh token; or, at a quiet moment, to see whether a better transport works."""
        if event["type"] == "token_expiring":
            return self.renewable
        return event["type"] == "heartbeat" and self.choice.climbs()

    def _judge(self, refused: Refused) -> None:
        """Raises what is final: not a proxy's no to one transport, nor an old token's end."""
        if self._is_renewed(refused):
            self._may_renew = False
            return
        final = refused.by_server and refused.status not in NOT_THIS_WAY
        if final or self.choice.is_last:
            raise refused

    def _is_renewed(self, reason: Exception) -> bool:
        is_end = isinstance(reason, Refused) and reason.status == 401
        return is_end and self.renewable and self._may_renew

    async def _pause(self, reason: Exception, lived: float, keeps: bool) -> None:
        """Chooses how to come back, and waits; `keeps` is whether the transport is not to blame."""
        name = self.choice.name
        if self._proven and lived >= GOOD_AFTER:
            self.backoff.reset()
        if self._retry is not None:
            delay = self._retry
        elif self._proven or keeps or self.choice.failed():
            delay = self.backoff.next()
        else:
            delay = 0.0
        what = str(reason) or type(reason).__name__
        self.notice(f"{name}: {what.rstrip('.')}. Trying {self.choice.name} in {delay:.1f} s.")
        await self.sleep(delay)


def _limit(event: Event, limit: float) -> float:
    """How long silence may last now: two heartbeats and a second, as hello says."""
    if event["type"] != "hello":
        return limit
    return 2 * _seconds(event["data"].get("heartbeat"), (limit - 1) / 2) + 1


def _seconds(value: object, default: float) -> float:
    good = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < 1e6
    return float(value) if good else default  # type: ignore[arg-type]


def _failures() -> tuple[type[Exception], ...]:
    import httpx  # noqa: PLC0415 (with the first connection, not with the module)
    from websockets.exceptions import WebSocketException  # noqa: PLC0415

    return (Broken, OSError, httpx.HTTPError, httpx.StreamError, WebSocketException)
