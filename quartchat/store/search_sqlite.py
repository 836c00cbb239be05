"""Candidates of a search in SQLite: an FTS5 index of trigrams (migration 0003).

A message is a document there, numbered densely in the order of the events. Beside its text
the index holds, as trigrams of private signs, its chat, its sender, its day and its block
(32,768 documents in a row): so "in these chats, of this month" is part of the one
intersection that FTS5 makes, and a block bounds what a single statement can cost.

The index knows which trigrams a message has, not where: what it names is looked at again.
A word of one or two characters is the beginning of trigrams, for two spaces stand behind
each text; a rare one is found by listing them, a common one by going through the blocks.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from quartchat.store.folding import is_known
from quartchat.store.people import Fetch
from quartchat.store.search_signs import (
    BLOCK_BITS,
    all_of,
    any_of,
    block_sign,
    day_signs,
    match,
)

if TYPE_CHECKING:
    from quartchat.store.search import Wanted, Word

FIRST_BLOCKS, MOST_BLOCKS = 2, 64  # in one statement
QUICK, SLOW = 0.008, 0.02  # seconds of a statement: the next one takes more blocks, or fewer
FIRST_ROWS, ROWS = 100, 500  # at once
MOST_MONTHS = 240  # of a longer time, the same
RARE = 3000  # occurrences
LAST = "\U0010ffff"

_MATCHING = text("""
    SELECT c.id, m.event_id, m.chat_id, m.sender_id, m.timestamp, m.content FROM (
        SELECT rowid AS id FROM search_index
        WHERE search_index MATCH :match AND rowid BETWEEN :low AND :high
        ORDER BY rowid DESC LIMIT :most
    ) AS c JOIN search_docs AS d ON d.id = c.id JOIN messages AS m ON m.event_id = d.event_id
    ORDER BY c.id DESC
""")
_LISTED = text("""
    SELECT d.id, m.event_id, m.chat_id, m.sender_id, m.timestamp, m.content
    FROM json_each(:ids) AS j
    JOIN search_docs AS d ON d.id = j.value JOIN messages AS m ON m.event_id = d.event_id
    ORDER BY d.id DESC
""")
_STARTING = text("""
    SELECT json_group_array(doc) FROM (
        SELECT doc FROM search_terms WHERE term >= :low AND term < :high LIMIT :most
    )
""")
_ENDS = text("""
    SELECT
        (SELECT id FROM search_docs WHERE event_id >= :first ORDER BY event_id LIMIT 1) AS low,
        (SELECT id FROM search_docs WHERE event_id < :before ORDER BY event_id DESC LIMIT 1) AS high
""")
_EVENT = text("SELECT event_id FROM search_docs WHERE id > :id ORDER BY id LIMIT 1")
_SPAN = text("""
    SELECT min((SELECT min(timestamp) FROM messages WHERE chat_id = j.value)),
           max((SELECT max(timestamp) FROM messages WHERE chat_id = j.value))
    FROM json_each(:chats) AS j
""")
_FOR_EVER = 2**62


async def open_candidates(fetch: Fetch, wanted: Wanted) -> _Blocks | _Listed:
    before = wanted.before if wanted.before is not None else _FOR_EVER
    first = min(wanted.chats.values())
    low, high = (await fetch(_ENDS.bindparams(first=first, before=before))).one()
    if high is None or low is None:
        return _Listed(fetch, [])
    rare = await _rare(fetch, wanted.words)
    if rare is not None:
        return _Listed(fetch, sorted((id_ for id_ in rare if low <= id_ <= high), reverse=True))
    days = await _days(fetch, wanted)
    return _Listed(fetch, []) if days == [] else _Blocks(fetch, match(wanted, days), low, high)


async def _days(fetch: Fetch, wanted: Wanted) -> list[str] | None:
    """Signs of days and months of which each wanted message has one; None for any."""
    if wanted.since is None and wanted.until is None:
        return None
    chats = json.dumps(list(wanted.chats))
    first, last = (await fetch(_SPAN.bindparams(chats=chats))).one()
    if first is None:
        return []
    since = max(wanted.since or date.min, date.fromisoformat(first[:10]))
    until = min(wanted.until or date.max, date.fromisoformat(last[:10]))
    return list(day_signs(since, until)) if (until - since).days < MOST_MONTHS * 30 else None


class _Listed:
    """Documents whose numbers are known."""

    def __init__(self, fetch: Fetch, ids: list[int]) -> None:
        self._fetch, self._ids, self._place = fetch, ids, 0
        self._rows: Sequence[Any] = ()

    @property
    def ended(self) -> bool:
        return self._place >= len(self._ids)

    async def more(self) -> Sequence[Any]:
        ids = self._ids[self._place : self._place + ROWS]
        self._place += len(ids)
        self._rows = (await self._fetch(_LISTED.bindparams(ids=json.dumps(ids)))).all()
        return self._rows

    async def reached(self) -> int:
        return int(self._rows[-1].event_id)


class _Blocks:
    """Documents that match, block by block from the newest: as many blocks at once as go
    quickly."""

    def __init__(self, fetch: Fetch, match: str, low: int, high: int) -> None:
        self._fetch, self._match = fetch, match
        self._low, self._high = low, high  # what is still to be looked at
        self._blocks, self._most = FIRST_BLOCKS, FIRST_ROWS

    @property
    def ended(self) -> bool:
        return self._high < self._low

    async def more(self) -> Sequence[Any]:
        newest = self._high >> BLOCK_BITS
        oldest = max(newest - self._blocks + 1, self._low >> BLOCK_BITS)
        low = max(oldest << BLOCK_BITS, self._low)
        started = time.perf_counter()
        rows = await self._between(oldest, newest, low)
        self._adapt(time.perf_counter() - started)
        self._high = low - 1 if len(rows) < self._most else rows[-1].id - 1
        self._most = ROWS
        return rows

    async def _between(self, oldest: int, newest: int, low: int) -> Sequence[Any]:
        blocks = any_of(block_sign(number) for number in range(newest, oldest - 1, -1))
        match = all_of((blocks, self._match))
        bound = _MATCHING.bindparams(match=match, low=low, high=self._high, most=self._most)
        found: Sequence[Any] = (await self._fetch(bound)).all()
        return found

    def _adapt(self, seconds: float) -> None:
        if seconds < QUICK:
            self._blocks = min(self._blocks * 2, MOST_BLOCKS)
        elif seconds > SLOW:
            self._blocks = max(self._blocks // 2, 1)

    async def reached(self) -> int:
        return int((await self._fetch(_EVENT.bindparams(id=self._high))).scalar_one())


async def _rare(fetch: Fetch, words: Iterable[Word]) -> set[int] | None:
    """All documents that hold one of the short words, if there is one that few hold."""
    for word in words:
        if all(0 < len(one) < 3 and is_known(one) for one in word.spellings):
            found = [await _starting(fetch, spelling) for spelling in word.spellings]
            if all(len(ids) < RARE for ids in found):
                return {id_ for ids in found for id_ in ids}
    return None


async def _starting(fetch: Fetch, beginning: str) -> list[int]:
    bound = _STARTING.bindparams(low=beginning, high=beginning + LAST, most=RARE)
    found: list[int] = json.loads((await fetch(bound)).scalar_one())
    return found
