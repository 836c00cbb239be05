"""The pages of administrators, by links and forms alone."""

from __future__ import annotations

import pytest
from support.server import Person, Server
from web_support import Node, Visit, page_of

PAGES = ["/admin", "/admin/users", "/admin/c", "/admin/connections"]


@pytest.fixture
async def root(server: Server) -> Person:
    root = await server.user("root", email="root@example.org")
    await server.services.accounts.set_admin(root.user_id, True, by=None)
    return root


def row(page: Node, person: Person) -> Node:
    return page.by_id("main").one("li", data_user_id=person.user_id)


@pytest.mark.parametrize("path", [*PAGES, "/admin/users/{eve}/remove"])
async def test_they_are_for_administrators_only(
    server: Server, visit: Visit, root: Person, path: str
) -> None:
    bob, eve = await server.users(2)
    visitor = visit(bob)
    page = await visitor.page(path.format(eve=eve.user_id), 403)
    assert page.one("h1").text == "This is for administrators."
    assert not page.by_id("site").all("a", href="/admin")
    assert (await visit(root).page("/c")).by_id("site").one("a", href="/admin")


@pytest.mark.parametrize("verb", ["promote", "demote", "logout", "remove"])
async def test_others_can_do_nothing_there(
    server: Server, visit: Visit, root: Person, verb: str
) -> None:
    bob = await server.user()
    answer = await visit(bob).post(f"/admin/users/{root.user_id}/{verb}")
    assert answer.status_code == 403
    assert (await visit(root).get("/admin")).status_code == 200


async def test_the_overview_tells_the_numbers(server: Server, visit: Visit, root: Person) -> None:
    bob = await server.user()
    chat = await root.group(bob)
    await bob.say(chat)
    await bob.live("sse")
    page = await visit(root).page("/admin")
    tiles = {t.one("dt").text: t.one("dd").text for t in page.all("div", class_="tile")}
    assert (tiles["users"], tiles["chats"], tiles["messages"]) == ("2", "1", "1")
    assert tiles["event stream"] == "1"


async def test_users_are_found_promoted_and_demoted(
    server: Server, visit: Visit, root: Person
) -> None:
    bob = await server.user("bob", email="bob@example.org")
    await server.user("eve")
    visitor = visit(root)
    page = await visitor.page("/admin/users?q=bob%40exam")
    assert len(page.by_id("main").all("li")) == 1
    there = f"/admin/users/{bob.user_id}"
    page = await visitor.follow(await visitor.submit(page.form(f"{there}/promote")))
    assert "administrator now" in page.one("p", role="status").text
    assert "administrator" in row(page, bob).text
    assert (await visit(bob).get("/admin")).status_code == 200
    await visitor.submit(page.form(f"{there}/demote"))
    assert (await visit(bob).get("/admin")).status_code == 403


async def test_the_only_administrator_stays_one(server: Server, visit: Visit, root: Person) -> None:
    visitor = visit(root)
    form = (await visitor.page("/admin/users")).form(f"/admin/users/{root.user_id}/demote")
    page = page_of(await visitor.submit(form), 409)
    assert "only administrator" in page.one("p", role="alert").text


async def test_somebody_is_logged_out_everywhere(
    server: Server, visit: Visit, root: Person
) -> None:
    bob = await server.user("bob")
    visitor = visit(root)
    form = (await visitor.page("/admin/users")).form(f"/admin/users/{bob.user_id}/logout")
    page = await visitor.follow(await visitor.submit(form))
    assert "logged out" in page.one("p", role="status").text
    assert (await visit(bob).get("/c")).status_code == 303


async def test_an_account_is_removed_after_a_question(
    server: Server, visit: Visit, root: Person
) -> None:
    bob = await server.user("bob")
    visitor, there = visit(root), f"/admin/users/{bob.user_id}/remove"
    page = await visitor.page("/admin/users")
    sure = await visitor.page(row(page, bob).one("a", href=there).attrs["href"])
    assert sure.one("h1").text == "Remove the account of bob?"
    page = await visitor.follow(await visitor.submit(sure.form(there)))
    assert "The account is removed." in page.text
    assert (await visit(bob).get("/c")).status_code == 303
    assert (await visitor.get(f"/people/{bob.user_id}")).status_code == 404


async def test_chats_and_connections_are_listed(server: Server, visit: Visit, root: Person) -> None:
    bob = await server.user("bob")
    chat = await bob.group(title="Choir")
    await bob.say(chat)
    await bob.live("ws")
    visitor = visit(root)
    table = (await visitor.page("/admin/c?q=hoi")).one("table")
    cells = [cell.text for cell in table.one("tbody").all("td")]
    assert table.one("tbody").one("th").text == "Choir"
    assert cells[:3] == ["private group", "1", "1"]
    table = (await visitor.page("/admin/connections")).one("table")
    assert table.one("tbody").one("th").text == "bob"
    assert table.one("tbody").all("td")[0].text == "WebSocket"


async def test_long_lists_come_in_pages(server: Server, visit: Visit, root: Person) -> None:
    for number in range(51):
        await server.user(f"guest{number:02}")
    visitor = visit(root)
    page = await visitor.page("/admin/users")
    more = await visitor.page(page.one("a", rel="next").attrs["href"])
    seen = [a.text for p in (page, more) for a in p.by_id("main").all("a", class_="title")]
    assert seen == [f"guest{number:02}" for number in range(51)] + ["root"]
