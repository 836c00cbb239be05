"""Where a person sits: a window of a browser that goes through a case's door."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
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
from support.chromium import ARGUMENTS

from proxies.case import Door
from proxies.programs import find
from proxies.workers import MADE, Workers

RECORD = (Path(__file__).parent / "record.js").read_text()
TRIES = 5
SIZE: ViewportSize = {"width": 500, "height": 400}  # little to draw
MORE = (
    "--ignore-certificate-errors",  # also for what a SharedWorker opens
    "--host-resolver-rules=MAP *.quartchat.test 127.0.0.1, MAP quartchat.test 127.0.0.1",
    "--disable-renderer-backgrounding",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
)


def record_script(chat_id: str, transports: str) -> str:
    """For the pages of one leg: each leg has a chat of its own."""
    leg = f"const CHAT = {json.dumps(chat_id)}, TRANSPORTS = {json.dumps(transports)};"
    return f"(() => {{ {leg}\n{MADE}\n{RECORD}\n}})();"


def asking(name: str) -> str:
    return f"window.{name}?.() ?? JSON.stringify({{ url: location.pathname }})"


class Seat(Protocol):
    """One window. `made`: how many requests the scripts of its page and their worker made, without
    scripts and pictures, and what went wrong: `requests`, `log`. `evaluate` answers what the
    expression is, or what it promises. `ask` calls a function of record.js; empty: no such page."""

    async def made(self) -> dict[str, Any]: ...

    async def prepare(self, chat_id: str, transports: str) -> None: ...

    async def go(self, url: str, seconds: float) -> None: ...

    async def evaluate(self, expression: str) -> Any: ...

    async def write(self, text: str) -> None: ...

    async def ask(self, name: str) -> dict[str, Any]: ...


class ChromiumSeat:
    """`worker`: gives what the page's worker made."""

    def __init__(self, page: Page, worker: Callable[[], Any]) -> None:
        self.page, self._worker, self._said = page, worker, list[str]()
        page.on("console", lambda message: self._said.append(message.text))
        page.on("pageerror", lambda error: self._said.append(f"error: {error}"))

    async def made(self) -> dict[str, Any]:
        page, worker = await self.ask("__allMade"), await self._worker()
        requests = page.get("requests", 0) + worker["requests"]
        return {"requests": requests, "log": page.get("log", []) + worker["log"] + self._said}

    async def prepare(self, chat_id: str, transports: str) -> None:
        await self.page.add_init_script(record_script(chat_id, transports))

    async def go(self, url: str, seconds: float) -> None:
        """Whoever gets a proxy's error page in place of the site's loads it again."""
        for _ in range(TRIES):
            answer = await self.page.goto(url, wait_until="commit", timeout=seconds * 1000)
            if answer is None or answer.status < 500:
                return

    async def evaluate(self, expression: str) -> Any:
        return await self.page.evaluate(expression)

    async def write(self, text: str) -> None:
        await self.page.evaluate("(text) => window.__write(text)", text)

    async def ask(self, name: str) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(await self.page.evaluate(asking(name)))
        return told


class Chromium:
    """Seats in one Chromium, each in a context of its own."""

    name = "Chromium"

    def __init__(self, browser: Browser, workers: Workers) -> None:
        self._browser, self._workers = browser, workers

    @asynccontextmanager
    async def seat(self, door: Door, cookies: Mapping[str, str]) -> AsyncIterator[Seat]:
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
            page = await context.new_page()
            yield ChromiumSeat(page, await self._workers.of(context, page))
        finally:
            with suppress(Error):  # the browser may have gone down
                await context.close()


@asynccontextmanager
async def chromium() -> AsyncIterator[Chromium]:
    async with async_playwright() as playwright:
        args = [*ARGUMENTS, *MORE]
        browser = await playwright.chromium.launch(executable_path=find("chromium"), args=args)
        try:
            workers = Workers(await browser.new_browser_cdp_session())
            await workers.watch()
            yield Chromium(browser, workers)
        finally:
            await browser.close()
