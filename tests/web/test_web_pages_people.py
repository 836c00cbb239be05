"""People, friends and follows, by links and forms alone."""

from __future__ import annotations

import pytest
from support.server import Server
from web_support import Node, Visit, page_of


def names(node: Node) -> list[str]:
    return [a.text for a in node.all("a", class_="title")]


def section(page: Node, name: str) -> Node:
    found = [s for s in page.all("section") if s.attrs.get("aria-labelledby") == f"{name}-title"]
    assert len(found) == 1, f"{name}: {page.by_id('main').text}"
    return found[0]


async def test_people_are_found_by_the_beginning_of_their_name(
    server: Server, visit: Visit
) -> None:
    ada = await server.user("ada")
    for name in ("bob", "Boris", "eve"):
        await server.user(name)
    visitor = visit(ada)
    form = (await visitor.page("/people")).form("/people")
    assert form.fields() == {"q": ""}
    page = await visitor.page("/people?q=bo")
    assert names(page.by_id("main")) == ["bob", "Boris"]
    assert page.form("/people").fields() == {"q": "bo"}
    nobody = await visitor.page("/people?q=zzz")
    assert "Nobody's name begins like this." in nobody.by_id("main").text


async def test_a_message_to_somebody_found_is_one_press(server: Server, visit: Visit) -> None:
    ada, bob = await server.user("ada"), await server.user("bob")
    visitor = visit(ada)
    page = await visitor.page("/people?q=bob")
    answer = await visitor.submit(page.form(f"/people/{bob.user_id}/message"))
    assert (await visitor.follow(answer)).one("h1").text == "bob"
    again = await visitor.submit(page.form(f"/people/{bob.user_id}/message"))
    assert again.headers["location"] == answer.headers["location"]


async def test_a_friendship_from_asking_to_its_end(server: Server, visit: Visit) -> None:
    ada, bob = await server.user("ada"), await server.user("bob")
    hers, his = visit(ada), visit(bob)
    ask = (await hers.page(f"/people/{bob.user_id}")).form(f"/people/{bob.user_id}/ask")
    page = await hers.follow(await hers.submit(ask))
    assert page.form(f"/people/{bob.user_id}/end")
    requests = await his.page("/friends")
    assert names(section(requests, "asking")) == ["ada"]
    accept = requests.form(f"/people/{ada.user_id}/accept")
    friends = await his.follow(await his.submit(accept))
    assert names(section(friends, "friends")) == ["ada"]
    page = await hers.page(f"/people/{bob.user_id}")
    sure = await hers.page(page.one("a", class_="danger").attrs["href"])
    assert "End the friendship with bob?" in sure.one("h1").text
    page = await hers.follow(await hers.submit(sure.form(f"/people/{bob.user_id}/end")))
    assert page.form(f"/people/{bob.user_id}/ask")
    assert "No friends here yet." in (await his.page("/friends")).text


async def test_a_request_is_declined_or_taken_back(server: Server, visit: Visit) -> None:
    ada, bob, eve = [await server.user(name) for name in ("ada", "bob", "eve")]
    await bob.api("POST", f"/friends/{ada.user_id}")
    await ada.api("POST", f"/friends/{eve.user_id}")
    visitor = visit(ada)
    page = await visitor.page("/friends")
    assert names(section(page, "asked")) == ["eve"]
    await visitor.submit(page.form(f"/people/{bob.user_id}/decline"))
    page = await visitor.follow(await visitor.submit(page.form(f"/people/{eve.user_id}/end")))
    assert names(page.by_id("friends")) == []


async def test_following_and_no_more(server: Server, visit: Visit) -> None:
    ada, bob = await server.user("ada"), await server.user("bob")
    visitor = visit(ada)
    there = f"/people/{bob.user_id}"
    page = await visitor.page(there)
    page = await visitor.follow(await visitor.submit(page.form(f"{there}/follow")))
    assert "1 follower" in page.by_id("person").text
    assert "follows you" in (await visit(bob).page(f"/people/{ada.user_id}")).text
    page = await visitor.follow(await visitor.submit(page.form(f"{there}/unfollow")))
    assert "0 followers" in page.by_id("person").text


async def test_ones_own_page_leads_to_the_profile(server: Server, visit: Visit) -> None:
    ada = await server.user("ada")
    page = await visit(ada).page(f"/people/{ada.user_id}")
    assert page.by_id("main").one("a", class_="button").attrs["href"] == "/profile"
    assert not page.by_id("main").all("form")


async def test_a_request_to_oneself_says_why_not(server: Server, visit: Visit) -> None:
    ada = await server.user("ada")
    page = page_of(await visit(ada).post(f"/people/{ada.user_id}/ask"), 422)
    assert "friend of yourself" in page.one("p", role="alert").text
    page = page_of(await visit(ada).post(f"/people/{ada.user_id}/message"), 422)
    assert "somebody else than yourself" in page.one("p", role="alert").text


@pytest.mark.parametrize("verb", ["", "/end"])
async def test_somebody_who_does_not_exist_is_a_page_that_says_so(
    server: Server, visit: Visit, verb: str
) -> None:
    page = await visit(await server.user()).page(f"/people/nobody{verb}", 404)
    assert page.one("h1").text == "There is no such user."


async def test_an_unknown_verb_changes_nothing(server: Server, visit: Visit) -> None:
    ada, bob = await server.users(2)
    assert (await visit(ada).post(f"/people/{bob.user_id}/adopt")).status_code == 404


async def test_what_people_say_of_themselves_is_text(server: Server, visit: Visit) -> None:
    ada, bob = await server.users(2)
    await bob.api("PATCH", "/me", about="<b>bold</b>\nand {{7*7}}")
    page = await visit(ada).page(f"/people/{bob.user_id}")
    assert page.one("p", class_="about").raw == "<b>bold</b>\nand {{7*7}}"
