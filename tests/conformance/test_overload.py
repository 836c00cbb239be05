"""A server that has too much to do says so in the way in which each transport hears it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from support.readers import KINDS, TRANSPORTS, Refused, Transport
from support.server import Person, Server

from quartchat.events import Draft, user_topic
from quartchat.store.writer import Transaction

Start = Callable[..., Awaitable[Server]]
EACH_KIND = pytest.mark.parametrize("transport", KINDS, ids=lambda one: one.name)
STREAMS = pytest.mark.parametrize("path", ["/stream", "/t/s", "/events", "/t/e"])


@pytest.fixture
def overloaded(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From now on every read finds the queue of the store full."""
    return lambda: monkeypatch.setattr("quartchat.store.engine.MOST_WAITING", 0)


async def append(tx: Transaction, draft: Draft) -> None:
    tx.append(draft)


async def says(person: Person, path: str) -> str:
    answer = await person.request("GET", path)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store, no-transform"
    return answer.text


@STREAMS
async def test_a_stream_is_told_with_200_to_come_back_and_ends(
    server: Server, overloaded: Callable[[], None], path: str
) -> None:
    ada, ben = await server.users(2)
    chat = await ada.direct(ben)
    overloaded()
    text = await says(ada, f"{path}?chats={chat}&last_event_id=1")
    assert '"type":"goodbye"' in text
    assert '"retry_ms":5000' in text
    if path in ("/events", "/t/e"):
        assert "retry: 5000\n" in text


@STREAMS
async def test_a_stream_of_who_asks_too_fast_is_told_so_with_200(start: Start, path: str) -> None:
    server = await start(no_limits=False, requests_per_second=1.0)
    ada = await server.user()
    for _ in range(2):
        await ada.request("GET", "/api/me")
    assert '"type":"goodbye"' in await says(ada, path)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_poll_gets_the_status_with_when_to_come_back(
    start: Start, overloaded: Callable[[], None], method: str
) -> None:
    strict, server = await start(no_limits=False, requests_per_second=1.0), await start()
    eve, (ada, ben) = await strict.user(), await server.users(2)
    chat = await ada.direct(ben)
    for _ in range(3):
        answer = await eve.request(method, "/t/p?last_event_id=1&timeout=0")
    assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
    assert int(answer.headers["Retry-After"]) >= 1
    overloaded()
    answer = await ada.request(method, f"/t/p?last_event_id=1&chats={chat}")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) == 5


async def test_a_websocket_is_closed_with_a_code_that_says_it(
    start: Start, overloaded: Callable[[], None]
) -> None:
    strict, server = await start(no_limits=False, requests_per_second=1.0), await start()
    eve, (ada, ben) = await strict.user(), await server.users(2)
    chat = await ada.direct(ben)
    for _ in range(2):
        await eve.request("GET", "/api/me")
    assert await eve.connect("ws").refusal() == ("rate_limited", 4429)
    overloaded()
    reader = ada.connect("ws", chats=[chat], cursor=1)
    assert await reader.refusal() == ("unavailable", 1013)
    assert reader.seen[-1]["data"]["retryable"] is True
    assert reader.seen[-1]["data"]["status"] == 503


@EACH_KIND
async def test_a_connection_that_cannot_be_read_for_any_more_ends_and_lost_nothing(
    start: Start, monkeypatch: pytest.MonkeyPatch, transport: Transport
) -> None:
    server = await start(page_size=5, tail_bytes=1)
    ada, ben = await server.users(2)
    chat = await ada.direct(ben)
    begin = await server.head()
    reader = await ada.live(transport)
    first = await ada.say(chat)
    await reader.until_id(first["event_id"])
    note = Draft(user_topic(ada.user_id), "system_message", {"content": "missed"})
    with monkeypatch.context() as patch:
        patch.setattr("quartchat.store.engine.MOST_WAITING", 0)
        await server.services.writer.do(lambda tx: append(tx, note))
        try:
            events = await reader.end()
        except Refused as refused:
            assert (refused.status, refused.code) == (503, "unavailable")
        else:
            assert events[-1]["type"] in ("goodbye", "error")
    again = ada.connect(TRANSPORTS["ws"], cursor=reader.cursor)
    second = await ada.say(chat)
    await again.until_id(second["event_id"])
    whole = [event["id"] for event in await ada.may_see(begin)]
    assert [event["id"] for event in reader.durable + again.durable] == whole
