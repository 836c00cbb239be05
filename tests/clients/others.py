"""Clients of other makers, unchanged, each with its own way of coming back after a break.

All of one shape: `follow(address, token)` is an async generator of events that never ends.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import httpx
import httpx_sse
import pytest
import websockets
from support.readers import TLS
from websockets.asyncio.client import connect

Event = dict[str, Any]
Follow = Callable[[str, str], AsyncGenerator[Event, None]]
Once = Callable[[str, str, int | None], AsyncGenerator[Event, None]]
NODE = Path(__file__).parent.parent / "node"
BROKEN = (OSError, EOFError, httpx.HTTPError, aiohttp.ClientError, websockets.WebSocketException)


def coming_back(once: Once) -> Follow:
    """What the program around a client does: connects again with the last id it took in."""

    async def follow(address: str, token: str) -> AsyncGenerator[Event, None]:
        cursor = None
        while True:
            try:
                async with aclosing(once(address, token, cursor)) as events:
                    async for event in events:
                        cursor = after(event, cursor)
                        yield event
            except BROKEN:
                pass
            await asyncio.sleep(0.05)

    return follow


def after(event: Event, cursor: int | None) -> int | None:
    return event.get("id", event["data"]["cursor"] if event["type"] == "hello" else cursor)


def query(cursor: int | None, **more: object) -> str:
    return urlencode(more if cursor is None else {**more, "last_event_id": cursor})


def headers(token: str, cursor: int | None = None) -> dict[str, str]:
    known = {"Authorization": f"Bearer {token}"}
    return known if cursor is None else {**known, "Last-Event-ID": str(cursor)}


async def _websockets(address: str, token: str, cursor: int | None) -> AsyncGenerator[Event, None]:
    url = f"{address.replace('http', 'ws', 1)}/ws?{query(cursor)}"
    async with connect(url, additional_headers=headers(token), proxy=None) as socket:
        async for frame in socket:
            yield json.loads(frame)


async def _httpx_sse(address: str, token: str, cursor: int | None) -> AsyncGenerator[Event, None]:
    async with (
        httpx.AsyncClient(timeout=None, verify=TLS) as client,
        httpx_sse.aconnect_sse(
            client, "GET", f"{address}/events", headers=headers(token, cursor)
        ) as source,
    ):
        async for sse in source.aiter_sse():
            yield sse.json()


async def _aiohttp_ws(address: str, token: str, cursor: int | None) -> AsyncGenerator[Event, None]:
    async with (
        aiohttp.ClientSession(headers=headers(token)) as session,
        session.ws_connect(f"{address}/ws?{query(cursor)}") as socket,
    ):
        async for frame in socket:
            yield frame.json()


async def _aiohttp_lines(
    address: str, token: str, cursor: int | None
) -> AsyncGenerator[Event, None]:
    async with (
        aiohttp.ClientSession(headers=headers(token, cursor)) as session,
        session.get(f"{address}/events") as answer,
    ):
        async for line in answer.content:
            if line.startswith(b"data:"):
                yield json.loads(line.removeprefix(b"data:"))


async def _aiohttp_poll(
    address: str, token: str, cursor: int | None
) -> AsyncGenerator[Event, None]:
    async with aiohttp.ClientSession(headers=headers(token)) as session:
        while True:
            url = f"{address}/poll?{query(cursor, timeout=10)}"
            async with session.get(url) as answer:
                found = await answer.json()
            for event in found["events"]:
                yield event
            cursor = found["last_event_id"]


def _curl(path: str, prefix: str) -> Once:
    async def once(address: str, token: str, cursor: int | None) -> AsyncGenerator[Event, None]:
        words = [f"{name}: {value}" for name, value in headers(token, cursor).items()]
        flags = [word for header in words for word in ("-H", header)]
        async for line in lines("curl", "-sSN", *flags, address + path):
            if line.startswith(prefix) and line.strip():
                yield json.loads(line.removeprefix(prefix))

    return once


def _node(script: str, path: str, scheme: str = "http", **env: str) -> Follow:
    async def follow(address: str, token: str) -> AsyncGenerator[Event, None]:
        need_node()
        where = address.replace("http", scheme, 1) + path
        known = {"ADDRESS": where, "TOKEN": token, **env}
        async for line in lines("node", str(NODE / script), **known):
            yield json.loads(line)

    return follow


def need_node() -> None:
    if not shutil.which("node"):
        pytest.skip("apt-get install nodejs npm")
    if not (NODE / "node_modules").is_dir():
        pytest.skip("npm install --prefix tests/node")


async def lines(*command: str, **env: str) -> AsyncGenerator[str, None]:
    """What a program prints, line by line; it ends with the generator."""
    if not shutil.which(command[0]):
        pytest.skip(f"apt-get install {command[0]}")
    process = await asyncio.create_subprocess_exec(
        *command, stdout=PIPE, env={"PATH": os.environ["PATH"], **env}, limit=2**20
    )
    assert process.stdout
    try:
        while line := await process.stdout.readline():
            yield line.decode()
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


TYPES = "hello,caught_up,new_message,heartbeat,user_online,user_offline"
CLIENTS: dict[str, Follow] = {
    "websockets": coming_back(_websockets),
    "httpx-sse": coming_back(_httpx_sse),
    "aiohttp-websocket": coming_back(_aiohttp_ws),
    "aiohttp-sse-lines": coming_back(_aiohttp_lines),
    "aiohttp-poll": coming_back(_aiohttp_poll),
    "curl-events": coming_back(_curl("/events", "data:")),
    "curl-stream": coming_back(_curl("/stream", "")),
    "node-eventsource": _node("eventsource.mjs", "/events"),
    "node-eventsource-named": _node("eventsource.mjs", "/events?named=1", TYPES=TYPES),
    "node-ws": _node("ws.mjs", "/ws", "ws"),
}


class Following:
    """A client in the background; `take` gives what it brought."""

    def __init__(self, events: AsyncGenerator[Event, None]) -> None:
        self.seen: list[Event] = []
        self._news = asyncio.Event()
        self._task = asyncio.create_task(self._pump(events))

    async def _pump(self, events: AsyncGenerator[Event, None]) -> None:
        try:
            async with aclosing(events):
                async for event in events:
                    self.seen.append(event)
                    self._news.set()
        finally:
            self._news.set()

    async def until(self, wanted: Callable[[list[Event]], bool], patience: float = 20.0) -> None:
        async with asyncio.timeout(patience):
            while not wanted(self.seen):
                if self._task.done():
                    self._task.result()
                    raise EOFError("the client ended")
                self._news.clear()
                await self._news.wait()

    async def has(self, *types: str) -> None:
        await self.until(lambda seen: set(types) <= {event["type"] for event in seen})

    async def has_id(self, id_: int) -> None:
        await self.until(lambda seen: any(event.get("id") == id_ for event in seen))

    @property
    def ids(self) -> list[int]:
        return [event["id"] for event in self.seen if "id" in event]

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])
