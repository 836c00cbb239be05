"""What a browser makes of the addresses of files that are opened by themselves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import BrowserContext, async_playwright, expect
from support import chromium
from support.media import SCRIPT, film
from support.server import Server

from files.sending import begin, in_pieces, picture, send_form

pytestmark = pytest.mark.browser


@pytest.fixture
async def context() -> AsyncIterator[BrowserContext]:
    if chromium.path() is None:
        pytest.skip(chromium.INSTALL)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium.path(), args=[*chromium.ARGUMENTS]
        )
        yield await browser.new_context()
        await browser.close()


async def opened(server: Server, context: BrowserContext, who: Any, url: str) -> Any:
    await context.add_cookies([{"name": "qc_session", "value": who.token, "url": server.url}])
    page = await context.new_page()
    await page.goto(f"{server.url}{url}")
    return page


async def test_a_picture_is_shown_by_itself(server: Server, context: BrowserContext) -> None:
    (ada,) = await server.users(1)
    made = await send_form(ada, await ada.group(), "red.png", picture((90, 70), "PNG"))
    page = await opened(server, context, ada, made["url"])
    assert await page.locator("img").evaluate("(image) => image.naturalWidth") == 90


async def test_a_film_plays_by_itself(
    server: Server, context: BrowserContext, tmp_path: Path
) -> None:
    (ada,) = await server.users(1)
    data = film(tmp_path / "film.webm", "libvpx", seconds=1).read_bytes()
    made = await send_form(ada, await ada.group(), "film.webm", data)
    page = await opened(server, context, ada, made["url"])
    await expect(page.locator("video")).to_have_js_property("videoWidth", made["width"])


@pytest.mark.parametrize("name", ["a.html", "a.svg", "a.png"])
async def test_a_page_that_somebody_sent_is_saved_and_not_run(
    server: Server, context: BrowserContext, name: str
) -> None:
    (ada,) = await server.users(1)
    made = await in_pieces(ada, await ada.group(), name, SCRIPT)
    page = await opened(server, context, ada, "/about")
    async with page.expect_download() as download:
        await page.evaluate("(url) => { location.href = url; }", made["url"])
    assert (await download.value).suggested_filename == name
    assert page.url.endswith("/about")
    async with page.expect_download():
        await page.evaluate(
            "(url) => document.body.appendChild(document.createElement('iframe')).src = url",
            made["url"],
        )


async def test_a_browser_hears_a_refusal_that_came_before_its_bytes(
    server: Server, context: BrowserContext
) -> None:
    (ada,) = await server.users(1)
    chat_id = await ada.group()
    upload = await begin(ada, chat_id, 20 * 2**20)
    page = await opened(server, context, ada, "/about")
    send = """async ([url, type]) => {
      const bytes = new Uint8Array(20 * 2 ** 20);
      const form = new FormData();
      form.append("file", new Blob([bytes]), "a.bin");
      const octets = { "Content-Type": "application/octet-stream" };
      const how = type ? { body: form } : { body: bytes, headers: octets };
      return (await (await fetch(url, { method: "POST", ...how })).json()).code;
    }"""
    assert await page.evaluate(send, [f"{upload['url']}?offset=5", 0]) == "offset_mismatch"
    assert await page.evaluate(send, ["/api/chats/none/files", 1]) == "chat_not_found"
