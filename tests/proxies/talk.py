"""Two people write to each other through a case's doors; what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from random import Random
from time import time

from proxies.case import Case, Door
from proxies.desk import Desk
from proxies.first import first_event
from proxies.leg import FIRST, Leg, Outcome, Two
from proxies.verdict import judge

LOOK_SECONDS = 0.4
WATCH_SECONDS = 4.0
TRIES = 3
# A page takes a processor for a second. More of them at once are all late, and proxies give up.
_loading = asyncio.Semaphore(4)


@asynccontextmanager
async def meeting(desk: Desk, leg: Leg) -> AsyncIterator[Two]:
    """In a chat of its own, which both leave at the end: their pages shall not grow."""
    *both, host = desk.people
    members = [person.user_id for person in both]
    made = await host.api("POST", "/chats", kind="group", title="Room", members=members)
    two = Two(desk.house, made["chat_id"], desk.people, desk.seats)
    for seat in desk.seats:
        await seat.prepare(two.chat_id, leg.transports)
    yield two
    await desk.clear()
    for person in both:
        await person.api("DELETE", f"/chats/{two.chat_id}/members/me")


async def talk(
    case: Case, leg: Leg, two: Two, outcome: Outcome, doors: Sequence[Door] = ()
) -> None:
    """One leg; adds to the outcome. `doors`, one per person, if their pages are still to open."""
    if case.calm:
        leg = replace(leg, each=2, pause=6.0)
    with failing(outcome):
        if doors:
            await _enter(case, two, doors)
        await _write(leg, two)
        await _until(case.settle, two, "not all arrived")
    await _judge(case, leg, two, outcome)


async def measure(case: Case, two: Two, outcome: Outcome) -> None:
    """At the end: where connections are counted, each further one would wait for those before
    it."""
    outcome.first = await first_event(two, 1 if case.own else TRIES)


@contextmanager
def failing(outcome: Outcome) -> Iterator[None]:
    """Whatever a browser or a proxy says in it becomes the leg's outcome."""
    try:
        yield
    except (TimeoutError, ExceptionGroup) as error:
        outcome.faults.append(str(error) or "timed out")
    except Exception as error:
        outcome.faults.append(f"{type(error).__name__}: {str(error)[:2000]}")


async def _enter(case: Case, two: Two, doors: Sequence[Door]) -> None:
    async with _loading:
        await _open(case, two, doors)
    begun = {id(door): door.begin for door in doors if door.begin}
    await asyncio.gather(*(begin() for begin in begun.values()))


async def _open(case: Case, two: Two, doors: Sequence[Door]) -> None:
    """Both pages; meanwhile something happens that only a connection can tell them."""
    page = f"/chats/{two.chat_id}"
    await asyncio.gather(
        *(s.go(d.url + page, case.page) for s, d in zip(two.seats, doors, strict=True))
    )
    await two.people[2].api("POST", f"/chats/{two.chat_id}/messages", content=FIRST)
    await _until(case.page, two, "the first event was not shown")


async def _write(leg: Leg, two: Two) -> None:
    random = Random(two.chat_id)
    if leg.turns:
        for number in range(2 * leg.each):
            await asyncio.sleep(leg.pause)  # the silence is what is tried here
            await two.write(number % 2, f"{'ab'[number % 2]}{number}, {leg.name}")
        return

    async def one(who: int) -> None:
        for number in range(leg.each):
            await two.write(who, f"{'ab'[who]}{number}, {leg.name}")
            await asyncio.sleep(leg.pause * random.uniform(0.5, 1.5))

    await asyncio.gather(one(0), one(1))


async def _until(seconds: float, two: Two, otherwise: str) -> None:
    end = time() + seconds
    while not await two.shown(WATCH_SECONDS):
        if time() > end:
            raise TimeoutError(f"{otherwise} within {seconds:.0f} s")
        await asyncio.sleep(LOOK_SECONDS)


async def _judge(case: Case, leg: Leg, two: Two, outcome: Outcome) -> None:
    try:
        made, told = await two.made(), await two.ask("__told")
    except Exception as error:
        outcome.faults.append(f"the page is gone: {str(error)[:200]}")
        return
    judge(case, leg, two, told, outcome)
    requests = sum(side["requests"] for side in made)
    outcome.requests = requests - two.requests
    two.next_leg(requests)
    if outcome.faults:
        outcome.more += [{"log": side["log"][-25:]} for side in made]
