"""The windows of two people, which one leg leaves to the next: a new window costs most of all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Protocol

from proxies.case import Door
from proxies.doors import Ports
from proxies.house import House, Person
from proxies.seat import Seat

CLEAR_SECONDS = 20.0


class Browser(Protocol):
    name: str

    def seat(self, door: Door, cookies: dict[str, str]) -> Any: ...


class Desk:
    """`people`: the two, and their host, who has no window. `ports`: where the proxies of its cases
    listen, one case after the other: so windows can stay, and what they keep of scripts."""

    def __init__(self, browser: Browser, house: House, people: list[Person]) -> None:
        self.browser, self.house, self.people = browser, house, people
        self.ports: Ports = ([], [])
        self.seats: list[Seat] = []
        self._stack = AsyncExitStack()
        self._ways: list[object] = []

    async def sit(self, doors: list[Door]) -> None:
        """Has both seats open. A window keeps the proxy and the login that it was opened with."""
        ways: list[object] = [(door.proxy, door.login, door.host) for door in doors]
        if ways != self._ways:
            await self.leave()
            for door, person in zip(doors, self.people[:2], strict=True):
                seat = self.browser.seat(door, person.cookies)
                self.seats.append(await self._stack.enter_async_context(seat))
            self._ways = ways

    async def clear(self) -> None:
        """No page of the site is open, so what its pages share has ended."""
        await asyncio.gather(*(seat.go("about:blank", CLEAR_SECONDS) for seat in self.seats))

    async def leave(self) -> None:
        self.seats, self._ways = [], []
        await self._stack.aclose()


class Desks:
    """All desks of one browser at one site."""

    def __init__(self, browser: Browser, house: House) -> None:
        self._browser, self._house = browser, house
        self._all: list[Desk] = []
        self._free: list[Desk] = []

    @asynccontextmanager
    async def desk(self) -> AsyncIterator[Desk]:
        """One that is nobody else's meanwhile."""
        desk = self._free.pop() if self._free else await self._make()
        try:
            yield desk
        finally:
            self._free.append(desk)

    async def _make(self) -> Desk:
        people = [await self._house.person(name) for name in ("ada", "bob", "host")]
        desk = Desk(self._browser, self._house, people)
        self._all.append(desk)
        return desk

    async def end(self) -> None:
        for desk in self._all:
            await desk.leave()
