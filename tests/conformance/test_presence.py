"""Who is here, away or gone, who is typing, and when somebody was last seen."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from support.process import ServerProcess
from support.readers import KINDS, Call, Reader, Transport, http_client
from support.server import Folder, Person, Server

from quartchat.chat.presence import AWAY_SECONDS, LEASE_SECONDS, NOTE_SECONDS
from quartchat.chat.typing import MOST_IN_BIG, QUIET_SECONDS, TYPING_SECONDS
from quartchat.store import people
from quartchat.store.audience import SMALL_CHAT

# What is sent of the moment between two polls is lost; see the test of polling.
STAYING = [transport for transport in KINDS if transport.greets]


async def pair(server: Server) -> tuple[Person, Person, str]:
    ada, ben = await server.users(2)
    return ada, ben, await ada.direct(ben)


async def crowd(server: Server) -> tuple[Person, Person, str, list[str]]:
    """A big chat: two who log in, its id, and the ids of the others."""
    ada, ben = await server.users(2)
    others = [f"m{number}" for number in range(SMALL_CHAT)]

    async def work(tx: Any) -> None:
        for name in others:
            row = {"id": name, "name": name, "email": None, "password_hash": None}
            people.add(tx, {**row, "is_admin": False, "created_at": tx.now})

    await server.services.writer.do(work)
    members = [ben.user_id, *others]
    made = await ada.api("POST", "/chats", kind="group", title="Crowd", members=members)
    return ada, ben, made["chat_id"], others


async def after(server: Server, seconds: float) -> None:
    """So much time has passed, and presence has looked at the clock."""
    server.move_clock(seconds)
    await server.services.presence.sweep()


def about(person: Person, type_: str) -> Any:
    return lambda event: event["type"] == type_ and event["data"]["user_id"] == person.user_id


def told_of(reader: Reader, person: Person) -> list[str]:
    """How a reader heard of somebody's presence."""
    types = ("user_online", "user_away", "user_offline")
    return [e["type"] for e in reader.seen if e["type"] in types and about(person, e["type"])(e)]


async def status(person: Person) -> dict[str, Any]:
    [chat] = (await person.api("GET", "/chats/status"))["chats"]
    return chat


async def last_seen(server: Server, person: Person) -> float | None:
    row = await server.services.database.read(lambda c: people.by_id(c.execute, person.user_id))
    assert row is not None
    return row.last_seen


async def closed(server: Server, reader: Reader) -> None:
    """A connection that the server knows to be closed."""
    before = len(list(server.services.sessions))
    await reader.close()
    async with asyncio.timeout(5):
        while len(list(server.services.sessions)) == before:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("transport", STAYING, ids=lambda one: one.name)
async def test_somebody_who_does_nothing_is_away_and_comes_back_by_doing_something(
    server: Server, transport: Transport
) -> None:
    ada, ben, chat = await pair(server)
    reader = await ben.live(transport)
    await ada.live("ws")
    await reader.until(about(ada, "user_online"))
    await after(server, AWAY_SECONDS)
    await reader.until(about(ada, "user_away"))
    assert (await status(ben))["away"] == sorted([ada.user_id, ben.user_id])
    await ada.say(chat)
    await reader.until(about(ada, "user_online"))
    here = await status(ben)
    assert here["away"] == [ben.user_id]
    assert here["online"] == sorted([ada.user_id, ben.user_id])
    assert told_of(reader, ada) == ["user_online", "user_away", "user_online"]


@pytest.mark.parametrize("way", ["active", "mark_read", "typing", "a new connection"])
async def test_what_counts_as_doing_something(server: Server, way: str) -> None:
    ada, ben, chat = await pair(server)
    reader = await ada.live("ws")
    await after(server, AWAY_SECONDS)
    presence = server.services.presence
    assert presence.state(ada.user_id) == "away"
    assert presence.is_away_or_gone(ada.user_id)
    if way == "a new connection":
        await ada.live("sse")
    else:
        await reader.send(way, {} if way == "active" else {"chat_id": chat})
        await reader.until(about(ada, "user_online"))
    assert presence.state(ada.user_id) == "online"
    assert not presence.is_away_or_gone(ada.user_id)
    assert presence.state(ben.user_id) == "offline"


async def test_polling_again_and_again_is_no_activity(server: Server) -> None:
    ada, ben, chat = await pair(server)
    for _ in range(int(AWAY_SECONDS / LEASE_SECONDS) + 2):
        await ada.request("GET", "/poll?timeout=0")
        await after(server, LEASE_SECONDS - 5)
    assert (await status(ben))["away"] == [ada.user_id]
    body = {"timeout": 0, "commands": [{"type": "mark_read", "data": {"chat_id": chat}}]}
    await ada.request("POST", "/poll", json=body)
    assert server.services.presence.state(ada.user_id) == "online"


async def test_asking_for_the_state_of_things_is_no_activity(server: Server) -> None:
    ada, _, _ = await pair(server)
    await ada.live("ws")
    await after(server, AWAY_SECONDS)
    await ada.api("GET", "/chats")
    await ada.api("GET", "/chats/status")
    assert server.services.presence.state(ada.user_id) == "away"


async def test_who_is_active_now_and_then_is_never_away(server: Server) -> None:
    ada, _, _ = await pair(server)
    reader = await ada.live("ws")
    for _ in range(3):
        await after(server, AWAY_SECONDS - 1)
        await ada.api("POST", "/presence")
    assert "user_away" not in told_of(reader, ada)
    assert server.services.presence.state(ada.user_id) == "online"


async def test_a_user_with_three_tabs_who_closes_one_is_still_online(server: Server) -> None:
    ada, ben, _ = await pair(server)
    reader = await ben.live("ws")
    tabs = [await ada.live("ws"), await ada.live("sse"), await ada.live("poll")]
    await closed(server, tabs[0])
    await after(server, LEASE_SECONDS + 1)
    assert (await status(ben))["online"] == sorted([ada.user_id, ben.user_id])
    for tab in tabs[1:]:
        await closed(server, tab)
    assert server.services.presence.is_online(ada.user_id)
    await after(server, LEASE_SECONDS + 1)
    await reader.until(about(ada, "user_offline"))
    assert told_of(reader, ada) == ["user_online", "user_offline"]
    assert (await status(ben))["online"] == [ben.user_id]


async def test_who_comes_back_soon_was_never_gone(server: Server) -> None:
    ada, ben, _ = await pair(server)
    reader = await ben.live("ws")
    await closed(server, await ada.live("ws"))
    await after(server, LEASE_SECONDS - 1)
    await ada.live("sse")
    await after(server, LEASE_SECONDS + 1)
    sent = await ben.say(await ben.group())
    await reader.until_id(sent["event_id"])
    assert told_of(reader, ada) == ["user_online"]


async def test_last_seen_is_when_the_last_connection_closed(server: Server) -> None:
    ada, _, _ = await pair(server)
    reader = await ada.live("ws")
    assert await last_seen(server, ada) is None
    server.clock.stop()
    await closed(server, reader)
    left = server.clock()
    await after(server, LEASE_SECONDS + 100)
    assert await last_seen(server, ada) == int(left)


async def test_last_seen_of_those_who_stay_is_written_together_now_and_then(
    server: Server,
) -> None:
    users = await server.users(3)
    for person in users:
        await person.live("ws")
    await after(server, NOTE_SECONDS / 2)
    assert [await last_seen(server, person) for person in users] == [None] * 3
    await after(server, NOTE_SECONDS / 2)
    [moment] = {await last_seen(server, person) for person in users}
    assert moment is not None and abs(moment - server.clock()) < 10


async def test_last_seen_of_all_who_are_here_is_written_when_the_server_stops(
    start: Any, new_folder: Folder
) -> None:
    folder = new_folder("stopped")
    server = await start(folder)
    ada, ben = await server.users(2)
    await ada.live("ws")
    await server.stop()
    again = await start(folder)
    seen = await last_seen(again, ada)
    assert seen is not None and abs(seen - again.clock()) < 30
    assert await last_seen(again, ben) is None


async def test_last_seen_is_also_that_of_who_has_no_connection_and_writes(server: Server) -> None:
    ada, _, chat = await pair(server)
    await ada.say(chat)
    assert not server.services.presence.is_online(ada.user_id)
    await after(server, 10)
    assert await last_seen(server, ada) is not None


async def test_typing_ends_by_itself(server: Server) -> None:
    ada, ben, chat = await pair(server)
    reader = await ben.live("ws")
    await ada.api("POST", f"/chats/{chat}/typing")
    await after(server, TYPING_SECONDS - 1)
    await ada.api("POST", f"/chats/{chat}/typing")
    await after(server, TYPING_SECONDS - 1)
    assert (await status(ben))["typing"] == [ada.user_id]
    await after(server, 2)
    await reader.until("user_stopped_typing")
    assert (await status(ben))["typing"] == []


async def test_who_goes_on_typing_is_told_now_and_then_and_stops_after_the_last_time(
    server: Server,
) -> None:
    ada, ben, chat = await pair(server)
    reader = await ben.live("ws")
    for _ in range(20):  # a press of a key every 0.2 s
        await ada.api("POST", f"/chats/{chat}/typing")
        await after(server, 0.2)
    await after(server, TYPING_SECONDS - 1)
    assert (await status(ben))["typing"] == [ada.user_id]
    await after(server, 1)
    await reader.until("user_stopped_typing")
    told = [event["type"] for event in reader.seen if "typing" in event["type"]]
    assert told == ["user_typing"] * 2 + ["user_stopped_typing"]


async def test_who_stopped_typing_and_begins_again_is_told_at_once(server: Server) -> None:
    ada, ben, chat = await pair(server)
    reader = await ben.live("ws")
    for is_typing in (True, False, True):
        await ada.api("POST", f"/chats/{chat}/typing", is_typing=is_typing)
    for type_ in ("user_typing", "user_stopped_typing", "user_typing"):
        until = [event["type"] for event in await reader.until(type_)]
        assert [name for name in until if name.endswith("typing")] == [type_]
    assert QUIET_SECONDS < TYPING_SECONDS


async def test_typing_ends_without_anybody_looking(server: Server, monkeypatch: Any) -> None:
    monkeypatch.setattr("quartchat.chat.typing.TYPING_SECONDS", 0.1)
    ada, ben, chat = await pair(server)
    reader = await ben.live("ws")
    await ada.api("POST", f"/chats/{chat}/typing")
    assert (await reader.one("user_stopped_typing"))["data"]["user_id"] == ada.user_id


async def test_in_a_big_room_only_the_first_few_typists_are_told(server: Server) -> None:
    ada, ben, chat, others = await crowd(server)
    reader = await ben.live("ws")
    for name in others[:10]:
        await server.services.commands.run(name, "typing", {"chat_id": chat})
    typing = (await status(ben))["typing"]
    assert typing == sorted(others[:MOST_IN_BIG])
    stop = {"chat_id": chat, "is_typing": False}
    await server.services.commands.run(others[0], "typing", stop)
    await ada.api("POST", f"/chats/{chat}/typing")
    await reader.until(about(ada, "user_typing"))
    told = [e["data"]["user_id"] for e in reader.seen if e["type"] == "user_typing"]
    assert told == [*others[:MOST_IN_BIG], ada.user_id]


async def test_in_a_big_room_comings_are_not_told_but_the_status_knows_who_is_here(
    server: Server,
) -> None:
    ada, ben, chat, _ = await crowd(server)
    eve = await server.user()
    reader = await ben.live("ws")
    await ada.live("ws")
    await eve.live("ws")
    found = await status(ben)
    assert found["online"] == sorted([ada.user_id, ben.user_id])
    assert found["away"] == []
    sent = await ada.say(chat)
    await reader.until_id(sent["event_id"])
    assert told_of(reader, ada) == []


async def test_nobody_is_a_ghost_after_the_server_was_killed(new_folder: Folder) -> None:
    async with ServerProcess(new_folder()) as server, http_client() as client:

        async def api(method: str, path: str, who: Any = None, **fields: Any) -> Any:
            headers = {"Authorization": f"Bearer {who['access_token']}"} if who else {}
            made = await client.request(
                method, f"{server.url}/api{path}", json=fields or None, headers=headers
            )
            assert made.status_code < 300, made.text
            return made.json()

        ada, ben = [
            await api("POST", "/signup", name=name, password="five blue horses run")
            for name in ("ada", "ben")
        ]
        await api("POST", "/chats", ada, kind="direct", user_id=ben["user_id"])
        reader = Reader(KINDS[0].read, Call(server.url, ada["access_token"]))
        await reader.until("caught_up")
        [before] = (await api("GET", "/chats/status", ben))["chats"]
        await server.kill()
        await reader.close()
        await server.start()
        [now] = (await api("GET", "/chats/status", ben))["chats"]
        assert (before["online"], now["online"], now["typing"]) == ([ada["user_id"]], [], [])
