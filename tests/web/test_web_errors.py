"""What a request gets that cannot be served: a page for people, a problem for programs."""

from __future__ import annotations

import json

import pytest
from support.server import Server
from web_support import Visit, page_of


@pytest.mark.parametrize("logged_in", [True, False])
@pytest.mark.parametrize("path", ["/nothing", "/c/x/y", "/static/nothing.css", "/favicon.ico"])
async def test_an_unknown_address_is_a_page_that_says_so(
    server: Server, visit: Visit, path: str, logged_in: bool
) -> None:
    visitor = visit(await server.user() if logged_in else None)
    page = page_of(await visitor.get(path), 404)
    assert page.one("h1").text == "There is nothing at this address."
    assert page.by_id("main").one("a", class_="button").attrs["href"] == (
        "/c" if logged_in else "/login"
    )


async def test_an_unknown_chat_is_a_page_that_says_so(server: Server, visit: Visit) -> None:
    page = await visit(await server.user()).page("/c/nothing", 404)
    assert page.one("h1").text == "There is no such chat."


@pytest.mark.parametrize(
    ("method", "path"), [("DELETE", "/login"), ("POST", "/"), ("PUT", "/chats"), ("GET", "/logout")]
)
async def test_a_wrong_method_is_a_page_that_says_so(
    server: Server, visit: Visit, method: str, path: str
) -> None:
    answer = await visit(await server.user()).http.request(method, path)
    assert "not take this method" in page_of(answer, 405).one("h1").text


@pytest.mark.parametrize("path", ["/login", "/signup", "/c/new", "/profile"])
async def test_a_form_that_is_too_large_is_refused(server: Server, visit: Visit, path: str) -> None:
    """Before any page is made: nobody fills in a form of 300 KB by hand."""
    answer = await visit(await server.user()).post(path, name="x" * 300_000)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


async def test_a_message_form_that_is_far_too_large_says_so(server: Server, visit: Visit) -> None:
    ada = await server.user()
    chat = await ada.group()
    answer = await visit(ada).post(f"/c/{chat}/messages", content="x" * 300_000)
    assert answer.status_code == 413
    assert await ada.history(chat) == []


@pytest.mark.parametrize("query", ["before=abc", "after=-1", "before=1e3", "after=" + "9" * 40])
async def test_a_bad_cursor_in_a_page_is_a_page_that_says_so(
    server: Server, visit: Visit, query: str
) -> None:
    ada = await server.user()
    chat = await ada.group()
    page = page_of(await visit(ada).get(f"/c/{chat}?{query}"), 400)
    assert "whole number" in page.one("h1").text


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/nothing", 404, "not_found"),
        ("GET", "/api/chats/nothing/messages", 404, "chat_not_found"),
        ("DELETE", "/api/chats", 405, "method_not_allowed"),
        ("GET", "/events?last_event_id=x", 400, "bad_cursor"),
        ("GET", "/stream?last_event_id=-1", 400, "bad_cursor"),
        ("GET", "/poll?timeout=soon", 422, "invalid"),
        ("GET", "/poll?hb=nan", 422, "invalid"),
        ("GET", "/events?chats=nothing", 404, "chat_not_found"),
        ("GET", "/events?token=abc", 401, "unauthenticated"),
        ("GET", "/t/e?last_event_id=x", 400, "bad_cursor"),
        ("POST", "/api/chats/nothing/messages", 404, "chat_not_found"),
        ("GET", "/api/users?name=nobody", 404, "user_not_found"),
    ],
)
async def test_a_refusal_to_a_program_is_a_problem_document(
    server: Server, visit: Visit, method: str, path: str, status: int, code: str
) -> None:
    ada = await server.user()
    body = {"content": "hi"} if method == "POST" else None
    answer = await visit(ada).http.request(method, path, json=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["code"], problem["status"]) == (code, status)
    assert problem["title"]
    assert problem["detail"].endswith((".", "}}."))


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b'{"content": 5}', "application/json", 422),
        (b'{"contents": "hi"}', "application/json", 422),
        (b'{"content": "a\\u0000b"}', "application/json", 422),
        (b'{"content": "\\ud800"}', "application/json", 422),
        (b'{"content": "hi", "client_id": "a\\nb"}', "application/json", 422),
        (b"<content>hi</content>", "text/xml", 415),
        (b'{"content": "' + b"x" * 100_000 + b'"}', "application/json", 413),
        (b'{"content": ' + b"[" * 30_000 + b"]" * 30_000 + b"}", "application/json", 400),
    ],
)
async def test_a_bad_body_is_refused_and_nothing_is_stored(
    server: Server, visit: Visit, body: bytes, kind: str, status: int
) -> None:
    ada = await server.user()
    chat = await ada.group()
    before = await server.head()
    answer = await visit(ada).http.post(
        f"/api/chats/{chat}/messages", content=body, headers={"Content-Type": kind}
    )
    assert answer.headers["content-type"] == "application/problem+json"
    found = (answer.status_code, answer.json()["status"])
    assert found == (status, status) or (status in (400, 422) and found[0] in (400, 422))
    assert await server.head() == before


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"content": "hi"}', "application/json"),
        (b'{"content": "hi"}', "application/json; charset=utf-8"),
        (b'{"content": "hi"}', "text/plain"),
        (b"content=hi", "application/x-www-form-urlencoded"),
        (b'--b\r\nContent-Disposition: form-data; name="content"\r\n\r\nhi\r\n--b--\r\n',
         "multipart/form-data; boundary=b"),
    ],
)  # fmt: skip
async def test_a_message_is_taken_in_any_of_the_forms(
    server: Server, visit: Visit, body: bytes, kind: str
) -> None:
    ada = await server.user()
    chat = await ada.group()
    headers = {"Content-Type": kind}
    path = f"/api/chats/{chat}/messages"
    answer = await visit(ada).http.post(path, content=body, headers=headers)
    assert answer.status_code == 200
    assert [message["content"] for message in await ada.history(chat)] == ["hi"]


NUL = ["/c/%00", "/%00", "/c/%ff%fe", "/c/..%2f..", "/static/..%2f..%2fpyproject.toml"]


@pytest.mark.parametrize("path", NUL)
async def test_odd_addresses_are_not_found_and_break_nothing(
    server: Server, visit: Visit, path: str
) -> None:
    answer = await visit(await server.user()).get(path)
    assert answer.status_code in (400, 404)
    assert "[project]" not in answer.text


@pytest.mark.parametrize("path", ["/events", "/stream", "/poll", "/api/me", "/t/e", "/t/s", "/t/p"])
async def test_who_is_not_known_gets_401_with_the_way_to_be_known(
    server: Server, visit: Visit, path: str
) -> None:
    answer = await visit().get(path)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert json.loads(answer.text)["code"] == "unauthenticated"


async def test_health_is_told_to_anybody(server: Server, visit: Visit) -> None:
    for path in ("/health/live", "/health/ready"):
        assert (await visit().get(path)).status_code == 200
