"""What happens to a page besides being read: it is kept in memory and comes back, the network asks
for a login first, the machine sleeps, its own scripts do not arrive."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from playwright.async_api import Route, expect
from support.gate import gate_to
from support.server import Person, Server
from windows import Desk, chromium

Pair = tuple[Person, Person, str]
ALONE = "delete window.SharedWorker; delete Navigator.prototype.locks;"
KEPT = "addEventListener('pageshow', ({persisted}) => { window.wasKept = persisted; });"
LOGIN_PAGE = b"<!doctype html><title>Free network</title><p>Please log in.</p>"


@pytest.fixture
async def pair(server: Server) -> Pair:
    ada, bob = await server.user("ada"), await server.user("bob")
    return ada, bob, await ada.group(bob, title="Choir")


def cookies_of(person: Person) -> dict[str, str]:
    return {"qc_session": person.token, "qc_refresh": person.refresh_token}


async def test_a_page_that_the_browser_kept_shows_what_came_meanwhile(
    server: Server, pair: Pair
) -> None:
    ada, bob, chat_id = pair
    keeping = ("--disable-back-forward-cache",)
    async with chromium(without=keeping, whole=True) as browser, AsyncExitStack() as stack:
        tab = await Desk(browser, stack).window(server.url, cookies_of(ada), before=KEPT)
        await tab.open_chat(chat_id)
        await tab.page.goto(f"{server.url}/static/css/", wait_until="commit")
        await bob.say(chat_id, "meanwhile")
        await tab.page.evaluate("history.back()")
        await tab.shows("meanwhile")
        assert await tab.page.evaluate("window.wasKept")
        await tab.live()
        await bob.say(chat_id, "and now")
        await tab.shows("meanwhile", "and now")


@asynccontextmanager
async def captive_portal() -> AsyncIterator[str]:
    """Answers whatever is asked with its own page and 200."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(LOGIN_PAGE)}"
        writer.write(f"{head}\r\nConnection: close\r\n\r\n".encode() + LOGIN_PAGE)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as portal:
        yield f"http://127.0.0.1:{portal.sockets[0].getsockname()[1]}"


async def test_behind_a_captive_portal_it_says_so_and_goes_on_after_the_login_there(
    server: Server, desk: Desk, pair: Pair
) -> None:
    ada, bob, chat_id = pair
    async with gate_to(server.url) as network, captive_portal() as portal:
        tab = await desk.window(network.url, cookies_of(ada))
        await tab.open_chat(chat_id)
        await network.lead(portal)
        await expect(tab.page.locator("#state")).to_contain_text("Another page answers")
        await bob.say(chat_id, "meanwhile")
        await tab.write("from here")
        await network.lead(server.url)
        await tab.shows("meanwhile", "from here")
        await expect(tab.page.locator("#state")).to_contain_text("The connection is back")


async def test_after_sleep_a_connection_that_died_meanwhile_is_not_trusted(
    server: Server, desk: Desk, pair: Pair
) -> None:
    """The page's clock jumps, as after the lid was shut; a page that is alone has its own."""
    ada, bob, chat_id = pair
    async with gate_to(server.url) as network:
        tab = await desk.window(network.url, cookies_of(ada), before=ALONE)
        await tab.page.clock.install()
        await tab.open_chat(chat_id)
        network.forget()
        await bob.say(chat_id, "while it slept")
        await tab.page.clock.fast_forward("30:00")
        await tab.shows("while it slept")
        await tab.live()


async def test_a_page_whose_script_did_not_arrive_is_loaded_again_unless_somebody_writes(
    desk: Desk, server: Server, pair: Pair
) -> None:
    ada, bob, chat_id = pair
    tab = await desk.window(server.url, cookies_of(ada))
    lost = 0

    async def lose_the_first(route: Route) -> None:
        nonlocal lost
        lost += 1
        await (route.fulfill(status=503) if lost <= 2 else route.continue_())

    await tab.page.clock.install()
    await tab.page.route("**/s/*.js", lose_the_first)
    await tab.go(f"/c/{chat_id}")
    await tab.page.fill("#write", "half a sentence")
    await tab.page.clock.run_for(4000)
    assert await tab.page.input_value("#write") == "half a sentence"
    await tab.page.fill("#write", "")
    await tab.page.clock.run_for(6000)
    await tab.live()
    await bob.say(chat_id, "hello")
    await tab.shows("hello")
