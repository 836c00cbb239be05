"""What every verb works with, and small things that several share."""

from __future__ import annotations

import json
import secrets
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from quartchat.bus.base import Bus
from quartchat.config import Settings
from quartchat.errors import ChatNotFound, Invalid, NotAMember
from quartchat.store import rooms
from quartchat.store.engine import Database
from quartchat.store.people import Fetch
from quartchat.store.writer import Writer

MAX_CLIENT_ID = 64


@dataclass(frozen=True, slots=True)
class Core:
    settings: Settings
    database: Database
    writer: Writer
    bus: Bus
    clock: Callable[[], float]


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


def is_storable(text: str) -> bool:
    """Text that every database takes: no NUL, no lone surrogates."""
    return "\0" not in text and not any("\ud800" <= char <= "\udfff" for char in text)
