"""Searching what one may see."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from quartchat.chat import visible
from quartchat.chat.core import Core, is_storable
from quartchat.chat.history import shown
from quartchat.errors import Invalid
from quartchat.events import DELETED_USER
from quartchat.store import messages, search
from quartchat.store.folding import fold
from quartchat.store.people import Fetch
from quartchat.store.schema import chats, members, users
from quartchat.store.search import Wanted, Word, word

PAGE, MAX_PAGE = 20, 50
MAX_QUERY = 200  # characters
MAX_WORDS = 10
SNIPPET = 160
_QUOTES = dict.fromkeys(map(ord, "“”„«»"), '"')  # as phones and people write them
_TERM = re.compile(r'(-?)(?:"([^"]*)"?|([^\s"]+))')
Snippet = list[tuple[str, bool]]


@dataclass(frozen=True, slots=True)
class Query:
    """`q`: words that must all be there, "phrases", -words that must not. Days are in UTC, both
    included. `before`: an event id, of the page before. `limit`: up to `MAX_PAGE`."""

    q: str
    chat_id: str | None = None
    sender_id: str | None = None
    since: date | None = None
    until: date | None = None
    before: int | None = None
    limit: int = PAGE


async def find(core: Core, user_id: str, query: Query) -> dict[str, Any]:
    """{messages, has_more, before}: newest first, each as in history with `chat_title` and
    `snippet` ([[text, whether it matches]]); of the user's chats, or of one that they may read.
    With `has_more` the next page starts at `before`; it may be so after few messages or none,
    for an answer does not take long. One at a time of each user. Raises Invalid, ChatNotFound,
    NotAMember, Banned."""
    words, without = read_words(query.q)

    async def work(connection: AsyncConnection) -> dict[str, Any]:
        fetch = connection.execute
        seen, is_member = await _seen(fetch, user_id, query.chat_id)
        days = (query.since, query.until, query.before)
        wanted = Wanted(words, without, seen, query.sender_id, *days)
        found = await search.find(connection, wanted, max(1, min(query.limit, MAX_PAGE)))
        page = await _shown(fetch, user_id, found.event_ids, words)
        for message in [] if is_member else page:
            message["sender"].pop("email", None)
        return {"messages": page, "has_more": found.before is not None, "before": found.before}

    return await core.read_in_turn(user_id, work)


def read_words(q: str) -> tuple[list[Word], list[Word]]:
    """What must be in a message, and what must not. Raises Invalid."""
    if len(q) > MAX_QUERY or not is_storable(q):
        raise Invalid("Search for at most {most} characters.", field="q", most=MAX_QUERY)
    plain = q.translate(_QUOTES)
    terms = [(match[1], (match[2] or match[3] or "").strip()) for match in _TERM.finditer(plain)]
    terms = [(sign, term) for sign, term in terms if term.strip("-")]
    if len(terms) > MAX_WORDS:
        raise Invalid("Search for at most {most} words.", field="q", most=MAX_WORDS)
    words = [word(term) for sign, term in terms if not sign]
    if not words:
        raise Invalid("Say what is to be found: a word or more.", field="q")
    return words, [word(term) for sign, term in terms if sign]


async def _seen(fetch: Fetch, user_id: str, chat_id: str | None) -> tuple[dict[str, int], bool]:
    """Chat id -> the first event that the user may see; and whether they are members."""
    if chat_id is None:
        query = (
            select(members.c.chat_id, members.c.since, chats.c.history)
            .join(chats, chats.c.id == members.c.chat_id)
            .where(members.c.user_id == user_id)
        )
        return {row.chat_id: visible.first_seen(row, row) for row in await fetch(query)}, True
    chat, member = await visible.readable(fetch, user_id, chat_id)
    return {chat_id: visible.first_seen(chat, member)}, member is not None


async def _shown(
    fetch: Fetch, user_id: str, event_ids: list[int], words: list[Word]
) -> list[dict[str, Any]]:
    rows = await messages.by_events(fetch, event_ids)
    page = await shown(fetch, [rows[event_id] for event_id in event_ids], user_id)
    titles = await _titles(fetch, user_id, {message["chat_id"] for message in page})
    for message in page:
        message["chat_title"] = titles[message["chat_id"]]
        message["snippet"] = snippet(message["content"], words)
    return page


async def _titles(fetch: Fetch, user_id: str, chat_ids: set[str]) -> dict[str, str]:
    """Chat id -> title; a direct chat is called like the other person in it."""
    query = select(chats.c.id, chats.c.title, chats.c.pair).where(chats.c.id.in_(chat_ids))
    rows = list(await fetch(query))
    others = {row.id: messages.other_of(row.pair, user_id) for row in rows if row.pair}
    named = select(users.c.id, users.c.name).where(users.c.id.in_(set(others.values())))
    names = {row.id: row.name for row in await fetch(named)} if others else {}
    called = {chat_id: names.get(other, DELETED_USER) for chat_id, other in others.items()}
    return {row.id: called.get(row.id, row.title) for row in rows}


def snippet(content: str, words: list[Word]) -> Snippet:
    """About `SNIPPET` characters around the first match, in pieces: text, and whether it is one
    of the words. The pieces of a short message are the message."""
    places = matches(content, words)
    first = places[0][0] if places else 0
    begin = 0 if len(content) <= SNIPPET else _edge(content, max(0, first - SNIPPET // 4))
    end = len(content) if begin + SNIPPET * 5 // 4 >= len(content) else begin + SNIPPET
    pieces: Snippet = [("…", False)] if begin else []
    for start, stop in places:
        if start >= end:
            break
        pieces += [(content[begin:start], False), (content[start : min(stop, end)], True)]
        begin = min(stop, end)
    pieces.append((content[begin:end] + ("…" if end < len(content) else ""), False))
    return [piece for piece in pieces if piece[0]]


def _edge(content: str, at: int) -> int:
    """The beginning of a word, if one is near behind this place."""
    space = content.find(" ", at, at + 20)
    return space + 1 if at and space >= 0 else at


def matches(content: str, words: list[Word]) -> list[tuple[int, int]]:
    """Where the words are in the text: (start, end) in order, what overlaps put together."""
    spellings = sorted({one for each in words for one in each.spellings}, key=len, reverse=True)
    folded, places = fold(content), list[tuple[int, int]]()
    for spelling in spellings:
        at = folded.find(spelling)
        while at >= 0:
            places.append((at, at + len(spelling)))
            at = folded.find(spelling, at + len(spelling))
    merged: list[tuple[int, int]] = []
    for start, end in sorted(places):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
