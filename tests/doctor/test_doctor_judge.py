"""Judging: what was measured, and what follows from it."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest

from quartchat.doctor import recipes, report
from quartchat.doctor.findings import KINDS
from quartchat.doctor.judge import judge
from quartchat.doctor.measured import Idle, Limit, Measured, Plain, Seen, Socket, Stream, read
from quartchat.doctor.probe.streams import EVENT, Watch
from quartchat.doctor.schedule import FRAMES, LAST, SUMS, event, moments
from quartchat.doctor.verdict import Weight
from quartchat.locale.language import LOCALES, speaking

OK = Plain("", 200, 3)


def well(**more: Any) -> Measured:
    """A way on which everything works, but for what is given."""
    usual: dict[str, Any] = {
        "url": "https://chat.example",
        "is_whole": True,
        "http": "1.1",
        "ping": OK,
        "rtt": 3.0,
        "seconds": 20.0,
        "posts": dict.fromkeys(("text", "json", "form"), OK),
        "poll": OK,
        "parallel": OK,
        "socket": Socket("", is_open=True, first=9, rtt=3),
        "streams": {name: Stream("", 200, 5, 1) for name in ("octet", "sse", "html")},
        "idle": {name: Idle("", 200, 20) for name in ("stream", "beats", "socket", "pings")},
    }
    return Measured(**{**usual, **more})


def names(m: Measured) -> list[str]:
    return [one.name for one in judge(m).findings]


def streams(**more: Any) -> dict[str, Stream]:
    return {**well().streams, **more}


def test_where_all_works_nothing_is_found_and_the_outcome_is_0() -> None:
    verdict = judge(well())
    assert (verdict.findings, verdict.outcome) == ([], 0)
    assert {way.state for way in verdict.ways} == {"works"}


@pytest.mark.parametrize(
    ("socket", "name"),
    [
        (Socket("refused", 400), "upgrade_refused"),
        (Socket("unreachable"), "upgrade_refused"),
        (Socket("cut"), "upgrade_refused"),
        (Socket("denied", 403), "connect_denied"),
        (Socket("silent"), "upgrade_hangs"),
        (Socket("silent", is_open=True), "frames_swallowed"),
        (Socket("cut", is_open=True), "socket_cut"),
        (Socket("changed", is_open=True), "frames_changed"),
    ],
)
def test_what_is_wrong_with_websockets(socket: Socket, name: str) -> None:
    verdict = judge(well(socket=socket))
    assert [one.name for one in verdict.findings] == [name]
    assert (verdict.ways[0].state, verdict.outcome) == ("fails", 1)


@pytest.mark.parametrize(
    ("stream", "name", "state"),
    [
        (Stream("", 200, 3000, held=32_768, whole=True), "held_whole", "fails"),
        (Stream("", 200, 2000, held=1024), "held_bytes", "hindered"),
        (Stream("", 200, 2500, held=4096), "held_much", "fails"),
        (Stream("", 200, 214, delay=212), "late", "hindered"),
        (Stream("", 200, 40, delay=44), None, "works"),
        (Stream("silent"), "stream_silent", "fails"),
        (Stream("refused", 403), "stream_refused", "fails"),
        (Stream("html", 200), "stream_refused", "fails"),
        (Stream("", 200, 4, encoding="gzip"), "compressed", "works"),
    ],
)
def test_what_is_wrong_with_streams(stream: Stream, name: str | None, state: str) -> None:
    verdict = judge(well(streams=streams(octet=stream)))
    assert [one.name for one in verdict.findings] == ([name] if name else [])
    assert verdict.ways[1].state == state
    if name:
        assert verdict.findings[0].params["kinds"] == "application/octet-stream"


def test_types_of_content_that_suffer_the_same_are_told_of_together() -> None:
    held = Stream("", 200, 3000, held=32_768, whole=True)
    [found] = judge(well(streams=streams(sse=held, html=held))).findings
    assert found.params == {"kinds": "text/event-stream, text/html"}


@pytest.mark.parametrize(
    ("idle", "found"),
    [
        ({"stream": Idle("cut", 200, 5.1), "beats": Idle("", 200, 20)}, ["stream_idle"]),
        ({"stream": Idle("cut", 200, 10.2), "beats": Idle("cut", 200, 10.1)}, ["stream_life"]),
        (
            {"stream": Idle("cut", 200, 4), "beats": Idle("cut", 200, 10)},
            ["stream_life", "stream_idle"],
        ),
        ({"stream": Idle("silent", 200, 0.1), "beats": Idle("", 200, 20)}, ["stream_forgotten"]),
        ({"socket": Idle("cut", 0, 61), "pings": Idle("", 0, 70)}, ["socket_idle_late"]),
        ({"pings": Idle("silent", 0, 12)}, ["socket_life"]),
        ({"hold": Idle("refused", 504, 5)}, ["hold_cut"]),
        ({"hold": Idle("refused", 504, 55)}, ["hold_cut_late"]),
        ({"hold": Idle("silent", 0, 28)}, ["hold_forgotten"]),
        ({"hold": Idle("refused", 503, 0.01)}, []),
        ({"hold": Idle("busy", 429, 0.01)}, ["busy"]),
    ],
)
def test_how_long_connections_live(idle: dict[str, Idle], found: list[str]) -> None:
    assert names(well(idle=idle)) == found


def test_a_cut_that_the_heartbeats_forestall_is_a_note() -> None:
    verdict = judge(well(idle={"stream": Idle("cut", 200, 60), "beats": Idle("", 200, 70)}))
    assert (names(verdict.measured), verdict.outcome) == (["stream_idle_late"], 0)


@pytest.mark.parametrize(
    ("ping", "name"),
    [
        (Plain("unreachable"), "unreachable"),
        (Plain("silent"), "silent"),
        (Plain("cut"), "ping_cut"),
        (Plain("html", 200), "captive"),
        (Plain("refused", 511), "captive"),
        (Plain("refused", 407), "proxy_login"),
        (Plain("refused", 502), "gateway"),
        (Plain("refused", 403), "refused"),
        (Plain("refused", 404), "not_quartchat"),
        (Plain("changed", 200), "not_quartchat"),
        (Plain("denied", 403), "connect_denied"),
        (Plain("busy", 429), "busy"),
    ],
)
def test_where_nothing_gets_through_it_is_said_why(ping: Plain, name: str) -> None:
    verdict = judge(Measured(url="http://chat.example", is_whole=True, ping=ping))
    assert ([one.name for one in verdict.findings], verdict.outcome) == ([name], 2)


def test_where_only_posts_get_through_that_is_found() -> None:
    m = Measured(ping=Plain("refused", 403), posts={"text": OK}, is_whole=True)
    assert (names(m), judge(m).outcome) == (["only_posts"], 1)


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ({"posts": {"text": OK, "json": Plain("refused", 403)}}, ["post_kinds"]),
        ({"posts": {"text": Plain("refused", 403)}}, ["posts_refused"]),
        ({"own": False, "seen": Seen(host="127.0.0.1:8000")}, ["host_changed"]),
        ({"lost": ["Cookie"]}, ["headers_lost"]),
        ({"seen": Seen(forwarded=True, near=True)}, ["not_believed"]),
        ({"seen": Seen(forwarded=True, near=True, believed=True)}, []),
        ({"seen": Seen(forwarded=True)}, []),
        ({"cached": "same"}, ["cached_same"]),
        ({"cached": "always"}, ["cached_always"]),
        ({"words": ["chat", "ws"]}, ["words"]),
        ({"changed": ["html"]}, ["changed"]),
        ({"parallel": Plain("refused", 403)}, ["alone"]),
        ({"repeated": 1}, []),
        ({"repeated": 4}, ["repeats"]),
        ({"limits": {"up": Limit(48_000, 0)}}, []),
        ({"limits": {"up": Limit(8_000, 16_000)}}, ["limit_up"]),
        ({"limits": {"url": Limit(2_000, 4_000)}}, []),
        ({"limits": {"header": Limit(0, 1_000)}}, ["limit_header"]),
        ({"failed": 2, "asked": 5}, ["unsteady"]),
        ({"throttled": 503}, ["throttled"]),
        ({"rtt": 5000.0}, ["slow"]),
        ({"trusted": False, "issuer": "Evil"}, ["untrusted"]),
    ],
)
def test_what_is_done_to_requests(more: dict[str, Any], found: list[str]) -> None:
    assert names(well(**more)) == found


def test_plain_http_is_noted_only_beside_something_that_it_would_mend() -> None:
    assert names(well(url="http://chat.example")) == []
    assert names(well(url="http://chat.example", lost=["Cookie"])) == ["headers_lost", "plain_http"]


def test_what_was_broken_off_is_not_called_all_well() -> None:
    m = well(is_whole=False, streams={}, idle={})
    assert judge(m).outcome == 1
    assert "This was broken off before all was tried" in report.as_text(m)


def test_what_stops_all_comes_before_what_is_good_to_know() -> None:
    weights = [KINDS[name].weight for name in names(well(rtt=5000.0, lost=["Cookie"]))]
    assert weights == sorted(weights, reverse=True)


PLACES = {hole for kind in KINDS.values() for hole in re.findall(r"\{(\w+)\}", kind.says)}
PARAMS = dict.fromkeys(PLACES, "7")


@pytest.mark.parametrize("language", LOCALES)
@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_finding_can_be_said_in_every_language(name: str, language: str) -> None:
    kind = KINDS[name]
    with speaking(language):
        said = report._finding(report.Finding(name, PARAMS))
    assert said["says"] and said["means"]
    assert "{" not in said["says"] + said["means"] + said["do"]
    assert not kind.recipe or kind.recipe in recipes.RECIPES


@pytest.mark.parametrize("kind", recipes.RECIPES)
def test_advice_is_there_for_each_of_the_four_programs(kind: str) -> None:
    for program in ("nginx", "HAProxy", "Apache", "Caddy"):
        assert recipes.written([kind], program)


def test_lines_that_several_findings_advise_stand_once() -> None:
    text = recipes.written(["upgrade", "buffering", "delay", "timeouts"], "nginx")
    assert text.count("proxy_http_version 1.1;") == text.count("proxy_buffering off;") == 1
    assert recipes.written(["upgrade", "delay"], "Caddy").count("reverse_proxy") == 1


def test_the_text_holds_all_that_the_report_does() -> None:
    m = well(socket=Socket("refused", 400), seen=Seen(http="1.0", via="1.1 squid"))
    text, shown = report.as_text(m), report.view(m)
    assert shown["headline"] in text
    assert all(part in text for part in ("https://chat.example", "1.1 squid", "HTTP/1.0", "(400)"))
    assert all(f"{program}:" in text for program in shown["recipes"])
    assert all(len(line) <= 100 for line in text.splitlines())


def test_a_report_as_json_holds_what_was_measured() -> None:
    m = well(socket=Socket("refused", 400))
    shown = msgspec.json.decode(report.as_json(m))
    assert read(msgspec.json.encode(shown["measured"])) == m
    assert shown["findings"][0]["name"] == "upgrade_refused"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b'{"by":"somebody"}',
        b'{"ping":{"why":"because"}}',
        b'{"rtt":-1}',
        b'{"issuer":"%s"}' % (b"x" * 200),
        b'{"words":[%s"x"]}' % (b'"x",' * 50),
        b'{"streams":{"else":{}}}',
    ],
)
def test_measurements_of_strangers_are_bounded(raw: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        read(raw)


def sent(kind: str = "octet") -> list[tuple[float, bytes]]:
    """(ms, bytes) of a probing stream, as the server sends it."""
    pieces, total, plan = [], 0, list(moments())
    for number, (at, size) in enumerate(plan):
        last = number == len(plan) - 1
        pieces.append((at * 1000, event(kind, number, at * 1000, size - total, is_last=last)))
        total += len(pieces[-1][1])
    return pieces


def watched(pieces: list[tuple[float, bytes]], rtt: float = 4) -> Stream:
    watch = Watch(rtt)
    for at, piece in pieces:
        if watch.take(piece, at):
            return watch.stream
    return watch.stream


@pytest.mark.parametrize("kind", FRAMES)
def test_a_probing_stream_sends_as_much_as_it_says(kind: str) -> None:
    total = sum(len(piece) for _, piece in sent(kind))
    assert total == SUMS[-1]
    assert len(EVENT.findall(b"".join(piece for _, piece in sent(kind)))) == len(sent(kind))


def test_events_that_come_at_once_are_enough_to_know() -> None:
    pieces = [(at + 5, piece) for at, piece in sent()]
    found = watched(pieces[: LAST + 1])
    assert (found.why, found.held, found.whole, found.first) == ("", 0, False, 5)
    assert found.delay == pytest.approx(1)


def test_a_delay_of_each_event_is_measured() -> None:
    found = watched([(at + 4 + 212, piece) for at, piece in sent()])
    assert (found.held, found.delay) == (0, pytest.approx(212))


def test_a_long_way_is_not_taken_for_one_that_holds_back() -> None:
    found = watched([(at + 5000, piece) for at, piece in sent()], rtt=5000)
    assert (found.held, found.delay) == (0, 0)
    slow_to_connect = watched([(at + 3000, piece) for at, piece in sent()])
    assert slow_to_connect.held == 0


@pytest.mark.parametrize("buffer", [1024, 4096])
def test_a_buffer_is_measured_by_what_comes_in_one_go(buffer: int) -> None:
    pieces, waiting = [], b""
    for at, piece in sent():
        waiting += piece
        if len(waiting) >= buffer:
            pieces.append((at + 4, waiting))
            waiting = b""
    found = watched(pieces)
    assert buffer <= found.held <= buffer * 1.5
    assert not found.whole


def test_what_comes_at_the_end_is_told_as_held_whole() -> None:
    everything = b"".join(piece for _, piece in sent())
    found = watched([(3454, everything[:16_384]), (3456, everything[16_384:])])
    assert (found.whole, found.held) == (True, SUMS[-1])


def test_weights_are_told_by_their_names() -> None:
    assert {report._finding(report.Finding(name, PARAMS))["weight"] for name in KINDS} == {
        weight.name.lower() for weight in Weight
    }
