"""Chromium's windows, which note everything that goes wrong in them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    FrameLocator,
    Locator,
    Page,
    async_playwright,
    expect,
)
from support.chromium import ARGUMENTS, INSTALL
from support.chromium import path as chromium_path

expect.set_options(timeout=15_000)  # a busy machine draws slowly


@asynccontextmanager
async def chromium(
    *more: str, without: tuple[str, ...] = (), whole: bool = False
) -> AsyncIterator[Browser]:
    """`more`: further arguments; `without`: those of Playwright that are left out; `whole`: see
    support/chromium.py."""
    path = chromium_path(whole=whole)
    if path is None:
        pytest.skip(INSTALL)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=path, args=[*ARGUMENTS, *more], ignore_default_args=[*without]
        )
        try:
            yield browser
        finally:
            await browser.close()


@dataclass
class Window:
    """A browser of one person. `errors`: of scripts, of the console, of the content policy."""

    context: BrowserContext
    page: Page
    url: str
    errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("pageerror", lambda error: self.errors.append(f"{error} {error.stack or ''}"))
        self.page.on("console", self._said)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.errors.append(f"{message.type}: {message.text} {message.location}")

    async def go(self, path: str) -> None:
        """A page with a streamed frame never loads to its end."""
        await self.page.goto(self.url + path, wait_until="domcontentloaded")

    async def open_chat(self, chat_id: str, way: str = "") -> None:
        await self.go(f"/chats/{chat_id}")
        await self.live(way)

    async def live(self, way: str = "") -> None:
        await expect(self.page.locator("#state")).to_contain_text(f"Live over {way}")

    @property
    def bodies(self) -> Locator:
        return self.page.locator(".timeline:not(.pending) .msg .body")

    @property
    def framed(self) -> Locator:
        """The messages as the frame shows them that needs no scripts."""
        return self.frame.locator(".msg .body")

    @property
    def frame(self) -> FrameLocator:
        return self.page.frame_locator("iframe.live-frame").frame_locator("iframe.live-frame")

    async def write(self, text: str) -> None:
        await self.page.fill("#write", text)
        await self.page.press("#write", "Enter")

    async def shows(self, *texts: str) -> None:
        """These messages, once each, in this order, and none on its way."""
        await expect(self.bodies).to_have_text(list(texts))
        await expect(self.page.locator("#pending .msg")).to_have_count(0)


class Desk:
    """Opens windows; they are closed at the end."""

    def __init__(self, browser: Browser, stack: AsyncExitStack) -> None:
        self._browser, self._stack = browser, stack

    async def window(
        self,
        url: str,
        cookies: dict[str, str] | None = None,
        *,
        scripts: bool = True,
        before: str = "",
        **more: Any,
    ) -> Window:
        """`before`: a script that runs before those of each page."""
        context = await self._browser.new_context(java_script_enabled=scripts, **more)
        self._stack.push_async_callback(context.close)
        for name, value in (cookies or {}).items():
            await context.add_cookies([{"name": name, "value": value, "url": url}])
        if before:
            await context.add_init_script(before)
        return Window(context, await context.new_page(), url)
