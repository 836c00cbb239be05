"""The verdict in words: as plain text to be copied, as parts for a page, as JSON."""

from __future__ import annotations

import textwrap
from typing import Any

import msgspec

from quartchat.doctor import recipes
from quartchat.doctor.findings import KINDS
from quartchat.doctor.judge import judge
from quartchat.doctor.measured import Measured
from quartchat.doctor.verdict import Finding, Verdict, Way
from quartchat.locale.texts import _, later

WIDTH = 88
NOTEWORTHY_MS = 20
HEADLINES = (
    later("All well: everything gets through."),
    later("Something is hindered, but quartchat works here."),
    later("Nothing gets through: quartchat does not work here."),
)
LABELS = {
    "websocket": later("WebSocket"),
    "stream": later("Stream (fetch)"),
    "sse": later("Server-Sent Events"),
    "poll": later("Long polling"),
    "serial": later("Sending by POST"),
}
STATES = {
    "works": later("works"),
    "hindered": later("hindered"),
    "fails": later("does not work"),
    "untried": later("not tried"),
}


def view(m: Measured) -> dict[str, Any]:
    """All that a report shows, in the language that is spoken now: `outcome` (0, 1, 2), `headline`,
    `url`, `ways`, `facts`, `findings`, `recipes`."""
    verdict = judge(m)
    return {
        "outcome": verdict.outcome,
        "headline": _(HEADLINES[verdict.outcome]),
        "url": m.url,
        "is_whole": m.is_whole,
        "ways": [_way(way) for way in verdict.ways],
        "facts": list(_facts(m)),
        "findings": [_finding(one) for one in verdict.findings],
        "recipes": _recipes(verdict),
    }


def _way(way: Way) -> dict[str, str]:
    parts = []
    if way.first:
        parts.append(_("{ms} ms to the first answer", ms=_ms(way.first)))
    if way.delay >= NOTEWORTHY_MS:
        parts.append(_("{ms} ms added to each event", ms=_ms(way.delay)))
    state = {"state": way.state, "word": _(STATES[way.state])}
    return {"name": way.name, "label": _(LABELS[way.name]), **state, "detail": ", ".join(parts)}


def _ms(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"


def _facts(m: Measured) -> list[str]:
    facts = []
    if m.http:
        facts.append(_("HTTP/{version}, a round trip of {ms} ms", version=m.http, ms=_ms(m.rtt)))
    if m.seen and m.seen.http and m.seen.http != m.http:
        facts.append(_("The server itself is asked by HTTP/{version}", version=m.seen.http))
    if m.proxy:
        facts.append(_("By the proxy {proxy}, as this machine is set", proxy=m.proxy))
    if m.seen and m.seen.via:
        facts.append(_("On the way, as they say of themselves: {via}", via=m.seen.via))
    if m.issuer:
        facts.append(_("The certificate was issued by {issuer}", issuer=m.issuer))
    if m.seconds:
        facts.append(_("Silence was tried for {seconds} s", seconds=f"{m.seconds:g}"))
    elif m.ping.why == "":
        facts.append(_("How long silence is borne was not tried"))
    if not m.is_whole:
        facts.append(_("This was broken off before all was tried"))
    return facts


def _finding(one: Finding) -> dict[str, Any]:
    kind = KINDS[one.name]
    return {
        "name": one.name,
        "weight": kind.weight.name.lower(),
        "says": _(kind.says, **one.params),
        "means": _(kind.means),
        "do": _(kind.do),
        "params": one.params,
    }


def _recipes(verdict: Verdict) -> dict[str, str]:
    """Program -> the lines that mend what was found."""
    kinds = [KINDS[one.name].recipe for one in verdict.findings]
    # TLS is another question than mending what is there.
    wanted = list(dict.fromkeys(kind for kind in kinds if kind and kind != "tls"))
    wanted += [kind for kind in ("tls",) if kind in kinds and not wanted]
    texts = {program: recipes.written(wanted, program) for program in recipes.ORDER}
    return {program: text for program, text in texts.items() if text}


def as_json(m: Measured) -> str:
    shown: dict[str, Any] = {**view(m), "measured": msgspec.to_builtins(m)}
    return msgspec.json.format(msgspec.json.encode(shown), indent=2).decode()


def as_text(m: Measured) -> str:
    shown = view(m)
    parts = [f"{shown['headline']}\n{shown['url']}".strip(), _table(shown), _list(shown["facts"])]
    if shown["findings"]:
        found = (_told(number, one) for number, one in enumerate(shown["findings"], 1))
        parts += [_("What was found"), *found]
    if shown["recipes"]:
        parts.append(_("For whoever runs the server, or a proxy in front of it"))
        parts += [f"{program}:\n{_indented(text)}" for program, text in shown["recipes"].items()]
    return "\n\n".join(filter(None, parts)) + "\n"


def _table(shown: dict[str, Any]) -> str:
    labels = max(len(way["label"]) for way in shown["ways"])
    states = max(len(way["word"]) for way in shown["ways"])
    rows = (
        f"{way['label']:{labels}}  {way['word']:{states}}  {way['detail']}".rstrip()
        for way in shown["ways"]
    )
    return "\n".join(rows)


def _list(lines: list[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _told(number: int, one: dict[str, Any]) -> str:
    says, *rest = filter(None, (one["says"], one["means"], one["do"]))
    paragraphs = [_filled(f"{number}. {says}", first=""), *(_filled(text) for text in rest)]
    return "\n".join(paragraphs)


def _filled(text: str, *, first: str = "   ") -> str:
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent="   ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _indented(text: str) -> str:
    return textwrap.indent(text, "    ")
