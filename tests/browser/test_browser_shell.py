"""What stands around every page, live: the bell, toasts, the state of the connection, lists."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import expect
from support.process import ServerProcess
from support.server import Folder, Person, Server
from windows import Desk, Window

from quartchat.operator import Operator

Open = Callable[..., Awaitable[Window]]
# Without a SharedWorker the page has the connection itself, where the test can reach it.
NO_SOCKET = "delete window.SharedWorker; delete window.WebSocket;"
SHIFTS = """(async () => {
  const seen = [];
  new PerformanceObserver((list) => seen.push(...list.getEntries()))
    .observe({ type: "layout-shift", buffered: true });
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  return seen.flatMap(({ sources }) => sources.map(
    ({ node, previousRect, currentRect }) =>
      [node?.outerHTML?.slice(0, 80), JSON.stringify([previousRect, currentRect])]));
})()"""


@pytest.fixture
async def ada(server: Server) -> Person:
    return await server.user("ada")


@pytest.fixture
async def bob(server: Server) -> Person:
    return await server.user("bob")


async def ask(one: Person, other: Person) -> None:
    await one.api("POST", f"/friends/{other.user_id}")


async def test_what_happens_rings_at_once_on_any_page(
    window: Open, ada: Person, bob: Person
) -> None:
    hers = await window(ada)
    await hers.go("/people")
    await hers.live()
    await ask(bob, ada)
    await expect(hers.page.locator("#bell .badge")).to_have_text("1 unread")
    await expect(hers.page).to_have_title("(1) People · quartchat")
    icon = hers.page.locator("#favicon")
    assert await icon.get_attribute("href") == await icon.get_attribute("data-dot")
    toast = hers.page.locator(".toast")
    await expect(toast).to_contain_text("bob wants to be your friend.")
    assert await hers.page.evaluate(SHIFTS) == []
    await toast.locator("a").click()
    await hers.page.wait_for_url("**/friends")
    await expect(hers.page.locator("#bell .badge")).to_have_count(0)
    await expect(hers.page).to_have_title("Friends · quartchat")
    assert hers.errors == []


async def test_what_the_operator_tells_everybody_is_shown_on_any_page(
    server: Server, window: Open, ada: Person
) -> None:
    hers = await window(ada)
    await hers.go("/settings")
    await hers.live()
    operator = Operator(server.services.core, server.services.presence)
    operator.is_open = True
    told = {"title": "Tonight", "message": "The site is <b>down</b> from 22:00."}
    await operator.send_global_notification("*", told)
    toast = hers.page.locator(".toast")
    await expect(toast).to_contain_text("Tonight The site is <b>down</b> from 22:00.")
    assert hers.errors == []


async def test_what_is_read_on_one_device_is_read_on_the_other(
    window: Open, ada: Person, bob: Person
) -> None:
    await ask(bob, ada)
    first, second = await window(ada), await window(ada)
    for one in (first, second):
        await one.go("/notifications")
        await one.live()
        await expect(one.page.locator("#bell .badge")).to_have_text("1 unread")
    await first.page.get_by_role("button", name="Mark all as read").click()
    await expect(second.page.locator("#bell .badge")).to_have_count(0)
    await expect(second.page.locator(".notice.new")).to_have_count(0)
    await expect(second.page).to_have_title("Notifications · quartchat")
    assert first.errors + second.errors == []


async def test_a_toast_goes_when_it_is_dismissed(window: Open, ada: Person, bob: Person) -> None:
    hers = await window(ada)
    await hers.go("/settings")
    await hers.live()
    await ask(bob, ada)
    await hers.page.locator(".toast").get_by_role("button", name="Dismiss").press("Enter")
    await expect(hers.page.locator(".toast")).to_have_count(0)
    await expect(hers.page.locator("#bell .badge")).to_have_text("1 unread")


async def test_what_the_reader_looks_at_makes_no_toast(
    window: Open, ada: Person, bob: Person
) -> None:
    chat, other = await ada.group(bob, title="Choir"), await ada.group(bob, title="Garden")
    hers = await window(ada)
    await hers.open_chat(chat)
    await bob.say(chat, "@ada here")
    await expect(hers.bodies).to_have_text(["@ada here"])
    await bob.say(other, "@ada there")
    toast = hers.page.locator(".toast")
    await expect(toast).to_contain_text("mentioned you in Garden")
    await expect(toast).to_have_count(1)
    assert hers.errors == []


async def test_lists_of_requests_and_notifications_follow_by_themselves(
    window: Open, ada: Person, bob: Person
) -> None:
    requests, notices = await window(ada), await window(ada)
    await requests.go("/friends")
    await notices.go("/notifications")
    for one in (requests, notices):
        await one.live()
    await ask(bob, ada)
    await expect(requests.page.get_by_role("button", name="Accept bob")).to_be_visible()
    await expect(notices.page.locator("#notices .notice")).to_contain_text(["bob wants"])
    await bob.api("DELETE", f"/friends/{ada.user_id}")
    await expect(requests.page.get_by_role("button", name="Accept bob")).to_have_count(0)
    assert requests.errors + notices.errors == []


async def test_a_muted_chat_counts_in_its_row_but_not_in_the_title(
    window: Open, ada: Person, bob: Person
) -> None:
    chat = await ada.group(bob, title="Choir")
    await ada.api("PATCH", f"/chats/{chat}/settings", notify="none")
    hers = await window(ada)
    await hers.go("/chats")
    await hers.live()
    await bob.say(chat, "la")
    badge = hers.page.locator("#chat-list .badge")
    await expect(badge).to_have_text("1 unread")
    assert "calm" in (await badge.get_attribute("class") or "")
    await expect(hers.page).to_have_title("Chats · quartchat")


async def test_without_scripts_nothing_is_said_of_a_connection(window: Open, ada: Person) -> None:
    hers = await window(ada, scripts=False)
    await hers.go("/chats")
    await expect(hers.page.locator("#state")).to_have_text("")
    await expect(hers.page.get_by_role("button", name="Try now")).to_have_count(0)


async def sign_up(window: Window, name: str) -> None:
    await window.go("/signup")
    await window.page.fill("#name", name)
    await window.page.fill("#password", "long enough to pass")
    await window.page.get_by_role("button", name="Make the account").click()
    await window.page.wait_for_url("**/c")


SEND = """async (name) => {
  const post = (url, body) => fetch(url, { method: "POST", body: JSON.stringify(body),
    headers: { "Content-Type": "application/json" } }).then((answer) => answer.json());
  const { users } = await (await fetch("/api/users?name=" + name)).json();
  const { chat_id: id } = await post("/api/chats", { kind: "direct", user_id: users[0].user_id });
  await post(`/api/chats/${id}/messages`, { content: "are you there?" });
}"""


async def test_a_lost_connection_says_so_and_is_back_with_what_came_meanwhile(
    new_folder: Folder, desk: Desk
) -> None:
    async with ServerProcess(new_folder(), "--no-limits", "--log-level", "error") as server:
        hers, his = await desk.window(server.url, before=NO_SOCKET), await desk.window(server.url)
        await sign_up(hers, "ada")
        await sign_up(his, "bob")
        await hers.live("streaming")
        state, card = hers.page.locator("#state"), hers.page.locator(".state-card")
        await expect(card).to_be_hidden()
        await hers.page.route("**/t/*", lambda route: route.abort())
        await server.kill()
        await expect(state).to_contain_text("Connection lost since")
        await expect(card).to_contain_text("Next try in")
        await server.start()
        await his.go("/profile")
        await his.page.evaluate(SEND, "ada")
        await hers.page.unroute("**/t/*")
        retry = hers.page.get_by_role("button", name="Try now")
        await expect(retry).to_be_enabled()
        await retry.click()
        await expect(card).to_contain_text("The connection is back. 1 message came meanwhile.")
        await expect(hers.page.locator("#chat-list .last")).to_contain_text(["are you there?"])
        await hers.live("streaming")
        await expect(card).to_be_hidden()
