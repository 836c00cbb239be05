"""Runs cases beside each other: they mostly wait. A test asks for the outcome of its own."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from proxies.case import Case
from proxies.desk import Browser, Desks
from proxies.house import House
from proxies.leg import Outcome
from proxies.programs import missing
from proxies.run import run_case

AT_ONCE = int(os.environ.get("QC_GAUNTLET_AT_ONCE", "12"))
OUTCOMES = os.environ.get("QC_GAUNTLET_OUTCOMES", "")
Key = tuple[str, str]


class Gauntlet:
    """`houses`: of plain http, and (True) of HTTP/2. `makers`: how each browser is opened; the
    first case that needs one opens it."""

    def __init__(
        self,
        houses: Mapping[bool, House],
        makers: Mapping[str, Callable[[], AbstractAsyncContextManager[Browser]]],
        stack: AsyncExitStack,
    ) -> None:
        self._houses, self._makers, self._stack = houses, makers, stack
        self._browsers: dict[str, Browser] = {}
        self._desks: dict[tuple[bool, str], Desks] = {}
        self._opening = asyncio.Lock()
        self._room = asyncio.Semaphore(AT_ONCE)
        self._runs: dict[Key, asyncio.Task[list[Outcome]]] = {}

    def expect(self, items: Sequence[pytest.Item]) -> None:
        """Starts what these tests will ask for. Where other processes take a part of the tests,
        nobody knows which are left for this one: then each starts when it is asked for."""
        if "PYTEST_XDIST_WORKER" in os.environ:
            return
        for item in items:
            params = getattr(getattr(item, "callspec", None), "params", {})
            if "case" in params and "browser_name" in params:
                self._start(params["case"], params["browser_name"])

    async def outcomes(self, case: Case, browser: str) -> list[Outcome]:
        """One per leg. Skips the test if a program is not there."""
        if lacking := missing(case.needs + ((browser.lower(),) if browser == "Firefox" else ())):
            pytest.skip("; ".join(lacking))
        return await self._start(case, browser)

    def _start(self, case: Case, browser: str) -> asyncio.Task[list[Outcome]]:
        key = (case.name, browser)
        if key not in self._runs:
            self._runs[key] = asyncio.create_task(self._run(case, browser))
        return self._runs[key]

    async def _run(self, case: Case, name: str) -> list[Outcome]:
        if missing(case.needs):
            return []
        async with self._room:
            desks = await self._desks_of(case.h2, name)
            async with desks.desk() as desk:
                outcomes = await run_case(case, desk)
        if OUTCOMES:
            with Path(OUTCOMES).open("a") as file:
                file.writelines(f"{json.dumps(asdict(outcome))}\n" for outcome in outcomes)
        return outcomes

    async def _desks_of(self, h2: bool, name: str) -> Desks:
        async with self._opening:
            if name not in self._browsers:
                opening: Any = self._makers[name]()
                self._browsers[name] = await self._stack.enter_async_context(opening)
            if (h2, name) not in self._desks:
                made = self._desks[h2, name] = Desks(self._browsers[name], self._houses[h2])
                self._stack.push_async_callback(made.end)
        return self._desks[h2, name]

    async def end(self) -> None:
        for run in self._runs.values():
            run.cancel()
        await asyncio.gather(*self._runs.values(), return_exceptions=True)
