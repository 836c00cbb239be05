"""The page `/doctor`: with scripts the browser measures and the server judges; without, it says
what can be found out that way. Nobody needs an account."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import expect
from proxies.nginx import nginx
from proxies.place import Place
from proxies.programs import missing
from support.process import ServerProcess
from support.server import Server
from windows import Desk, Window, chromium

NODE = Path(__file__).parent.parent / "node" / "node_modules"
AXE = NODE / "axe-core" / "axe.min.js"
RUN = """async () => (await axe.run(document)).violations
  .filter(({ impact }) => impact === "serious" || impact === "critical")
  .flatMap(({ id, nodes }) => nodes.map((n) => `${id}: ${n.html}`))"""
TOO_WIDE = "document.scrollingElement.scrollWidth - innerWidth"
browser = pytest.mark.browser
EVIL = "<script>alert(1)</script>"


@pytest_asyncio.fixture
async def desk() -> AsyncIterator[Desk]:
    async with chromium() as found, AsyncExitStack() as stack:
        yield Desk(found, stack)


async def examined(window: Window, *, silence: bool = False) -> None:
    await window.go("/doctor")
    await window.page.set_checked("#silence", silence)
    await window.page.click("#begin")
    await expect(window.page.locator(".verdict")).to_be_visible(timeout=60_000)


@browser
async def test_where_all_is_well_the_page_says_so(desk: Desk, site: ServerProcess) -> None:
    window = await desk.window(site.url)
    await examined(window)
    await expect(window.page.locator(".verdict")).to_have_attribute("data-outcome", "0")
    await expect(window.page.locator(".verdict h2").first).to_be_focused()
    assert await window.page.locator('.ways [data-state="works"]').count() == 5
    assert window.errors == []


@browser
@pytest.mark.skipif(bool(missing(("nginx",))), reason="apt-get install nginx")
async def test_what_is_wrong_on_the_way_is_shown_with_the_lines_that_mend_it(
    desk: Desk, place: Place
) -> None:
    door = await nginx("proxy_ignore_headers X-Accel-Buffering; proxy_read_timeout 4s;")(place)
    window = await desk.window(door.url)
    await examined(window, silence=True)
    found = window.page.locator(".findings")
    for text in ("WebSockets are refused", "bytes are collected", "given up after 4 s"):
        await expect(found).to_contain_text(text)
    await window.page.locator(".recipe summary", has_text="nginx").click()
    lines = window.page.locator(".recipe pre").first
    for line in ("proxy_set_header Upgrade $http_upgrade;", "proxy_read_timeout 75s;"):
        await expect(lines).to_contain_text(line)


@browser
async def test_the_report_can_be_copied(desk: Desk, site: ServerProcess) -> None:
    may = ["clipboard-read", "clipboard-write"]
    window = await desk.window(site.url, permissions=may)
    await examined(window)
    await window.page.click("#copy")
    await expect(window.page.locator("#step")).to_have_text("Copied.")
    text = await window.page.evaluate("navigator.clipboard.readText()")
    assert text.startswith(f"All well: everything gets through.\n{site.url}")


@browser
async def test_where_scripts_have_no_clipboard_the_text_is_there_to_be_copied(
    desk: Desk, site: ServerProcess
) -> None:
    none = "Object.defineProperty(navigator, 'clipboard', { value: undefined });"
    window = await desk.window(site.url, before=none + "document.execCommand = () => false;")
    await examined(window)
    await window.page.click("#copy")
    await expect(window.page.locator("#report textarea")).to_have_value(re.compile("^All well"))
    await expect(window.page.locator("#step")).to_have_text("Copy the marked text.")


@browser
@pytest.mark.parametrize("way", ["POST", "POST and long addresses"])
async def test_the_verdict_comes_by_whatever_gets_through(
    desk: Desk, site: ServerProcess, way: str
) -> None:
    window = await desk.window(site.url)

    async def refuse(route: Any) -> None:
        if route.request.method == "POST" or "addresses" in way:
            await route.fulfill(status=403, content_type="text/html", body="<h1>Denied</h1>")
        else:
            await route.continue_()

    await window.page.route("**/t/d/v*", refuse)
    await window.go("/doctor")
    await window.page.uncheck("#silence")
    await window.page.click("#begin")
    report = window.page.locator("#report")
    await expect(report).to_contain_text("WebSocket", timeout=60_000)
    await expect(report).to_contain_text("works")


@browser
async def test_where_nothing_gets_through_the_page_still_says_so(
    desk: Desk, site: ServerProcess
) -> None:
    window = await desk.window(site.url)
    await window.go("/doctor")
    await window.page.route("**/t/d/**", lambda route: route.abort())
    await window.page.click("#begin")
    await expect(window.page.locator("#report")).to_contain_text("No answer of the server")


@browser
@pytest.mark.skipif(not AXE.exists(), reason="npm install --prefix tests/node")
@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 320)])
async def test_a_report_holds_nobody_back_and_is_not_cut_off(
    desk: Desk, place: Place, theme: str, width: int
) -> None:
    if missing(("nginx",)):
        pytest.skip("apt-get install nginx")
    door = await nginx("proxy_ignore_headers X-Accel-Buffering;")(place)
    size = {"width": width, "height": 700}
    window = await desk.window(door.url, color_scheme=theme, viewport=size, reduced_motion="reduce")
    await examined(window)
    await window.page.evaluate(
        "document.querySelectorAll('details').forEach((d) => (d.open = true))"
    )
    assert await window.page.evaluate(TOO_WIDE) <= 0
    await window.page.evaluate(AXE.read_text(encoding="utf-8") + ";0")
    assert await window.page.evaluate(RUN) == []


@browser
async def test_without_scripts_lines_show_whether_pages_are_held_back(
    desk: Desk, site: ServerProcess
) -> None:
    window = await desk.window(site.url, scripts=False)
    await window.go("/doctor")
    frame = window.page.frame_locator(".doctor-lines")
    await expect(frame.locator("p").first).to_have_text("Line 1 of 5")
    assert await frame.locator("p").count() < 5
    await expect(frame.locator("p")).to_have_count(5)
    await expect(window.page.locator("#begin")).to_be_hidden()
    await expect(window.page.locator(".seen")).to_contain_text("HTTP/1.1")


async def test_the_page_is_for_everybody_in_their_language(server: Server) -> None:
    for headers in ({}, {"Accept-Language": "uk"}):
        answer = await server.client.get(f"{server.url}/doctor", headers=headers)
        assert answer.status_code == 200
        assert f'lang="{headers.get("Accept-Language", "en")}"' in answer.text
    ada = await server.user("ada")
    inside = await ada.request("GET", "/doctor")
    assert 'data-me="' in inside.text


def measured(**more: Any) -> str:
    usual = {"url": "http://x", "is_whole": True, "ping": {"why": "", "status": 200}}
    return json.dumps({**usual, **more})


@pytest.mark.parametrize("way", ["text", "json", "form", "query"])
async def test_a_page_is_told_the_verdict_by_every_kind_of_request(
    server: Server, way: str
) -> None:
    url, body = f"{server.url}/t/d/v", measured()
    asked: dict[str, dict[str, Any]] = {
        "text": {"content": body, "headers": {"Content-Type": "text/plain"}},
        "json": {"content": body, "headers": {"Content-Type": "application/json"}},
        "form": {"data": {"m": body}},
        "query": {"params": {"m": body}},
    }
    method = "GET" if way == "query" else "POST"
    answer = await server.client.request(method, url, **asked[way])
    assert answer.status_code == 200
    assert set(answer.json()) == {"html", "text", "outcome"}
    assert "verdict" in answer.json()["html"]


async def test_the_verdict_speaks_the_language_of_the_page(server: Server) -> None:
    answer = await server.client.post(f"{server.url}/t/d/v?lang=ru", content=measured())
    assert answer.headers["content-type"] == "application/json"
    assert answer.status_code == 200


@pytest.mark.parametrize("field", ["url", "issuer", "http", "proxy"])
async def test_what_strangers_claim_to_have_measured_is_shown_as_text(
    server: Server, field: str
) -> None:
    body = measured(**{field: EVIL, "rtt": 7})
    html = (await server.client.post(f"{server.url}/t/d/v", content=body)).json()["html"]
    assert "<script" not in html


@pytest.mark.parametrize(
    ("body", "status"), [("{", 400), ("[]", 400), (b"\xff\xfe", 400), ("x" * 9000, 413)]
)
async def test_what_is_no_measurement_is_refused(
    server: Server, body: str | bytes, status: int
) -> None:
    answer: httpx.Response = await server.client.post(f"{server.url}/t/d/v", content=body)
    assert answer.status_code == status
    assert answer.json()["code"]
