"""What is written while the server cannot be reached: it waits, is seen, and arrives once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import expect
from support.gate import Gate, gate_to
from support.server import Person, Server
from windows import Desk, Window

Pair = tuple[Person, Person, str]
LOCKS = "delete window.SharedWorker;"
ALONE = LOCKS + "delete Navigator.prototype.locks;"
WAYS = {"worker": "", "locks": LOCKS, "alone": ALONE}
NO_DATABASE = "IDBFactory.prototype.open = () => { throw new DOMException('no', 'SecurityError') };"
NO_STORAGE = """Object.defineProperty(window, "localStorage", {
  get: () => { throw new DOMException("no", "SecurityError") } });"""
TRANSPORTS = "**/t/**"
BLOCKED = ALONE + "delete window.WebSocket;"  # what Playwright's routes do not see


@pytest.fixture
async def pair(server: Server) -> Pair:
    ada, bob = await server.user("ada"), await server.user("bob")
    return ada, bob, await ada.group(bob, title="Choir")


@pytest_asyncio.fixture
async def gate(server: Server) -> AsyncIterator[Gate]:
    async with gate_to(server.url) as made:
        yield made


async def opened(desk: Desk, url: str, person: Person, before: str = "") -> Window:
    cookies = {"qc_session": person.token, "qc_refresh": person.refresh_token}
    return await desk.window(url, cookies, before=before)


async def reopened(window: Window) -> Window:
    """The tab is closed, and another one of the same browser opened."""
    page = await window.context.new_page()
    await window.page.close()
    return Window(window.context, page, window.url)


async def waits(window: Window, *texts: str, state: str = "Waiting for the connection") -> None:
    await expect(window.page.locator("#pending .msg .body")).to_have_text(list(texts))
    await expect(window.page.locator("#pending .msg .head")).to_have_text([state] * len(texts))


async def until(window: Window, expression: str) -> None:
    """`wait_for_function` needs `eval`, which the pages' policy forbids."""
    async with asyncio.timeout(20):
        while not await window.page.evaluate(expression):
            await asyncio.sleep(0.05)


async def said(person: Person, chat_id: str) -> list[str]:
    return [message["content"] for message in await person.history(chat_id)]


THREE = ("one", "two", "three")


@pytest.mark.parametrize("way", WAYS)
async def test_what_is_written_without_a_network_arrives_once_and_in_order_when_it_is_back(
    server: Server, gate: Gate, desk: Desk, pair: Pair, way: str
) -> None:
    ada, _, chat_id = pair
    hers = await opened(desk, gate.url, ada, WAYS[way])
    await hers.open_chat(chat_id)
    assert await hers.page.evaluate("quartchat.mode") == way
    await gate.cut()
    for text in THREE:
        await hers.write(text)
    await waits(hers, *THREE)
    await gate.open()
    await hers.shows(*THREE)
    assert await said(ada, chat_id) == list(THREE)


@pytest.mark.parametrize("way", WAYS)
async def test_it_arrives_also_when_the_tab_was_closed_meanwhile(
    server: Server, gate: Gate, desk: Desk, pair: Pair, way: str
) -> None:
    ada, _, chat_id = pair
    hers = await opened(desk, gate.url, ada, WAYS[way])
    await hers.open_chat(chat_id)
    await gate.cut()
    for text in THREE:
        await hers.write(text)
    await waits(hers, *THREE)
    hers = await reopened(hers)
    await gate.open()
    await hers.open_chat(chat_id)
    await hers.shows(*THREE)
    assert await said(ada, chat_id) == list(THREE)


async def test_what_waited_is_shown_by_the_next_page_before_it_can_be_sent(
    server: Server, desk: Desk, pair: Pair
) -> None:
    ada, _, chat_id = pair
    hers = await opened(desk, server.url, ada, BLOCKED)
    await hers.context.route(TRANSPORTS, lambda route: route.abort())
    await hers.go(f"/chats/{chat_id}")
    for text in THREE:
        await hers.write(text)
    await waits(hers, *THREE)
    hers = await reopened(hers)
    await hers.go(f"/chats/{chat_id}")
    await waits(hers, *THREE)
    await hers.context.unroute(TRANSPORTS)
    await hers.live()
    await hers.shows(*THREE)
    assert await said(ada, chat_id) == list(THREE)


@pytest.mark.parametrize("way", ["worker", "locks"])
async def test_every_tab_shows_what_waits_and_one_of_them_sends_it(
    server: Server, gate: Gate, desk: Desk, pair: Pair, way: str
) -> None:
    ada, _, chat_id = pair
    first = await opened(desk, gate.url, ada, WAYS[way])
    await first.open_chat(chat_id)
    second = Window(first.context, await first.context.new_page(), first.url)
    await second.open_chat(chat_id)
    await gate.cut()
    await first.write("from the first")
    await waits(second, "from the first")
    await second.write("from the second")
    for tab in (first, second):
        await waits(tab, "from the first", "from the second")
    await first.page.close()
    await gate.open()
    await second.shows("from the first", "from the second")
    assert await said(ada, chat_id) == ["from the first", "from the second"]


async def test_a_browser_that_says_that_it_is_offline_keeps_what_is_written(
    server: Server, desk: Desk, pair: Pair
) -> None:
    ada, _, chat_id = pair
    hers = await opened(desk, server.url, ada, LOCKS)
    await hers.open_chat(chat_id)
    await hers.context.set_offline(True)
    for text in THREE:
        await hers.write(text)
    await waits(hers, *THREE)
    await hers.context.set_offline(False)
    await hers.shows(*THREE)
    assert await said(ada, chat_id) == list(THREE)


async def test_a_message_that_will_never_be_taken_says_why_and_holds_up_nothing(
    server: Server, desk: Desk, pair: Pair
) -> None:
    ada, _, chat_id = pair
    hers = await opened(desk, server.url, ada)
    await hers.open_chat(chat_id)
    await hers.page.eval_on_selector("form.composer", "(form) => (form.dataset.max = 1e6)")
    await hers.write("x" * 9000)
    await hers.write("short")
    await hers.page.locator("#pending .failed [role=alert]").wait_for()
    await expect(hers.page.locator("#pending .head")).to_have_text(["Not sent"])
    await expect(hers.page.locator("#pending .failed")).to_contain_text("8,000")
    await expect(hers.bodies).to_have_text(["short"])
    hers = await reopened(hers)
    await hers.open_chat(chat_id)
    await expect(hers.page.locator("#pending .head")).to_have_text(["Not sent"])
    await hers.page.get_by_role("button", name="Edit").click()
    assert len(await hers.page.input_value("#write")) == 9000
    await hers.write("shorter")
    await hers.shows("short", "shorter")


async def test_what_failed_is_sent_again_or_discarded(
    server: Server, desk: Desk, pair: Pair
) -> None:
    ada, bob, chat_id = pair
    other = await bob.group(ada, title="Garden")
    hers = await opened(desk, server.url, ada, BLOCKED)
    await hers.context.route(TRANSPORTS, lambda route: route.abort())
    await hers.go(f"/chats/{other}")
    await hers.write("again")
    await hers.write("never")
    await waits(hers, "again", "never")
    await bob.remove(other, ada)
    await hers.context.unroute(TRANSPORTS)
    await hers.go(f"/chats/{chat_id}")
    told = hers.page.locator(".toast")
    await expect(told.first).to_contain_text("You are not a member of this chat.")
    await expect(told.last).to_contain_text("never")
    failed = "quartchat.outbox.entries().filter((entry) => entry.state === 'failed').length === 2"
    await until(hers, failed)
    await bob.add(other, ada)
    await hers.go(f"/chats/{other}")
    first, second = (
        hers.page.locator("#pending .msg").first,
        hers.page.locator("#pending .msg").last,
    )
    await expect(first.locator("[role=alert]")).to_have_text("You are not a member of this chat.")
    await second.get_by_role("button", name="Discard").click()
    await first.get_by_role("button", name="Retry").click()
    await expect(hers.bodies.last).to_have_text("again")
    await expect(hers.page.locator("#pending .msg")).to_have_count(0)
    assert await said(bob, other) == ["again"]


async def test_an_answer_whose_message_was_deleted_meanwhile_arrives_as_a_message(
    server: Server, gate: Gate, desk: Desk, pair: Pair
) -> None:
    ada, bob, chat_id = pair
    question = await bob.say(chat_id, "who sings?")
    hers = await opened(desk, gate.url, ada)
    await hers.open_chat(chat_id)
    await hers.page.locator(".msg a.reply").focus()
    await hers.page.keyboard.press("Enter")
    await expect(hers.page.locator("#replying")).to_contain_text("who sings?")
    await gate.cut()
    await hers.write("I do")
    await waits(hers, "I do")
    await bob.api("DELETE", f"/messages/{question['message_id']}")
    await gate.open()
    await hers.shows("This message was deleted.", "I do")
    await expect(hers.page.locator(".quote")).to_have_count(0)


async def test_what_waits_can_be_taken_back_before_it_is_sent(
    server: Server, gate: Gate, desk: Desk, pair: Pair
) -> None:
    ada, _, chat_id = pair
    hers = await opened(desk, gate.url, ada)
    await hers.open_chat(chat_id)
    await gate.cut()
    await expect(hers.page.locator("#state")).not_to_contain_text("Live")
    for text in ("wrong", "right"):
        await hers.write(text)
    await waits(hers, "wrong", "right")
    await hers.page.locator("#pending .msg").first.get_by_role("button", name="Discard").click()
    await waits(hers, "right")
    await gate.open()
    await hers.shows("right")
    assert await said(ada, chat_id) == ["right"]


@pytest.mark.parametrize(
    ("broken", "kind"), [(NO_DATABASE, "localStorage"), (NO_DATABASE + NO_STORAGE, "memory")]
)
async def test_a_browser_that_keeps_less_says_so(
    server: Server, desk: Desk, pair: Pair, broken: str, kind: str
) -> None:
    ada, _, chat_id = pair
    hers = await opened(desk, server.url, ada, BLOCKED + broken)
    await hers.context.route(TRANSPORTS, lambda route: route.abort())
    await hers.go(f"/chats/{chat_id}")
    await hers.write("hello")
    await waits(hers, "hello")
    note = hers.page.locator("#pending .kept")
    if kind == "memory":
        await expect(note).to_have_text("Kept only as long as this page is open.")
        await hers.context.unroute(TRANSPORTS)
    else:
        await expect(note).to_have_count(0)
        await hers.context.unroute(TRANSPORTS)
        hers = await reopened(hers)
        await hers.go(f"/chats/{chat_id}")
    await hers.shows("hello")
    assert await said(ada, chat_id) == ["hello"]


async def test_what_another_release_or_a_fault_left_in_the_database_stops_nothing(
    server: Server, desk: Desk, pair: Pair
) -> None:
    ada, _, chat_id = pair
    hers = await opened(desk, server.url, ada, ALONE)
    await hers.go("/health/live")
    spoil = """([base, version]) => new Promise((done) => {
      const asked = indexedDB.open(`quartchat ${base}/`, version);
      asked.onupgradeneeded = () => {
        const table = asked.result.createObjectStore("waiting", { keyPath: "client_id" });
        table.put({ client_id: "x", user: "nobody's", content: null });
      };
      asked.onsuccess = () => (asked.result.close(), done());
    })"""
    versions = """indexedDB.databases().then((all) => all
      .filter(({ name }) => !name.startsWith("quartchat-files")).map(({ version }) => version))"""
    wipe = """indexedDB.databases().then((all) => Promise.all(all.map(({ name }) =>
      new Promise((done) => (indexedDB.deleteDatabase(name).onsuccess = done)))))"""
    for version in (1, 7):
        await hers.page.evaluate(spoil, [server.url, version])
        await hers.open_chat(chat_id)
        await hers.write(f"version {version}")
        await expect(hers.bodies.last).to_have_text(f"version {version}")
        assert await hers.page.evaluate("quartchat.outbox.kept")
        assert await hers.page.evaluate(versions) == [version]
        await hers.go("/health/live")
        await hers.page.evaluate(wipe)


async def test_logging_out_asks_first_and_leaves_nothing_in_the_browser(
    server: Server, desk: Desk, pair: Pair
) -> None:
    ada, bob, chat_id = pair
    hers = await opened(desk, server.url, ada, BLOCKED)
    await hers.context.route(TRANSPORTS, lambda route: route.abort())
    await hers.go(f"/chats/{chat_id}")
    await hers.write("a secret")
    await waits(hers, "a secret")
    await hers.page.fill("#write", "half a thought")
    await hers.go("/settings")
    await until(hers, "quartchat.outbox.entries().length === 1")
    await hers.page.click("text=Log out here")
    await expect(hers.page.locator("#unsent h2")).to_have_text("1 message was not sent yet.")
    await hers.page.click("text=Stay here")
    await expect(hers.page.locator("#unsent")).to_have_count(0)
    await hers.page.click("text=Log out here")
    await hers.page.click("text=Log out and delete")
    await hers.page.wait_for_url("**/login")
    everything = """async () => {
      const names = (await indexedDB.databases()).map(({ name }) => name);
      const rows = await Promise.all(names.map((name) => new Promise((done) => {
        indexedDB.open(name).onsuccess = ({ target: { result } }) => {
          const all = result.transaction("waiting").objectStore("waiting").getAll();
          all.onsuccess = () => (result.close(), done(all.result));
        };
      })));
      return JSON.stringify([rows.flat(), localStorage]);
    }"""
    left = await hers.page.evaluate(everything)
    assert "secret" not in left and "thought" not in left
    await hers.context.unroute(TRANSPORTS)
    again = await server.log_in_again(ada)
    for name, value in (("qc_session", again.token), ("qc_refresh", again.refresh_token)):
        await hers.context.add_cookies([{"name": name, "value": value, "url": hers.url}])
    await hers.open_chat(chat_id)
    await hers.shows()
    assert await said(bob, chat_id) == []


async def test_what_one_person_left_waiting_is_not_anothers(
    server: Server, desk: Desk, pair: Pair
) -> None:
    ada, bob, chat_id = pair
    tab = await opened(desk, server.url, ada, BLOCKED)
    await tab.context.route(TRANSPORTS, lambda route: route.abort())
    await tab.go(f"/chats/{chat_id}")
    await tab.write("from ada")
    await waits(tab, "from ada")
    tab = await reopened(tab)
    await tab.context.unroute(TRANSPORTS)
    for person in (bob, ada):
        for name, value in (("qc_session", person.token), ("qc_refresh", person.refresh_token)):
            await tab.context.add_cookies([{"name": name, "value": value, "url": tab.url}])
        await tab.open_chat(chat_id)
        await tab.shows(*(["from ada"] if person is ada else []))
    sent = await ada.history(chat_id)
    assert [(one["sender_id"], one["content"]) for one in sent] == [(ada.user_id, "from ada")]


async def test_signs_of_typing_and_of_reading_are_told_a_few_times_only(
    server: Server, desk: Desk, pair: Pair
) -> None:
    ada, bob, chat_id = pair
    hers = await opened(desk, server.url, ada)
    await hers.open_chat(chat_id)
    watcher = await bob.live("ws")
    await hers.page.locator("#write").press_sequentially("a long sentence of many letters")
    for n in range(20):
        await bob.say(chat_id, f"number {n}")
    newest = (await bob.history(chat_id))[-1]["event_id"]
    seen: list[dict[str, Any]] = []

    def read_all(event: dict[str, Any]) -> bool:
        seen.append(event)
        return event["type"] == "messages_read" and event["data"]["event_id"] == newest

    await watcher.one(read_all)
    types = [event["type"] for event in seen if event["data"].get("user_id") == ada.user_id]
    assert 1 <= types.count("user_typing") <= 4
    assert 1 <= types.count("messages_read") <= 10
