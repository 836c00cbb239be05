"""The doors of a case: opened for its first leg, and anew where another cannot use them."""

from __future__ import annotations

from contextlib import AsyncExitStack

from proxies.case import Case, Door
from proxies.house import House
from proxies.place import Place

Ports = tuple[list[int], list[int]]  # of each person's place


class Doors:
    """They are shut when it is left. `ports`: those of the cases before, which are used again."""

    def __init__(self, case: Case, house: House, ports: Ports) -> None:
        self._case, self._house, self._ports = case, house, ports
        self._stack = AsyncExitStack()
        self._doors: list[Door] = []

    async def __aenter__(self) -> Doors:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def open(self) -> list[Door]:
        """One per person, both the same unless each has his own. The way is good: one that has
        turned bad is not used again, nor one that counts what it has seen. The address stays
        the same, as a browser keeps scripts by their address."""
        if not self._doors or self.are_used_up():
            self._doors = []
            await self._stack.aclose()
            self._doors = [await self._start(each) for each in self._ports[: 1 + self._case.own]]
        return [self._doors[0], self._doors[-1]]

    def are_used_up(self) -> bool:
        """Whether the next leg gets others."""
        case = self._case
        return case.fresh or case.own or any(door.begin for door in self._doors)

    async def _start(self, ports: list[int]) -> Door:
        house = self._house
        place = Place(self._case.name, house.up, house.tls, house.certificate, ports)
        return await self._case.start(await self._stack.enter_async_context(place))
