"""Two people write to each other through a case's doors; what came of it."""

from __future__ import annotations

import asyncio
import itertools
from contextlib import AsyncExitStack
from dataclasses import replace
from random import Random
from time import time
from typing import Any, Protocol

from proxies.case import Case, Door
from proxies.house import House
from proxies.leg import FIRST, Leg, Outcome, Two
from proxies.verdict import judge

_numbers = itertools.count(1)
LOOK_SECONDS = 0.4


class Browser(Protocol):
    name: str

    def seat(self, door: Door, cookies: dict[str, str], transports: str) -> Any: ...


async def leg(case: Case, leg: Leg, house: House, browser: Browser, doors: list[Door]) -> Outcome:
    """One leg through open doors (one per person)."""
    outcome = Outcome(case.name, leg.name, browser.name)
    if case.calm:
        leg = replace(leg, each=2, pause=6.0)
    async with AsyncExitStack() as stack:
        try:
            two = await _meet(house, browser, doors, leg, stack)
        except Exception as error:  # a site or a browser that is too busy to begin
            outcome.faults.append(f"did not begin: {type(error).__name__} {str(error)[:300]}")
            return outcome
        try:
            await _open(case, two, doors)
            await _talk(leg, two)
            await _settle(case, two)
        except (TimeoutError, ExceptionGroup) as error:
            outcome.faults.append(str(error) or "timed out")
        except Exception as error:  # whatever a browser says: it is this leg's outcome
            outcome.faults.append(f"{type(error).__name__}: {str(error)[:300]}")
        await _judge(case, leg, two, outcome)
    return outcome


async def _meet(
    house: House, browser: Browser, doors: list[Door], leg: Leg, stack: AsyncExitStack
) -> Two:
    number = next(_numbers)
    stamp = f"{number:x}{int(time() * 1000) % 0xFFFFFF:x}"
    people = [await house.person(f"{name}{stamp}") for name in ("ada", "bob", "host")]
    members = [person.user_id for person in people[:2]]
    made = await people[2].api(
        "POST", "/chats", kind="group", title=f"Room {number}", members=members
    )
    seats = [
        await stack.enter_async_context(browser.seat(door, person.cookies, leg.transports))
        for door, person in zip(doors, people[:2], strict=True)
    ]
    return Two(house, made["chat_id"], people, seats)


async def _open(case: Case, two: Two, doors: list[Door]) -> None:
    """Both pages; meanwhile something happens that only a connection can tell them."""
    page = f"/chats/{two.chat_id}"
    await asyncio.gather(
        *(s.go(d.url + page, case.page) for s, d in zip(two.seats, doors, strict=True))
    )
    await two.people[2].api("POST", f"/chats/{two.chat_id}/messages", content=FIRST)
    await _until(case.page, two, "the first event was not shown", _all_shown)
    begun = {id(door): door.begin for door in doors if door.begin}
    await asyncio.gather(*(begin() for begin in begun.values()))


async def _talk(leg: Leg, two: Two) -> None:
    random = Random(two.chat_id)
    if leg.turns:
        for number in range(2 * leg.each):
            await asyncio.sleep(leg.pause)  # the silence is what is tried here
            await two.write(number % 2, f"{'ab'[number % 2]}{number}")
        return

    async def one(who: int) -> None:
        for number in range(leg.each):
            await two.write(who, f"{'ab'[who]}{number}")
            await asyncio.sleep(leg.pause * random.uniform(0.5, 1.5))

    await asyncio.gather(one(0), one(1))


async def _settle(case: Case, two: Two) -> None:
    await _until(case.settle, two, "not all arrived", _all_shown, _all_sent, _none_pending)


async def _until(seconds: float, two: Two, otherwise: str, *conditions: Any) -> None:
    end = time() + seconds
    while True:
        log, told = two.log(), await two.told()
        if all(condition(two, log, told) for condition in conditions):
            return
        if time() > end:
            raise TimeoutError(f"{otherwise} within {seconds:.0f} s")
        await asyncio.sleep(LOOK_SECONDS)


def _all_shown(two: Two, log: list[Any], told: list[Any]) -> bool:
    wanted = [message["event_id"] for message in log]
    return all(set(wanted) <= set(side.get("timeline", [])) for side in told)


def _all_sent(two: Two, log: list[Any], told: list[Any]) -> bool:
    said = {message["content"] for message in log}
    return all(text in said for written in two.written for text in written)


def _none_pending(two: Two, log: list[Any], told: list[Any]) -> bool:
    return not any(side.get("pending") for side in told)


async def _judge(case: Case, leg: Leg, two: Two, outcome: Outcome) -> None:
    try:
        told = await two.told()
    except Exception as error:
        outcome.faults.append(f"the page is gone: {str(error)[:200]}")
        return
    outcome.requests = sum(seat.requests for seat in two.seats)
    judge(case, leg, two, told, outcome)
