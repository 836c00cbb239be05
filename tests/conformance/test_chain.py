"""What a client asks for that does not trust the way: `chain=1` says behind which event each
page follows, `ramp=1` lets the heartbeats begin early."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
import pytest_asyncio
from support.readers import GREETING, Reader, Transport
from support.server import Person, Server, ids
from websockets.asyncio.client import connect

GREETERS = pytest.mark.parametrize("transport", GREETING, ids=lambda one: one.name)
CHAIN, RAMP = {"chain": "1"}, {"ramp": "1"}


@pytest_asyncio.fixture
async def later() -> Callable[[float], None]:
    """Lets the loop's own time jump: whoever waits for a moment that is then past wakes up."""
    loop, shift = asyncio.get_running_loop(), 0.0
    real = loop.time

    def jump(seconds: float) -> None:
        nonlocal shift
        shift += seconds

    loop.time = lambda: real() + shift  # type: ignore[method-assign]
    return jump


def unbroken(reader: Reader, begin: int) -> list[list[int]]:
    """The pages that came, each after what its `after` says; fails at a hole."""
    pages: list[list[int]] = []
    cursor = begin
    for event in reader.seen:
        if event["type"] == "after":
            assert event["data"] == {"last_event_id": cursor}
            pages.append([])
        elif event["type"] == "reset":
            cursor = event["data"]["head"]
        elif "id" in event:
            cursor = event["id"]
            pages[-1].append(cursor)
    return pages


@GREETERS
async def test_who_asks_for_few_gets_few_at_once_and_yet_all(
    server: Server, transport: Transport
) -> None:
    ada, ben = await server.users(2)
    chat = await ada.direct(ben)
    sent = await ada.say_many(chat, 7)
    reader = await ada.live(transport, cursor=sent[0], query={**CHAIN, "limit": "2"})
    assert unbroken(reader, sent[0]) == [sent[1:3], sent[3:5], sent[5:]]


@GREETERS
async def test_each_page_says_behind_which_event_it_follows(
    server: Server, transport: Transport
) -> None:
    ada, ben = await server.users(2)
    chat = await ada.direct(ben)
    sent = await ada.say_many(chat, 13)
    reader = await ada.live(transport, cursor=sent[0], query=CHAIN)
    assert unbroken(reader, sent[0]) == [sent[1:6], sent[6:11], sent[11:]]
    live = await ada.say_many(chat, 2)
    await reader.until_id(live[-1])
    pages = unbroken(reader, sent[0])
    assert [id_ for page in pages[3:] for id_ in page] == live
    assert ids(reader.seen) == [*sent[1:], *live]


@GREETERS
async def test_what_the_user_may_not_see_does_not_stand_in_the_chain(
    server: Server, transport: Transport
) -> None:
    ada, ben = await server.users(2)
    chat = await ada.direct(ben)
    eve, kim = await server.users(2)
    other = await eve.direct(kim)
    first = await ada.say_many(chat, 2)
    await eve.say_many(other, 12)  # pages of what others write
    second = await ada.say_many(chat, 2)
    reader = await ada.live(transport, cursor=first[0], query=CHAIN)
    assert unbroken(reader, first[0]) == [[first[1], *second]]
    await eve.say_many(other, 2)
    third = await ada.say(chat)
    await reader.until_id(third["event_id"])
    assert unbroken(reader, first[0])[1:] == [[third["event_id"]]]
    assert reader.seen[-2]["data"] == {"last_event_id": second[-1]}


@GREETERS
async def test_who_missed_nothing_is_told_first_of_where_the_connection_began(
    server: Server, transport: Transport
) -> None:
    ada, ben = await server.users(2)
    chat = await ada.direct(ben)
    sent = await ada.say_many(chat, 2)
    for cursor in (sent[-1], None):
        reader = await ada.live(transport, cursor=cursor, query=CHAIN)
        begin = reader.seen[0]["data"]["cursor"]
        assert reader.types() == ["hello", "caught_up"]
        await ada.api("POST", f"/chats/{chat}/typing", is_typing=True)
        live = await ada.say(chat)
        await reader.until_id(live["event_id"])
        assert unbroken(reader, begin)[0][0] == live["event_id"]
        sent = [live["event_id"]]
        await reader.close()


@GREETERS
async def test_after_a_reset_the_chain_goes_on_from_the_head(
    server: Server, transport: Transport
) -> None:
    ada, ben = await server.users(2)
    chat = await ada.direct(ben)
    sent = await ada.say_many(chat, 3)
    future = sent[-1] + 3_600_000_000
    reader = await ada.live(transport, cursor=future, query=CHAIN)
    live = await ada.say(chat)
    await reader.until_id(live["event_id"])
    assert unbroken(reader, future) == [[live["event_id"]]]


@GREETERS
async def test_the_chain_holds_where_the_memory_was_forgotten_and_what_was_read_is_redacted(
    server: Server, transport: Transport
) -> None:
    ada, ben = await server.users(2)
    chat = await ada.direct(ben)
    acks = [await ada.say(chat) for _ in range(7)]
    sent = [ack["event_id"] for ack in acks]
    reader = await ada.live(transport, cursor=sent[0], query=CHAIN)
    await ada.api("DELETE", f"/messages/{acks[3]['message_id']}")
    tail = server.services.feed.tail
    tail.reset(tail.head)  # as when another process has deleted something
    live = await ada.say_many(chat, 2)
    await reader.until_id(live[-1])
    assert ids(reader.seen)[:6] == sent[1:]
    assert ids(reader.seen)[-2:] == live
    unbroken(reader, sent[0])


async def test_readers_of_the_same_pages_get_each_its_own_beginning_of_the_chain(
    server: Server,
) -> None:
    ada, ben = await server.users(2)
    chat = await ada.direct(ben)
    sent = await ada.say_many(chat, 4)
    asked: list[dict[str, Any]] = [CHAIN, {}, CHAIN | {"html": "1"}, {"html": "1"}]
    for transport in GREETING:
        for query in asked:
            reader = await ada.live(transport, cursor=sent[1], query=query)
            assert ids(reader.seen) == sent[2:]
            assert reader.types().count("after") == ("chain" in query)
            if "chain" in query:
                unbroken(reader, sent[1])
            await reader.close()


async def test_in_a_batch_the_chain_stands_in_the_frame_of_its_page(server: Server) -> None:
    ada, ben = await server.users(2)
    chat = await ada.direct(ben)
    sent = await ada.say_many(chat, 3)
    frames = await _frames(ada, sent[0])
    assert [[event["type"] for event in frame] for frame in frames] == [
        ["hello"],
        ["after", "new_message", "new_message"],
        ["caught_up"],
    ]


async def _frames(person: Person, cursor: int) -> list[list[dict[str, Any]]]:
    address = f"{person.server.url}/t/w?batch=1&chain=1&last_event_id={cursor}"
    headers = {"Authorization": f"Bearer {person.token}"}
    async with connect(
        address.replace("http", "ws", 1), additional_headers=headers, proxy=None
    ) as socket:
        return [json.loads(await socket.recv()) for _ in range(3)]


@GREETERS
async def test_heartbeats_begin_after_two_seconds_and_double_up_to_what_was_asked_for(
    server: Server, transport: Transport, later: Callable[[float], None]
) -> None:
    ada = await server.user()
    reader = await ada.live(transport, hb=9, query=RAMP)
    head = await server.head()
    assert reader.seen[0]["data"]["heartbeat"] == 2
    for silence, coming in [(2, 4), (4, 8), (8, 9), (9, 9)]:
        later(silence - 0.5)
        before = len(reader.seen)
        await ada.api("GET", "/chats")  # a round trip, in which nothing is said too early
        assert len(reader.seen) == before
        later(0.5)
        beat = await reader.one("heartbeat")
        assert beat["data"] == {"last_event_id": head, "heartbeat": coming}


async def test_a_ramp_that_is_asked_for_less_than_its_beginning_beats_evenly(
    server: Server, later: Callable[[float], None]
) -> None:
    ada = await server.user()
    readers = [await ada.live(one, hb=1, query=RAMP) for one in GREETING]
    for reader in readers:
        assert reader.seen[0]["data"]["heartbeat"] == 1
    for _ in range(2):
        later(1)
        for reader in readers:
            assert (await reader.one("heartbeat"))["data"]["heartbeat"] == 1


async def test_a_poll_takes_no_notice_of_either(server: Server) -> None:
    ada, ben = await server.users(2)
    chat = await ada.direct(ben)
    sent = await ada.say_many(chat, 2)
    for method in ("GET", "POST"):
        path = "/t/p?ramp=1&chain=1&last_event_id="
        answer = (await ada.request(method, f"{path}{sent[0]}")).json()
        assert ids(answer["events"]) == sent[1:]
        assert [event["type"] for event in answer["events"]] == ["new_message"]
        greeting = (await ada.request(method, "/t/p?ramp=1&chain=1")).json()["events"]
        assert greeting[0]["data"]["heartbeat"] == 15
