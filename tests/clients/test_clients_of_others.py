from __future__ import annotations

from collections.abc import Callable

import pytest
from others import CLIENTS, Following
from relay import Relay
from support.server import Server

Start = Callable[..., Following]


@pytest.mark.parametrize("name", CLIENTS)
async def test_it_gets_what_comes_and_what_it_missed_while_cut_off_once(
    server: Server, relay: Relay, following: Start, name: str
) -> None:
    ada, bob = await server.users(2)
    chat_id = await ada.group(bob)
    client = following(CLIENTS[name](relay.url, bob.token))
    await client.has("hello", "caught_up")
    sent = await ada.say_many(chat_id, 3)
    await client.has_id(sent[-1])
    for _ in range(2):
        before = relay.served
        relay.cut()
        sent += await ada.say_many(chat_id, 3)
        await client.has_id(sent[-1])
        assert relay.served > before
        sent += await ada.say_many(chat_id, 2)
        await client.has_id(sent[-1])
    assert client.ids == sent
    contents = [e["data"]["content"] for e in client.seen if e["type"] == "new_message"]
    assert contents == [message["content"] for message in await ada.history(chat_id)]


@pytest.mark.parametrize("name", ["node-eventsource", "node-eventsource-named"])
async def test_an_event_source_knows_ids_and_types_by_the_standards_own_fields(
    server: Server, relay: Relay, following: Start, name: str
) -> None:
    ada, bob = await server.users(2)
    chat_id = await ada.group(bob)
    client = following(CLIENTS[name](relay.url, bob.token))
    await client.has("caught_up")
    sent = await ada.say(chat_id)
    await client.has_id(sent["event_id"])
    event = client.seen[-1]
    assert event["lastEventId"] == str(sent["event_id"])
    assert event["by"] == ("new_message" if name.endswith("named") else "message")
    assert client.seen[0]["lastEventId"] == "", "hello moves no cursor"


async def test_many_kinds_at_once_see_the_same(server: Server, following: Start) -> None:
    ada, bob = await server.users(2)
    chat_id = await ada.group(bob)
    clients = [following(follow(server.url, bob.token)) for follow in CLIENTS.values()]
    for client in clients:
        await client.has("caught_up")
    sent = await ada.say_many(chat_id, 30)
    for client in clients:
        await client.has_id(sent[-1])
        assert client.ids == sent
