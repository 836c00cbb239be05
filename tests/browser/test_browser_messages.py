"""What people do with messages: changing, deleting, reacting, pinning, finding their place. Live
for all who look on, with scripts and without."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Locator, Route, expect
from support.server import Person, Server
from windows import Window

Open = Callable[..., Awaitable[Window]]
Pair = tuple[Person, Person, str]


@pytest.fixture
async def pair(server: Server) -> Pair:
    ada, bob = await server.user("ada"), await server.user("bob")
    return ada, bob, await ada.group(bob, title="Choir")


def message(window: Window, text: str) -> Locator:
    return window.page.locator(".timeline:not(.pending) > .msg", has_text=text)


async def choose(window: Window, text: str, what: str) -> None:
    """From the menu of the message with this text."""
    item = message(window, text)
    await item.hover()
    await item.locator(".acts .more").click()
    await window.page.locator(f"#menu [data-do={what}]").click()


async def both(window: Open, pair: Pair) -> tuple[Window, Window]:
    ada, bob, chat_id = pair
    hers, his = await window(ada), await window(bob)
    for one in (hers, his):
        await one.open_chat(chat_id)
    return hers, his


async def test_a_message_is_changed_in_its_place_for_all(window: Open, pair: Pair) -> None:
    hers, his = await both(window, pair)
    await hers.write("good evning")
    await hers.write("second")
    await choose(hers, "evning", "edit")
    await expect(hers.page.locator("#replying")).to_contain_text("Changing your message")
    await expect(hers.page.locator("#write")).to_have_value("good evning")
    await hers.write("good *evening*")
    for one in (hers, his):
        await one.shows("good evening", "second")
        await expect(message(one, "evening").locator("em")).to_have_text("evening")
        await expect(message(one, "evening").locator(".edited")).to_have_text("edited")
    await expect(hers.page.locator("#replying")).to_be_hidden()
    assert hers.errors + his.errors == []


async def test_the_arrow_up_changes_ones_last_message_and_escape_lets_it_be(
    window: Open, pair: Pair
) -> None:
    hers, his = await both(window, pair)
    await hers.write("mine")
    await his.write("his")
    await hers.shows("mine", "his")
    await hers.page.press("#write", "ArrowUp")
    await expect(hers.page.locator("#write")).to_have_value("mine")
    await hers.page.press("#write", "Escape")
    await expect(hers.page.locator("#write")).to_have_value("")
    await expect(hers.page.locator("#replying")).to_be_hidden()
    await hers.page.press("#write", "ArrowUp")
    await expect(hers.page.locator("#write")).to_have_value("mine")
    await hers.write("mine, changed")
    await his.shows("mine, changed", "his")


async def test_a_deleted_message_is_gone_at_once_also_where_it_is_quoted(
    window: Open, pair: Pair
) -> None:
    hers, his = await both(window, pair)
    await his.write("wrong window")
    await choose(hers, "wrong window", "reply")
    await hers.write("what?")
    await his.shows("wrong window", "what?")
    item = message(his, "wrong window").first
    await item.hover()
    await item.locator(".acts .more").click()
    await his.page.locator("#menu [data-do=delete]").click()
    await his.page.locator("#sure .sure").click()
    for one in (hers, his):
        await one.shows("This message was deleted.", "what?")
        await expect(one.page.locator(".quote .said")).to_have_text("This message was deleted.")
        await expect(one.page.locator(".msg").first.locator(".acts")).to_have_count(0)
        left = one.page.get_by_text("wrong window")
        assert await left.evaluate_all("(all) => all.map((e) => e.outerHTML)") == []
    assert hers.errors + his.errors == []


async def test_an_answer_to_a_message_that_is_deleted_meanwhile_becomes_a_message(
    window: Open, pair: Pair
) -> None:
    ada, bob, chat_id = pair
    said = await bob.say(chat_id, "who sings?")
    hers = await window(ada)
    await hers.open_chat(chat_id)
    await choose(hers, "who sings?", "reply")
    await hers.page.fill("#write", "I do")
    await bob.api("DELETE", f"/messages/{said['message_id']}")
    await expect(hers.page.locator("#replying")).to_be_hidden()
    await hers.page.press("#write", "Enter")
    await hers.shows("This message was deleted.", "I do")
    await expect(hers.page.locator(".quote")).to_have_count(0)


async def test_reactions_are_counted_for_all_and_ones_own_can_be_taken_back(
    window: Open, pair: Pair
) -> None:
    hers, his = await both(window, pair)
    await hers.write("cake?")
    item = message(his, "cake?")
    await item.hover()
    await item.locator(".acts .react").click()
    await his.page.locator('#palette [data-emoji="🎂"]').click()
    for one in (hers, his):
        await expect(message(one, "cake?").locator(".reaction")).to_have_text("🎂 1")
    await message(hers, "cake?").locator(".reaction").click()
    for one in (hers, his):
        await expect(message(one, "cake?").locator(".reaction")).to_have_text("🎂 2")
    chip = message(hers, "cake?").locator(".reaction")
    await chip.hover()
    await expect(chip).to_have_attribute("title", "bob, ada")
    await expect(chip).to_have_attribute("aria-pressed", "true")
    await message(his, "cake?").locator(".reaction").click()
    for one in (hers, his):
        await expect(message(one, "cake?").locator(".reaction")).to_have_text("🎂 1")
    await chip.click()
    await expect(message(his, "cake?").locator(".reaction")).to_have_count(0)
    assert hers.errors + his.errors == []


async def test_a_pinned_message_stands_above_the_chat_of_all(window: Open, pair: Pair) -> None:
    hers, his = await both(window, pair)
    await his.write("the key is under the stone")
    await choose(hers, "under the stone", "pin")
    for one in (hers, his):
        await expect(one.page.locator("#pins .pin")).to_contain_text("under the stone")
        await expect(one.page.locator(".msg .pinned")).to_have_text("pinned")
        await expect(one.page.locator(".note", has_text="ada pinned")).to_have_count(1)
    await expect(his.page.locator("#tools")).to_have_count(1)
    await choose(hers, "under the stone", "unpin")
    for one in (hers, his):
        await expect(one.page.locator("#pins .pin")).to_have_count(0)
        await expect(one.page.locator(".msg .pinned")).to_have_count(0)
    assert hers.errors + his.errors == []


async def test_the_menu_is_worked_by_keys_and_offers_only_what_one_may(
    window: Open, pair: Pair
) -> None:
    hers, his = await both(window, pair)
    await hers.write("hello")
    await his.shows("hello")
    page, keys = his.page, his.page.keyboard
    await page.locator(".msg .acts .more").focus()
    await keys.press("Enter")
    await expect(page.locator("#menu")).to_be_visible()
    for what in ("edit", "delete"):
        await expect(page.locator(f"#menu [data-do={what}]")).to_be_hidden()
    await expect(page.locator("#menu [data-do=pin]")).to_have_count(0)
    await keys.press("Escape")
    await expect(page.locator("#menu")).to_be_hidden()
    await expect(page.locator(".msg .acts .more")).to_be_focused()
    await keys.press("Enter")
    await keys.press("ArrowUp")
    await expect(page.locator("#menu [data-do=open]")).to_be_focused()
    await keys.press("Home")
    await keys.press("Enter")
    await expect(page.locator(".reaction")).to_have_text("👍 1")
    assert his.errors == []


async def test_without_scripts_a_change_and_a_deletion_are_seen_in_the_stream(
    window: Open, pair: Pair
) -> None:
    ada, bob, chat_id = pair
    first = await ada.say(chat_id, "good evning")
    second = await ada.say(chat_id, "wrong window")
    his = await window(bob, scripts=False)
    await his.go(f"/chats/{chat_id}")
    frame = his.frame
    old = frame.locator(f"#m{first['message_id']} .body")
    await expect(old).to_have_css("text-decoration-line", "none")
    await ada.api("PATCH", f"/messages/{first['message_id']}", content="good evening")
    await expect(frame.locator(".note.change .body")).to_have_text("good evening")
    await expect(old).to_have_css("text-decoration-line", "line-through")
    await ada.api("PATCH", f"/messages/{first['message_id']}", content="Good evening!")
    await expect(frame.locator(".note.change .body:visible")).to_have_text(["Good evening!"])
    await ada.api("DELETE", f"/messages/{second['message_id']}")
    await expect(frame.locator(f"#m{second['message_id']} .body")).to_be_hidden()
    await expect(frame.get_by_text("A message was deleted.")).to_be_visible()


async def test_older_history_comes_as_one_scrolls_and_nothing_moves(
    window: Open, pair: Pair
) -> None:
    ada, bob, chat_id = pair
    for n in range(150):
        await ada.say(chat_id, f"number {n}")
    await bob.api("POST", f"/chats/{chat_id}/read")
    his = await window(bob)
    await his.open_chat(chat_id)
    count = his.bodies
    await expect(count).to_have_count(60)
    for number in (120, 150):
        await his.page.locator(".msg").first.scroll_into_view_if_needed()
        await expect(count).to_have_count(number)
    wanted = [f"number {n}" for n in range(150)]
    assert await count.all_text_contents() == wanted
    await expect(his.page.locator(".more-history")).to_have_count(0)
    await expect(his.page.locator(".day")).to_have_count(1)
    assert his.errors == []


TOP = "(e) => Math.round(e.getBoundingClientRect().top)"


async def test_the_place_is_kept_while_older_messages_come_in(window: Open, pair: Pair) -> None:
    ada, bob, chat_id = pair
    for n in range(140):
        await ada.say(chat_id, f"number {n}\nand\nmore" if n % 3 else f"number {n}")
    await bob.api("POST", f"/chats/{chat_id}/read")
    his = await window(bob)
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def held(route: Route) -> None:
        asked.set()
        await go_on.wait()
        await route.continue_()

    await his.page.route("**/timeline?*", held)
    await his.open_chat(chat_id)
    first = message(his, "number 80").first
    await first.scroll_into_view_if_needed()
    await asked.wait()
    before = await first.evaluate(TOP)
    go_on.set()
    await expect(message(his, "number 79")).to_have_count(1)
    assert abs(await first.evaluate(TOP) - before) <= 2


DOWN = """async () => {
  while (document.querySelector(".more-history.newer")) {
    document.querySelector("#messages").scrollTop = 0;
    await new Promise(requestAnimationFrame);
  }
}"""


async def test_a_link_to_an_old_message_shows_it_amid_others_and_leads_on_to_now(
    window: Open, pair: Pair
) -> None:
    ada, bob, chat_id = pair
    sent = [await ada.say(chat_id, f"number {n}") for n in range(200)]
    middle = sent[80]["message_id"]
    his = await window(bob)
    await his.go(f"/chats/{chat_id}?focus={middle}#m{middle}")
    await his.live()
    await expect(message(his, "number 80")).to_be_in_viewport()
    await expect(message(his, "number 60")).to_have_count(1)
    await ada.say(chat_id, "said meanwhile")
    await his.page.evaluate(DOWN)
    await expect(message(his, "said meanwhile")).to_have_count(1)
    await ada.say(chat_id, "and live")
    await expect(message(his, "and live")).to_have_count(1)
    texts = await his.bodies.all_text_contents()
    assert texts[-122:] == [f"number {n}" for n in range(80, 200)] + ["said meanwhile", "and live"]
    await his.write("from here")
    await expect(message(his, "from here")).to_have_count(1)
    assert his.errors == []


async def test_reading_goes_on_at_the_line_before_the_first_unread_message(
    window: Open, pair: Pair
) -> None:
    ada, bob, chat_id = pair
    for n in range(20):
        await ada.say(chat_id, f"old {n}")
    await bob.api("POST", f"/chats/{chat_id}/read")
    for n in range(40):
        await ada.say(chat_id, f"new {n}")
    his = await window(bob)
    await his.open_chat(chat_id)
    await expect(his.page.locator("#unread")).to_be_in_viewport()
    await expect(message(his, "new 0")).to_be_in_viewport()
    await expect(his.page.locator("#unread + .msg .body")).to_have_text("new 0")


async def test_who_has_seen_ones_message_is_told_live(window: Open, pair: Pair) -> None:
    ada, bob, chat_id = pair
    hers = await window(ada)
    await hers.open_chat(chat_id)
    await hers.write("seen?")
    await hers.shows("seen?")
    await expect(hers.page.locator("#seen")).to_have_count(0)
    his = await window(bob)
    await his.open_chat(chat_id)
    await expect(hers.page.locator(".msg:has-text('seen?') + #seen")).to_have_text("Seen by bob")
    await hers.write("and this?")
    await expect(hers.page.locator(".msg:has-text('and this?') + #seen")).to_have_text(
        "Seen by bob"
    )
    await hers.page.reload()
    await expect(hers.page.locator(".msg:has-text('and this?') + #seen")).to_have_text(
        "Seen by bob"
    )
    assert hers.errors + his.errors == []


async def test_a_name_is_completed_by_keys_and_by_touch(
    server: Server, window: Open, pair: Pair
) -> None:
    await server.user("boris")
    hers, his = await both(window, pair)
    field, listed = hers.page.locator("#write"), hers.page.locator("#mentions")
    await field.type("hello @b")
    await expect(listed.locator("[role=option]")).to_have_text(["bob"])
    await expect(field).to_have_attribute("aria-activedescendant", "mention-0")
    await hers.page.keyboard.press("Escape")
    await expect(listed).to_be_hidden()
    await field.type("o")
    await expect(listed).to_be_visible()
    await hers.page.keyboard.press("Enter")
    await expect(field).to_have_value("hello @bob ")
    await hers.page.keyboard.press("Enter")
    await expect(his.page.locator(".mention")).to_have_text("@bob")
    await field.type("@B")
    await listed.locator("[role=option]").click()
    await expect(field).to_have_value("@bob ")
    await field.fill("")
    await field.type("@nobody")
    await hers.page.keyboard.press("Enter")
    await expect(message(his, "@nobody")).to_have_count(1)
    assert hers.errors + his.errors == []


async def test_what_was_typed_is_there_when_one_comes_back(window: Open, pair: Pair) -> None:
    ada, _, chat_id = pair
    other = await ada.group(title="Other")
    hers = await window(ada)
    await hers.open_chat(chat_id)
    await hers.page.locator("#write").type("half a thought")
    await hers.open_chat(other)
    await expect(hers.page.locator("#write")).to_have_value("")
    await hers.open_chat(chat_id)
    await expect(hers.page.locator("#write")).to_have_value("half a thought")
    await hers.page.press("#write", "Enter")
    await hers.shows("half a thought")
    await hers.page.reload()
    await expect(hers.page.locator("#write")).to_have_value("")


async def test_a_text_that_is_too_long_says_by_how_much_and_is_not_sent(
    window: Open, pair: Pair
) -> None:
    ada, _, chat_id = pair
    hers = await window(ada)
    await hers.open_chat(chat_id)
    await hers.page.fill("#write", "x" * 7990)
    await expect(hers.page.locator("#left")).to_have_text("10 characters left")
    await hers.page.fill("#write", "x" * 8003)
    await expect(hers.page.locator("#left")).to_contain_text("3 characters too many")
    await hers.page.press("#write", "Enter")
    await expect(hers.page.locator("#write")).to_have_value("x" * 8003)
    await expect(hers.page.locator("#pending .msg")).to_have_count(0)
    await hers.write("x" * 8000)
    await expect(hers.bodies).to_have_count(1)


async def test_messages_are_told_to_those_who_listen_in_one_sentence(
    window: Open, pair: Pair
) -> None:
    ada, bob, chat_id = pair
    his = await window(bob)
    await his.open_chat(chat_id)
    for text in ("one", "two", "three"):
        await ada.say(chat_id, text)
    await expect(his.page.locator("#news")).to_have_text("3 new messages from ada")
    await ada.say(chat_id, "four")
    await expect(his.page.locator("#news")).to_have_text("ada: four")
    await expect(his.page.locator("#messages")).to_have_attribute("aria-live", "off")


async def test_a_new_title_stands_in_the_head_of_open_pages(window: Open, pair: Pair) -> None:
    hers, his = await both(window, pair)
    ada, _, chat_id = pair
    await ada.api("PATCH", f"/chats/{chat_id}", title="Orchestra", description="Loud")
    for one in (hers, his):
        await expect(one.page.locator("h1")).to_have_text("Orchestra")
        await expect(one.page.locator("#about")).to_contain_text("Loud")
    assert hers.errors + his.errors == []


async def test_a_small_phone_has_the_menu_as_a_sheet(window: Open, pair: Pair) -> None:
    ada, _, chat_id = pair
    await ada.say(chat_id, "hello")
    hers = await window(ada, viewport={"width": 320, "height": 600}, has_touch=True)
    await hers.open_chat(chat_id)
    await hers.page.locator(".msg .acts .more").tap()
    box = await hers.page.locator("#menu").bounding_box()
    assert box is not None and box["x"] == 0 and box["width"] == 320
    assert round(box["y"] + box["height"]) == 600
    small = """() => [...document.querySelectorAll('#menu button, #menu a, .acts .more')]
      .filter((e) => e.checkVisibility()).map((e) => e.getBoundingClientRect())
      .filter((box) => box.height < 40 || box.width < 40).length"""
    assert await hers.page.evaluate(small) == 0


async def test_who_reads_further_up_is_not_moved_and_told_what_came(
    window: Open, pair: Pair
) -> None:
    ada, bob, chat_id = pair
    for n in range(50):
        await ada.say(chat_id, f"number {n}")
    await bob.api("POST", f"/chats/{chat_id}/read")
    his = await window(bob)
    await his.open_chat(chat_id)
    item = message(his, "number 20")
    await item.evaluate("(e) => e.scrollIntoView({ block: 'center' })")
    before = await item.evaluate(TOP)
    for text in ("first", "second"):
        await ada.say(chat_id, text)
    await expect(his.page.locator("#to-end")).to_have_text("2 new messages ↓")
    assert abs(await item.evaluate(TOP) - before) <= 2
    await expect(his.page.locator("#unread + .msg .body")).to_have_text("first")
    assert (await bob.api("GET", "/chats"))["chats"][0]["unread"] == 2
    watcher = await ada.live("sse")
    await his.page.click("#to-end")
    await expect(message(his, "second")).to_be_in_viewport()
    await watcher.one(
        lambda e: e["type"] == "messages_read" and e["data"]["user_id"] == bob.user_id
    )
    assert (await bob.api("GET", "/chats"))["chats"][0]["unread"] == 0
    await expect(his.page.locator("#to-end")).to_be_hidden()
    assert his.errors == []


async def test_a_message_that_came_by_a_link_is_in_the_middle_also_without_scripts(
    window: Open, pair: Pair
) -> None:
    ada, bob, chat_id = pair
    sent = [await ada.say(chat_id, f"number {n}") for n in range(100)]
    middle = sent[50]["message_id"]
    for scripts in (True, False):
        his = await window(bob, scripts=scripts)
        await his.go(f"/chats/{chat_id}?focus={middle}#m{middle}")
        item = his.page.locator(f"#m{middle}")
        await expect(item).to_be_in_viewport()
        height = his.page.viewport_size["height"] if his.page.viewport_size else 0
        assert height * 0.2 < await item.evaluate(TOP) < height * 0.7
        await expect(his.page.locator(".to-newest a")).to_be_visible()
        await expect(his.page.locator("#to-end")).to_be_hidden()


async def test_what_somebody_said_is_gone_from_open_pages_with_their_account(
    server: Server, window: Open, pair: Pair
) -> None:
    ada, bob, chat_id = pair
    his = await window(bob)
    await his.open_chat(chat_id)
    await ada.say(chat_id, "remember me")
    await his.shows("remember me")
    await server.services.accounts.remove(ada.user_id, by=None)
    await his.shows("This message was deleted.")
    await expect(his.page.get_by_text("remember me")).to_have_count(0)


async def test_a_preview_offers_nothing_that_needs_a_member(server: Server, window: Open) -> None:
    ada, bob = await server.users(2)
    room = await ada.group(public=True, title="Garden")
    said = await ada.say(room, "roses")
    await ada.api("POST", f"/messages/{said['message_id']}/reactions", emoji="🌹")
    his = await window(bob)
    await his.go(f"/chats/{room}")
    await his.live()
    await expect(his.bodies).to_have_text(["roses"])
    await expect(his.page.locator(".acts").first).to_be_hidden()
    await expect(his.page.locator("#write")).to_have_count(0)
    await his.page.click(".join button")
    await his.page.wait_for_url(f"**/c/{room}")
    await expect(his.page.locator("#write")).to_be_visible()
    assert his.errors == []


async def test_one_of_many_who_reacted_can_take_theirs_back(
    server: Server, window: Open, pair: Pair
) -> None:
    """The row that all get names only the first of them."""
    ada, bob, _ = pair
    others = await server.users(25)
    chat_id = await ada.group(bob, *others)
    said = await ada.say(chat_id, "cake?")
    path = f"/messages/{said['message_id']}/reactions"
    for person in others:
        await person.api("POST", path, emoji="🎂")
    his = await window(bob)
    await his.open_chat(chat_id)
    chip = message(his, "cake?").locator(".reaction")
    await expect(chip).to_have_text("🎂 25")
    await chip.click()
    await expect(chip).to_have_text("🎂 26")
    await ada.api("POST", path, emoji="🎂")
    await expect(chip).to_have_text("🎂 27")
    await chip.click()
    await expect(chip).to_have_text("🎂 26")
    assert his.errors == []
