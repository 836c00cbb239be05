"""What every transport promises: all that a reader may see, in order, once."""

from __future__ import annotations

import asyncio
import itertools
import random

import pytest
from support.readers import ALL, GREETING, KINDS, NEUTRAL, Transport
from support.server import Person, Server, ids

EVERY = pytest.mark.parametrize("transport", ALL, ids=lambda one: one.name)
EVERY_ADDRESS = pytest.mark.parametrize("transport", ALL + NEUTRAL, ids=lambda one: one.name)
EACH_KIND = pytest.mark.parametrize("transport", KINDS, ids=lambda one: one.name)
GREETERS = pytest.mark.parametrize("transport", GREETING, ids=lambda one: one.name)


async def pair(server: Server) -> tuple[Person, Person, str]:
    ada, ben = await server.users(2)
    return ada, ben, await ada.direct(ben)


@EVERY_ADDRESS
async def test_hello_comes_first_and_says_who_and_where(
    server: Server, transport: Transport
) -> None:
    ada, _, _ = await pair(server)
    head = await server.head()
    reader = ada.connect(transport)
    assert await reader.next_event() == {
        "type": "hello",
        "data": {
            "user_id": ada.user_id,
            "head": head,
            "cursor": head,
            "resumed": False,
            "heartbeat": 15,
            "protocol": 1,
        },
    }
    assert await reader.next_event() == {"type": "caught_up", "data": {"last_event_id": head}}


@GREETERS
async def test_hello_of_a_resumed_connection_tells_its_cursor(
    server: Server, transport: Transport
) -> None:
    ada, _, chat = await pair(server)
    sent = await ada.say_many(chat, 2)
    hello = await ada.connect(transport, cursor=sent[0], hb=30).next_event()
    assert hello["data"]["cursor"] == sent[0]
    assert hello["data"]["head"] == sent[1]
    assert hello["data"]["resumed"] is True
    assert hello["data"]["heartbeat"] == 30


@EVERY
async def test_without_a_cursor_only_what_comes_from_now_on_is_told(
    server: Server, transport: Transport
) -> None:
    ada, ben, chat = await pair(server)
    await ada.say_many(chat, 3)
    reader = await ben.live(transport)
    sent = await ada.say_many(chat, 3)
    await reader.until_id(sent[-1])
    assert ids(reader.durable) == sent


@EVERY
async def test_cursor_zero_brings_all_that_is_kept(server: Server, transport: Transport) -> None:
    ada, ben, chat = await pair(server)
    sent = await ada.say_many(chat, 12)
    reader = ben.connect(transport, cursor=0)
    await reader.until_id(sent[-1])
    assert reader.durable == await ben.may_see()


@EVERY_ADDRESS
async def test_a_reader_that_missed_several_pages_gets_each_event_once_and_goes_on(
    server: Server, transport: Transport
) -> None:
    ada, ben, chat = await pair(server)
    reader = await ben.live(transport)
    first = await ada.say_many(chat, 3)
    await reader.until_id(first[-1])
    await reader.close()
    missed = await ada.say_many(chat, 17)
    again = ben.connect(transport, cursor=reader.cursor)
    await again.until_id(missed[-1])
    live = await ada.say_many(chat, 2)
    await again.until_id(live[-1])
    assert ids(reader.durable) + ids(again.durable) == first + missed + live


@EACH_KIND
async def test_what_is_published_while_a_reader_catches_up_is_neither_lost_nor_doubled(
    server: Server, transport: Transport
) -> None:
    ada, ben, chat = await pair(server)
    await ada.say_many(chat, 15)
    readers, last = [], 0
    for _ in range(6):
        start = random.choice([0, *ids(await ben.may_see())])
        readers.append((start, ben.connect(transport, cursor=start)))
        last = (await ada.say_many(chat, 4))[-1]
    for start, reader in readers:
        await reader.until_id(last)
        assert reader.durable == await ben.may_see(start)


@EVERY
async def test_events_of_several_chats_come_in_one_order(
    server: Server, transport: Transport
) -> None:
    ada, ben = await server.users(2)
    chats = [await ada.direct(ben), await ada.group(ben), await ben.group(ada)]
    reader = await ben.live(transport)
    talks = [person.say_many(chat, 5) for chat in chats for person in (ada, ben)]
    sent = sorted(itertools.chain(*await asyncio.gather(*talks)))
    await reader.until_id(sent[-1])
    assert ids(reader.durable) == sent


@GREETERS
async def test_caught_up_comes_after_what_was_missed_and_carries_its_last_id(
    server: Server, transport: Transport
) -> None:
    ada, ben, chat = await pair(server)
    sent = await ada.say_many(chat, 12)
    reader = ben.connect(transport, cursor=sent[1])
    events = await reader.until("caught_up")
    assert events[0]["type"] == "hello"
    assert ids(events[1:-1]) == sent[2:]
    assert events[-1]["data"] == {"last_event_id": sent[-1]}
    assert reader.types().count("caught_up") == 1


async def test_in_silence_a_heartbeat_tells_the_last_durable_event_sent_on_this_connection(
    server: Server,
) -> None:
    ada, ben, chat = await pair(server)
    eve, _, other = await pair(server)
    sent = await ada.say(chat)
    last = (await ben.may_see())[-1]["id"]  # that he was told of it while he was away
    readers = [ben.connect(one, cursor=sent["event_id"] - 1, hb=1) for one in GREETING]
    for reader in readers:
        await reader.until("caught_up")
    await eve.say(other)  # nobody of these readers may know of it
    await ada.api("POST", f"/chats/{chat}/typing", is_typing=True)
    for reader in readers:
        beat = await reader.one("heartbeat")
        assert beat == {"type": "heartbeat", "data": {"last_event_id": last}}
        again = await reader.one("heartbeat")
        assert again == beat
        assert reader.seen[0]["data"]["heartbeat"] == 1


async def test_a_connection_that_never_got_an_event_beats_with_where_it_began(
    server: Server,
) -> None:
    ada, ben, chat = await pair(server)
    await ada.say(chat)
    eve = await server.user()
    readers = [await eve.live(one, hb=1) for one in GREETING]
    head = await server.head()
    await ada.say(chat)
    for reader in readers:
        assert (await reader.one("heartbeat"))["data"] == {"last_event_id": head}
        assert reader.durable == []
    new = await ben.direct(eve)
    sent = await ben.say(new)
    for reader in readers:
        await reader.close()
        again = eve.connect("ws", cursor=head)
        assert ids(await again.until_id(sent["event_id"]))[-1] == sent["event_id"]


@EVERY
async def test_signals_arrive_without_an_id_move_no_cursor_and_are_not_told_again(
    server: Server, transport: Transport
) -> None:
    ada, ben, chat = await pair(server)
    reader = await ben.live(transport)
    before = reader.cursor
    await ada.api("POST", f"/chats/{chat}/typing", is_typing=True)
    typing = await reader.one("user_typing")
    assert typing == {"type": "user_typing", "data": {"user_id": ada.user_id, "chat_id": chat}}
    await ada.api("POST", f"/chats/{chat}/typing", is_typing=False)
    stopped = await reader.one("user_stopped_typing")
    assert stopped["data"] == {"user_id": ada.user_id, "chat_id": chat}
    assert reader.cursor == before
    await reader.close()
    sent = await ada.say(chat)
    again = ben.connect(transport, cursor=reader.cursor)
    await again.until_id(sent["event_id"])
    assert ids(again.durable) == [sent["event_id"]]
    assert not {"user_typing", "user_stopped_typing"} & set(again.types())


@EACH_KIND
async def test_one_cursor_goes_from_this_transport_to_every_other(
    server: Server, transport: Transport
) -> None:
    ada, ben, chat = await pair(server)
    taken: list[int] = []
    cursor = start = await server.head()
    for other in KINDS:
        for one in (transport, other):
            await ada.say_many(chat, 3)
            reader = ben.connect(one, cursor=cursor)
            await reader.until_id((await ada.say(chat))["event_id"])
            await reader.close()
            taken += ids(reader.durable)
            cursor = reader.cursor
    assert taken == ids(await ben.may_see(start))


@EVERY_ADDRESS
async def test_a_cursor_in_the_header_does_what_one_in_the_query_does(
    server: Server, transport: Transport
) -> None:
    ada, ben, chat = await pair(server)
    sent = await ada.say_many(chat, 4)
    reader = ben.connect(transport, cursor=sent[1], by_header=True)
    await reader.until_id(sent[-1])
    assert ids(reader.durable) == sent[2:]


@EVERY
async def test_of_two_cursors_the_greater_counts(server: Server, transport: Transport) -> None:
    ada, ben, chat = await pair(server)
    sent = await ada.say_many(chat, 6)
    for query, header in ((0, 3), (3, 0)):
        reader = ben.connect(
            transport,
            cursor=sent[query],
            headers={"Last-Event-ID": str(sent[header])},
            hold=1.0,
        )
        await reader.until_id(sent[-1])
        assert ids(reader.durable) == sent[4:]
        await reader.close()


@EACH_KIND
async def test_an_unknown_query_is_ignored(server: Server, transport: Transport) -> None:
    ada, ben, chat = await pair(server)
    reader = await ben.live(transport, query={"nonce": "1234", "": "x"})
    sent = await ada.say(chat)
    await reader.until_id(sent["event_id"])


@EVERY
async def test_a_sender_gets_the_own_event_and_knows_it_by_its_client_id(
    server: Server, transport: Transport
) -> None:
    ada, _, chat = await pair(server)
    reader = await ada.live(transport)
    ack = await ada.say(chat, "mine", client_id="d6a4e2b0-0000-4000-8000-000000000001")
    event = (await reader.until_id(ack["event_id"]))[-1]
    assert event["data"]["client_id"] == ack["client_id"]
    assert event["data"]["message_id"] == ack["message_id"] == str(ack["event_id"])
    assert event["data"]["timestamp"] == ack["timestamp"]


@EACH_KIND
async def test_a_message_has_all_its_fields(server: Server, transport: Transport) -> None:
    ada = await server.user("Ada", email="ada@example.org")
    ben = await server.user("Ben")
    chat = await ada.direct(ben)
    reader = await ben.live(transport)
    first = await ada.say(chat, "hello @Ben")
    second = await ada.say(chat, "again", reply_to=first["message_id"])
    await reader.until_id(second["event_id"])
    one, told, two = reader.durable
    assert told["type"] == "notification"  # that he was mentioned
    assert {name: one["data"][name] for name in one["data"] if name != "quote"} == {
        "message_id": first["message_id"],
        "chat_id": chat,
        "sender_id": ada.user_id,
        "sender": {"user_id": ada.user_id, "name": "Ada", "email": "ada@example.org"},
        "receiver_id": ben.user_id,
        "content": "hello @Ben",
        "timestamp": first["timestamp"],
        "client_id": None,
        "attachments": [],
        "reply_to": None,
        "mentions": [ben.user_id],
    }
    assert two["data"]["reply_to"] == first["message_id"]


async def test_everybody_on_every_transport_ends_with_what_the_log_says_they_may_see(
    server: Server,
) -> None:
    ada, ben, eve = await server.users(3)
    chats = [await ada.direct(ben), await ada.group(ben, eve), await eve.group(ada)]
    people = {chats[0]: (ada, ben), chats[1]: (ada, ben, eve), chats[2]: (eve, ada)}
    readers = [person.connect(one, cursor=0) for person in (ada, ben) for one in ALL]
    rounds = [person.say(chat) for _ in range(6) for chat in chats for person in people[chat]]
    random.shuffle(rounds)
    await asyncio.gather(*rounds)
    for person in (ada, ben):
        last = await eve.say(chats[1])
        want = await person.may_see()
        for reader in readers:
            if reader.call.user_id == person.user_id:
                await reader.until_id(last["event_id"])
                assert reader.durable[: len(want)] == want
