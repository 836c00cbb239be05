"""How connections end: drain, expiry, logout, overload; and what their responses carry."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import httpx_sse
import pytest
from support.readers import ALL, GREETING, KINDS, PATIENCE, Transport, http_client
from support.server import Person, Server, ids

from quartchat.delivery.session import Session

Start = Callable[..., Awaitable[Server]]
EVERY = pytest.mark.parametrize("transport", ALL, ids=lambda one: one.name)
EACH_KIND = pytest.mark.parametrize("transport", KINDS, ids=lambda one: one.name)
STREAMS = {"/stream": "application/octet-stream", "/events": "text/event-stream; charset=utf-8"}
LIFE = 900  # seconds that an access token lives


async def pair(server: Server) -> tuple[Person, Person, str]:
    ada, ben = await server.users(2)
    return ada, ben, await ada.direct(ben)


async def test_a_server_that_goes_down_says_goodbye_on_every_transport_and_spreads_the_return(
    server: Server,
) -> None:
    ada, _, chat = await pair(server)
    readers = {one.name: await ada.live(one, hold=30) for one in ALL}
    sent = await ada.say(chat)
    for reader in readers.values():
        await reader.until_id(sent["event_id"])
    await server.stop()
    retries = set()
    for one in ALL:
        reader = readers[one.name]
        events = await reader.end()
        goodbye = [event for event in events if event["type"] == "goodbye"]
        assert len(goodbye) == 1, one.name
        assert events[-1] == goodbye[0], one.name
        retries.add(goodbye[0]["data"]["retry_ms"])
        assert reader.call.close_code == (1001 if one.duplex else None)
        if "sse" in one.name:
            assert reader.call.retry_ms == goodbye[0]["data"]["retry_ms"]
    assert len(retries) > 1
    assert all(isinstance(retry, int) and retry > 0 for retry in retries)


def opening_after(server: Server, expiry: float) -> asyncio.Event:
    """Set when a connection opens whose token lives beyond this time."""
    opened, before = asyncio.Event(), server.services.sessions.on_open

    def on_open(session: Session) -> None:
        before(session)
        if session.identity.expires_at > expiry:
            opened.set()

    server.services.sessions.on_open = on_open
    return opened


@EACH_KIND
async def test_a_token_that_is_renewed_in_time_costs_the_stream_nothing(
    server: Server, transport: Transport
) -> None:
    ada, ben, chat = await pair(server)
    reader = await ada.live(transport, hold=1.0)
    server.move_clock(LIFE - 50)
    if transport.greets:
        await reader.one("token_expiring")
    cookies = {"Cookie": f"qc_refresh={ada.refresh_token}"}
    answer = await server.client.post(f"{server.url}/api/token/refresh", headers=cookies)
    assert answer.status_code == 200
    opened = opening_after(server, server.clock() + LIFE / 2)
    reader.call.token = answer.json()["access_token"]
    if not transport.greets:  # a poll that is on its way has the old one yet
        async with asyncio.timeout(PATIENCE):
            await opened.wait()
    server.move_clock(100)
    ben.token = server.services.tokens.issue(ben.user_id, None, ben.session_id, LIFE)
    sent = await ben.say(chat)
    await reader.until_id(sent["event_id"])
    assert reader.types().count("token_expiring") == transport.greets


@pytest.mark.parametrize("name", ["ws", "ws-batch", "ws-of-user", "neutral-ws"])
async def test_a_websocket_takes_a_new_token_in_place(server: Server, name: str) -> None:
    ada, ben, chat = await pair(server)
    reader = await ada.live(name)
    server.move_clock(LIFE - 50)
    await reader.one("token_expiring")
    fresh = server.services.tokens.issue(ada.user_id, None, ada.session_id, LIFE)
    await reader.send("auth", {"token": fresh}, request_id="a")
    assert (await reader.one("ack"))["request_id"] == "a"
    server.move_clock(100)
    ben.token = server.services.tokens.issue(ben.user_id, None, ben.session_id, LIFE)
    sent = await ben.say(chat)
    await reader.until_id(sent["event_id"])
    assert not reader.ended


async def test_the_token_of_somebody_else_does_not_renew_a_connection(server: Server) -> None:
    ada, ben, _ = await pair(server)
    reader = await ada.live("ws")
    await reader.send("auth", {"token": ben.token}, request_id=1)
    error = await reader.one("error")
    assert (error["data"]["code"], error["data"]["request_id"]) == ("forbidden", 1)
    await reader.send("auth", {"token": "no token"}, request_id=2)
    assert (await reader.one("error"))["data"]["code"] == "unauthenticated"
    assert not reader.ended


@EVERY
async def test_a_token_that_is_not_renewed_ends_the_connection_and_says_why(
    server: Server, transport: Transport
) -> None:
    ada, _, _ = await pair(server)
    reader = await ada.live(transport, hold=0.2)
    server.move_clock(LIFE + 20)
    assert await reader.refusal() == (
        "token_expired",
        {True: 4401}.get(transport.duplex) if transport.greets else 401,
    )


@EACH_KIND
async def test_after_an_expiry_a_client_comes_back_with_its_cursor_and_lost_nothing(
    server: Server, transport: Transport
) -> None:
    ada, ben, chat = await pair(server)
    reader = await ada.live(transport, hold=0.2)
    first = await ben.say(chat)
    await reader.until_id(first["event_id"])
    server.move_clock(LIFE + 20)
    await reader.refusal()
    for person in (ada, ben):
        person.token = server.services.tokens.issue(person.user_id, None, person.session_id, LIFE)
    missed = await ben.say_many(chat, 2)
    again = ada.connect(transport, cursor=reader.cursor)
    await again.until_id(missed[-1])
    assert ids(again.durable) == missed


@EVERY
async def test_logging_out_ends_the_streams_of_that_login_and_of_no_other(
    server: Server, transport: Transport
) -> None:
    ada, ben, chat = await pair(server)
    other = await server.log_in_again(ada)
    out, stays = await ada.live(transport), await other.live(transport)
    await ada.api("POST", "/logout")
    code, number = await out.refusal()
    assert code == "unauthenticated"
    assert number == (4401 if transport.duplex else None if transport.greets else 401)
    sent = await ben.say(chat)
    await stays.until_id(sent["event_id"])
    assert (await ada.request("GET", "/api/chats")).status_code == 401


@pytest.mark.parametrize("path", ["/stream", "/events", "/t/s", "/t/e", "/poll", "/t/p"])
async def test_responses_tell_everybody_on_the_way_to_keep_their_hands_off(
    server: Server, path: str
) -> None:
    ada, _, _ = await pair(server)
    headers = {"Authorization": f"Bearer {ada.token}"}
    url = f"{server.url}{path}"
    async with http_client() as client, client.stream("GET", url, headers=headers) as response:
        assert response.status_code == 200
        assert response.headers["Cache-Control"] == "no-store, no-transform"
        assert response.headers["X-Accel-Buffering"] == "no"
        assert response.headers["Content-Encoding"] == "identity"
        kinds = {"s": STREAMS["/stream"], "e": STREAMS["/events"], "p": "application/json"}
        kind = {"/stream": "s", "/events": "e", "/poll": "p"}.get(path, path[-1])
        assert response.headers["Content-Type"] == kinds[kind]


async def test_pad_puts_two_kilobytes_of_white_space_first(server: Server) -> None:
    ada, _, _ = await pair(server)
    headers = {"Authorization": f"Bearer {ada.token}"}
    url = f"{server.url}/stream?pad=1"
    async with http_client() as client, client.stream("GET", url, headers=headers) as response:
        got = b""
        async for piece in response.aiter_raw():
            got += piece
            if b"caught_up" in got:
                break
    assert got[:2048].isspace()
    assert got[2048:].startswith(b'{"type":"hello"')


async def test_events_carry_ids_only_where_they_are_durable_and_names_only_when_asked(
    server: Server,
) -> None:
    ada, _, chat = await pair(server)
    sent = await ada.say(chat, "one\ntwo")
    for named in ("0", "1"):
        url = f"{server.url}/events?last_event_id={sent['event_id'] - 1}&named={named}"
        raw = await _raw_sse(ada, url)
        blocks = [block.split("\n") for block in raw.strip().split("\n\n")]
        fields = [dict(line.split(": ", 1) for line in block) for block in blocks]
        assert [field.get("id") for field in fields] == [None, str(sent["event_id"]), None]
        assert [set(field) - {"id", "data", "event"} for field in fields] == [set()] * 3
        names = [field.get("event") for field in fields]
        assert names == (["hello", "new_message", "caught_up"] if named == "1" else [None] * 3)


async def _raw_sse(person: Person, url: str) -> str:
    headers = {"Authorization": f"Bearer {person.token}"}
    async with http_client() as client, client.stream("GET", url, headers=headers) as response:
        got = ""
        async for text in response.aiter_text():
            got += text
            if "caught_up" in got and got.endswith("\n\n"):
                break
    return got.replace("\r\n", "\n")


@EACH_KIND
async def test_with_html_an_event_that_a_page_shows_carries_that_fragment(
    server: Server, transport: Transport
) -> None:
    ada, ben, chat = await pair(server)
    reader = await ben.live(transport, query={"html": "1"})
    sent = await ada.say(chat, "<script>alert(1)</script>")
    await ben.api("POST", f"/chats/{chat}/read", event_id=sent["event_id"])
    message = (await reader.until_id(sent["event_id"]))[-1]
    assert f'data-event-id="{sent["event_id"]}"' in message["html"]
    assert "<script" not in message["html"]
    assert "&lt;script&gt;" in message["html"]
    assert "html" not in await reader.one("messages_read")
    plain = ben.connect(transport, cursor=sent["event_id"] - 1)
    assert "html" not in (await plain.until_id(sent["event_id"]))[-1]


async def test_sse_as_html_is_the_fragment_that_the_page_shows(server: Server) -> None:
    ada, ben, chat = await pair(server)
    url = f"{server.url}/events?format=html"
    headers = {"Authorization": f"Bearer {ben.token}"}
    async with (
        http_client() as client,
        httpx_sse.aconnect_sse(client, "GET", url, headers=headers) as source,
    ):
        assert source.response.status_code == 200
        events = source.aiter_sse()
        while not any(session.transport == "sse" for session in server.services.sessions):
            await server.count_events()
        sent = await ada.say(chat, "hi & bye")
        first = await anext(events)
        assert first.id == str(sent["event_id"])
        assert f'data-event-id="{sent["event_id"]}"' in first.data
        assert "hi &amp; bye" in first.data


async def test_a_user_with_too_many_connections_is_told_to_come_back_and_never_by_an_error_status(
    start: Start,
) -> None:
    server = await start(no_limits=False, connections_per_user=1)
    ada, _, _ = await pair(server)
    await ada.live("ws")
    for name in ("sse", "stream"):
        reader = ada.connect(name)
        events = await reader.end()
        assert [event["type"] for event in events] == ["goodbye"]
        assert events[0]["data"]["retry_ms"] > 0
    second = ada.connect("ws")
    assert await second.refusal() == ("rate_limited", 4429)


async def test_connections_that_begin_while_the_server_goes_down_are_sent_away_kindly(
    server: Server,
) -> None:
    ada, _, _ = await pair(server)
    server.services.sessions.draining = True
    for one in GREETING:
        events = await ada.connect(one).end()
        assert events[-1]["type"] == "goodbye"
