from __future__ import annotations

import re
import uuid
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quartchat.errors import Invalid
from quartchat.imports.irc import IrcLine, Unreadable, day_of, read_irc

REAL = Path(__file__).parents[3] / "shared" / "data" / "irc"


def read(
    folder: Path, content: bytes, name: str = "2004-12-25.txt", longest: int = 8000
) -> list[IrcLine | Unreadable]:
    path = folder / name
    path.write_bytes(content)
    return list(read_irc(path, longest=longest))


def one(folder: Path, content: bytes) -> IrcLine:
    (line,) = read(folder, content)
    assert isinstance(line, IrcLine)
    return line


def times(folder: Path, *lines: str) -> list[str]:
    read_lines = read(folder, "\n".join(lines).encode())
    return [
        line.at.strftime("%d %H:%M:%S.%f")[:-3] for line in read_lines if isinstance(line, IrcLine)
    ]


@pytest.mark.parametrize(
    ("raw", "kind", "nick", "text"),
    [
        ("[09:14] <ada> hello  there", "message", "ada", "hello  there"),
        ("[09:14] <ada>   indented ", "message", "ada", "  indented"),
        ("[09:14:59] <ada> hello", "message", "ada", "hello"),
        ("[09:14] <@ada> hello", "message", "ada", "hello"),
        ("[09:14] < ada> hello", "message", "ada", "hello"),
        ("[09:14] <a|d[a]> <b> quoted", "message", "a|d[a]", "<b> quoted"),
        ("[09:14] <ada> === not a join", "message", "ada", "=== not a join"),
        ("[09:14]  * ada waves", "action", "ada", "waves"),
        ("[09:14] * ada waves", "action", "ada", "waves"),
        ("=== ada waves", "action", "ada", "waves"),
        ("[09:14] -ada:#ubuntu- mind the gap", "notice", "ada", "mind the gap"),
        ("=== ada [~a@host]  has joined #ubuntu", "join", "ada", "#ubuntu"),
        ("=== [ada]  [~a@host]  has joined #ubuntu", "join", "[ada]", "#ubuntu"),
        ("=== [A] da [~a@host]  has joined #ubuntu", "join", "[A]da", "#ubuntu"),
        ('=== ada [~a@host]  has left #ubuntu ["Bye"]', "part", "ada", '["Bye"]'),
        ("=== ada [~a@host] has quit [gone]", "quit", "ada", "[gone]"),
        ("=== ada is now known as bob", "nick", "ada", "bob"),
        ("=== ada was kicked off #ubuntu by bob (flood)", "kick", "ada", "by bob (flood)"),
        ("=== mode/#ubuntu [+o ada]  by ChanServ", "mode", "ChanServ", "+o ada"),
        ("=== ada changed the topic of #ubuntu to: News", "topic", "ada", "News"),
    ],
)
def test_a_line_is_told_by_its_form(
    tmp_path: Path, raw: str, kind: str, nick: str, text: str
) -> None:
    line = one(tmp_path, raw.encode())
    assert (line.kind, line.nick, line.text) == (kind, nick, text)
    assert line.is_said is (kind in ("message", "action", "notice"))


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"[09:14] <ada>", "no text"),
        (b"[09:14] <ada>     ", "no text"),
        (b"[09:14] <ada> \x02\x03", "no text"),
        (b"[09:14]  * ada", "no text"),
        (b"[09:14] <> hello", "no nick"),
        (b"[25:14] <ada> hello", "neither"),
        (b"[09:60] <ada> hello", "neither"),
        (b"[09:14] ada hello", "neither"),
        (b"hello", "neither"),
        (b"===", "neither"),
        (b"\x00\xff\xfe", "neither"),
    ],
)
def test_a_line_that_cannot_be_taken_over_is_told_with_number_and_reason(
    tmp_path: Path, raw: bytes, why: str
) -> None:
    first, second = read(tmp_path, b"[09:13] <ada> before\n" + raw)
    assert isinstance(first, IrcLine)
    assert isinstance(second, Unreadable)
    assert (second.line_number, second.raw) == (2, raw)
    assert why in second.why


def test_empty_lines_count_but_are_left_out(tmp_path: Path) -> None:
    lines = read(tmp_path, b"\n\r\n[09:14] <ada> hello\r\n   \n")
    assert [line.line_number for line in lines] == [3]


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("naïve – 日本語 🙂".encode(), "naïve – 日本語 🙂"),
        ("naïve – €".encode("cp1252"), "naïve – €"),
        (b"odd \x81 byte \xe9", "odd  byte é"),
        (b"\x02bold\x02 \x0304,01red\x03 \x1funder\x0f", "bold red under"),
        (b"a\x08b\x00c\x1b[0m", "abc[0m"),
        (b"a\tb", "a\tb"),
        ("a\u2028b\u0085c".encode(), "a b c"),
    ],
)
def test_odd_bytes_become_text_that_can_be_shown(tmp_path: Path, raw: bytes, text: str) -> None:
    assert one(tmp_path, b"[09:14] <ada> " + raw).text == text


def test_a_byte_order_mark_hides_no_first_line(tmp_path: Path) -> None:
    assert one(tmp_path, b"\xef\xbb\xbf[09:14] <ada> hello").text == "hello"


def test_lines_of_one_minute_keep_their_order(tmp_path: Path) -> None:
    said = times(tmp_path, "[09:14] <a> 1", "[09:14] <b> 2", "=== c waves", "[09:15] <a> 3")
    assert said == ["25 09:14:00.000", "25 09:14:00.001", "25 09:14:00.002", "25 09:15:00.000"]


def test_what_has_no_time_happened_at_the_time_before_or_the_first(tmp_path: Path) -> None:
    said = times(tmp_path, "=== a waves", "[09:14] <a> 1", "[09:20] <a> 2", "=== b waves")
    assert said[0] == "25 09:14:00.000"
    assert said[1] == "25 09:14:00.001"
    assert said[3] == "25 09:20:00.001"


def test_past_midnight_the_next_day_begins(tmp_path: Path) -> None:
    said = times(tmp_path, "[23:59] <a> 1", "[00:00] <a> 2", "[23:58] <a> 3", "[00:01] <a> 4")
    assert said == ["25 23:59:00.000", "26 00:00:00.000", "26 23:58:00.000", "27 00:01:00.000"]


def test_a_clock_of_twelve_hours_turns_at_noon(tmp_path: Path) -> None:
    assert times(tmp_path, "[09:14] <a> 1", "[11:55] <a> 2", "[00:05] <a> 3", "[01:00] <a> 4") == [
        "25 09:14:00.000",
        "25 11:55:00.000",
        "25 12:05:00.000",
        "25 13:00:00.000",
    ]


def test_a_clock_that_was_set_back_a_little_turns_no_day_and_no_order(tmp_path: Path) -> None:
    said = times(tmp_path, "[14:30] <a> 1", "[13:31] <a> 2", "[14:29] <a> 3", "[14:31] <a> 4")
    assert said == ["25 14:30:00.000", "25 14:30:00.001", "25 14:30:00.002", "25 14:31:00.000"]


def test_a_text_that_is_too_long_comes_in_parts_and_whole(tmp_path: Path) -> None:
    lines = read(tmp_path, b"[09:14] <ada> " + b"0123456789" * 5, longest=20)
    parts = [line for line in lines if isinstance(line, IrcLine)]
    assert "".join(part.text for part in parts) == "0123456789" * 5
    assert [len(part.text) for part in parts] == [20, 20, 10]
    assert len({part.key for part in parts}) == 3
    assert {part.line_number for part in parts} == {1}


def test_a_line_without_end_is_not_held_in_memory_and_the_next_is_read(tmp_path: Path) -> None:
    long = b"[09:14] <ada> " + b"x" * 1_000_000
    first, second = read(tmp_path, long + b"\n[09:15] <ada> hello")
    assert isinstance(first, Unreadable)
    assert len(first.raw) == 64 * 2**10
    assert isinstance(second, IrcLine)
    assert second.line_number == 2


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("2004-12-25.train-c.raw.txt", date(2004, 12, 25)),
        ("#ubuntu_20041225.log", date(2004, 12, 25)),
        ("ubuntu.2004_12_25", date(2004, 12, 25)),
        ("v2-2024-02-29.txt", date(2024, 2, 29)),
        ("9999-99-99 2004-12-25.txt", date(2004, 12, 25)),
    ],
)
def test_the_day_is_in_the_name(name: str, day: date) -> None:
    assert day_of(name) == day


@pytest.mark.parametrize("name", ["ubuntu.txt", "2004-13-25.txt", "2023-02-29.txt", "12004122512"])
def test_a_name_without_a_day_is_refused_before_anything_is_read(name: str) -> None:
    with pytest.raises(Invalid, match=re.escape(name)):
        read_irc(Path("/nowhere") / name)


def test_the_keys_are_the_same_on_every_reading_and_differ_between_lines(tmp_path: Path) -> None:
    content = b"[09:14] <ada> hello\n[09:14] <ada> hello\n"
    keys = [line.key for line in read(tmp_path, content) if isinstance(line, IrcLine)]
    assert keys == [x.key for x in read(tmp_path, content) if isinstance(x, IrcLine)]
    assert len(set(keys)) == 2
    assert all(uuid.UUID(key).version == 5 for key in keys)


def test_a_log_that_grew_keeps_the_keys_that_it_had(tmp_path: Path) -> None:
    before = one(tmp_path, b"[09:14] <ada> hello")
    after = read(tmp_path, b"[09:14] <ada> hello\r\n[09:15] <ada> more\r\n")
    assert after[0] == before


def test_another_name_is_another_log(tmp_path: Path) -> None:
    content = b"[09:14] <ada> hello"
    first, second = (read(tmp_path, content, name)[0] for name in ("2004-12-25.a", "2004-12-25.b"))
    assert isinstance(first, IrcLine)
    assert isinstance(second, IrcLine)
    assert first.key != second.key


ANY_LINE = st.binary(max_size=40) | st.builds(
    lambda hour, minute, text: b"[%02d:%02d] <ada> " % (hour, minute) + text,
    st.integers(0, 23),
    st.integers(0, 59),
    st.binary(max_size=20),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(ANY_LINE.map(lambda line: line.replace(b"\n", b"")), max_size=20))
def test_whatever_stands_in_a_file_each_line_is_read_or_told_in_order(
    tmp_path: Path, lines: list[bytes]
) -> None:
    found = read(tmp_path, b"\n".join(lines))
    expected = [number for number, line in enumerate(lines, 1) if line.strip()]
    assert [line.line_number for line in found] == expected
    moments = [line.at for line in found if isinstance(line, IrcLine)]
    assert moments == sorted(set(moments))


@pytest.mark.skipif(not REAL.is_dir(), reason="the real logs are not beside the checkout")
def test_the_real_logs_are_read_whole() -> None:
    found = [(path, line) for path in sorted(REAL.glob("*.raw.txt")) for line in read_irc(path)]
    kinds = Counter(line.kind if isinstance(line, IrcLine) else "unreadable" for _, line in found)
    assert kinds == {
        "message": 20738, "action": 168, "notice": 42, "join": 1959, "part": 313, "nick": 507,
        "mode": 28, "kick": 1, "topic": 1, "unreadable": 7,
    }  # fmt: skip
    assert len({line.key for _, line in found if isinstance(line, IrcLine)}) == 23757
    assert {line.why for _, line in found if isinstance(line, Unreadable)} == {
        "The line has no text."
    }


@pytest.mark.skipif(not REAL.is_dir(), reason="the real logs are not beside the checkout")
def test_the_oldest_real_log_has_a_clock_of_twelve_hours() -> None:
    *_, last = read_irc(REAL / "2004-12-25.train-c.raw.txt")
    assert isinstance(last, IrcLine)
    assert last.at.replace(microsecond=0) == datetime(2004, 12, 25, 18, 9, tzinfo=UTC)
