"""What every transport is asked, and how it reads events out of bytes."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from quartchat.client.errors import Broken, from_answer
from quartchat.client.position import Event

if TYPE_CHECKING:
    import httpx


@dataclass(frozen=True, slots=True)
class Ask:
    """One connection: where, who, from which cursor (None: from now on), and which chats.

    `heartbeat` is the interval asked for, `patience` the time to open, both in seconds.
    """

    url: str
    token: str
    http: httpx.AsyncClient
    cursor: int | None = None
    chats: Sequence[str] = ()
    heartbeat: float = 15.0
    patience: float = 10.0

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", "Accept-Encoding": "identity"}

    def query(self, **more: object) -> dict[str, str]:
        asked: dict[str, object] = {"hb": f"{self.heartbeat:g}", **more}
        if self.cursor is not None:
            asked["last_event_id"] = self.cursor
        if self.chats:
            asked["chats"] = ",".join(self.chats)
        return {name: str(value) for name, value in asked.items()}


Transport = Callable[[Ask], AsyncGenerator[Event, None]]


def decode(raw: str | bytes) -> list[Event]:
    """The events of one frame, line or answer. Raises Broken for anything else."""
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Broken("Something on the way answered in place of the server.") from error
    return [checked(event) for event in (found if isinstance(found, list) else [found])]


def checked(event: Any) -> Event:
    """The event, if it has the form of one. Raises Broken."""
    if not isinstance(event, dict) or not isinstance(event.get("type"), str):
        raise Broken("The server sent something that is no event.")
    if not isinstance(event.setdefault("data", {}), dict):
        raise Broken("The server sent an event without data.")
    return event


def goodbye(retry_ms: int) -> Event:
    return {"type": "goodbye", "data": {"retry_ms": retry_ms}}


async def refuse(response: httpx.Response) -> None:
    """Raises the error of an answer that is none of success."""
    if response.status_code != 200:
        body = await response.aread()
        raise from_answer(response.status_code, response.headers.get("content-type", ""), body)


@asynccontextmanager
async def opened(ask: Ask, path: str, **query: object) -> AsyncIterator[httpx.Response]:
    """An answer of 200 whose body stays open."""
    params, headers = ask.query(**query), ask.headers()
    async with ask.http.stream("GET", ask.url + path, params=params, headers=headers) as response:
        await refuse(response)
        yield response
