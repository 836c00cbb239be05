"""All tabs of a browser share one connection, whoever holds it and whatever becomes of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from playwright.async_api import expect
from support.server import Person, Server
from windows import Desk, Window, chromium

Open = Callable[..., Awaitable[Window]]
Pair = tuple[Person, Person, str]
LOCKS = "delete window.SharedWorker;"
ALONE = LOCKS + "delete Navigator.prototype.locks;"
SECONDS = 2.0


@pytest.fixture
async def pair(server: Server) -> Pair:
    ada, bob = await server.user("ada"), await server.user("bob")
    return ada, bob, await ada.group(bob, title="Choir")


async def tab_of(window: Window, chat_id: str) -> Window:
    """One more tab of the same browser."""
    tab = Window(window.context, await window.context.new_page(), window.url)
    await tab.open_chat(chat_id)
    return tab


async def tabs(
    number: int, window: Open, person: Person, chat_id: str, **more: Any
) -> list[Window]:
    first = await window(person, **more)
    await first.open_chat(chat_id)
    return [first, *[await tab_of(first, chat_id) for _ in range(number - 1)]]


async def mode(tab: Window) -> Any:
    return await tab.page.evaluate("quartchat.mode")


async def has_connections(server: Server, person: Person, number: int) -> None:
    """Sooner or later: at first several ways are tried at once."""
    sessions = server.services.sessions
    async with asyncio.timeout(15):
        while sum(session.user_id == person.user_id for session in sessions) != number:
            await asyncio.sleep(0.05)


async def leader(tabs: list[Window]) -> int:
    """Which of these tabs holds the lock."""
    asked = """async () => (await navigator.locks.query()).held
      .filter(({ name }) => name.startsWith("quartchat [")).map(({ clientId }) => clientId)[0]"""
    mine = """() => new Promise((done) => navigator.locks.request("who", async () =>
      done((await navigator.locks.query()).held.find(({ name }) => name === "who").clientId)))"""
    held = await tabs[0].page.evaluate(asked)
    return [await tab.page.evaluate(mine) for tab in tabs].index(held)


async def hear(tabs: list[Window], *texts: str) -> None:
    for tab in tabs:
        await expect(tab.bodies).to_have_text(list(texts))


async def note_times(tabs: list[Window]) -> None:
    """From now on each page notes when it was handed a message."""
    noting = """() => (window.heard = {},
      quartchat.on("new_message", ({ data }) => (heard[data.content] = Date.now() / 1000)))"""
    for tab in tabs:
        await tab.page.evaluate(noting)


async def in_time(tabs: list[Window], text: str, since: float) -> None:
    for tab in tabs:
        assert await tab.page.evaluate("(text) => heard[text]", text) - since < SECONDS


@pytest.mark.parametrize(
    ("before", "way", "number"), [("", "worker", 1), (LOCKS, "locks", 1), (ALONE, "alone", 8)]
)
async def test_eight_tabs_share_what_the_browser_lets_them_share(
    server: Server, window: Open, pair: Pair, before: str, way: str, number: int
) -> None:
    """Over HTTP/1.1, where a browser has no more than six connections to a server for all tabs."""
    ada, bob, chat_id = pair
    all_of_them = await tabs(8, window, ada, chat_id, before=before)
    assert {await mode(tab) for tab in all_of_them} == {way}
    await has_connections(server, ada, number)
    await bob.say(chat_id, "hello")
    await hear(all_of_them, "hello")
    said = ["hello"]
    for n, tab in enumerate(all_of_them):
        await tab.write(f"from tab {n}")
        said.append(f"from tab {n}")
        await hear([tab], *said)
    await hear(all_of_them, *said)
    for tab in all_of_them:
        await tab.go("/people")
        await tab.live()
        await tab.open_chat(chat_id)
    await hear(all_of_them, *said)
    assert [tab.errors for tab in all_of_them] == [[]] * 8


@pytest.mark.parametrize("way", ["worker", "locks"])
async def test_streams_of_eight_tabs_do_not_use_up_the_browsers_connections(
    server: Server, window: Open, pair: Pair, way: str
) -> None:
    ada, bob, chat_id = pair
    before = 'localStorage.setItem("qc_transports", "stream");' + (LOCKS if way == "locks" else "")
    all_of_them = await tabs(8, window, ada, chat_id, before=before)
    await all_of_them[7].live("streaming")
    await has_connections(server, ada, 1)
    for tab in all_of_them:
        await tab.go("/rooms")
    for tab in all_of_them:
        await tab.open_chat(chat_id)
    await bob.say(chat_id, "hello")
    await hear(all_of_them, "hello")
    await all_of_them[5].write("hello bob")
    await hear(all_of_them, "hello", "hello bob")


async def test_when_the_last_tab_goes_the_connection_goes(
    server: Server, window: Open, pair: Pair
) -> None:
    ada, _, chat_id = pair
    first = await window(ada)
    await first.open_chat(chat_id)
    await first.context.new_page()  # the browser stays, and no page of ours in it
    await first.page.close()
    await has_connections(server, ada, 0)


async def test_the_connection_stays_from_one_page_to_the_next(
    server: Server, window: Open, pair: Pair
) -> None:
    ada, _, chat_id = pair
    tab = await window(ada)
    await tab.open_chat(chat_id)
    await has_connections(server, ada, 1)
    before = [id(session) for session in server.services.sessions]
    for _ in range(3):
        await tab.go("/people")
        await tab.live()
        await tab.open_chat(chat_id)
    assert [id(session) for session in server.services.sessions] == before


async def crash(tab: Window) -> None:
    tab.page.on("crash", lambda _: None)
    session = await tab.context.new_cdp_session(tab.page)
    sent = asyncio.ensure_future(session.send("Page.crash"))
    await tab.page.wait_for_event("crash")
    sent.cancel()
    await asyncio.gather(sent, return_exceptions=True)


async def put_to_sleep(tab: Window) -> None:
    session = await tab.context.new_cdp_session(tab.page)
    await session.send("Page.setWebLifecycleState", {"state": "frozen"})


async def close(tab: Window) -> None:
    await tab.page.close()


@pytest.mark.parametrize("way", ["worker", "locks"])
@pytest.mark.parametrize("how", [close, crash, put_to_sleep], ids=["closed", "crashed", "frozen"])
async def test_when_the_tab_that_began_is_gone_the_others_hear_the_next_message_within_two_seconds(
    server: Server, window: Open, pair: Pair, how: Callable[[Window], Awaitable[None]], way: str
) -> None:
    ada, bob, chat_id = pair
    all_of_them = await tabs(3, window, ada, chat_id, before=LOCKS if way == "locks" else "")
    at = await leader(all_of_them) if way == "locks" else 0
    gone = all_of_them.pop(at)
    await bob.say(chat_id, "before")
    await hear([gone, *all_of_them], "before")
    await all_of_them[-1].page.bring_to_front()
    await note_times(all_of_them)
    await how(gone)
    since = time.time()
    await bob.say(chat_id, "after")
    await hear(all_of_them, "before", "after")
    await in_time(all_of_them, "after", since)
    await bob.say(chat_id, "and on")
    await hear(all_of_them, "before", "after", "and on")
    await all_of_them[0].write("still here")
    await hear(all_of_them, "before", "after", "and on", "still here")


async def test_a_leader_that_hangs_is_relieved_and_follows_when_it_goes_on(
    server: Server, window: Open, pair: Pair
) -> None:
    ada, bob, chat_id = pair
    all_of_them = await tabs(3, window, ada, chat_id, before=LOCKS)
    hangs = all_of_them.pop(await leader(all_of_them))
    session = await hangs.context.new_cdp_session(hangs.page)
    await all_of_them[-1].page.bring_to_front()
    await note_times(all_of_them)
    await session.send("Debugger.enable")
    await session.send("Debugger.pause")
    since = time.time()
    await bob.say(chat_id, "before")
    await hear(all_of_them, "before")
    await in_time(all_of_them, "before", since)
    await session.send("Debugger.disable")
    await bob.say(chat_id, "after")
    await hear([hangs, *all_of_them], "before", "after")
    await has_connections(server, ada, 1)


SILENT = "window.SharedWorker = class { constructor() { this.port = new MessageChannel().port1 } };"
THROWS = "window.SharedWorker = class { constructor() { throw new Error('no') } };"


@pytest.mark.parametrize("broken", ["silent", "throws", "blocked"])
async def test_where_workers_do_not_work_a_tab_leads(
    server: Server, window: Open, pair: Pair, broken: str
) -> None:
    ada, bob, chat_id = pair
    # A worker's file that a proxy does not let through: another address in its place.
    elsewhere = """const Real = SharedWorker;
    window.SharedWorker = class { constructor(url, how) { return new Real(url + "x", how) } };"""
    before = {"silent": SILENT, "throws": THROWS, "blocked": elsewhere}[broken]
    both = await tabs(2, window, ada, chat_id, before=before)
    assert [await mode(tab) for tab in both] == ["locks", "locks"]
    await has_connections(server, ada, 1)
    await bob.say(chat_id, "hello")
    await hear(both, "hello")


async def test_on_plain_http_with_a_host_name_tabs_share_a_worker_or_nothing(
    server: Server, pair: Pair
) -> None:
    """There the browser has no locks and no `crypto.randomUUID`."""
    ada, bob, chat_id = pair
    port = server.url.rpartition(":")[2]
    async with (
        chromium("--host-resolver-rules=MAP name.test 127.0.0.1") as browser,
        AsyncExitStack() as stack,
    ):
        desk = Desk(browser, stack)
        cookies = {"qc_session": ada.token, "qc_refresh": ada.refresh_token}
        for before, way, number in (("", "worker", 1), (LOCKS, "alone", 3)):
            first = await desk.window(f"http://name.test:{port}", cookies, before=before)
            await first.open_chat(chat_id)
            three = [first, await tab_of(first, chat_id), await tab_of(first, chat_id)]
            assert not await first.page.evaluate("isSecureContext")
            assert [await mode(tab) for tab in three] == [way] * 3
            await has_connections(server, ada, number)
            await bob.say(chat_id, f"hello {way}")
            await three[2].write(f"I am here {way}")
            for tab in three:
                await expect(tab.bodies.last).to_have_text(f"I am here {way}")
                assert [error for error in tab.errors if "Opener-Policy" not in error] == []
            await first.context.close()
            await has_connections(server, ada, 0)


async def test_a_page_out_of_the_browsers_memory_shows_what_came_meanwhile(
    server: Server, window: Open, pair: Pair
) -> None:
    ada, bob, chat_id = pair
    tab = await window(ada)
    await tab.open_chat(chat_id)
    await tab.page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', {persisted: true}))")
    await has_connections(server, ada, 0)
    await bob.say(chat_id, "meanwhile")
    await tab.page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    await hear([tab], "meanwhile")


async def test_after_another_log_in_nothing_is_shared_with_the_one_before(
    server: Server, window: Open, pair: Pair
) -> None:
    ada, bob, chat_id = pair
    tab = await window(ada)
    await tab.open_chat(chat_id)
    keys = {"qc_session": bob.token, "qc_refresh": bob.refresh_token}
    for name, value in keys.items():
        await tab.context.add_cookies([{"name": name, "value": value, "url": tab.url}])
    his = await tab_of(tab, chat_id)
    await has_connections(server, bob, 1)
    other = await bob.group(title="Secret")
    await bob.say(other, "for bob alone")
    await expect(his.page.locator("#chat-list .title").first).to_have_text("Secret")
    await expect(tab.page.locator("#chat-list .title")).to_have_text(["Choir"])
