"""Signing up, logging in and out, by forms alone."""

from __future__ import annotations

import re

import pytest
from support.server import Server
from web_support import Start, Visit, Visitor, page_of

PASSWORD = "five blue horses run"


async def sign_up(visitor: Visitor, name: str, password: str = PASSWORD) -> None:
    form = (await visitor.page("/signup")).form("/signup")
    page = await visitor.follow(await visitor.submit(form, name=name, password=password))
    assert page.one("a", class_="self").one("bdi").text == name


async def test_who_signs_up_is_logged_in_and_sees_their_chats(server: Server, visit: Visit) -> None:
    visitor = visit()
    await sign_up(visitor, "ada")
    assert (await visitor.page("/c")).one("h1").text == "Your chats"


async def test_who_comes_without_a_login_is_led_to_it_and_back(
    server: Server, visit: Visit
) -> None:
    await sign_up(visit(), "bob")
    visitor = visit()
    refused = await visitor.get("/c/new?x=1")
    assert refused.status_code == 303
    assert refused.headers["location"] == "/login?next=%2Fc%2Fnew%3Fx%3D1"
    form = (await visitor.page(refused.headers["location"])).form("/login")
    answer = await visitor.submit(form, name="bob", password=PASSWORD)
    assert answer.headers["location"] == "/c/new?x=1"


async def test_a_wrong_password_keeps_the_name_and_says_what_is_wrong(
    server: Server, visit: Visit
) -> None:
    await sign_up(visit(), "ada")
    visitor = visit()
    form = (await visitor.page("/login?next=/profile")).form("/login")
    page = page_of(await visitor.submit(form, name="ada", password="not this one"), 401)
    again = page.form("/login").fields()
    assert (again["name"], again["password"], again["next"]) == ("ada", "", "/profile")
    assert "do not match" in page.one("p", role="alert").text
    assert "qc_session" not in visitor.http.cookies


async def test_an_unknown_name_is_refused_in_the_same_words(server: Server, visit: Visit) -> None:
    await sign_up(visit(), "ada")
    visitor = visit()
    known = await visitor.post("/login", name="ada", password="not this one")
    unknown = await visitor.post("/login", name="bob", password="not this one")
    say = [page_of(answer, 401).one("p", role="alert").text for answer in (known, unknown)]
    assert say[0] == say[1]


@pytest.mark.parametrize(
    ("name", "password", "email", "field", "says"),
    [
        ("", PASSWORD, "", "name", "1 to 40 characters"),
        ("two words", PASSWORD, "", "name", "without spaces"),
        ("x" * 41, PASSWORD, "", "name", "1 to 40 characters"),
        ("ada", PASSWORD, "", "name", "taken"),
        ("ADA", PASSWORD, "", "name", "taken"),
        ("bob", "short", "", "password", "at least 8"),
        ("bob", PASSWORD, "nobody", "email", "not an email"),
    ],
)
async def test_a_sign_up_that_is_refused_says_so_at_its_field_and_keeps_the_rest(
    server: Server, visit: Visit, name: str, password: str, email: str, field: str, says: str
) -> None:
    await server.user("ada")
    visitor = visit()
    form = (await visitor.page("/signup")).form("/signup")
    answer = await visitor.submit(form, name=name, password=password, email=email)
    assert 400 <= answer.status_code < 500
    page = page_of(answer, answer.status_code)
    assert says in page.error_at(field)
    again = page.form("/signup").fields()
    assert (again["name"], again["email"], again["password"]) == (name, email, "")


async def test_closed_sign_up_says_so_and_takes_nobody(start: Start, visit: Visit) -> None:
    closed = await start(signup=False)
    visitor = visit(at=closed)
    assert (await visitor.page("/signup", 403)).one("h1").text == "Sign-up is closed"
    assert "/signup" not in (await visitor.get("/login")).text
    answer = await visitor.post("/signup", name="eve", password=PASSWORD)
    assert answer.status_code == 403
    answer = await visitor.post("/signup", name="eve", password=PASSWORD, setup="guess")
    assert answer.status_code == 403
    assert "qc_session" not in visitor.http.cookies


async def test_the_setup_link_makes_the_first_administrator_once(
    start: Start, visit: Visit
) -> None:
    closed = await start(signup=False)
    link = f"/signup?setup={closed.services.setup_code}"
    visitor = visit(at=closed)
    form = (await visitor.page(link)).form("/signup")
    assert (await visitor.submit(form, name="root", password=PASSWORD)).status_code == 303
    assert (await visitor.get("/api/me")).json()["is_admin"] is True
    second = visit(at=closed)
    assert "used" in (await second.page(link, 403)).one("p", role="alert").text
    setup = closed.services.setup_code
    answer = await second.post("/signup", name="eve", password=PASSWORD, setup=setup)
    assert answer.status_code == 403


async def test_a_setup_link_is_no_way_in_with_a_wrong_code(server: Server, visit: Visit) -> None:
    visitor = visit()
    await visitor.post("/signup", name="eve", password=PASSWORD, setup="0" * 24)
    me = await visitor.get("/api/me")
    assert me.status_code == 401 or me.json()["is_admin"] is False


async def test_logging_out_ends_this_login_and_no_other(server: Server, visit: Visit) -> None:
    first, second = visit(), visit()
    await sign_up(first, "ada")
    await second.post("/login", name="ada", password=PASSWORD)
    stolen = first.http.cookies["qc_session"]
    form = (await first.page("/settings")).form("/logout")
    page = await first.follow(await first.submit(form))
    assert page.one("h1").text == "Log in"
    assert not first.http.cookies
    bearer = {"Authorization": f"Bearer {stolen}"}
    assert (await visit().get("/api/me", headers=bearer)).status_code == 401
    assert (await second.get("/c")).status_code == 200


async def test_logging_out_twice_is_no_error(server: Server, visit: Visit) -> None:
    assert (await visit().post("/logout")).headers["location"] == "/login"


async def test_too_many_failed_logins_are_throttled_whatever_the_password(
    start: Start, visit: Visit
) -> None:
    server = await start(no_limits=False, logins_per_minute=3.0)
    visitor = visit(at=server)
    await sign_up(visitor, "ada")
    guesser = visit(at=server)
    statuses = [
        (await guesser.post("/login", name="ada", password=f"guess {n} guess")).status_code
        for n in range(4)
    ]
    assert statuses == [401, 401, 401, 429]
    page = page_of(await guesser.post("/login", name="ada", password=PASSWORD), 429)
    assert page.form("/login").fields()["name"] == "ada"
    assert "Too many failed logins" in page.one("p", role="alert").text
    answer = await guesser.http.post("/api/login", json={"name": "ada", "password": PASSWORD})
    assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
    assert int(answer.headers["retry-after"]) >= 1


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "/%0d%0aSet-Cookie:x",
        " //evil.example",
        "",
    ],
)
async def test_a_login_leads_to_this_site_only(server: Server, visit: Visit, target: str) -> None:
    await sign_up(visit(), "ada")
    visitor = visit()
    form = {"name": "ada", "password": PASSWORD, "next": target}
    location = (await visitor.post("/login", **form)).headers["location"]
    assert re.fullmatch(r"/(?![/\\])[!-~]*", location)
    assert "evil" not in visitor.http.base_url.join(location).host


async def test_who_signs_up_by_way_of_an_invitation_gets_there(
    server: Server, visit: Visit
) -> None:
    ada = await server.user("ada")
    chat = await ada.group(title="Choir")
    invite = await ada.api("POST", f"/chats/{chat}/invites")
    visitor = visit()
    door = await visitor.follow(await visitor.get(invite["url"]))
    link = next(a for a in door.all("a") if a.attrs["href"].startswith("/signup"))
    form = (await visitor.page(link.attrs["href"])).form("/signup")
    page = await visitor.follow(await visitor.submit(form, name="bob", password=PASSWORD))
    assert page.one("h1").text == "Choir"
    assert "ada invites you to" in page.by_id("main").text
    inside = await visitor.follow(await visitor.submit(page.form(invite["url"])))
    assert inside.form(f"/c/{chat}/messages")


async def test_the_profile_changes_name_and_words_about_oneself(
    server: Server, visit: Visit
) -> None:
    ada = await server.user("ada")
    await server.user("eve")
    visitor = visit(ada)
    form = (await visitor.page("/profile")).form("/profile")
    answer = await visitor.submit(form, name="ada-marie", about="Sings.\r\nAnd rows.")
    page = await visitor.follow(answer)
    assert page.one("p", role="status").text == "Saved."
    assert page.one("a", class_="self").one("bdi").text == "ada-marie"
    assert page.form("/profile").fields()["about"] == "Sings.\nAnd rows."
    refused = page_of(await visitor.submit(form, name="EVE", about="kept"), 409)
    assert "taken" in refused.error_at("name")
    assert refused.form("/profile").fields() == {"name": "EVE", "about": "kept"}
    long = page_of(await visitor.submit(form, name="ada", about="x" * 501), 422)
    assert "At most 500" in long.error_at("about")


async def test_the_profile_changes_the_email_address(server: Server, visit: Visit) -> None:
    visitor = visit(await server.user("ada"))
    form = (await visitor.page("/profile")).form("/profile/email")
    page = await visitor.follow(await visitor.submit(form, email="ada@example.org"))
    assert page.form("/profile/email").fields()["email"] == "ada@example.org"
    refused = page_of(await visitor.submit(form, email="nobody"), 422)
    assert "not an email" in refused.error_at("email")
    assert refused.form("/profile/email").fields()["email"] == "nobody"


async def test_the_profile_changes_the_password_and_ends_other_logins(
    server: Server, visit: Visit
) -> None:
    visitor, elsewhere = visit(), visit()
    await sign_up(visitor, "ada")
    await elsewhere.post("/login", name="ada", password=PASSWORD)
    form = (await visitor.page("/profile")).form("/profile/password")
    wrong = await visitor.submit(form, current_password="wrong", new_password="eight new letters")
    assert "not your current" in page_of(wrong, 422).error_at("current_password")
    short = await visitor.submit(form, current_password=PASSWORD, new_password="short")
    assert "at least 8" in page_of(short, 422).error_at("new_password")
    right = await visitor.submit(form, current_password=PASSWORD, new_password="eight new letters")
    assert "is changed" in (await visitor.follow(right)).one("p", role="status").text
    assert (await elsewhere.get("/c")).status_code == 303
    other = visit()
    assert (await other.post("/login", name="ada", password=PASSWORD)).status_code == 401
    assert (await other.post("/login", name="ada", password="eight new letters")).status_code == 303


async def test_a_wrong_link_to_become_administrator_makes_no_account(
    server: Server, visit: Visit
) -> None:
    visitor = visit()
    page = await visitor.page("/signup?setup=wrong", status=403)
    assert "not the link that the server printed" in page.text
    fields = {"name": "ada", "password": "long enough, really", "setup": "wrong"}
    answer = await visitor.post("/signup", **fields)
    assert answer.status_code == 403
    assert "qc_session" not in answer.cookies


async def test_a_link_to_become_administrator_that_was_used_says_so_at_once(
    server: Server, visit: Visit
) -> None:
    code = server.services.setup_code
    fields = {"name": "ada", "password": "long enough, really", "setup": code}
    assert (await visit().post("/signup", **fields)).status_code == 303
    page = await visit().page(f"/signup?setup={code}", status=403)
    assert "This link was used" in page.text


async def test_the_first_wrong_field_has_the_focus_so_that_it_is_seen(
    server: Server, visit: Visit
) -> None:
    visitor = visit(await server.user("ada"))
    fields = {"current_password": "wrong", "new_password": "long enough, really"}
    answer = await visitor.post("/profile/password", **fields)
    page = page_of(answer, 422)
    [field] = [node for node in page.all("input") if node.attrs.get("aria-invalid")]
    assert "autofocus" in field.attrs
