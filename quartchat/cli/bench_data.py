"""Made-up talk for benchmarks: five scripts, words as rare and common as in real languages,
chats and authors of very different size. The same seed makes the same talk."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from quartchat.events import rfc3339

SEED = 20260101
START, SPAN = 1_700_000_000, 3 * 365 * 86_400  # seconds: three years of talk
CHATS, AUTHORS = 1000, 5000
MEMBER, NEWCOMER = "bench-member", "bench-newcomer"  # of all chats, and of some small ones
SMALL_CHATS = range(900, 920)


@dataclass(frozen=True, slots=True)
class Language:
    words: Sequence[str]  # the most common first
    weights: Sequence[float]  # cumulated
    between: str
    share: float


def languages(rnd: random.Random) -> list[Language]:
    han = [chr(0x4E00 + 5 * number) for number in range(3000)]
    pairs = ["".join(rnd.choices(han, k=2)) for _ in range(20_000)]
    return [
        _language(_spelled(rnd, "tnshrdlcmwfgypbvk", "eaoiu", 40_000), " ", 0.55),
        _language(_spelled(rnd, "тнсвлркмдпбгзчйж", "оеаиуыя", 30_000), " ", 0.25),
        _language(_spelled(rnd, "τσνκλρπμδγ", "αειουη", 8000), " ", 0.05),
        _language(_spelled(rnd, "بتجدرسعلمنه", "اوي", 8000), " ", 0.05),
        _language([*han, *pairs], "", 0.1),
    ]


def _language(words: Sequence[str], between: str, share: float) -> Language:
    weights = list(accumulate(1 / (place + 2.7) ** 1.05 for place in range(len(words))))
    return Language(words, weights, between, share)


def _spelled(rnd: random.Random, consonants: str, vowels: str, number: int) -> list[str]:
    """Different words of one to four syllables, the common ones short."""
    words: dict[str, None] = {}
    while len(words) < number:
        syllables = 1 + int(3 * (len(words) / number) ** 0.3 + rnd.random())
        spelled = (
            rnd.choice(consonants) + rnd.choice(vowels) + rnd.choice(["", "", *consonants[:6]])
            for _ in range(syllables)
        )
        words["".join(spelled)] = None
    return list(words)


class Talk:
    """Rows of users, chats, members and messages."""

    def __init__(self) -> None:
        self._rnd = random.Random(SEED)  # noqa: S311  (nothing secret)
        self.languages = languages(self._rnd)
        self.chats = [f"{number:04x}{self._rnd.getrandbits(80):020x}" for number in range(CHATS)]
        self.authors = [f"{self._rnd.getrandbits(96):024x}" for _ in range(AUTHORS)]

    def users(self) -> list[dict[str, Any]]:
        made = {"is_admin": False, "created_at": float(START)}
        return [
            {"id": user_id, "name": f"bench {n}", "name_key": f"bench {n}", **made}
            for n, user_id in enumerate([MEMBER, NEWCOMER, *self.authors])
        ]

    def rooms(self) -> list[dict[str, Any]]:
        made = {"kind": "group", "public": False, "history": "all", "created_at": float(START)}
        return [
            {"id": chat_id, "title": f"Room {number}", "created_by": MEMBER, **made}
            for number, chat_id in enumerate(self.chats)
        ]

    def members(self) -> list[dict[str, Any]]:
        small = [(self.chats[number], NEWCOMER) for number in SMALL_CHATS]
        both = [*((chat_id, MEMBER) for chat_id in self.chats), *small]
        made = {"role": "member", "since": 1, "read_upto": 1}
        return [{"chat_id": chat_id, "user_id": user_id, **made} for chat_id, user_id in both]

    def messages(self, number: int) -> Iterator[dict[str, Any]]:
        """So many, evenly over the time, oldest first."""
        rnd, step = self._rnd, SPAN * 1_000_000 // number
        in_chats = list(accumulate(1 / (place + 1) for place in range(CHATS)))
        by_authors = list(accumulate(1 / (place + 1) ** 0.9 for place in range(AUTHORS)))
        shares = list(accumulate(language.share for language in self.languages))
        for place in range(number):
            event_id = START * 1_000_000 + place * step + rnd.randrange(step)
            [language] = rnd.choices(self.languages, cum_weights=shares)
            yield {
                "event_id": event_id,
                "chat_id": rnd.choices(self.chats, cum_weights=in_chats)[0],
                "sender_id": rnd.choices(self.authors, cum_weights=by_authors)[0],
                "content": self._text(language),
                "timestamp": rfc3339(event_id / 1_000_000),
                "mentions": "[]",
            }

    def _text(self, language: Language) -> str:
        number = min(80, 1 + int(self._rnd.lognormvariate(2.1, 0.8)))
        said = self._rnd.choices(language.words, cum_weights=language.weights, k=number)
        smile = chr(0x1F600 + min(60, int(self._rnd.paretovariate(1))))
        return language.between.join(said) + (f" {smile}" if self._rnd.random() < 0.05 else "")
