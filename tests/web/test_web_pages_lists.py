"""The list of chats and what stands around every page."""

from __future__ import annotations

import pytest
from support.server import Server
from web_support import Start, Visit, page_of

PAGES = ["/c", "/people", "/friends", "/notifications", "/search", "/rooms", "/settings"]


async def test_the_last_line_says_who_said_what(server: Server, visit: Visit) -> None:
    ada, bob = await server.user("ada"), await server.user("bob")
    chat = await ada.group(bob, title="Choir")
    await bob.say(chat, "who sings?")
    await ada.say(chat, "I do")
    lines = {}
    for person in (ada, bob):
        page = await visit(person).page("/c")
        lines[person.name] = page.by_id("chat-list").one("span", class_="last").text
    assert lines == {"ada": "You: I do", "bob": "ada: I do"}


async def test_a_row_alone_is_the_row_of_the_list(server: Server, visit: Visit) -> None:
    ada, bob, eve = await server.users(3)
    chat = await ada.group(bob, title="Choir")
    await ada.say(chat, "la")
    visitor = visit(bob)
    row = (await visitor.page("/c")).by_id("chat-list").one("li")
    assert (await visitor.page(f"/c/{chat}/row")).one("li") == row
    assert (await visit(eve).get(f"/c/{chat}/row")).status_code == 403


@pytest.mark.parametrize("path", PAGES)
async def test_the_place_where_one_is_is_marked(server: Server, visit: Visit, path: str) -> None:
    page = await visit(await server.user()).page(path)
    here = [a for a in page.by_id("site").all("a") if a.attrs.get("aria-current") == "page"]
    assert [a.attrs["href"] for a in here] == ([path] if path not in ("/friends", "/rooms") else [])


@pytest.mark.parametrize("path", PAGES)
async def test_the_first_link_skips_to_the_content(server: Server, visit: Visit, path: str) -> None:
    page = await visit(await server.user()).page(path)
    assert page.all("a")[0].attrs["href"] == "#main"
    assert page.by_id("main").tag == "main"


async def test_who_has_no_chats_is_told_how_to_start(server: Server, visit: Visit) -> None:
    page = await visit(await server.user()).page("/c")
    assert "No chats yet." in page.text
    archive = await visit(await server.user()).page("/c?archived=1")
    assert "Nothing is archived." in archive.text


async def test_a_chat_can_be_started_from_a_link_with_a_name(server: Server, visit: Visit) -> None:
    page = await visit(await server.user()).page("/c/new?with=bob")
    direct, _ = page.all("form", action="/c/new")
    assert direct.fields()["user"] == "bob"


@pytest.mark.parametrize(("path", "status"), [("/nothing", 404), ("/admin", 403)])
async def test_an_error_says_what_to_do_and_leads_back(
    server: Server, visit: Visit, path: str, status: int
) -> None:
    page = page_of(await visit(await server.user()).get(path), status)
    main = page.by_id("main")
    assert main.one("a", class_="button").attrs["href"] == "/c"
    assert str(status) in main.one("p", class_="hint").text


async def test_too_many_changes_at_once_are_a_page_that_says_to_wait(
    start: Start, visit: Visit
) -> None:
    server = await start(no_limits=False, messages_per_second=1.0)
    ada, bob = await server.users(2)
    visitor = visit(ada, at=server)
    answers = [await visitor.post(f"/people/{bob.user_id}/follow") for _ in range(40)]
    late = [answer for answer in answers if answer.status_code == 429]
    page = page_of(late[0], 429)
    assert "wait a moment" in page.one("h1").text.lower()
