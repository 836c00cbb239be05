"""What somebody may try who means ill, or what two things at the same time may do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import httpx
import pytest
import websockets
from support.server import Server

from quartchat.auth.tokens import Identity
from quartchat.delivery.sessions import Sessions
from quartchat.errors import ChatError

Start = Callable[..., Awaitable[Server]]
CROSS = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
PASSWORD = "five blue horses run"


async def sign_up(server: Server, name: str) -> httpx.Response:
    body = {"name": name, "password": PASSWORD}
    return await server.client.post(f"{server.url}/api/signup", json=body)


async def test_another_site_cannot_log_a_browser_in_as_somebody_else(server: Server) -> None:
    token = (await sign_up(server, "eve")).json()["refresh_token"]
    server.client.cookies.clear()
    answer = await server.client.post(
        f"{server.url}/api/token/refresh", data={"refresh_token": token}, headers=CROSS
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "cross_origin")
    assert "set-cookie" not in answer.headers


async def test_guesses_at_a_password_are_counted_before_they_are_tried(start: Start) -> None:
    server = await start(no_limits=False, logins_per_minute=5.0, requests_per_second=10_000.0)
    await sign_up(server, "ada")

    async def guess(password: str) -> int:
        body = {"name": "ada", "password": password}
        return (await server.client.post(f"{server.url}/api/login", json=body)).status_code

    answers = await asyncio.gather(*[guess(f"wrong password {n}") for n in range(30)])
    assert answers.count(401) == 5
    assert answers.count(429) == 25


async def test_right_passwords_are_not_counted(start: Start) -> None:
    server = await start(no_limits=False, logins_per_minute=3.0)
    await sign_up(server, "ada")
    body = {"name": "ada", "password": PASSWORD}
    for _ in range(6):
        answer = await server.client.post(f"{server.url}/api/login", json=body)
        assert answer.status_code == 200


@pytest.mark.parametrize("path", ["/poll", "/t/p"])
async def test_a_poll_whose_token_is_over_is_told_so_and_not_answered_with_nothing(
    server: Server, path: str
) -> None:
    ada = await server.user()
    server.move_clock(905)  # over, but within what clocks may differ by
    for cursor in (0, await server.head()):
        answer = await ada.request("GET", f"{path}?last_event_id={cursor}&timeout=20")
        assert (answer.status_code, answer.json()["code"]) == (401, "token_expired")


def test_a_connection_that_is_opened_while_its_login_ends_ends_with_it() -> None:
    sessions = Sessions(0)
    sessions.revoke("login")
    with sessions.open(Identity("ada", None, 1e12, "login", is_own=True), "html", "") as late:
        assert isinstance(late.ending, ChatError)
    with sessions.open(Identity("ada", None, 1e12, "other", is_own=True), "html", "") as other:
        assert other.ending is None


@pytest.mark.parametrize("path", ["/nope", "/chats", "/websocket/ws/a/b"])
async def test_a_websocket_to_no_such_address_is_refused(server: Server, path: str) -> None:
    with pytest.raises(websockets.InvalidStatus) as refused:
        await websockets.connect(server.url.replace("http", "ws") + path)
    assert refused.value.response.status_code in (400, 404)


async def test_a_direct_chat_is_made_whatever_its_client_id_was_used_for(server: Server) -> None:
    ada, ben = await server.users(2)
    group = {"kind": "group", "title": "Room", "client_id": "one"}
    first = await ada.api("POST", "/chats", **group)
    assert (await ada.api("POST", "/chats", **group))["chat_id"] == first["chat_id"]
    direct = {"kind": "direct", "user_id": ben.user_id, "client_id": "one"}
    second = await ada.api("POST", "/chats", **direct)
    assert second["kind"] == "direct"


async def test_a_new_password_logs_the_other_devices_out(server: Server) -> None:
    old = (await sign_up(server, "ada")).json()
    server.client.cookies.clear()
    body = {"name": "ada", "password": PASSWORD}
    here = (await server.client.post(f"{server.url}/api/login", json=body)).json()
    server.client.cookies.clear()
    form = {"current_password": PASSWORD, "new_password": "another one, longer"}
    headers = {"Cookie": f"qc_session={here['access_token']}"}
    changed = await server.client.post(f"{server.url}/profile/password", data=form, headers=headers)
    assert changed.status_code == 303

    async def status(tokens: dict[str, str]) -> int:
        headers = {"Authorization": f"Bearer {tokens['access_token']}"}
        return (await server.client.get(f"{server.url}/api/me", headers=headers)).status_code

    assert (await status(old), await status(here)) == (401, 200)


async def test_more_names_than_a_group_may_begin_with_are_refused_at_once(server: Server) -> None:
    ada = await server.user()
    form = {"kind": "group", "title": "Crowd", "members": " ".join(f"n{n}" for n in range(5000))}
    headers = {"Cookie": f"qc_session={ada.token}"}
    answer = await server.client.post(f"{server.url}/chats/new", data=form, headers=headers)
    assert answer.status_code == 422
    assert "At most 200 names" in answer.text


async def test_strangers_do_not_read_the_emails_of_a_public_room(server: Server) -> None:
    ada = await server.user(email="ada@example.org")
    eve = await server.user()
    chat = await ada.group(public=True)
    await ada.say(chat, "hello")
    assert (await ada.history(chat))[0]["sender"]["email"] == "ada@example.org"
    assert "email" not in (await eve.history(chat))[0]["sender"]


async def test_somebody_who_comes_is_told_once_to_each_whatever_they_share(server: Server) -> None:
    ada, ben = await server.users(2)
    for _ in range(4):
        await ada.group(ben)
    reader = await ada.live("ws")
    await ben.live("ws")
    await reader.until(
        lambda event: event["type"] == "user_online" and event["data"]["user_id"] == ben.user_id
    )
    chat = await ada.direct(ben)
    sent = await ada.say(chat, "after it")
    await reader.until_id(sent["event_id"])
    online = [e for e in reader.seen if e["type"] == "user_online"]
    assert [e["data"]["user_id"] for e in online].count(ben.user_id) == 1
