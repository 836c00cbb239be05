"""The Python client against the real server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from others import Following
from relay import Relay
from support.process import ServerProcess
from support.readers import TLS
from support.server import Server

from quartchat.client import Client, Refused

Start = Callable[..., Following]
WAYS: list[Any] = ["best", "ws", "stream", "sse", "poll"]
WORDS = "long enough to pass"


@pytest.mark.parametrize("way", WAYS)
async def test_it_follows_through_cuts_and_gets_everything_once(
    server: Server, relay: Relay, following: Start, way: Any
) -> None:
    ada, bob = await server.users(2)
    chat_id = await ada.group(bob)
    async with Client(relay.url, bob.token, random=lambda: 0.1) as client:
        reader = following(client.follow(transport=way, control=True))
        await reader.has("caught_up")
        sent = await ada.say_many(chat_id, 3)
        for _ in range(3):
            relay.cut()
            sent += await ada.say_many(chat_id, 3)
            await reader.has_id(sent[-1])
        await reader.close()
    assert reader.ids == sent


async def people(url: str) -> tuple[str, str, str]:
    """Tokens of ada and bob, who are in one chat, and its id."""
    async with httpx.AsyncClient(base_url=url, verify=TLS) as http:
        made = []
        for name in ("ada", "bob"):
            answer = await http.post("/api/signup", json={"name": name, "password": WORDS})
            made.append(answer.json())
            http.cookies.clear()
        ada, bob = (one["access_token"] for one in made)
        wish = {"kind": "direct", "user_id": made[1]["user_id"]}
        chat = await http.post("/api/chats", json=wish, headers={"Authorization": f"Bearer {ada}"})
        return ada, bob, chat.json()["chat_id"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("end", ["terminate", pytest.param("kill", marks=pytest.mark.slow)])
async def test_a_restart_in_the_middle_loses_and_doubles_nothing(
    new_folder: Callable[..., Path], following: Start, way: Any, end: str
) -> None:
    async with ServerProcess(new_folder(), "--no-limits", "--log-level", "error") as server:
        ada, bob, chat_id = await people(server.url)
        async with (
            Client(server.url, bob, random=lambda: 0.1) as listening,
            Client(server.url, ada, random=lambda: 0.1) as writing,
        ):
            reader = following(listening.follow(transport=way, control=True))
            await reader.has("caught_up")
            acks = [await writing.send(chat_id, "before")]
            await reader.has_id(acks[-1]["event_id"])
            ending = asyncio.create_task(getattr(server, end)())
            during = [asyncio.create_task(say(writing, chat_id, n)) for n in range(20)]
            await ending
            await server.start()
            acks += [await task for task in during]
            acks.append(await writing.send(chat_id, "after"))
            await reader.until(lambda seen: len(set(messages(seen))) >= len(acks))
            await reader.close()
    assert messages(reader.seen) == sorted(ack["event_id"] for ack in acks)
    said = [e["data"]["content"] for e in reader.seen if e["type"] == "new_message"]
    assert sorted(said) == sorted(["before", *map(str, range(20)), "after"])


def messages(seen: list[dict[str, Any]]) -> list[int]:
    """The ids of what was said; who was away is notified beside."""
    return [event["id"] for event in seen if event["type"] == "new_message"]


async def say(client: Client, chat_id: str, number: int) -> dict[str, Any]:
    return await client.send(chat_id, f"{number}", retries=100)


async def test_what_may_not_be_sent_is_refused(server: Server) -> None:
    ada, bob = await server.users(2)
    chat_id = await ada.group()
    async with Client(server.url, bob.token) as client:
        for chat, status in ((chat_id, 403), ("nothing", 404)):
            with pytest.raises(Refused) as refused:
                await client.send(chat, "let me in")
            assert (refused.value.status, refused.value.by_server) == (status, True)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("wrong", ["token", "chat of others", "no chat"])
async def test_what_may_not_be_followed_is_refused_for_good(
    server: Server, way: Any, wrong: str
) -> None:
    ada, bob = await server.users(2)
    chats = {"chat of others": [await ada.group()], "no chat": ["nothing"]}.get(wrong)
    token = "nonsense" if wrong == "token" else bob.token
    async with Client(server.url, token, random=lambda: 0.01) as client, asyncio.timeout(5):
        with pytest.raises(Refused):
            async for event in client.follow(chats=chats, transport=way):
                assert event["type"] == "error"


async def test_a_fresh_token_is_asked_for_when_the_old_one_expires(
    server: Server, following: Start
) -> None:
    ada, bob = await server.users(2)
    chat_id = await ada.group(bob)
    asked = []

    async def token() -> str:
        asked.append(1)
        bob.token = server.services.tokens.issue(bob.user_id, bob.name, None, 900)
        return bob.token

    for way in WAYS:
        async with Client(server.url, token, random=lambda: 0.1) as client:
            reader = following(client.follow(transport=way, control=True))
            await reader.has("caught_up")
            before = len(asked)
            server.move_clock(3600)
            ada.token = server.services.tokens.issue(ada.user_id, ada.name, None, 900)
            sent = await ada.say(chat_id)
            await reader.has_id(sent["event_id"])
            assert len(asked) > before or way == "poll"
            await reader.close()
            assert reader.ids == [sent["event_id"]]
