from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from playwright.async_api import expect
from support.server import Person, Server
from windows import Window

Open = Callable[..., Awaitable[Window]]
INSIDE = ["/chats", "/chats/new", "/chats/{chat}", "/profile", "/chats/{room}", "/nothing"]
INSIDE += ["/chats/{chat}?before=9007199254740000", "/chats/nothing"]
OUTSIDE = ["/login", "/signup", "/nothing"]
LONG = "Donaudampfschifffahrtsgesellschaft" * 3


@pytest.fixture
async def ada(server: Server) -> Person:
    return await server.user("ada")


@pytest.fixture
async def address(server: Server, ada: Person) -> Callable[[str], str]:
    """Fills in a chat of ada's, and a public room that she is not in."""
    bob = await server.user(LONG[:40])
    chat = await ada.group(bob, title=LONG[:100])
    room = await bob.group(public=True, title="Room " + LONG[:90])
    for where in (chat, room):
        await bob.say(where, f"{LONG * 5} https://example.org/{LONG * 3}")
    return lambda path: path.format(chat=chat, room=room)


@pytest.mark.parametrize("path", INSIDE)
async def test_no_page_has_errors_or_breaks_its_policy(
    window: Open, ada: Person, address: Callable[[str], str], path: str
) -> None:
    hers = await window(ada)
    await hers.go(address(path))
    main = hers.page.locator("main[data-cursor]")
    if await main.count():
        # The page's own connection has been opened: what it says of its state would break here.
        await hers.page.wait_for_function("performance.getEntriesByType('resource').length > 4")
        await hers.page.evaluate("fetch('/health/live')")
    if await hers.page.locator("#state").count():
        await hers.live()
    await expect(hers.page.locator("h1").first).to_be_visible()
    assert [error for error in hers.errors if "404" not in error] == []


async def test_a_preview_of_a_room_is_live_for_those_who_only_look(
    server: Server, window: Open, ada: Person
) -> None:
    """Not a member: no events of the room, but those of one's own chats, and no errors."""
    bob = await server.user()
    room = await bob.group(public=True, title="Garden")
    mine = await ada.group(bob, title="Mine")
    hers = await window(ada)
    await hers.go(f"/chats/{room}")
    row = hers.page.locator(f'#chat-list li[data-chat-id="{mine}"]')
    await bob.say(mine, "over here")
    await expect(row.locator(".badge")).to_have_text("1 unread")
    assert hers.errors == []


@pytest.mark.parametrize("path", OUTSIDE)
async def test_no_page_for_strangers_has_errors(window: Open, path: str) -> None:
    theirs = await window()
    await theirs.go(path)
    await expect(theirs.page.locator("h1")).to_be_visible()
    assert [error for error in theirs.errors if "404" not in error] == []


LABELS = """() => [...document.querySelectorAll("input, textarea, select, button")]
  .filter((control) => control.type !== "hidden")
  .filter((control) => !(control.labels?.length && control.labels[0].textContent.trim()))
  .filter((control) => !control.textContent.trim() || control.tagName === "TEXTAREA")
  .filter((control) => !control.ariaLabel && !control.hidden)
  .map((control) => control.outerHTML)"""


@pytest.mark.parametrize("path", INSIDE)
async def test_every_control_has_a_label(
    window: Open, ada: Person, address: Callable[[str], str], path: str
) -> None:
    hers = await window(ada)
    await hers.go(address(path))
    assert await hers.page.evaluate(LABELS) == []


@pytest.mark.parametrize("path", OUTSIDE)
async def test_every_control_of_the_doors_has_a_label(window: Open, path: str) -> None:
    theirs = await window()
    await theirs.go(path)
    assert await theirs.page.evaluate(LABELS) == []


WIDTH = "document.scrollingElement.scrollWidth"
CUT = """() => [...document.querySelectorAll("a, button, input, textarea, h1")].filter((e) => {
  const box = e.getBoundingClientRect();
  return e.checkVisibility() && !e.closest(".unseen, .skips") && box.right > innerWidth + 1;
}).map((e) => e.outerHTML.slice(0, 120))"""
SCROLLERS = "[...document.querySelectorAll('.scroller')].map((e) => e.scrollWidth - e.clientWidth)"


@pytest.mark.parametrize("path", [*INSIDE, "/login", "/signup"])
async def test_nothing_is_wider_than_a_small_phone(
    window: Open, ada: Person, address: Callable[[str], str], path: str
) -> None:
    hers = await window(ada, viewport={"width": 320, "height": 600})
    await hers.go(address(path))
    await expect(hers.page.locator("h1").first).to_be_visible()
    assert await hers.page.evaluate(WIDTH) <= 320
    assert set(await hers.page.evaluate(SCROLLERS)) <= {0}
    assert await hers.page.evaluate(CUT) == []


async def test_all_is_done_by_keyboard(server: Server, window: Open) -> None:
    credentials = {"name": "ada", "password": "long enough to pass"}
    await server.client.post(f"{server.url}/api/signup", json=credentials)
    ada = await server.client.post(f"{server.url}/api/login", json=credentials)
    server.client.cookies.clear()
    bob = await server.user("bob")
    await bob.api("POST", "/chats", kind="direct", user_id=ada.json()["user_id"])
    hers = await window()
    page, keys = hers.page, hers.page.keyboard
    await hers.go("/login")
    await expect(page.locator("#name")).to_be_focused()
    await keys.type("ada")
    await keys.press("Tab")
    await keys.type("long enough to pass")
    await keys.press("Enter")
    await page.wait_for_url("**/c")
    await tab_to(hers, "#chat-list a")
    await keys.press("Enter")
    await page.wait_for_url("**/c/*")
    await hers.live()
    await keys.press("Tab")
    await expect(page.locator(".skips a").first).to_be_focused()
    await keys.press("Tab")
    await keys.press("Enter")
    await expect(page.locator("#write")).to_be_focused()
    await keys.type("written by keyboard")
    await keys.press("Enter")
    await hers.shows("written by keyboard")
    await expect(page.locator("#write")).to_be_focused()
    assert hers.errors == []


async def tab_to(window: Window, selector: str) -> None:
    """By Tab alone; each stop must be visible to be of use."""
    for _ in range(30):
        await window.page.keyboard.press("Tab")
        if await window.page.evaluate("(s) => document.activeElement.matches(s)", selector):
            return
    raise AssertionError(f"{selector} is not reached by Tab")


@pytest.fixture(params=["127.0.0.1", "localhost"])
async def evil(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """The address of another origin: of the same site (another port), and of another one."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\nhi")
        writer.close()
        await writer.wait_closed()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listening:
        yield f"http://{request.param}:{listening.sockets[0].getsockname()[1]}"


STEAL = """async ([url, chat]) => {
  const socket = (path) => new Promise((done) => {
    const made = new WebSocket(url.replace("http", "ws") + path);
    made.onopen = () => done("open");
    made.onclose = () => done("closed");
  });
  const ask = (path, init) => fetch(url + path, { credentials: "include", ...init })
    .then((answer) => answer.type === "opaque" ? "opaque" : answer.text(), () => "refused");
  const body = JSON.stringify({ content: "stolen" });
  const post = { method: "POST", mode: "no-cors", body };
  const source = () => new Promise((done) => {
    const made = new EventSource(url + "/events", { withCredentials: true });
    made.onmessage = () => done("open");
    made.onerror = () => (made.close(), done("closed"));
  });
  return [
    await socket("/ws"), await socket("/t/w?last_event_id=0"), await source(),
    await ask("/api/chats"), await ask(`/api/chats/${chat}/messages`, post),
    await ask(`/api/chats/${chat}/messages`, { ...post, mode: "cors" }),
    await ask("/poll", post), await ask("/logout", post), await ask("/api/ticket", post),
  ];
}"""


async def test_a_page_of_another_origin_can_neither_listen_nor_write(
    server: Server, window: Open, ada: Person, evil: str
) -> None:
    chat = await ada.group()
    hers = await window(ada)
    await hers.go("/chats")
    before = await server.head()
    await hers.page.goto(evil)
    found = await hers.page.evaluate(STEAL, [server.url, chat])
    assert set(found) <= {"closed", "refused", "opaque"}
    assert await server.head() == before
    form = f"""<form method=post action="{server.url}/chats/{chat}/messages">
      <input name=content value=stolen></form>"""
    await hers.page.evaluate("(html) => { document.body.innerHTML = html }", form)
    async with hers.page.expect_navigation() as gone:
        await hers.page.evaluate("document.forms[0].submit()")
    answer = await gone.value
    assert answer is not None
    assert answer.status in (303, 401, 403) or "/login" in answer.url
    assert await ada.history(chat) == []
    await hers.go("/chats")
    await expect(hers.page.locator("h1")).to_have_text("Your chats")
