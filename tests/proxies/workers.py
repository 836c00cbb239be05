"""What Chromium's SharedWorkers ask of the network: only the DevTools get at them."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from playwright.async_api import BrowserContext, CDPSession, Error, Page

MADE = (Path(__file__).parent / "made.js").read_text()
ASK = "JSON.stringify(self.__made ?? null)"
ANSWER_SECONDS = 10.0
NOTHING: dict[str, Any] = {"requests": 0, "log": []}


class Workers:
    """The SharedWorkers of a browser, the last one of each context."""

    def __init__(self, devtools: CDPSession) -> None:
        self._devtools = devtools
        self._sessions: dict[str, str] = {}  # of each context
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        devtools.on("Target.targetCreated", self._created)
        devtools.on("Target.receivedMessageFromTarget", self._heard)

    async def watch(self) -> None:
        """Its first requests may be missed: having it wait would cost time that is measured."""
        only = [{"type": "shared_worker"}]
        await self._devtools.send("Target.setDiscoverTargets", {"discover": True, "filter": only})

    async def of(self, context: BrowserContext, page: Page) -> Callable[[], Any]:
        """What gives, awaited, what scripts of the context's worker made, as made.js notes it."""
        session = await context.new_cdp_session(page)
        target = await session.send("Target.getTargetInfo")
        await session.detach()
        name = target["targetInfo"]["browserContextId"]
        return lambda: self._made(name)

    async def _made(self, context: str) -> dict[str, Any]:
        if context not in self._sessions:
            return NOTHING
        with suppress(Error, TimeoutError):  # it may have ended
            return json.loads(await self._evaluate(self._sessions[context], ASK)) or NOTHING
        return NOTHING

    def _created(self, params: dict[str, Any]) -> None:
        task = asyncio.create_task(self._attach(params["targetInfo"]))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _attach(self, target: dict[str, Any]) -> None:
        with suppress(Error, TimeoutError):  # it may have ended
            made = await self._devtools.send(
                "Target.attachToTarget", {"targetId": target["targetId"], "flatten": False}
            )
            self._sessions[target["browserContextId"]] = made["sessionId"]
            await self._evaluate(made["sessionId"], MADE)

    async def _evaluate(self, session: str, expression: str) -> Any:
        number = next(self._numbers)
        params = {"expression": expression}
        message = json.dumps({"id": number, "method": "Runtime.evaluate", "params": params})
        self._waiting[number] = answer = asyncio.get_running_loop().create_future()
        try:
            await self._devtools.send(
                "Target.sendMessageToTarget", {"sessionId": session, "message": message}
            )
            async with asyncio.timeout(ANSWER_SECONDS):
                return await answer
        finally:
            del self._waiting[number]

    def _heard(self, params: dict[str, Any]) -> None:
        message = json.loads(params["message"])
        waiting = self._waiting.get(message.get("id"))
        if waiting and not waiting.done():
            waiting.set_result(message.get("result", {}).get("result", {}).get("value"))
