"""Search without a server: folding, what is asked of the index, pieces of text."""

from __future__ import annotations

import sqlite3
import sys
import unicodedata
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quartchat.chat.search import SNIPPET, matches, read_words, snippet
from quartchat.store.folding import fold, is_known
from quartchat.store.search import word
from quartchat.store.search_signs import day_signs, trigrams

DAYS = st.dates(date(1990, 1, 1), date(2100, 1, 1))


@pytest.mark.slow
def test_the_index_folds_every_known_character_as_the_search_does() -> None:
    """A difference would hide messages."""
    connection = sqlite3.connect(":memory:")
    connection.execute(
        "CREATE VIRTUAL TABLE i USING fts5(x, content='', detail='none', tokenize='trigram')"
    )
    connection.execute("CREATE VIRTUAL TABLE t USING fts5vocab('i', 'instance')")
    chars = [code for code in range(1, sys.maxunicode + 1) if not 0xD800 <= code < 0xE000]
    rows = ((code, chr(code) * 3) for code in chars)
    connection.executemany("INSERT INTO i (rowid, x) VALUES (?, ?)", rows)
    indexed = dict(connection.execute("SELECT doc, term FROM t").fetchall())
    connection.close()
    different = [
        chr(code)
        for code in chars
        if is_known(folded := fold(chr(code))) and indexed[code] != folded * 3
    ]
    assert different == []


@given(st.text())
def test_folding_keeps_places_and_folds_what_is_folded_no_further(text: str) -> None:
    folded = fold(text)
    assert len(folded) == len(text)
    assert fold(folded) == folded


def test_the_letters_of_living_scripts_are_known_to_the_index() -> None:
    for text in (
        "the quick ßØæłş",
        "съешь ещё їжак",
        "τάχιστη ἀλώπηξ",
        "ქართული",
        "հայերեն",
        "天気🎉",
    ):
        assert is_known(fold(text)), text
    assert not is_known("𞤢")


@given(st.text(min_size=3), st.integers(3, 20))
def test_the_trigrams_asked_for_are_some_of_the_word(text: str, most: int) -> None:
    folded = fold(text)
    found = trigrams(folded, most)
    assert len(found) <= most
    assert all(len(one) == 3 and one in folded for one in found)


@given(DAYS, DAYS)
def test_every_day_of_a_time_has_one_of_its_signs_and_no_other_day_has(
    one: date, other: date
) -> None:
    since, until = min(one, other), max(one, other)
    signs = set(day_signs(since, until))
    step = timedelta(days=1)
    for day in (since - step, since, since + (until - since) / 2, until, until + step):
        year, month = chr(0xE100 + day.year % 4096), chr(0xE100 + day.month)
        its = {"\ue003" + year + month, year + month + chr(0xE100 + day.day)}
        assert bool(signs & its) is (since <= day <= until)


def test_composed_and_decomposed_spellings_are_both_looked_for() -> None:
    composed = "É"
    assert set(word(composed).spellings) == {"é", unicodedata.normalize("NFD", "é")}
    assert word("plain").spellings == ("plain",)


@pytest.mark.parametrize(
    ("q", "words", "without"),
    [
        ("one  two", ["one", "two"], []),
        ('"one two" three', ["one two", "three"], []),
        ('one"two three"', ["one", "two three"], []),
        ("one -two", ["one"], ["two"]),
        ('one -"two three"', ["one"], ["two three"]),
        ("well-known", ["well-known"], []),
        ('"never closed', ["never closed"], []),
        ("one - two", ["one", "two"], []),
    ],
)
def test_a_query_is_words_phrases_and_what_is_left_out(
    q: str, words: list[str], without: list[str]
) -> None:
    found = read_words(q)
    assert [one.spellings[0] for one in found[0]] == words
    assert [one.spellings[0] for one in found[1]] == without


def test_a_short_message_is_its_own_snippet_with_every_match_marked() -> None:
    pieces = snippet("Tea for two, two teas", read_words("tea two")[0])
    assert pieces == [
        ("Tea", True),
        (" for ", False),
        ("two", True),
        (", ", False),
        ("two", True),
        (" ", False),
        ("tea", True),
        ("s", False),
    ]


def test_a_long_message_is_shown_around_its_first_match() -> None:
    text = "before " * 100 + "the needle " + "after " * 100
    pieces = snippet(text, read_words("needle")[0])
    assert ("needle", True) in pieces
    assert (pieces[0][0], pieces[-1][0][-1]) == ("…", "…")
    assert len("".join(piece for piece, _ in pieces)) <= SNIPPET + 2


@given(st.text("ab -é", max_size=400), st.sampled_from(["a", "ab", "b a", "é", "a b"]))
def test_a_snippet_is_a_part_of_the_message_with_its_matches(text: str, q: str) -> None:
    words = read_words(q)[0]
    pieces = snippet(text, words)
    whole = "".join(piece for piece, _ in pieces)
    assert whole.strip("…") in text
    assert (len(text) > SNIPPET) or whole == text
    places = matches(text, words)
    assert any(is_match for _, is_match in pieces) is bool(places)
    assert all(end < start for (_, end), (start, _) in pairwise(places))
