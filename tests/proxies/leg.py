"""What a leg is, who takes part in it, and what comes of it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from time import time
from typing import Any

from proxies.house import House, Person
from proxies.seat import Seat

FIRST = "the first event"  # what the host says when both pages are on their way


@dataclass(frozen=True)
class Leg:
    """`transports`: what the client may use, all if empty. `each`: messages of each person,
    `pause`: seconds between one person's messages, `turns`: they write one after the other.
    `stays`: in the pages of the leg before it, if these are as they should be."""

    name: str
    transports: str = ""
    each: int = 6
    pause: float = 1.8
    turns: bool = False
    stays: bool = False


LEGS = (
    Leg("all"),
    Leg("quiet", each=2, pause=7.0, turns=True, stays=True),
    Leg("no WebSocket", "stream,sse,poll,serial"),
)


@dataclass
class Outcome:
    """What a leg showed. Times in ms; `first`: see first.py; `stall`: from commit to the page;
    `sending`: from the Enter key to the commit. `faults`: what was not as promised, in words;
    empty: it passed."""

    case: str
    leg: str
    browser: str
    ways: list[str] = field(default_factory=list)
    first: int | None = None
    stall: int | None = None
    sending: int | None = None
    requests: int = 0
    messages: int = 0
    faults: list[str] = field(default_factory=list)
    more: list[Any] = field(default_factory=list)


@dataclass
class Two:
    """Both at their seats, in one chat of theirs alone. `since`: the last event before the leg that
    they are in, `requests`: what their pages had made by then."""

    house: House
    chat_id: str
    people: list[Person]
    seats: list[Seat]
    written: list[dict[str, float]] = field(default_factory=lambda: [{}, {}])
    since: int = 0
    requests: int = 0

    async def made(self) -> list[dict[str, Any]]:
        return await asyncio.gather(*(seat.made() for seat in self.seats))

    def next_leg(self, requests: int) -> None:
        self.since, self.requests = self.log()[-1]["event_id"], requests

    def log(self) -> list[dict[str, Any]]:
        return self.house.messages(self.chat_id)

    async def write(self, who: int, text: str) -> None:
        self.written[who][text] = time() * 1000
        await self.seats[who].write(text)

    async def ask(self, name: str) -> list[dict[str, Any]]:
        return await asyncio.gather(*(seat.ask(name) for seat in self.seats))

    async def shown(self, seconds: float) -> bool:
        """Whether all that was written is in the log, and all of the log on both pages, which wait
        for it as long."""
        log = self.log()
        sent = {message["content"] for message in log}
        if not all(written.keys() <= sent for written in self.written):
            return False
        wanted = json.dumps([message["event_id"] for message in log])
        asked = f"window.__shows?.({wanted}, {seconds * 1000}) ?? false"
        told = (seat.evaluate(asked) for seat in self.seats)
        # A page that is being loaded anew cannot tell; it will be asked again.
        return all(said is True for said in await asyncio.gather(*told, return_exceptions=True))
