"""Cursors that cannot be served are told so: never a silent gap."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from support.readers import ALL, GREETING, KINDS, Transport
from support.server import Person, Server, ids

from quartchat.store import log as rows

Start = Callable[..., Awaitable[Server]]
EVERY = pytest.mark.parametrize("transport", ALL, ids=lambda one: one.name)
EACH_KIND = pytest.mark.parametrize("transport", KINDS, ids=lambda one: one.name)
NO_CURSORS = ["abc", "-1", str(2**53), "1.5", "9" * 30, "1e3", "٣", "0x10", "+1", "1 2"]


async def pair(server: Server) -> tuple[Person, Person, str]:
    ada, ben = await server.users(2)
    return ada, ben, await ada.direct(ben)


async def trim(server: Server, upto: int) -> None:
    await server.services.writer.do(lambda tx: rows.trim(tx, upto))


@EVERY
async def test_a_cursor_older_than_what_is_kept_gets_a_reset_and_goes_on_from_the_head(
    start: Start, transport: Transport
) -> None:
    server = await start(page_size=5, tail_bytes=1)
    ada, ben, chat = await pair(server)
    sent = await ada.say_many(chat, 12)
    await trim(server, sent[5])
    reader = ben.connect(transport, cursor=sent[2])
    events = await reader.until("reset")
    assert [event["type"] for event in events] == ["hello"] * transport.greets + ["reset"]
    assert events[-1]["data"] == {"reason": "expired", "head": sent[-1]}
    if transport.greets:
        assert events[0]["data"]["resumed"] is False
    live = await ada.say_many(chat, 2)
    await reader.until_id(live[-1])
    assert ids(reader.durable) == live


@EACH_KIND
async def test_a_cursor_where_the_kept_part_begins_is_still_good(
    start: Start, transport: Transport
) -> None:
    server = await start(page_size=5, tail_bytes=1)
    ada, ben, chat = await pair(server)
    sent = await ada.say_many(chat, 8)
    await trim(server, sent[3])
    reader = ben.connect(transport, cursor=sent[3])
    await reader.until_id(sent[-1])
    assert ids(reader.durable) == sent[4:]
    assert "reset" not in reader.types()


@EACH_KIND
async def test_cursor_zero_asks_for_what_is_kept_however_much_has_gone(
    start: Start, transport: Transport
) -> None:
    server = await start(page_size=5, tail_bytes=1)
    ada, ben, chat = await pair(server)
    sent = await ada.say_many(chat, 8)
    await trim(server, sent[3])
    reader = ben.connect(transport, cursor=0)
    await reader.until_id(sent[-1])
    assert ids(reader.durable) == sent[4:]
    assert "reset" not in reader.types()


@EACH_KIND
async def test_what_was_trimmed_is_told_to_nobody_even_while_it_is_still_in_memory(
    server: Server, transport: Transport
) -> None:
    ada, ben, chat = await pair(server)
    sent = await ada.say_many(chat, 8)
    await trim(server, sent[3])
    reader = ben.connect(transport, cursor=sent[1])
    assert (await reader.one("reset"))["data"] == {"reason": "expired", "head": sent[-1]}


async def test_a_live_reader_that_missed_nothing_is_not_reset_when_the_log_is_trimmed(
    start: Start,
) -> None:
    server = await start(page_size=5, tail_bytes=1)
    ada, ben, chat = await pair(server)
    eve, _, other = await pair(server)
    readers = [await ben.live(one, hb=1) for one in GREETING]
    noise = await eve.say_many(other, 6)
    for reader in readers:  # by then each has looked at the log again
        await reader.until("heartbeat")
        await reader.until("heartbeat")
    await trim(server, noise[-1])
    sent = await ada.say(chat)
    for reader in readers:
        await reader.until_id(sent["event_id"])
        assert "reset" not in reader.types()


@EVERY
async def test_a_cursor_from_the_future_gets_a_reset_and_goes_on_from_the_head(
    server: Server, transport: Transport
) -> None:
    ada, ben, chat = await pair(server)
    sent = await ada.say_many(chat, 3)
    reader = ben.connect(transport, cursor=sent[-1] + 3_600_000_000)
    events = await reader.until("reset")
    assert [event["type"] for event in events] == ["hello"] * transport.greets + ["reset"]
    assert events[-1]["data"] == {"reason": "unknown", "head": sent[-1]}
    live = await ada.say_many(chat, 2)
    await reader.until_id(live[-1])
    assert ids(reader.durable) == live


@EACH_KIND
async def test_a_cursor_is_served_by_a_server_that_was_started_anew(
    start: Start, transport: Transport
) -> None:
    first = await start(page_size=5)
    ada, ben, chat = await pair(first)
    reader = await ben.live(transport)
    sent = await ada.say_many(chat, 3)
    await reader.until_id(sent[-1])
    await reader.close()
    missed = await ada.say_many(chat, 7)
    await first.stop()
    second = await start(first.services.settings.data, page_size=5)
    again = Person(second, ben.user_id, ben.name, ben.token, "", ben.session_id)
    after = again.connect(transport, cursor=reader.cursor)
    await after.until_id(missed[-1])
    assert ids(after.durable) == missed
    speaker = Person(second, ada.user_id, ada.name, ada.token, "", ada.session_id)
    live = await speaker.say(chat)
    assert live["event_id"] > missed[-1]
    await after.until_id(live["event_id"])


@EACH_KIND
@pytest.mark.parametrize("cursor", NO_CURSORS)
async def test_what_is_no_cursor_is_refused_with_a_sentence(
    server: Server, transport: Transport, cursor: str
) -> None:
    ada, _, _ = await pair(server)
    reader = ada.connect(transport, cursor=cursor)
    code, number = await reader.refusal()
    assert code == "bad_cursor"
    assert number == {True: 4400, False: 400}[transport.duplex] or number is None
    assert number is not None or not transport.duplex
