"""Making chats, joining, leaving, adding, removing: by forms alone."""

from __future__ import annotations

import io

import pytest
from PIL import Image
from support.server import Server
from web_support import Node, Visit, page_of

from quartchat.web.render import person_key


def titles(page: Node) -> list[str]:
    return [item.one("span", class_="title").text for item in page.by_id("chat-list").all("li")]


def people(page: Node) -> list[str]:
    return [node.text for node in page.by_id("members").all("span", class_="name")]


async def test_a_direct_chat_starts_with_a_name_and_is_found_again(
    server: Server, visit: Visit
) -> None:
    ada, bob = await server.user("ada"), await server.user("bob")
    visitor = visit(ada)
    form, _ = (await visitor.page("/c/new")).all("form", action="/c/new")
    first = await visitor.submit(form, user="bob")
    assert (await visitor.follow(first)).one("h1").text == "bob"
    assert (await visitor.submit(form, user=" @BOB ")).headers["location"] == first.headers[
        "location"
    ]
    assert titles(await visit(bob).page("/c")) == ["ada"]


async def test_a_group_starts_with_names_in_any_form(server: Server, visit: Visit) -> None:
    ada, *_ = [await server.user(name) for name in ("ada", "bob", "eve", "zoe")]
    visitor = visit(ada)
    _, form = (await visitor.page("/c/new")).all("form", action="/c/new")
    answer = await visitor.submit(form, title="  Choir   practice ", members="bob, @eve zoe,")
    page = await visitor.follow(answer)
    assert page.one("h1").text == "Choir practice"
    assert sorted(people(page)) == ["ada", "bob", "eve", "zoe"]
    assert page.by_id("about").text == "Private group · 4 members"


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
    answer = await visit(ada).post("/c/new", **fields)
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
    rooms = (await visitor.page("/c")).by_id("rooms")
    assert rooms.one("a", class_="title").text == "Garden"
    preview = await visitor.page(f"/c/{room}")
    assert preview.messages() == ["roses are out"]
    assert not [form for form in preview.all("form") if "messages" in form.attrs["action"]]
    inside = await visitor.follow(await visitor.submit(preview.form(f"/c/{room}/join")))
    assert inside.messages() == ["roses are out"]
    assert inside.form(f"/c/{room}/messages")
    assert titles(await visitor.page("/c")) == ["Garden"]
    sure = await visitor.page(f"/c/{room}/leave")
    await visitor.follow(await visitor.submit(sure.form(f"/c/{room}/leave")))
    assert titles(await visitor.page("/c")) == []


async def test_joining_from_the_list_of_rooms_is_one_press(server: Server, visit: Visit) -> None:
    ada, bob = await server.users(2)
    room = await ada.group(public=True, title="Garden")
    visitor = visit(bob)
    form = (await visitor.page("/c")).form(f"/c/{room}/join")
    assert (await visitor.follow(await visitor.submit(form))).one("h1").text == "Garden"


async def test_who_was_removed_sees_nothing_more(server: Server, visit: Visit) -> None:
    ada, bob = await server.user("ada"), await server.user("bob")
    chat = await ada.group(bob, title="Closed")
    owner, other = visit(ada), visit(bob)
    assert people(await owner.page(f"/c/{chat}")) == ["ada", "bob"]
    assert (await other.page(f"/c/{chat}")).form(f"/c/{chat}/messages")
    await ada.remove(chat, bob)
    assert people(await owner.page(f"/c/{chat}")) == ["ada"]
    for path in ("", "/timeline", "/head", "/live"):
        assert (await other.get(f"/c/{chat}{path}")).status_code in (403, 404)
    assert (await other.post(f"/c/{chat}/messages", content="hi")).status_code in (403, 404)
    assert titles(await other.page("/c")) == []


async def test_the_head_says_who_is_here_and_leads_on(server: Server, visit: Visit) -> None:
    ada, bob = await server.user("ada"), await server.user("bob")
    chat = await ada.group(bob, title="Choir")
    await ada.api("PATCH", f"/chats/{chat}", description="We sing on Mondays.")
    await bob.live("sse")
    page = await visit(ada).page(f"/c/{chat}")
    assert page.by_id("about").text == (
        "Private group · 2 members · 1 online · We sing on Mondays."
    )
    links = {a.attrs.get("href") for a in page.by_id("top").all("a")}
    assert {f"/c/{chat}/about", f"/search?c={chat}", f"/people/{bob.user_id}"} <= links


async def test_a_direct_chat_says_when_the_other_was_there(server: Server, visit: Visit) -> None:
    ada, bob = await server.user("ada"), await server.user("bob")
    chat = await ada.direct(bob)
    visitor = visit(ada)
    assert (await visitor.page(f"/c/{chat}")).by_id("about").text == "offline"
    await bob.live("sse")
    assert (await visitor.page(f"/c/{chat}")).by_id("about").text == "online"
    server.move_clock(400)
    await server.services.presence.sweep()
    ada = await server.log_in_again(ada)
    assert (await visit(ada).page(f"/c/{chat}")).by_id("about").text == "away"


async def test_a_muted_or_archived_chat_says_so(server: Server, visit: Visit) -> None:
    ada = await server.user("ada")
    chat = await ada.group(title="Choir")
    await ada.api("PATCH", f"/chats/{chat}/settings", notify="mentions", archived=True)
    about = (await visit(ada).page(f"/c/{chat}")).by_id("about").text
    assert "muted" in about and "archived" in about


async def test_a_private_chat_shows_nothing_of_itself_to_others(
    server: Server, visit: Visit
) -> None:
    ada, bob = await server.users(2)
    chat = await ada.group(title="Very secret title")
    await ada.say(chat, "very secret text")
    visitor = visit(bob)
    for answer in (
        await visitor.get(f"/c/{chat}"),
        await visitor.get(f"/c/{chat}/live"),
        await visitor.post(f"/c/{chat}/join"),
        await visitor.post(f"/c/{chat}/messages", content="let me in"),
        await visitor.post(f"/c/{chat}/leave"),
        await visitor.get("/c"),
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
    page = await visitor.page("/c")
    assert titles(page)[0] == "First"
    row = page.by_id("chat-list").one("li", data_chat_id=first)
    assert row.one("span", class_="badge").text == "3 unread"
    await visitor.page(f"/c/{first}")
    row = (await visitor.page("/c")).by_id("chat-list").one("li", data_chat_id=first)
    assert "hidden" in row.one("span", class_="badge").attrs


async def test_a_picture_of_a_member_stands_beside_what_they_say(
    server: Server, visit: Visit
) -> None:
    ada, bob = await server.users(2)
    chat = await ada.group(bob)
    image = io.BytesIO()
    Image.new("RGB", (8, 8), "teal").save(image, "PNG")
    headers = {"Content-Type": "image/png"}
    answer = await bob.request("POST", "/api/me/picture", content=image.getvalue(), headers=headers)
    address = answer.json()["picture"]
    page = await visit(ada).page(f"/c/{chat}")
    rules = page.one("style").raw
    assert f'.msg[data-by="{person_key(bob.user_id)}"]::before' in rules
    assert f'url("{address}")' in rules
    assert page.by_id("members").all("img", src=address)
