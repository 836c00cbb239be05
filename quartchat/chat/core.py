"""What every verb works with, and small things that several share."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import secrets
import unicodedata
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from sqlalchemy.ext.asyncio import AsyncConnection

from quartchat.bus.base import Bus
from quartchat.config import Settings
from quartchat.errors import ChatNotFound, Invalid, NotAMember
from quartchat.store import rooms
from quartchat.store.engine import Database
from quartchat.store.people import Fetch
from quartchat.store.writer import Writer

T = TypeVar("T")
MAX_CLIENT_ID = 64
# Letters and signs that look like a space.
BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")
MANAGERS = ("owner", "admin")  # the roles that may change a chat and what is in it


@dataclass(frozen=True, slots=True)
class Core:
    settings: Settings
    database: Database
    writer: Writer
    bus: Bus
    clock: Callable[[], float]
    # Makes ids that nobody else can make (see `Core.id_of`).
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    _reading: WeakValueDictionary[str, asyncio.Lock] = field(
        default_factory=WeakValueDictionary, init=False, repr=False
    )

    async def read_in_turn(
        self, user_id: str, work: Callable[[AsyncConnection], Awaitable[T]]
    ) -> T:
        """As `database.read`, for what takes long: one at a time of each user. The next one waits
        for it also where nobody waits for its answer any more."""
        turn = self._reading.setdefault(user_id, asyncio.Lock())
        await turn.acquire()
        task = asyncio.create_task(self.database.read(work))
        task.add_done_callback(lambda _: turn.release())
        return await asyncio.shield(task)

    def id_of(self, *parts: str) -> str:
        """128 bits that are always the same for the same parts, and that only this server can
        tell; safe in addresses."""
        digest = hmac.digest(self.secret, json.dumps(parts).encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(digest[:16]).decode().rstrip("=")


def new_id() -> str:
    """96 random bits, safe in addresses."""
    return secrets.token_hex(12)


def pair_of(first: str, second: str) -> str:
    return json.dumps(sorted((first, second)))


async def chat_and_member(fetch: Fetch, chat_id: str, user_id: str) -> tuple[Any, Any]:
    """The rows of a chat and of the user's membership. Raises ChatNotFound, NotAMember."""
    chat = await rooms.get(fetch, chat_id)
    if chat is None:
        raise ChatNotFound
    member = await rooms.membership(fetch, chat_id, user_id)
    if member is None:
        raise NotAMember
    return chat, member


def check_client_id(client_id: str | None) -> None:
    if client_id is not None and not (0 < len(client_id) <= MAX_CLIENT_ID and is_line(client_id)):
        raise Invalid(
            "A client_id is 1 to {most} characters, for instance a UUID.",
            field="client_id",
            most=MAX_CLIENT_ID,
        )


def is_line(text: str) -> bool:
    """No control, formatting, private or unassigned characters, no line breaks."""
    return all(unicodedata.category(char)[0] != "C" for char in text)


def is_visible(text: str) -> bool:
    """Whether there is anything in it to be seen."""
    return any(unicodedata.category(char)[0] not in "CMZ" and char not in BLANK for char in text)


def is_storable(text: str) -> bool:
    """Text that every database takes: no NUL, no lone surrogates."""
    return "\0" not in text and not any("\ud800" <= char <= "\udfff" for char in text)
