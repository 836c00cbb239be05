"""From what was measured to what is wrong: one rule for each thing that breaks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from quartchat.doctor import judge_streams, judge_time
from quartchat.doctor.findings import KINDS
from quartchat.doctor.judge_time import shown_status
from quartchat.doctor.measured import Measured
from quartchat.doctor.verdict import Finding, Verdict, Way, Weight

Rule = Callable[[Measured], Iterator[Finding]]
GATEWAY = (502, 503, 504)
SLOW_MS = 1000
# (what must pass at least, in bytes): less than this and something of quartchat suffers.
NEEDED = {"up": 16_000, "down": 64_000, "url": 2_000, "header": 4_000}


def judge(m: Measured) -> Verdict:
    """The verdict; findings come in the order of their weight, the heaviest first."""
    rules = BEFORE if m.ping.why else RULES
    found = [finding for rule in rules for finding in rule(m)]
    if not m.ping.why and any(KINDS[one.name].weight > Weight.NOTE for one in found):
        found += plain_http(m)
    found.sort(key=lambda one: -KINDS[one.name].weight)
    ways = judge_streams.ways(m)
    return Verdict(m, ways, found, _outcome(m, ways, found))


def _outcome(m: Measured, ways: list[Way], found: list[Finding]) -> int:
    if not any(way.state in ("works", "hindered") for way in ways):
        return 2
    return int(not m.is_whole or any(KINDS[one.name].weight > Weight.NOTE for one in found))


def reach(m: Measured) -> Iterator[Finding]:
    """Why not even a small request is answered by the server."""
    status = m.ping.status
    if any(not one.why for one in m.posts.values()):
        yield Finding("only_posts", {"status": shown_status(status)})
        return
    named = {407: "proxy_login", 511: "captive"}.get(status)
    if named or (m.ping.why == "refused" and status in GATEWAY):
        yield Finding(named or "gateway", {"status": shown_status(status)})
    elif m.ping.why == "refused" and status == 404:
        yield Finding("not_quartchat")
    elif m.ping.why != "untried":
        names = {"html": "captive", "changed": "not_quartchat", "denied": "connect_denied"}
        name = names.get(m.ping.why, m.ping.why)
        yield Finding("ping_cut" if name == "cut" else name, {"status": shown_status(status)})


def certificate(m: Measured) -> Iterator[Finding]:
    if not m.trusted:
        yield Finding("untrusted", {"issuer": m.issuer or "?"})


def websocket(m: Measured) -> Iterator[Finding]:
    names = {
        "refused": "upgrade_refused",
        "html": "upgrade_refused",
        "unreachable": "upgrade_refused",
        "denied": "connect_denied",
        "silent": "frames_swallowed" if m.socket.is_open else "upgrade_hangs",
        "cut": "socket_cut" if m.socket.is_open else "upgrade_refused",
        "changed": "frames_changed",
    }
    if m.socket.why in names:
        yield Finding(names[m.socket.why], {"status": shown_status(m.socket.status)})


def sending(m: Measured) -> Iterator[Finding]:
    bad = [name for name, one in m.posts.items() if one.why not in ("", "untried", "busy")]
    if bad and len(bad) == len(m.posts):
        yield Finding("posts_refused", {"status": shown_status(m.posts[bad[0]].status)})
    elif bad:
        yield Finding("post_kinds", {"kinds": ", ".join(bad)})
    if m.repeated > 1:
        yield Finding("repeats", {"n": m.repeated})
    if not m.own:
        yield Finding("host_changed", _hosts(m))


def _hosts(m: Measured) -> dict[str, str]:
    return {"sent": urlsplit(m.url).netloc, "seen": m.seen.host if m.seen else "?"}


def headers(m: Measured) -> Iterator[Finding]:
    if m.lost:
        yield Finding("headers_lost", {"names": ", ".join(m.lost)})
    seen = m.seen
    if seen and seen.forwarded and not seen.believed and seen.near:
        yield Finding("not_believed")


def caching(m: Measured) -> Iterator[Finding]:
    if m.cached:
        yield Finding(f"cached_{m.cached}")


def words(m: Measured) -> Iterator[Finding]:
    if m.words:
        yield Finding("words", {"words": ", ".join(m.words)})


def alone(m: Measured) -> Iterator[Finding]:
    if m.parallel.why not in ("", "untried", "busy"):
        yield Finding("alone", {"status": shown_status(m.parallel.status)})


def limits(m: Measured) -> Iterator[Finding]:
    for name, limit in m.limits.items():
        if limit.failed and limit.passed < NEEDED[name]:
            yield Finding(f"limit_{name}", {"low": limit.passed, "high": limit.failed})


def unsteady(m: Measured) -> Iterator[Finding]:
    if m.failed:
        yield Finding("unsteady", {"n": m.failed, "all": m.asked})
    if m.throttled:
        yield Finding("throttled", {"status": shown_status(m.throttled)})


def slow(m: Measured) -> Iterator[Finding]:
    if m.rtt > SLOW_MS:
        yield Finding("slow", {"ms": round(m.rtt)})


def plain_http(m: Measured) -> Iterator[Finding]:
    if m.url.startswith("http:"):
        yield Finding("plain_http")


def busy(m: Measured) -> Iterator[Finding]:
    tried = (m.poll, m.parallel, *m.posts.values()), (m.socket,), m.streams.values()
    if any(one.why == "busy" for ones in (*tried, m.idle.values()) for one in ones):
        yield Finding("busy")


BEFORE: tuple[Rule, ...] = (certificate, reach)
RULES: tuple[Rule, ...] = (
    certificate,
    websocket,
    judge_streams.streams,
    judge_time.idle,
    sending,
    headers,
    caching,
    words,
    alone,
    limits,
    unsteady,
    slow,
    busy,
)
