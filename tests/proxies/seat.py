"""Where a person sits: a window of a browser that goes through a case's door."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

from playwright.async_api import (
    Browser,
    Error,
    Page,
    ViewportSize,
    async_playwright,
)

from proxies.case import Door
from proxies.programs import find
from proxies.workers import STATIC, Worker, Workers

RECORD = (Path(__file__).parent / "record.js").read_text()
SIZE: ViewportSize = {"width": 500, "height": 400}  # little to draw
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--ignore-certificate-errors",  # also for what a SharedWorker opens
    "--host-resolver-rules=MAP *.quartchat.test 127.0.0.1, MAP quartchat.test 127.0.0.1",
    "--disable-renderer-backgrounding",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
]


def record_script(transports: str) -> str:
    return f"(() => {{ const TRANSPORTS = {json.dumps(transports)};\n{RECORD}\n}})();"


class Seat(Protocol):
    """One window. `evaluate` answers what the expression is."""

    @property
    def requests(self) -> int: ...

    async def go(self, url: str, seconds: float) -> None: ...

    async def evaluate(self, expression: str) -> Any: ...

    async def write(self, text: str) -> None: ...

    async def told(self) -> dict[str, Any]: ...


class ChromiumSeat:
    """`requests`: how many its page and its worker made, WebSockets among them, without scripts
    and pictures. `log`: what went wrong, for whoever looks for the reason."""

    def __init__(self, page: Page, worker: Worker) -> None:
        self.page, self.worker, self._made, self.log = page, worker, 0, worker.log
        page.on("request", self._requested)
        page.on("websocket", self._requested)
        page.on("requestfailed", lambda r: self.log.append(f"{r.url[-60:]} {r.failure}"))
        page.on("console", lambda message: self.log.append(message.text))
        page.on("pageerror", lambda error: self.log.append(f"error: {error}"))

    @property
    def requests(self) -> int:
        return self._made + self.worker.requests

    def _requested(self, request: Any) -> None:
        self._made += not STATIC.search(request.url)

    async def go(self, url: str, seconds: float) -> None:
        await self.page.goto(url, wait_until="commit", timeout=seconds * 1000)

    async def evaluate(self, expression: str) -> Any:
        return await self.page.evaluate(expression)

    async def write(self, text: str) -> None:
        await self.page.evaluate("(text) => window.__write(text)", text)

    async def told(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(await self.page.evaluate("window.__told?.() ?? '{}'"))
        return told


class Chromium:
    """Seats in one Chromium, each in a context of its own."""

    name = "Chromium"

    def __init__(self, browser: Browser, workers: Workers) -> None:
        self._browser, self._workers = browser, workers

    @asynccontextmanager
    async def seat(
        self, door: Door, cookies: Mapping[str, str], transports: str
    ) -> AsyncIterator[Seat]:
        more: dict[str, Any] = {}
        if door.proxy:
            more["proxy"] = {"server": door.proxy, "bypass": "<-loopback>"}
            if door.login:
                more["proxy"] |= {"username": door.login[0], "password": door.login[1]}
        context = await self._browser.new_context(
            ignore_https_errors=True, viewport=SIZE, reduced_motion="reduce", **more
        )
        try:
            for name, value in cookies.items():
                await context.add_cookies([{"name": name, "value": value, "url": door.url}])
            await context.add_init_script(record_script(transports))
            page = await context.new_page()
            yield ChromiumSeat(page, await self._workers.of(context, page))
        finally:
            with suppress(Error):  # the browser may have gone down
                await context.close()


@asynccontextmanager
async def chromium() -> AsyncIterator[Chromium]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find("chromium"), args=ARGUMENTS)
        try:
            workers = Workers(await browser.new_browser_cdp_session())
            await workers.watch()
            yield Chromium(browser, workers)
        finally:
            await browser.close()
