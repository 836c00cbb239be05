"""The directory, what is known of a chat, its members, invitations and bans: by forms alone."""

from __future__ import annotations

import io

import pytest
from PIL import Image
from support.server import Person, Server
from web_support import Node, Visit, Visitor, page_of


def names(node: Node) -> list[str]:
    return [a.text for a in node.all("a", class_="title")]


def picture() -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (40, 30), "green").save(made, "PNG")
    return made.getvalue()


async def three(server: Server) -> tuple[Person, Person, Person, str]:
    """The owner of a group, and two members."""
    ada, bob, eve = [await server.user(name) for name in ("ada", "bob", "eve")]
    return ada, bob, eve, await ada.group(bob, eve, title="Choir")


async def test_public_rooms_are_found_by_a_part_of_their_title(
    server: Server, visit: Visit
) -> None:
    ada, bob = await server.users(2)
    garden = await ada.group(bob, public=True, title="Garden")
    await ada.group(public=True, title="Cycling")
    await ada.group(title="Hidden")
    visitor = visit(bob)
    page = await visitor.page("/rooms")
    assert names(page.by_id("main")) == ["Garden", "Cycling"]
    assert "joined" in page.by_id("main").all("li")[0].text
    page = await visitor.page("/rooms?q=ycl")
    assert names(page.by_id("main")) == ["Cycling"]
    join = next(f for f in page.all("form") if f.attrs["action"].endswith("/join"))
    assert (await visitor.follow(await visitor.submit(join))).one("h1").text == "Cycling"
    assert "No room is called like this." in (await visitor.page("/rooms?q=zzz")).text
    assert garden not in (await visitor.get("/rooms?q=ycl")).text


async def test_rooms_come_in_pages(server: Server, visit: Visit) -> None:
    ada = await server.user()
    for number in range(52):
        await ada.group(public=True, title=f"Room {number:02}")
    visitor = visit(ada)
    page = await visitor.page("/rooms?q=room")
    more = await visitor.page(page.one("a", rel="next").attrs["href"])
    found = names(page.by_id("main")) + names(more.by_id("main"))
    assert found == [f"Room {number:02}" for number in range(52)]


async def test_muting_and_archiving_are_for_oneself_alone(server: Server, visit: Visit) -> None:
    ada, bob, _, chat = await three(server)
    visitor = visit(bob)
    form = (await visitor.page(f"/c/{chat}/about")).form(f"/c/{chat}/mine")
    page = await visitor.follow(await visitor.submit(form, notify="mentions", archived="1"))
    assert page.one("p", role="status").text == "Saved."
    chosen = page.by_id("notify").one("option", selected="")
    assert chosen.attrs["value"] == "mentions"
    assert page.form(f"/c/{chat}/mine").fields()["archived"] == "1"
    page = await visitor.page("/c")
    assert not page.by_id("chat-list").all("li")
    archive = await visitor.page(page.one("a", href="/c?archived=1").attrs["href"])
    assert "muted" in archive.by_id("chat-list").one("li").text
    assert len((await visit(ada).page("/c")).by_id("chat-list").all("li")) == 1


async def test_title_and_description_are_edited(server: Server, visit: Visit) -> None:
    ada, _, _, chat = await three(server)
    visitor = visit(ada)
    edit = f"/c/{chat}/edit"
    form = (await visitor.page(edit)).form(edit)
    page = await visitor.follow(
        await visitor.submit(form, title="Big choir", description="At seven.", history="all")
    )
    assert page.one("h1").text == "Big choir"
    assert page.one("p", class_="about").text == "At seven."
    refused = page_of(await visitor.submit(form, title="", description="kept", history="all"), 422)
    assert "1 to 100" in refused.error_at("title")
    assert refused.form(edit).fields()["description"] == "kept"


async def test_a_chat_and_a_person_get_a_picture(server: Server, visit: Visit) -> None:
    ada, _, _, chat = await three(server)
    visitor = visit(ada)
    for path, back in ((f"/c/{chat}", f"/c/{chat}/about"), ("/profile", "/profile")):
        answer = await visitor.http.post(f"{path}/picture", files={"picture": picture()})
        page = await visitor.follow(answer)
        shown = page.by_id("main").all("img")[0].attrs["src"]
        assert (await visitor.get(shown)).headers["content-type"] == "image/webp"
        page = await visitor.follow(await visitor.post(f"{path}/picture/remove"))
        assert not page.by_id("main").all("img"), back
        broken = await visitor.http.post(f"{path}/picture", files={"picture": b"no picture"})
        assert page_of(broken, broken.status_code).error_at("picture")
        nothing = await visitor.http.post(f"{path}/picture", files={"other": b""})
        assert "Choose a picture" in page_of(nothing, 422).error_at("picture")


async def test_members_are_added_made_admins_removed_and_banned(
    server: Server, visit: Visit
) -> None:
    ada, bob, eve, chat = await three(server)
    await server.user("zoe")
    visitor, about = visit(ada), f"/c/{chat}/about"
    form = (await visitor.page(about)).form(f"/c/{chat}/add")
    page = await visitor.follow(await visitor.submit(form, user="zoe"))
    assert sorted(names(page.by_id("members"))) == ["ada", "bob", "eve", "zoe"]
    refused = page_of(await visitor.submit(form, user="nobody"), 404)
    assert "nobody called 'nobody'" in refused.error_at("user")
    assert refused.form(f"/c/{chat}/add").fields() == {"user": "nobody"}
    people = f"/c/{chat}/people"
    page = await visitor.follow(await visitor.submit(page.form(f"{people}/{bob.user_id}/admin")))
    row = page.by_id("members").one("li", data_user_id=bob.user_id)
    assert "admin" in row.text
    page = await confirmed(visitor, f"{people}/{eve.user_id}/remove")
    assert sorted(names(page.by_id("members"))) == ["ada", "bob", "zoe"]
    page = await confirmed(visitor, f"{people}/{bob.user_id}/ban")
    assert names(page.by_id("bans")) == ["bob"]
    refused = page_of(await visitor.post(f"/c/{chat}/add", user="bob"), 403)
    assert "banned" in refused.error_at("user")
    lifted = page.form(f"{people}/{bob.user_id}/unban")
    page = await visitor.follow(await visitor.submit(lifted))
    assert not [s for s in page.all("section") if s.attrs.get("id") == "bans"]


async def confirmed(visitor: Visitor, path: str) -> Node:
    """The page after the question whether one is sure was answered with yes."""
    return await visitor.follow(await visitor.submit((await visitor.page(path)).form(path)))


async def test_the_chat_is_handed_over(server: Server, visit: Visit) -> None:
    ada, bob, _, chat = await three(server)
    page = await confirmed(visit(ada), f"/c/{chat}/people/{bob.user_id}/owner")
    row = page.by_id("members").one("li", data_user_id=bob.user_id)
    assert "owner" in row.text
    assert "admin" in page.by_id("members").one("li", data_user_id=ada.user_id).text


async def test_a_member_sees_who_is_there_and_nothing_to_manage(
    server: Server, visit: Visit
) -> None:
    _, bob, eve, chat = await three(server)
    visitor = visit(bob)
    page = await visitor.page(f"/c/{chat}/about")
    assert sorted(names(page.by_id("members"))) == ["ada", "bob", "eve"]
    assert [form.attrs["action"] for form in page.all("form")] == [f"/c/{chat}/mine"]
    people = f"/c/{chat}/people/{eve.user_id}"
    answers = [
        await visitor.get(f"/c/{chat}/edit"),
        await visitor.get(f"{people}/remove"),
        await visitor.post(f"{people}/remove"),
        await visitor.post(f"{people}/ban"),
        await visitor.post(f"{people}/admin"),
        await visitor.post(f"/c/{chat}/edit", title="Mine"),
        await visitor.post(f"/c/{chat}/invites"),
    ]
    assert [answer.status_code for answer in answers] == [403] * len(answers)


async def test_an_invitation_is_made_used_and_ended(server: Server, visit: Visit) -> None:
    ada, *_, chat = await three(server)
    zoe, yan = await server.user("zoe"), await server.user("yan")
    visitor, about = visit(ada), f"/c/{chat}/about"
    form = (await visitor.page(about)).form(f"/c/{chat}/invites")
    page = await visitor.follow(await visitor.submit(form, expires_in="3600", max_uses="1"))
    link = page.by_id("invites").one("input", class_="copy").attrs["value"]
    assert link.startswith(server.url)
    path = link.removeprefix(server.url)
    guest = visit(zoe)
    door = await guest.page(path)
    assert "ada invites you to" in door.text
    assert (await guest.follow(await guest.submit(door.form(path)))).one("h1").text == "Choir"
    assert (await guest.get(path)).headers["location"] == f"/c/{chat}"
    assert (await visit(yan).page(path, 410)).one("h1").text.startswith("This invitation")
    refused = page_of(await visitor.submit(form, max_uses="many"), 422)
    assert "whole number" in refused.error_at("max_uses")
    page = await visitor.follow(await visitor.submit(form, expires_in="86400"))
    end = next(f for f in page.by_id("invites").all("form") if f.attrs["action"].endswith("/end"))
    page = await visitor.follow(await visitor.submit(end))
    assert not page.by_id("invites").all("input", class_="copy")


async def test_leaving_asks_first(server: Server, visit: Visit) -> None:
    _, bob, _, chat = await three(server)
    visitor = visit(bob)
    page = await visitor.page(f"/c/{chat}/about")
    sure = await visitor.page(page.one("a", href=f"/c/{chat}/leave").attrs["href"])
    assert sure.one("h1").text == "Leave Choir?"
    assert "somebody must add or invite you" in sure.text
    page = await visitor.follow(await visitor.submit(sure.form(f"/c/{chat}/leave")))
    assert "You are no longer in that chat." in page.text
    assert (await visitor.get(f"/c/{chat}/about")).status_code == 404


async def test_pinned_messages_lead_to_their_place(server: Server, visit: Visit) -> None:
    ada, bob, _, chat = await three(server)
    said = await bob.say(chat, "the key is under the mat")
    await ada.api("POST", f"/messages/{said['message_id']}/pin")
    pins = (await visit(bob).page(f"/c/{chat}/about")).by_id("pins")
    assert "the key is under the mat" in pins.text
    place = f"/c/{chat}?focus={said['message_id']}#m{said['message_id']}"
    assert pins.one("a", class_="title").attrs["href"] == place


async def test_a_public_room_is_described_to_those_outside_it(server: Server, visit: Visit) -> None:
    ada, bob = await server.user("ada"), await server.user("bob")
    room = await ada.group(public=True, title="Garden")
    visitor = visit(bob)
    page = await visitor.page(f"/c/{room}/about")
    assert names(page.by_id("members")) == ["ada"]
    inside = await visitor.follow(await visitor.submit(page.form(f"/c/{room}/join")))
    assert inside.one("h1").text == "Garden"


@pytest.mark.parametrize("page", ["about", "leave", "edit"])
async def test_a_private_chat_tells_others_nothing(server: Server, visit: Visit, page: str) -> None:
    ada, bob = await server.users(2)
    chat = await ada.group(title="Very secret")
    answer = await visit(bob).get(f"/c/{chat}/{page}")
    assert answer.status_code in (403, 404)
    assert "secret" not in answer.text
