"""What the FTS5 index of migration 0003 is asked for: trigrams of words, and of the private signs
by which it knows chats, senders, days and blocks."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

from quartchat.store.folding import is_known

if TYPE_CHECKING:
    from quartchat.store.search import Wanted

BLOCK_BITS = 15
MOST_TRIGRAMS = 8
MOST_CHATS = 64  # naming more of them takes longer than looking at the rows of others


def match(wanted: Wanted, days: Iterable[str] | None) -> str:
    """What FTS5 is asked for, without the block; "" where that says it all."""
    parts = []
    if len(wanted.chats) <= MOST_CHATS:
        parts.append(any_of(sorted({chat_sign(chat_id) for chat_id in wanted.chats})))
    if wanted.sender_id is not None:
        parts.append(quoted(sender_sign(wanted.sender_id)))
    parts.append(any_of(days or ()))
    each = max(1, MOST_TRIGRAMS // max(1, len(wanted.words)))
    parts += [any_of_all([trigrams(one, each) for one in word.spellings]) for word in wanted.words]
    return all_of(parts)


def trigrams(folded: str, most: int) -> list[str]:
    """Some trigrams of a word, spread over it; none with letters whose case SQLite may not know."""
    found = [folded[at : at + 3] for at in range(len(folded) - 2)]
    known = list(dict.fromkeys(one for one in found if is_known(one)))
    if len(known) <= most:
        return known
    return [known[(2 * at + 1) * len(known) // (2 * most)] for at in range(most)]


def quoted(sign: str) -> str:
    return '"' + sign.replace('"', '""') + '"'


def any_of(signs: Iterable[str]) -> str:
    return "(" + " OR ".join(found) + ")" if (found := [quoted(one) for one in signs]) else ""


def all_of(parts: Iterable[str]) -> str:
    return " AND ".join(part for part in parts if part)


def any_of_all(spellings: Sequence[Sequence[str]]) -> str:
    """One of the spellings, of which all trigrams are there; "" if one of them has none."""
    parts = {"(" + all_of(map(quoted, one)) + ")" for one in spellings}
    return "" if "()" in parts else "(" + " OR ".join(sorted(parts)) + ")"


def block_sign(number: int) -> str:
    return "\ue002" + chr(0xE100 + number // 4096 % 4096) + chr(0xE100 + number % 4096)


def chat_sign(chat_id: str) -> str:
    return "\ue000" + _code(chat_id)


def sender_sign(user_id: str) -> str:
    return "\ue001" + _code(user_id)


def _code(id_: str) -> str:
    first, second, third, fourth = (ord(char) % 64 for char in ("0000" + id_)[-4:])
    return chr(0xE100 + first * 64 + second) + chr(0xE100 + third * 64 + fourth)


def day_signs(day: date, until: date) -> Iterator[str]:
    """Signs of which every day of this time has exactly one: months, and at the ends days."""
    while day <= until:
        year, month = chr(0xE100 + day.year % 4096), chr(0xE100 + day.month)
        end = day.replace(day=monthrange(day.year, day.month)[1])
        if day.day == 1 and end <= until:
            yield "\ue003" + year + month
            day = end
        else:
            yield year + month + chr(0xE100 + day.day)
        day += timedelta(days=1)
