"""Search, by its form alone."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from support.server import Person, Server
from web_support import Node, Visit, Visitor


def found(page: Node) -> list[str]:
    return [node.text for node in page.all("span", class_="find-text")]


async def ask(visitor: Visitor, **fields: str) -> Node:
    form = (await visitor.page("/search")).form("/search")
    return await visitor.page("/search?" + urlencode({**form.fields(), **fields}))


@pytest.fixture
async def ada(server: Server) -> Person:
    return await server.user("ada")


async def test_what_is_found_is_marked_and_leads_to_its_place(
    visit: Visit, server: Server, ada: Person
) -> None:
    bob = await server.user("bob")
    chat = await ada.group(bob, title="Garden")
    said = await bob.say(chat, "the roses are out")
    await bob.say(chat, "the tulips are not")
    page = await ask(visit(ada), q="rose")
    assert found(page) == ["the roses are out"]
    assert page.one("mark").text == "rose"
    place = f"/c/{chat}?focus={said['message_id']}#m{said['message_id']}"
    assert page.one("a", class_="find").attrs["href"] == place
    assert "bob in Garden" in page.one("span", class_="find-head").text


async def test_it_is_narrowed_to_a_chat_an_author_and_days(
    visit: Visit, server: Server, ada: Person
) -> None:
    bob = await server.user("bob")
    first, second = await ada.group(bob, title="First"), await ada.group(bob, title="Second")
    await ada.say(first, "roses one")
    await bob.say(first, "roses two")
    await bob.say(second, "roses three")
    visitor = visit(ada)
    assert found(await ask(visitor, q="roses")) == ["roses three", "roses two", "roses one"]
    assert found(await ask(visitor, q="roses", chat_id=first)) == ["roses two", "roses one"]
    assert found(await ask(visitor, q="roses", **{"from": "@BOB"})) == ["roses three", "roses two"]
    page = await ask(visitor, q="roses", until="2001-01-01")
    assert "Nothing was found." in page.text
    assert page.form("/search").fields()["until"] == "2001-01-01"


@pytest.mark.parametrize(
    ("fields", "field", "says"),
    [
        ({"q": "", "from": "ada"}, "q", "a word or more"),
        ({"q": "x" * 201}, "q", "at most 200"),
        ({"q": "roses", "from": "nobody"}, "from", "nobody called 'nobody'"),
        ({"q": "roses", "since": "soon"}, "since", "2026-01-31"),
    ],
)
async def test_what_cannot_be_searched_for_is_said_at_its_field(
    visit: Visit, ada: Person, fields: dict[str, str], field: str, says: str
) -> None:
    visitor = visit(ada)
    answer = await visitor.get("/search", params=fields)
    page = await visitor.page("/search?" + urlencode(fields), answer.status_code)
    assert 400 <= answer.status_code < 500
    assert says in page.error_at(field)
    typed = page.form("/search").fields()
    assert {name: typed[name] for name in fields} == fields


async def test_what_is_found_comes_in_pages(visit: Visit, server: Server, ada: Person) -> None:
    chat = await ada.group()
    texts = [f"roses {number}" for number in range(25)]
    for text in texts:
        await ada.say(chat, text)
    visitor = visit(ada)
    page = await ask(visitor, q="roses")
    more = await visitor.page(page.one("a", rel="next").attrs["href"])
    assert found(page) + found(more) == texts[::-1]


async def test_chats_of_others_are_not_searched(visit: Visit, server: Server, ada: Person) -> None:
    bob = await server.user()
    chat = await bob.group()
    await bob.say(chat, "secret roses")
    visitor = visit(ada)
    assert "Nothing was found." in (await ask(visitor, q="roses")).text
    assert (await visitor.get(f"/search?q=roses&chat_id={chat}")).status_code == 403


async def test_without_words_it_is_a_form_with_a_hint(visit: Visit, ada: Person) -> None:
    page = await visit(ada).page("/search")
    assert "Find what was said." in page.text
    assert not page.all("p", class_="error")


async def test_what_was_written_is_shown_as_text(visit: Visit, server: Server, ada: Person) -> None:
    chat = await ada.group()
    await ada.say(chat, "<script>roses</script> & <mark>thorns</mark>")
    page = await ask(visit(ada), q="roses")
    assert found(page) == ["<script>roses</script> & <mark>thorns</mark>"]
    assert [mark.text for mark in page.all("mark")] == ["roses"]
