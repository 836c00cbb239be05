"""Finding messages by what stands in them. An index of the database names candidates, newest
first; each of them is looked at again here, so that a match means the same on every store."""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from quartchat.store import search_sqlite
from quartchat.store.folding import fold

SECONDS = 0.05  # after so long an answer ends with what was found


@dataclass(frozen=True, slots=True)
class Word:
    """What is to be found somewhere in a text, in any of its spellings (see `word`)."""

    spellings: tuple[str, ...]

    def is_in(self, folded: str) -> bool:
        return any(spelling in folded for spelling in self.spellings)


def word(text: str) -> Word:
    """Composed and decomposed letters are the same to who searches."""
    forms = (text, unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text))
    return Word(tuple(dict.fromkeys(fold(form) for form in forms)))


@dataclass(frozen=True, slots=True)
class Wanted:
    """Messages with all of `words` and none of `without`, in chats (id -> the first event that
    may be seen), of a sender, of days (in UTC, both included), older than an event id."""

    words: Sequence[Word]
    without: Sequence[Word]
    chats: Mapping[str, int]
    sender_id: str | None = None
    since: date | None = None
    until: date | None = None
    before: int | None = None

    def takes(self, row: Any) -> bool:
        """Whether it is this message: event_id, chat_id, sender_id, timestamp, content."""
        first = self.chats.get(row.chat_id)
        if first is None or row.event_id < first:
            return False
        if self.sender_id is not None and row.sender_id != self.sender_id:
            return False
        return self._is_then(row.timestamp[:10]) and self._says(fold(row.content))

    def _is_then(self, day: str) -> bool:
        after = self.since is None or self.since.isoformat() <= day
        return after and (self.until is None or day <= self.until.isoformat())

    def _says(self, folded: str) -> bool:
        if not all(one.is_in(folded) for one in self.words):
            return False
        return not any(one.is_in(folded) for one in self.without)


class Candidates(Protocol):
    """Rows of messages among which are all that are wanted, newest first."""

    async def more(self) -> Sequence[Any]:
        """The next ones, maybe none; a bounded piece of work. Each call comes further."""

    @property
    def ended(self) -> bool:
        """Whether there are no more."""

    async def reached(self) -> int:
        """The id from which on (upwards) all was looked at."""


STORES = {"sqlite": search_sqlite.open_candidates}


@dataclass(frozen=True, slots=True)
class Found:
    """Event ids, newest first. `before`: where to go on, if not everything was looked at."""

    event_ids: list[int]
    before: int | None


async def find(
    connection: AsyncConnection, wanted: Wanted, limit: int, seconds: float = SECONDS
) -> Found:
    """At most `limit` messages, and what can be found in about so many seconds."""
    deadline = time.perf_counter() + seconds
    if not wanted.chats:
        return Found([], None)
    candidates = await STORES[connection.dialect.name](connection.execute, wanted)
    found: list[int] = []
    while not candidates.ended:
        found += [row.event_id for row in await candidates.more() if wanted.takes(row)]
        if len(found) > limit:
            return Found(found[:limit], found[limit - 1])
        if not candidates.ended and time.perf_counter() > deadline:
            return Found(found, await candidates.reached())
    return Found(found, None)
