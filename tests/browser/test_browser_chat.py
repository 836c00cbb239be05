from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Route, expect
from support.process import ServerProcess
from support.server import Folder, Person, Server
from windows import Desk, Window

Open = Callable[..., Awaitable[Window]]
Pair = tuple[Person, Person, str]
# Without a SharedWorker the page has the connection itself, where the test can reach it.
NO_SOCKET = "delete window.SharedWorker; delete window.WebSocket;"


@pytest.fixture
async def pair(server: Server) -> Pair:
    ada, bob = await server.user("ada"), await server.user("bob")
    return ada, bob, await ada.group(bob, title="Choir")


async def test_two_people_talk_live(window: Open, pair: Pair) -> None:
    ada, bob, chat_id = pair
    hers, his = await window(ada), await window(bob)
    for one in (hers, his):
        await one.open_chat(chat_id, "WebSocket")
    await hers.write("good evening <b>bob</b>")
    await his.shows("good evening <b>bob</b>")
    await his.write("käse?")
    for one in (hers, his):
        await one.shows("good evening <b>bob</b>", "käse?")
    await hers.page.reload()
    await hers.shows("good evening <b>bob</b>", "käse?")
    assert hers.errors + his.errors == []


async def test_one_without_scripts_talks_live_with_one_who_has_them(
    window: Open, pair: Pair
) -> None:
    ada, bob, chat_id = pair
    hers, his = await window(ada), await window(bob, scripts=False)
    await hers.open_chat(chat_id)
    await his.go(f"/chats/{chat_id}")
    await hers.write("hello")
    await expect(his.framed).to_have_text(["hello"])
    await his.page.fill("#write", "written without scripts")
    await his.page.click("button.send", no_wait_after=True)
    await hers.shows("hello", "written without scripts")
    await expect(his.framed).to_have_text(["hello", "written without scripts"])
    await hers.write("and on")
    await expect(his.framed).to_have_text(["hello", "written without scripts", "and on"])
    assert hers.errors == []


async def test_nothing_falls_between_the_page_and_its_connection(window: Open, pair: Pair) -> None:
    ada, bob, chat_id = pair
    his = await window(bob)

    held: list[Route] = []

    async def late(route: Route) -> None:
        held.append(route)
        if len(held) == 1:
            await ada.say(chat_id, "said while the scripts were on their way")
        await route.continue_()

    await his.page.route("**/*.js", late)
    await ada.say(chat_id, "said before")
    await his.open_chat(chat_id)
    await ada.say(chat_id, "said after")
    await his.shows("said before", "said while the scripts were on their way", "said after")


async def test_messages_of_another_chat_count_in_the_list_and_the_title(
    window: Open, pair: Pair
) -> None:
    ada, bob, chat_id = pair
    other = await ada.direct(bob)
    his = await window(bob)
    await his.open_chat(chat_id)
    for text in ("one", "two <i>x</i>"):
        await ada.say(other, text)
    row = his.page.locator(f'#chat-list li[data-chat-id="{other}"]')
    await expect(row.locator(".badge")).to_have_text("2 unread")
    await expect(row.locator(".last")).to_have_text("ada: two <i>x</i>")
    await expect(his.page).to_have_title("(2) Choir · quartchat")
    await his.open_chat(other)
    await expect(his.page.locator(".chat-list .badge:visible")).to_have_count(0)
    assert his.errors == []


async def test_a_new_chat_appears_in_an_open_list(window: Open, pair: Pair) -> None:
    ada, bob, _ = pair
    his = await window(bob)
    await his.go("/chats")
    await his.live()
    await ada.group(bob, title="Orchestra")
    await expect(his.page.locator("#chat-list .title")).to_have_text(["Orchestra", "Choir"])
    assert his.errors == []


async def test_who_is_removed_is_led_away_at_once(window: Open, pair: Pair) -> None:
    ada, bob, chat_id = pair
    his = await window(bob)
    await his.open_chat(chat_id)
    await ada.remove(chat_id, bob)
    await his.page.wait_for_url("**/c?out=1")
    await expect(his.page.get_by_text("You are no longer in that chat.")).to_be_visible()
    await expect(his.page.locator("#chat-list li")).to_have_count(0)


async def test_one_sees_that_the_other_is_typing(window: Open, pair: Pair) -> None:
    ada, bob, chat_id = pair
    hers, his = await window(ada), await window(bob)
    for one in (hers, his):
        await one.open_chat(chat_id)
    await hers.page.type("#write", "hm")
    await expect(his.page.locator("#typing")).to_have_text("ada is typing…")
    await hers.page.press("#write", "Enter")
    await expect(his.page.locator("#typing")).to_have_text("")


async def test_a_reply_is_made_and_shown_in_place(window: Open, pair: Pair) -> None:
    ada, bob, chat_id = pair
    await ada.say(chat_id, "who sings alto?")
    his = await window(bob)
    await his.open_chat(chat_id)
    await his.page.locator(".msg a.reply").focus()
    await his.page.keyboard.press("Enter")
    await expect(his.page.locator("#replying")).to_contain_text("Replying to ada: who sings alto?")
    await his.write("I do")
    await expect(his.page.locator(".msg .quote")).to_contain_text("who sings alto?")
    await expect(his.page.locator("#replying")).to_be_hidden()
    assert his.errors == []


@pytest.mark.parametrize(
    ("blocked", "way"),
    [("", "streaming"), ("s", "streaming"), ("se", "polling")],
    ids=["stream", "sse", "poll"],
)
async def test_what_is_blocked_on_the_way_is_gone_around(
    window: Open, pair: Pair, blocked: str, way: str
) -> None:
    ada, bob, chat_id = pair
    his = await window(bob, before=NO_SOCKET)
    for name in blocked:
        await his.page.route(f"**/t/{name}?*", lambda route: route.abort())
    await his.open_chat(chat_id, way)
    await ada.say(chat_id, "hello")
    await his.write("hello you")
    await his.shows("hello", "hello you")


async def test_a_stream_that_is_swallowed_on_the_way_is_given_up(window: Open, pair: Pair) -> None:
    """A proxy that answers 200 and then holds everything back proves nothing."""
    ada, bob, chat_id = pair
    his = await window(bob, before=NO_SOCKET)
    for name in "se":
        await his.page.route(
            f"**/t/{name}?*", lambda route: route.fulfill(status=200, body=" \n" * 1000)
        )
    await his.open_chat(chat_id, "polling")
    await ada.say(chat_id, "hello")
    await his.shows("hello")


RESTARTS = [("terminate", True), ("kill", True), ("terminate", False)]


@pytest.mark.parametrize(("how", "scripts"), RESTARTS)
async def test_what_is_written_while_the_server_is_away_arrives_once_when_it_is_back(
    new_folder: Folder, desk: Desk, how: str, scripts: bool
) -> None:
    async with ServerProcess(new_folder(), "--no-limits", "--log-level", "error") as server:
        hers = await desk.window(server.url)
        his = await desk.window(server.url, scripts=scripts)
        for one, name in ((hers, "ada"), (his, "bob")):
            await one.go("/signup")
            await one.page.fill("#name", name)
            await one.page.fill("#password", "long enough to pass")
            await one.page.click("button")
            await one.page.wait_for_url("**/c")
        await hers.go("/chats/new")
        await hers.page.fill("#user", "bob")
        await hers.page.click("text=Start the chat")
        await hers.live()
        await his.go(hers.page.url.removeprefix(server.url))
        seen = his.bodies if scripts else his.framed
        await hers.write("before")
        await expect(seen).to_have_text(["before"])
        await getattr(server, how)()
        await expect(hers.page.locator("#state")).not_to_contain_text("Live")
        await hers.write("meanwhile")
        await expect(hers.page.locator("#pending .head")).to_have_text("Waiting for the connection")
        await server.start()
        await expect(hers.bodies).to_have_text(["before", "meanwhile"], timeout=40_000)
        if not scripts:  # a frame that found nobody stays empty: that is what the link is for
            await his.page.click("#reload", no_wait_after=True)
        await expect(seen).to_have_text(["before", "meanwhile"], timeout=40_000)
        await hers.write("after")
        await expect(seen).to_have_text(["before", "meanwhile", "after"], timeout=40_000)
        await hers.shows("before", "meanwhile", "after")


async def test_a_page_whose_token_expired_goes_on_by_itself(
    server: Server, window: Open, pair: Pair
) -> None:
    ada, bob, chat_id = pair
    his = await window(bob)
    await his.open_chat(chat_id)
    server.move_clock(3600)
    ada.token = server.services.tokens.issue(ada.user_id, ada.name, None, 900)
    await ada.say(chat_id, "an hour later")
    await his.shows("an hour later")
    await his.write("so late")
    await his.shows("an hour later", "so late")


async def test_a_flood_is_shown_whole_and_in_order(
    server: Server, window: Open, pair: Pair
) -> None:
    ada, bob, chat_id = pair
    his = await window(bob)
    await his.open_chat(chat_id)
    sent = await asyncio.gather(*(ada.say(chat_id, f"{n}") for n in range(300)))
    wanted = [m["content"] for m in sorted(await ada.history(chat_id), key=lambda m: m["event_id"])]
    await expect(his.bodies).to_have_count(len(sent), timeout=30_000)
    assert (await his.bodies.all_text_contents())[-len(wanted) :] == wanted


PLAIN = """async ([url, kind]) => {
  const seen = [];
  const first = kind === "ws" ? new WebSocket(url) : new EventSource(url);
  await new Promise((done, fail) => {
    first.onerror = fail;
    first.onmessage = ({ data }) => {
      const event = JSON.parse(data);
      seen.push(event);
      if (event.type === "new_message") done();
    };
  });
  first.close();
  return seen;
}"""


@pytest.mark.parametrize("kind", ["ws", "sse"])
async def test_a_pages_own_socket_or_event_source_needs_the_cookie_only(
    window: Open, pair: Pair, kind: str
) -> None:
    ada, bob, chat_id = pair
    sent = await ada.say(chat_id, "hello")
    his = await window(bob)
    await his.go("/profile")
    path = {"ws": "/ws", "sse": "/events"}[kind] + f"?last_event_id={sent['event_id'] - 1}"
    url = his.url.replace("http", "ws" if kind == "ws" else "http", 1) + path
    seen = await his.page.evaluate(PLAIN, [url, kind])
    assert [event["type"] for event in seen][:2] == ["hello", "new_message"]
    assert seen[1]["id"] == sent["event_id"]
    assert his.errors == []
