"""`kill -9` in the middle of sending: whatever was acknowledged is there, once, for everybody."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets
from support.process import ServerProcess
from support.readers import KINDS, Call, Reader, Refused, Transport, http_client
from websockets.asyncio.client import connect

pytestmark = [pytest.mark.crash, pytest.mark.timeout(900)]
BROKEN = (httpx.HTTPError, websockets.WebSocketException, OSError, EOFError, TimeoutError)
EACH = 60  # messages of a sender between two kills, at most
RETRY_SECONDS = 0.05


@dataclass
class Sender:
    """Sends its messages one after the other, each until it is acknowledged."""

    name: str
    token: str = ""
    user_id: str = ""
    acked: dict[str, Any] = field(default_factory=dict)
    sent: int = 0
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, server: ServerProcess, chat: str, way: str) -> None:
        send = self.by_websocket if way == "ws" else self.by_post
        waiting: dict[str, Any] | None = None
        while waiting or not self.stop.is_set():
            try:
                async for message, ack in send(server, chat, waiting):
                    waiting = message if ack is None else None
                    if ack is not None:
                        self.take(message, ack)
                        if self.stop.is_set():
                            break
            except (*BROKEN, Refused):
                await asyncio.sleep(RETRY_SECONDS)

    def take(self, message: dict[str, Any], ack: dict[str, Any]) -> None:
        assert ack["client_id"] == message["client_id"]
        assert message["client_id"] not in self.acked
        self.acked[message["client_id"]] = ack["event_id"]

    def message(self, chat: str) -> dict[str, Any]:
        self.sent += 1
        content = f"{self.name} {self.sent}"
        return {"chat_id": chat, "content": content, "client_id": str(uuid.uuid4())}

    async def by_post(self, server: ServerProcess, chat: str, first: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"}
        async with http_client() as client:
            while True:
                message, first = first or self.message(chat), None
                yield message, None
                url = f"{server.url}/api/chats/{chat}/messages"
                answer = await client.post(url, json=message, headers=headers, timeout=5)
                if answer.status_code != 200:
                    raise Refused(answer.status_code, answer.content)
                yield message, answer.json()

    async def by_websocket(self, server: ServerProcess, chat: str, first: Any) -> Any:
        import json

        headers = {"Authorization": f"Bearer {self.token}"}
        url = f"{server.url}/ws".replace("http", "ws", 1)
        async with connect(
            url, additional_headers=headers, proxy=None, compression=None, close_timeout=1
        ) as socket:
            while True:
                message, first = first or self.message(chat), None
                yield message, None
                await socket.send(json.dumps({"type": "send_message", "data": message}))
                async with asyncio.timeout(5):
                    ack = None
                    while ack is None:
                        frame = json.loads(await socket.recv())
                        ack = frame["data"] if frame["type"] == "ack" else None
                yield message, ack


@dataclass
class Follower:
    """Reads on one transport, and comes back with its cursor whenever that breaks."""

    transport: Transport
    token: str
    user_id: str
    cursor: int = 0
    got: list[dict[str, Any]] = field(default_factory=list)
    resets: int = 0
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, server: ServerProcess) -> None:
        while True:
            call = Call(server.url, self.token, self.user_id, cursor=self.cursor, hold=2.0)
            reader = Reader(self.transport.read, call)
            try:
                while True:
                    self.take(await reader.next_event(30))
            except (*BROKEN, Refused):
                await asyncio.sleep(RETRY_SECONDS)
            finally:
                await reader.close()

    def take(self, event: dict[str, Any]) -> None:
        self.resets += event["type"] == "reset"
        if "id" in event:
            self.cursor = event["id"]
            self.got.append(event)
            self.news.set()

    async def until(self, id_: int) -> None:
        async with asyncio.timeout(30):
            while self.cursor < id_:
                self.news.clear()
                await self.news.wait()


async def sign_up(server: ServerProcess, name: str) -> dict[str, Any]:
    async with http_client() as client:
        fields = {"name": name, "password": "correct horse battery"}
        answer = await client.post(f"{server.url}/api/signup", json=fields)
        assert answer.status_code in (200, 201), answer.text
        return dict(answer.json())


async def make_room(server: ServerProcess, token: str, members: list[str]) -> str:
    headers = {"Authorization": f"Bearer {token}"}
    body = {"kind": "group", "title": "crash", "members": members}
    async with http_client() as client:
        answer = await client.post(f"{server.url}/api/chats", json=body, headers=headers)
        return str(answer.json()["chat_id"])


async def whole_history(server: ServerProcess, token: str, chat: str) -> list[dict[str, Any]]:
    headers, found, after = {"Authorization": f"Bearer {token}"}, [], 0
    async with http_client() as client:
        while True:
            url = f"{server.url}/api/chats/{chat}/messages?limit=200&after={after}"
            page = (await client.get(url, headers=headers)).json()
            found += page["messages"]
            if not page["has_more"]:
                return found
            after = page["after"]


async def some_acks(senders: list[Sender], more: int) -> None:
    """Wait until the senders together have so many acknowledgements more."""
    goal = sum(len(one.acked) for one in senders) + more
    async with asyncio.timeout(60):
        while sum(len(one.acked) for one in senders) < goal:
            await asyncio.sleep(0.002)


async def test_what_was_acknowledged_outlives_a_kill_and_reaches_every_reader_once(
    new_folder: Callable[..., Path], request: pytest.FixtureRequest
) -> None:
    rounds = int(request.config.getoption("--crash-rounds"))
    server = ServerProcess(new_folder(), "--no-limits")
    async with server:
        senders = [Sender(f"sender{n}") for n in range(4)]
        for sender in senders:
            known = await sign_up(server, sender.name)
            sender.token, sender.user_id = known["access_token"], known["user_id"]
        ids = [sender.user_id for sender in senders]
        chat = await make_room(server, senders[0].token, ids[1:])
        followers = [
            Follower(transport, sender.token, sender.user_id)
            for sender, transport in zip(senders * 2, KINDS, strict=False)
        ]
        async with asyncio.TaskGroup() as tasks:
            following = [tasks.create_task(one.run(server)) for one in followers]
            sending = [
                tasks.create_task(one.run(server, chat, ("ws", "post")[n % 2]))
                for n, one in enumerate(senders)
            ]
            for _ in range(rounds):
                await some_acks(senders, random.randint(5, EACH))
                await server.kill()
                await server.start()
            await some_acks(senders, 5)
            for sender in senders:
                sender.stop.set()
            await asyncio.wait(sending)
            history = await whole_history(server, senders[0].token, chat)
            for follower in followers:
                await follower.until(history[-1]["event_id"])
            for task in following:
                task.cancel()
        hold_against_history(history, senders, followers)
        assert await server.terminate() == 0


def hold_against_history(
    history: list[dict[str, Any]], senders: list[Sender], followers: list[Follower]
) -> None:
    kept = {message["client_id"]: message["event_id"] for message in history}
    assert len(kept) == len(history), "a message is there twice"
    acked = {client_id: id_ for sender in senders for client_id, id_ in sender.acked.items()}
    assert acked.items() <= kept.items(), "an acknowledged message is lost or has another id"
    assert len(history) == sum(sender.sent for sender in senders)
    for sender in senders:
        mine = [one["content"] for one in history if one["sender_id"] == sender.user_id]
        assert mine == [f"{sender.name} {n + 1}" for n in range(sender.sent)]
    want = [(message["event_id"], message["content"]) for message in history]
    for follower in followers:
        got = [
            (event["id"], event["data"]["content"])
            for event in follower.got
            if event["type"] == "new_message"
        ]
        assert got == want, follower.transport.name
        assert follower.resets == 0
