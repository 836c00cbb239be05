"""What Chromium's SharedWorkers ask of the network: only the DevTools tell."""

from __future__ import annotations

import asyncio
import json
import re
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from time import time
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, CDPSession, Error, Page

STATIC = re.compile(r"/(?:static|s)/")


@dataclass
class Worker:
    """What the SharedWorker of one browser context did; only the DevTools tell."""

    requests: int = 0
    log: list[str] = field(default_factory=list)
    _urls: dict[str, str] = field(default_factory=dict)

    def heard(self, method: str, params: dict[str, Any]) -> None:
        if method == "Network.requestWillBeSent":
            url = self._urls[params["requestId"]] = params["request"]["url"]
            self.requests += not STATIC.search(url)
        elif method == "Network.webSocketCreated":
            self._urls[params["requestId"]] = params["url"]
            self.requests += 1
        elif method == "Network.webSocketClosed":
            self._note(params, "closed")
        elif method == "Network.loadingFailed":
            self._note(params, params["errorText"])
        elif method == "Network.responseReceived" and params["response"]["status"] >= 400:
            self._note(params, str(params["response"]["status"]))

    def _note(self, params: dict[str, Any], what: str) -> None:
        url = self._urls.get(params["requestId"], "")
        self.log.append(f"{time():.1f} {urlsplit(url).path}?{urlsplit(url).query[:40]} {what}")


class Workers:
    """All SharedWorkers of a browser, each known by the context that it belongs to."""

    def __init__(self, devtools: CDPSession) -> None:
        self._devtools = devtools
        self._of: dict[str, Worker] = defaultdict(Worker)
        self._sessions: dict[str, Worker] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        devtools.on("Target.targetCreated", self._created)
        devtools.on("Target.receivedMessageFromTarget", self._heard)

    async def watch(self) -> None:
        """Its first requests may be missed: having it wait would cost time that is measured."""
        only = [{"type": "shared_worker"}]
        await self._devtools.send("Target.setDiscoverTargets", {"discover": True, "filter": only})

    async def of(self, context: BrowserContext, page: Page) -> Worker:
        session = await context.new_cdp_session(page)
        target = await session.send("Target.getTargetInfo")
        await session.detach()
        return self._of[target["targetInfo"]["browserContextId"]]

    def _created(self, params: dict[str, Any]) -> None:
        task = asyncio.create_task(self._attach(params["targetInfo"]))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _attach(self, target: dict[str, Any]) -> None:
        message = json.dumps({"id": 1, "method": "Network.enable"})
        with suppress(Error):  # it may have ended
            made = await self._devtools.send(
                "Target.attachToTarget", {"targetId": target["targetId"], "flatten": False}
            )
            session = made["sessionId"]
            self._sessions[session] = self._of[target["browserContextId"]]
            await self._devtools.send(
                "Target.sendMessageToTarget", {"sessionId": session, "message": message}
            )

    def _heard(self, params: dict[str, Any]) -> None:
        message = json.loads(params["message"])
        if "method" in message and (worker := self._sessions.get(params["sessionId"])):
            worker.heard(message["method"], message["params"])
