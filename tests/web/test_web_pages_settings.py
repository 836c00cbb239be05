"""What one sets for oneself, by forms alone."""

from __future__ import annotations

from support.server import Server
from web_support import Visit


async def test_what_one_is_told_of_is_chosen_by_ticking(server: Server, visit: Visit) -> None:
    ada, bob = await server.users(2)
    visitor = visit(ada)
    form = (await visitor.page("/settings")).form("/settings/notify")
    kinds = ["new_message", "mention", "friend_request", "friend_accepted", "new_follower"]
    assert form.fields() == dict.fromkeys(kinds, "1")
    page = await visitor.follow(await visitor.post("/settings/notify", mention="1"))
    assert page.one("p", role="status").text == "Saved."
    assert page.form("/settings/notify").fields() == {"mention": "1"}
    await bob.api("POST", f"/follows/{ada.user_id}")
    assert "Nothing has happened yet." in (await visitor.page("/notifications")).text


async def test_the_theme_is_there_before_anything_is_drawn(server: Server, visit: Visit) -> None:
    visitor = visit(await server.user())
    page = await visitor.page("/settings")
    assert "data-theme" not in page.one("html").attrs
    form = page.form("/settings/look")
    page = await visitor.follow(await visitor.submit(form, theme="dark", lang=""))
    assert page.one("html").attrs["data-theme"] == "dark"
    assert page.one("meta", name="color-scheme").attrs["content"] == "dark"
    assert (await visitor.page("/c")).one("html").attrs["data-theme"] == "dark"


async def test_another_login_is_seen_and_ended(server: Server, visit: Visit) -> None:
    ada = await server.user("ada")
    again = await server.log_in_again(ada)
    here, there = visit(ada), visit(again)
    logins = (await here.page("/settings")).by_id("logins")
    assert [row.one("b").text for row in logins.all("li")] == ["This device", "Another device"]
    single = next(f for f in logins.all("form", action="/settings/logins/end") if f.fields())
    page = await here.follow(await here.submit(single))
    assert len(page.by_id("logins").all("li")) == 1
    assert (await there.get("/c")).status_code == 303
    assert (await here.get("/c")).status_code == 200


async def test_all_other_logins_are_ended_at_once(server: Server, visit: Visit) -> None:
    ada = await server.user("ada")
    others = [visit(await server.log_in_again(ada)) for _ in range(2)]
    here = visit(ada)
    page = await here.follow(await here.post("/settings/logins/end"))
    assert "logged out" in page.one("p", role="status").text
    assert [(await other.get("/c")).status_code for other in others] == [303, 303]
    assert (await here.get("/c")).status_code == 200


async def test_a_login_of_somebody_else_is_not_ended(server: Server, visit: Visit) -> None:
    ada, bob = await server.users(2)
    answer = await visit(bob).post("/settings/logins/end", id=ada.session_id)
    assert answer.status_code == 404
    assert (await visit(ada).get("/c")).status_code == 200
