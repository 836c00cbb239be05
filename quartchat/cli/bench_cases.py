"""The searches that are timed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from quartchat.chat.search import Query
from quartchat.cli.bench_data import MEMBER, NEWCOMER, SPAN, START, Talk


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    user_id: str
    query: Query


def cases_of(talk: Talk) -> list[Case]:
    latin, cyrillic, greek = ([w for w in lang.words if len(w) > 3] for lang in talk.languages[:3])
    han = talk.languages[-1].words
    common, other, rare = latin[0], cyrillic[0], latin[-400]
    small, tiny = talk.chats[400], talk.chats[-1]
    author, silent = talk.authors[300], talk.authors[-1]
    month = {"since": date(2024, 2, 1), "until": date(2024, 2, 29)}
    day = {"since": date(2025, 3, 9), "until": date(2025, 3, 9)}
    middle = (START + SPAN // 2) * 1_000_000
    asked: list[tuple[str, dict[str, Any]]] = [
        ("a rare word", {"q": rare}),
        ("a common word", {"q": common}),
        ("a common word, from the middle on", {"q": common, "before": middle}),
        ("a common word in a small chat", {"q": common, "chat_id": small}),
        ("a common word in a tiny chat", {"q": common, "chat_id": tiny}),
        ("a common word by one author", {"q": common, "sender_id": author}),
        ("a common word by a rare author", {"q": common, "sender_id": silent}),
        ("a common word in one month", {"q": common, **month}),
        ("a common word by an author on a day", {"q": common, "sender_id": author, **day}),
        ("a common word until long ago", {"q": common, "until": date(2023, 12, 1)}),
        ("a phrase", {"q": f'"{latin[0]} {latin[1]}"'}),
        ("a phrase that nobody said", {"q": f'"{latin[0]} {latin[1]} {latin[2]} {latin[3]}"'}),
        ("two common words, never together", {"q": f"{common} {other}"}),
        ("ten common words", {"q": " ".join(latin[:10])}),
        ("ten common words of two scripts", {"q": " ".join([*latin[:5], *cyrillic[:5]])}),
        ("a word of common trigrams", {"q": latin[0][:3] + latin[1][-3:] + latin[2][:3]}),
        ("long nonsense", {"q": "".join(latin[:40])[:200]}),
        ("without a common word", {"q": f"{common} -{common[:3]}"}),
        ("one letter", {"q": "q"}),
        ("one common letter", {"q": "a"}),
        ("two letters", {"q": "ta"}),
        ("two letters of which few", {"q": "kk"}),
        ("two letters of two scripts", {"q": "ta но"}),
        ("ten letters", {"q": "a e i o u t n s r q"}),
        ("two letters in a small chat", {"q": "ta", "chat_id": small}),
        ("one Chinese sign", {"q": han[1500]}),
        ("a rare Chinese word", {"q": han[-1]}),
        ("a common Greek word", {"q": greek[0]}),
        ("an emoji", {"q": "\U0001f602"}),
        ("nothing at all", {"q": "quartzxyz"}),
    ]
    few = ("a rare word", "a common word", "two common words, never together", "one letter")
    mine = [Case(name, MEMBER, Query(**query)) for name, query in asked]
    theirs = [(f"{name}, small chats", query) for name, query in asked if name in few]
    return mine + [Case(name, NEWCOMER, Query(**query)) for name, query in theirs]
