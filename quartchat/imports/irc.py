"""Channel logs of IRC: one file per day, `[HH:MM] <nick> text`, joins and the like as `=== …`.

What is taken from a line, and how:

- The day is in the file's name; the times are UTC, and never go back: lines of one minute
  are a millisecond apart, so that their order stays. A clock that steps back by more than
  two hours has turned: past midnight, or past noon where no line of the file shows an hour
  above 12 (some old logs have a clock of twelve hours). A smaller step back is ignored.
- Bytes are UTF-8, else Windows-1252, else Latin-1. Colour codes and control characters are
  left out; tabs stay.
- Text longer than `longest` characters comes as several lines, of which nothing is missing.
  A line above 64 KiB is no talk, and is not read.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Literal

from quartchat.errors import Invalid
from quartchat.imports.irc_text import clean, decode

Kind = Literal[
    "message", "action", "notice", "join", "part", "quit", "kick", "nick", "mode", "topic"
]
SAID: frozenset[Kind] = frozenset({"message", "action", "notice"})
NAMESPACE = uuid.UUID("5f3c9d0a-6f0e-5b57-9a53-0d1f3a1c7e42")
LONGEST_LINE = 64 * 2**10
DAY = re.compile(r"(?<!\d)(\d{4})([-_.]?)(\d{2})\2(\d{2})(?!\d)")
STAMP = re.compile(r"\[([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?\] ?")
TIMED: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("message", re.compile(r"<[@+%&~]?\s*(?P<nick>[^>]*?)\s*>(?: (?P<text>.*))?$")),
    ("action", re.compile(r" ?\* (?P<nick>\S+)(?: (?P<text>.*))?$")),
    ("notice", re.compile(r"-(?P<nick>[^\s:]+)(?::\S*)?- (?P<text>.*)$")),
)
HOST = r"=== (?P<nick>.+?) +\[[^\]]*\] +has "
# In the order tried: what is none of the rest is `/me` of older logs.
UNTIMED: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("join", re.compile(HOST + r"joined (?P<text>#\S+)")),
    ("part", re.compile(HOST + r"left #\S+ *(?P<text>.*)$")),
    ("quit", re.compile(HOST + r"quit *(?P<text>.*)$")),
    ("nick", re.compile(r"=== (?P<nick>\S+) is now known as (?P<text>\S+)$")),
    ("kick", re.compile(r"=== (?P<nick>\S+) was kicked off #\S+ (?P<text>by .*)$")),
    ("mode", re.compile(r"=== mode/#\S+ \[(?P<text>[^\]]*)\] +by (?P<nick>\S+)$")),
    ("topic", re.compile(r"=== (?P<nick>\S+) changed the topic of #\S+ to: *(?P<text>.*)$")),
    ("action", re.compile(r"=== (?P<nick>\S+) (?P<text>.*)$")),
)


@dataclass(frozen=True, slots=True)
class IrcLine:
    """One thing that somebody did.

    `text` is what they said; for a join the channel, a part or quit the reason, a nick the new
    one, a kick, mode or topic the rest of it. `at` is strictly increasing in a file. `key` is
    a UUID that is the same whenever the same line of a file of the same name is read.
    """

    kind: Kind
    nick: str
    text: str
    at: datetime
    line_number: int
    key: str

    @property
    def is_said(self) -> bool:
        """Whether it is talk (message, action, notice), not a coming or going."""
        return self.kind in SAID


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A line that cannot be taken over; `raw` is its first 64 KiB, `why` a sentence."""

    line_number: int
    raw: bytes
    why: str


def read_irc(path: Path, *, longest: int = 8000) -> Iterator[IrcLine | Unreadable]:
    """The lines of one log, in its order; empty ones are left out.

    Raises Invalid for a file name without a day, OSError where the file cannot be read.
    """
    day = day_of(path.name)
    with path.open("rb") as file:
        clock = _Clock(day, *_survey(file))
    return _read(path, day, clock, longest)


def day_of(name: str) -> date:
    """The day in a file's name, as 2004-12-25 or 20041225. Raises Invalid without one."""
    for year, _, month, day in DAY.findall(name):
        try:
            return date(int(year), int(month), int(day))
        except ValueError:
            continue
    raise Invalid(
        f"The name of {name!r} has no day in it; name it like 2004-12-25.txt.", field="file"
    )


class _Clock:
    """Turns the times of a log into moments, each later than the one before."""

    def __init__(self, day: date, first: int, twelve_hours: bool) -> None:
        self._midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
        self._turn = 43_200 if twelve_hours else 86_400
        self._turned = 0
        self._second = first
        self._last = self._midnight + timedelta(seconds=first, milliseconds=-1)

    def at(self, second: int | None) -> datetime:
        """The moment of a line that shows this second of the day, or none."""
        if second is not None:
            while second + self._turned < self._second - 7200:
                self._turned += self._turn
            self._second = max(self._second, second + self._turned)
        shown = self._midnight + timedelta(seconds=self._second)
        self._last = max(shown, self._last + timedelta(milliseconds=1))
        return self._last


def _survey(file: BinaryIO) -> tuple[int, bool]:
    """(first second of the day shown, whether no hour is above 12)."""
    first, highest = None, 0
    for raw in _lines(file):
        match = STAMP.match(raw[:16].decode("latin-1"))
        if match:
            first = _second(match) if first is None else first
            highest = max(highest, int(match[1]))
    return first or 0, highest <= 12


def _second(match: re.Match[str]) -> int:
    return int(match[1]) * 3600 + int(match[2]) * 60 + int(match[3] or 0)


def _read(path: Path, day: date, clock: _Clock, longest: int) -> Iterator[IrcLine | Unreadable]:
    with path.open("rb") as file:
        for number, raw in enumerate(_lines(file), 1):
            if len(raw) > LONGEST_LINE:
                yield Unreadable(number, raw[:LONGEST_LINE], "The line is longer than 64 KiB.")
            elif raw.strip():
                yield from _line(raw, number, f"{day}\0{path.name}\0{number}", clock, longest)


def _line(
    raw: bytes, number: int, place: str, clock: _Clock, longest: int
) -> Iterator[IrcLine | Unreadable]:
    line = clean(decode(raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw))
    stamp = STAMP.match(line)
    found = _match(line, stamp)
    if found is None:
        yield Unreadable(number, raw, "The line is neither talk nor a coming or going.")
        return
    kind, nick, text = found
    if not nick or (kind in SAID and not text):
        yield Unreadable(number, raw, "The line has no text." if nick else "The line has no nick.")
        return
    second = _second(stamp) if stamp else None
    for part, start in enumerate(range(0, max(len(text), 1), longest)):
        key = _key(f"{place}\0{part}\0", raw)
        yield IrcLine(kind, nick, text[start : start + longest], clock.at(second), number, key)


def _match(line: str, stamp: re.Match[str] | None) -> tuple[Kind, str, str] | None:
    """(kind, nick, text) of a line, or None."""
    rest, patterns = (line[stamp.end() :], TIMED) if stamp else (line, UNTIMED)
    for kind, pattern in patterns:
        match = pattern.match(rest)
        if match:
            # The logs write a nick that starts with [x] as if that were a word of its own.
            return kind, match["nick"].replace("] ", "]"), (match["text"] or "").rstrip()
    return None


def _key(place: str, raw: bytes) -> str:
    return str(uuid.uuid5(NAMESPACE, place + raw.decode("latin-1")))


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines without their ends; of one above 64 KiB only a beginning that is above it."""
    while raw := file.readline(LONGEST_LINE + 2):
        rest = raw
        while not rest.endswith(b"\n") and rest:
            rest = file.readline(LONGEST_LINE)
        yield raw.rstrip(b"\r\n")
