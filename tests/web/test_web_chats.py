"""Making chats, joining, leaving, adding, removing: by forms alone."""

from __future__ import annotations

import pytest
from support.server import Server
from web_support import Node, Visit, page_of


def titles(page: Node) -> list[str]:
    return [item.one("span", class_="title").text for item in page.by_id("chat-list").all("li")]


def people(page: Node) -> list[str]:
    return [node.text for node in page.by_id("members").all("span", class_="name")]


async def test_a_direct_chat_starts_with_a_name_and_is_found_again(
    server: Server, visit: Visit
) -> None:
    ada, bob = await server.user("ada"), await server.user("bob")
    visitor = visit(ada)
    form, _ = (await visitor.page("/chats/new")).all("form", action="/chats/new")
    first = await visitor.submit(form, user="bob")
    assert (await visitor.follow(first)).one("h1").text == "bob"
    assert (await visitor.submit(form, user=" @BOB ")).headers["location"] == first.headers[
        "location"
    ]
    assert titles(await visit(bob).page("/chats")) == ["ada"]


async def test_a_group_starts_with_names_in_any_form(server: Server, visit: Visit) -> None:
    ada, *_ = [await server.user(name) for name in ("ada", "bob", "eve", "zoe")]
    visitor = visit(ada)
    _, form = (await visitor.page("/chats/new")).all("form", action="/chats/new")
    answer = await visitor.submit(form, title="  Choir   practice ", members="bob, @eve zoe,")
    page = await visitor.follow(answer)
    assert page.one("h1").text == "Choir practice"
    assert sorted(people(page)) == ["ada", "bob", "eve", "zoe"]
    assert "Private group, 4 members" in page.text


@pytest.mark.parametrize(
    ("fields", "field", "says"),
    [
        ({"kind": "direct", "user": "nobody"}, "user", "nobody called 'nobody'"),
        ({"kind": "direct", "user": ""}, "user", "nobody called"),
        ({"kind": "direct", "user": "ada"}, "user", "somebody else"),
        ({"kind": "group", "title": "", "members": "bob"}, "title", "1 to 100"),
        ({"kind": "group", "title": "x" * 101, "members": ""}, "title", "1 to 100"),
        ({"kind": "group", "title": "T", "members": "bob no1"}, "members", "nobody called 'no1'"),
    ],
)
async def test_a_chat_that_is_refused_says_so_at_its_field_and_keeps_what_was_typed(
    server: Server, visit: Visit, fields: dict[str, str], field: str, says: str
) -> None:
    ada = await server.user("ada")
    await server.user("bob")
    answer = await visit(ada).post("/chats/new", **fields)
    assert 400 <= answer.status_code < 500
    page = page_of(answer, answer.status_code)
    assert says in page.error_at(field)
    typed = {name: value for form in page.all("form") for name, value in form.fields().items()}
    assert {name: typed[name] for name in fields if name != "kind"} == {
        name: value for name, value in fields.items() if name != "kind"
    }


async def test_a_public_room_is_found_read_joined_and_left(server: Server, visit: Visit) -> None:
    ada, bob = await server.users(2)
    room = await ada.group(public=True, title="Garden")
    await ada.say(room, "roses are out")
    visitor = visit(bob)
    rooms = (await visitor.page("/chats")).by_id("rooms")
    assert rooms.one("a", class_="title").text == "Garden"
    preview = await visitor.page(f"/chats/{room}")
    assert preview.messages() == ["roses are out"]
    assert not [form for form in preview.all("form") if "messages" in form.attrs["action"]]
    inside = await visitor.follow(await visitor.submit(preview.form(f"/chats/{room}/join")))
    assert inside.messages() == ["roses are out"]
    assert inside.form(f"/chats/{room}/messages")
    assert titles(await visitor.page("/chats")) == ["Garden"]
    await visitor.follow(await visitor.submit(inside.form(f"/chats/{room}/leave")))
    assert titles(await visitor.page("/chats")) == []


async def test_joining_from_the_list_of_rooms_is_one_press(server: Server, visit: Visit) -> None:
    ada, bob = await server.users(2)
    room = await ada.group(public=True, title="Garden")
    visitor = visit(bob)
    form = (await visitor.page("/chats")).form(f"/chats/{room}/join")
    assert (await visitor.follow(await visitor.submit(form))).one("h1").text == "Garden"


async def test_the_owner_adds_and_removes_and_the_removed_see_nothing_more(
    server: Server, visit: Visit
) -> None:
    ada, bob = await server.user("ada"), await server.user("bob")
    chat = await ada.group(title="Closed")
    owner, other = visit(ada), visit(bob)
    assert (await other.get(f"/chats/{chat}")).status_code in (403, 404)
    form = (await owner.page(f"/chats/{chat}")).form(f"/chats/{chat}/members")
    page = await owner.follow(await owner.submit(form, user="bob"))
    assert people(page) == ["ada", "bob"]
    assert (await other.page(f"/chats/{chat}")).form(f"/chats/{chat}/messages")
    form = page.form(f"/chats/{chat}/members/{bob.user_id}/remove")
    assert people(await owner.follow(await owner.submit(form))) == ["ada"]
    assert (await other.get(f"/chats/{chat}")).status_code in (403, 404)
    assert (await other.post(f"/chats/{chat}/messages", content="hi")).status_code in (403, 404)
    assert titles(await other.page("/chats")) == []


async def test_adding_an_unknown_name_says_so_at_its_field(server: Server, visit: Visit) -> None:
    ada = await server.user("ada")
    chat = await ada.group()
    page = page_of(await visit(ada).post(f"/chats/{chat}/members", user="nobody"), 404)
    assert "nobody called 'nobody'" in page.error_at("user")
    assert "open" in page.by_id("members").attrs
    assert page.form(f"/chats/{chat}/members").fields() == {"user": "nobody"}


async def test_a_member_may_neither_add_nor_remove(server: Server, visit: Visit) -> None:
    ada, bob, eve = await server.users(3)
    chat = await ada.group(bob)
    visitor = visit(bob)
    forms = [form.attrs["action"] for form in (await visitor.page(f"/chats/{chat}")).all("form")]
    assert sorted(forms) == [f"/chats/{chat}/leave", f"/chats/{chat}/messages"]
    added = await visitor.post(f"/chats/{chat}/members", user=eve.name)
    removed = await visitor.post(f"/chats/{chat}/members/{ada.user_id}/remove")
    assert (added.status_code, removed.status_code) == (403, 403)


async def test_a_private_chat_shows_nothing_of_itself_to_others(
    server: Server, visit: Visit
) -> None:
    ada, bob = await server.users(2)
    chat = await ada.group(title="Very secret title")
    await ada.say(chat, "very secret text")
    visitor = visit(bob)
    for answer in (
        await visitor.get(f"/chats/{chat}"),
        await visitor.get(f"/chats/{chat}/live"),
        await visitor.post(f"/chats/{chat}/join"),
        await visitor.post(f"/chats/{chat}/messages", content="let me in"),
        await visitor.post(f"/chats/{chat}/leave"),
        await visitor.get("/chats"),
    ):
        assert "secret" not in answer.text
        assert answer.status_code in (200, 403, 404)


async def test_the_list_shows_the_newest_chat_first_and_what_is_unread(
    server: Server, visit: Visit
) -> None:
    ada, bob = await server.users(2)
    first = await ada.group(bob, title="First")
    await ada.group(bob, title="Second")
    await ada.say_many(first, 3)
    visitor = visit(bob)
    page = await visitor.page("/chats")
    assert titles(page)[0] == "First"
    row = page.by_id("chat-list").one("li", data_chat_id=first)
    assert row.one("span", class_="badge").text == "3 unread"
    await visitor.page(f"/chats/{first}")
    row = (await visitor.page("/chats")).by_id("chat-list").one("li", data_chat_id=first)
    assert "hidden" in row.one("span", class_="badge").attrs
