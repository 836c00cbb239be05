"""The four ways to be known, what each may do, and what ends them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import websockets
from support.readers import ALL, GREETING, KINDS, Refused, Transport
from support.server import Person, Server

Start = Callable[..., Awaitable[Server]]
EVERY = pytest.mark.parametrize("transport", ALL, ids=lambda one: one.name)
EACH_KIND = pytest.mark.parametrize("transport", KINDS, ids=lambda one: one.name)
OTHER_SITE = {"Origin": "https://evil.example"}


def number_of(transport: Transport, close: int, status: int) -> int:
    return close if transport.duplex else status


@EVERY
async def test_the_session_cookie_is_enough(server: Server, transport: Transport) -> None:
    ada = await server.user()
    headers = {"Cookie": f"qc_session={ada.token}"}
    reader = ada.connect(transport, token=None, headers=headers)
    assert (await reader.one("hello"))["data"]["user_id"] == ada.user_id


@EVERY
async def test_a_bearer_token_counts_before_a_cookie(server: Server, transport: Transport) -> None:
    ada, ben = await server.users(2)
    reader = ada.connect(transport, headers={"Cookie": f"qc_session={ben.token}"})
    assert (await reader.one("hello"))["data"]["user_id"] == ada.user_id


@EVERY
async def test_a_ticket_is_good_once(server: Server, transport: Transport) -> None:
    ada = await server.user()
    ticket = await ada.api("POST", "/ticket")
    query = {"ticket": ticket["ticket"]}
    assert ticket["expires_in"] == 30
    reader = ada.connect(transport, token=None, query=query)
    assert (await reader.one("hello"))["data"]["user_id"] == ada.user_id
    again = ada.connect(transport, token=None, query=query)
    want = ("unauthenticated", number_of(transport, 4401, 401))
    assert await again.refusal() == want


@EACH_KIND
async def test_a_ticket_that_is_too_old_is_refused(server: Server, transport: Transport) -> None:
    ada = await server.user()
    ticket = await ada.api("POST", "/ticket")
    server.move_clock(31)
    reader = ada.connect(transport, token=None, query={"ticket": ticket["ticket"]})
    assert (await reader.refusal())[0] == "unauthenticated"


@EACH_KIND
async def test_a_ticket_of_a_login_that_has_ended_is_refused(
    server: Server, transport: Transport
) -> None:
    ada = await server.user()
    ticket = await ada.api("POST", "/ticket")
    await ada.api("POST", "/logout")
    reader = ada.connect(transport, token=None, query={"ticket": ticket["ticket"]})
    assert (await reader.refusal())[0] == "unauthenticated"


@EVERY
@pytest.mark.parametrize("name", ["token", "access_token", "ticket"])
async def test_a_long_lived_token_in_the_address_is_refused(
    server: Server, transport: Transport, name: str
) -> None:
    ada = await server.user()
    reader = ada.connect(transport, token=None, query={name: ada.token})
    want = ("unauthenticated", number_of(transport, 4401, 401))
    assert await reader.refusal() == want


@EACH_KIND
@pytest.mark.parametrize("token", ["x", "a.b.c"])
async def test_what_is_no_token_is_refused(
    server: Server, transport: Transport, token: str
) -> None:
    ada = await server.user()
    reader = ada.connect(transport, token=token)
    assert await reader.refusal() == ("unauthenticated", number_of(transport, 4401, 401))


@pytest.mark.parametrize("transport", [one for one in ALL if not one.duplex], ids=lambda t: t.name)
async def test_without_a_token_http_says_401(server: Server, transport: Transport) -> None:
    ada = await server.user()
    assert await ada.connect(transport, token=None).refusal() == ("unauthenticated", 401)


@pytest.mark.parametrize("transport", [one for one in ALL if one.duplex], ids=lambda t: t.name)
async def test_a_websocket_may_show_its_token_in_its_first_frame(
    server: Server, transport: Transport
) -> None:
    ada = await server.user()
    chat = await ada.group()
    reader = ada.connect(transport, token=None)
    await reader.send("auth", {"token": ada.token})
    assert (await reader.one("hello"))["data"]["user_id"] == ada.user_id
    sent = await ada.say(chat)
    await reader.until_id(sent["event_id"])


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ('{"type":"ping","data":{}}', "unauthenticated"),
        ('{"type":"auth","data":{"token":"no token"}}', "unauthenticated"),
        ('{"type":"auth","data":{}}', "unauthenticated"),
        ('{"type":"auth","data":{"token":5}}', "unauthenticated"),
    ],
)
async def test_any_other_first_frame_closes_the_connection(
    server: Server, frame: str, code: str
) -> None:
    ada = await server.user()
    reader = ada.connect("ws", token=None)
    await reader.raw(frame)
    assert await reader.refusal() == (code, 4401)
    assert "hello" not in reader.types()


async def test_without_a_first_frame_in_time_the_connection_is_closed(start: Start) -> None:
    server = await start(auth_frame_seconds=1)
    ada = await server.user()
    reader = ada.connect("ws", token=None)
    assert await reader.refusal() == ("auth_timeout", 4408)


async def test_the_address_of_another_user_is_refused(server: Server) -> None:
    ada, ben = await server.users(2)
    reader = ada.connect("ws-of-user")
    assert (await reader.one("hello"))["data"]["user_id"] == ada.user_id
    theirs = Person(server, ben.user_id, ada.name, ada.token, "", "").connect("ws-of-user")
    assert await theirs.refusal() == ("forbidden", 4403)


@pytest.mark.parametrize("path", ["/ws", "/t/w"])
@pytest.mark.parametrize(
    "headers",
    [
        OTHER_SITE,
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {**OTHER_SITE, "Sec-Fetch-Site": "cross-site"},
    ],
)
async def test_a_websocket_of_another_site_is_refused_before_the_handshake(
    server: Server, path: str, headers: dict[str, str]
) -> None:
    ada = await server.user()
    sent = {"Cookie": f"qc_session={ada.token}", **headers}
    url = f"{server.url}{path}".replace("http", "ws", 1)
    with pytest.raises(websockets.InvalidStatus) as refused:
        await websockets.connect(url, additional_headers=sent, proxy=None)
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize("name", [one.name for one in GREETING if one.duplex])
async def test_a_websocket_of_the_own_site_or_of_an_allowed_one_is_welcome(
    start: Start, name: str
) -> None:
    server = await start(allowed_origins=("https://friend.example",))
    ada = await server.user()
    for origin in (server.url, "https://friend.example"):
        sent = {"Cookie": f"qc_session={ada.token}", "Origin": origin}
        reader = ada.connect(name, token=None, headers=sent)
        await reader.one("hello")


def changes(ada: Person, chat: str) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        ("POST", f"/api/chats/{chat}/messages", {"json": {"content": "x"}}),
        ("POST", f"/api/chats/{chat}/messages", {"data": {"content": "x"}}),
        ("POST", f"/api/chats/{chat}/typing", {"json": {}}),
        ("POST", f"/api/chats/{chat}/read", {"json": {}}),
        ("DELETE", f"/api/chats/{chat}/members/me", {}),
        ("POST", "/api/chats", {"json": {"kind": "group", "title": "x"}}),
        ("POST", "/api/ticket", {}),
        ("POST", "/api/token/refresh", {}),
        ("POST", "/api/logout", {}),
        ("POST", "/poll", {"json": {"timeout": 0}}),
        ("POST", "/t/p", {"json": {"timeout": 0}}),
    ]


async def test_a_change_by_cookie_from_another_site_is_refused_and_one_by_bearer_is_not(
    server: Server,
) -> None:
    ada = await server.user()
    chat = await ada.group()
    cookies = {"Cookie": f"qc_session={ada.token}; qc_refresh={ada.refresh_token}"}
    events = await server.count_events()
    for method, path, more in changes(ada, chat):
        for other in (OTHER_SITE, {"Sec-Fetch-Site": "cross-site"}):
            response = await server.client.request(
                method, server.url + path, headers={**cookies, **other}, **more
            )
            assert response.status_code == 403, (method, path)
            assert response.json()["code"] == "cross_origin"
    assert await server.count_events() == events
    path = f"/api/chats/{chat}/messages"
    own = {**cookies, "Origin": server.url}
    for headers in (own, {**cookies, "Sec-Fetch-Site": "same-origin"}, cookies):
        response = await server.client.post(
            server.url + path, headers=headers, json={"content": "x"}
        )
        assert response.status_code == 200
    assert (await ada.request("POST", path, headers=OTHER_SITE, json={"content": "x"})).is_success


async def test_refresh_tokens_rotate_and_the_reuse_of_an_old_one_ends_the_whole_login(
    server: Server,
) -> None:
    ada = await server.user()
    reader = await ada.live("ws")
    other = await server.log_in_again(ada)
    stays = await other.live("ws")
    first = await ada.api("POST", "/token/refresh", refresh_token=ada.refresh_token)
    assert first["refresh_token"] != ada.refresh_token
    second = await ada.api("POST", "/token/refresh", refresh_token=first["refresh_token"])
    with pytest.raises(Refused) as refused:
        await ada.api("POST", "/token/refresh", refresh_token=ada.refresh_token)
    assert (refused.value.status, refused.value.code) == (401, "unauthenticated")
    with pytest.raises(Refused):
        await ada.api("POST", "/token/refresh", refresh_token=second["refresh_token"])
    ada.token = second["access_token"]
    assert (await ada.request("GET", "/api/chats")).status_code == 401
    assert await reader.refusal() == ("unauthenticated", 4401)
    assert not stays.ended
    assert (await other.request("GET", "/api/chats")).status_code == 200


async def test_signing_up_and_logging_in_set_cookies_and_answer_tokens(server: Server) -> None:
    fields = {"name": "Ada", "password": "correct horse battery", "email": "ada@example.org"}
    made = await server.client.post(f"{server.url}/api/signup", json=fields)
    login = {"name": "ada", "password": fields["password"]}
    logged = await server.client.post(f"{server.url}/api/login", json=login)
    assert made.status_code in (200, 201)
    assert logged.status_code == 200
    for response in (made, logged):
        answer = response.json()
        assert set(answer) == {"user_id", "name", "access_token", "refresh_token", "expires_in"}
        cookies = response.headers.get_list("set-cookie")
        assert {cookie.partition("=")[0] for cookie in cookies} == {"qc_session", "qc_refresh"}
        assert all("HttpOnly" in cookie and "SameSite" in cookie for cookie in cookies)
    assert made.json()["user_id"] == logged.json()["user_id"]
    server.client.cookies.clear()
    wrong = await server.client.post(
        f"{server.url}/api/login", json={"name": "Ada", "password": "wrong password"}
    )
    assert (wrong.status_code, wrong.json()["code"]) == (401, "wrong_password")
    again = await server.client.post(f"{server.url}/api/signup", json=fields)
    assert (again.status_code, again.json()["code"]) == (409, "name_taken")
    server.client.cookies.clear()


async def test_sign_up_can_be_closed(start: Start) -> None:
    server = await start(signup=False)
    fields = {"name": "ada", "password": "correct horse battery"}
    response = await server.client.post(f"{server.url}/api/signup", json=fields)
    assert (response.status_code, response.json()["code"]) == (403, "forbidden")


async def test_an_expired_token_is_refused_as_expired(server: Server) -> None:
    ada = await server.user()
    server.move_clock(900 + 11)
    readers = [ada.connect(one) for one in KINDS]
    refusals = await asyncio.gather(*(reader.refusal() for reader in readers))
    assert refusals == [("token_expired", number_of(one, 4401, 401)) for one in KINDS]
