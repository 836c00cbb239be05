"""Web addresses and mentions in the lines of a message, as rules of the parser."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from markdown_it.rules_inline import StateInline
from markdown_it.utils import EnvType

# Blocks, signs, links and mentions in one message; what is behind them stays plain text, so that
# a short text cannot become a long page.
MOST_MARKED = 200

# Characters that reorder what stands next to them end a link, so that it shows where it leads.
_BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_ADDRESS = rf"[^\s<>\"\x00-\x1f\x7f{_BIDI}]"
_INNER = rf"[^\s<>\"\x00-\x1f\x7f{_BIDI}()]"
_URL = re.compile(rf"\bhttps?://(?:(?!\]\(){_ADDRESS})+", re.IGNORECASE)
_MENTION = re.compile(r"(?<![\w@/.])@\w(?:[\w.-]*\w)?")
LINK = re.compile(
    rf"!?\[(?P<label>[^\[\]\n]{{0,1000}})\]"
    rf"\((?P<url>https?://(?:{_INNER}|\({_INNER}{{0,1000}}\)){{1,2000}})\)",
    re.IGNORECASE,
)
_PAIRS = {")": "(", "]": "[", "}": "{"}


def link(state: StateInline, silent: bool) -> bool:
    """`[label](https://…)`; an image is a link to it."""
    found = LINK.match(state.src, state.pos, state.posMax)
    if not found or state.linkLevel or not _leads(found["url"]) or _misleads(**found.groupdict()):
        return False
    if not count(state.env):
        return as_typed(state, found.end())
    state.push("link_open", "a", 1).attrs = {"href": found["url"]}
    if found["label"].strip():
        _inside(state, *found.span("label"))
    else:
        state.push("text", "", 0).content = found["url"]
    state.push("link_close", "a", -1)
    state.pos = found.end()
    return True


def _inside(state: StateInline, start: int, end: int) -> None:
    most = state.posMax
    state.pos, state.posMax = start, end
    state.linkLevel += 1
    state.md.inline.tokenize(state)
    state.linkLevel -= 1
    state.posMax = most


def address(state: StateInline, silent: bool) -> bool:
    """A bare web address, without the punctuation of the sentence around it."""
    if not (found := _URL.match(state.src, state.pos, state.posMax)):
        return False
    url = _without_tail(found[0])
    end = state.pos + len(url)
    if state.linkLevel or not _leads(url) or not count(state.env):
        return as_typed(state, end)
    opened = state.push("link_open", "a", 1)
    opened.attrs, opened.info = {"href": url}, "auto"
    state.push("text", "", 0).content = url
    state.push("link_close", "a", -1)
    state.pos = end
    return True


def mention(state: StateInline, silent: bool) -> bool:
    """`@name` outside of words and links."""
    if not (found := _MENTION.match(state.src, state.pos, state.posMax)):
        return False
    if state.linkLevel or not count(state.env):
        return as_typed(state, found.end())
    state.push("mention", "b", 0).content = found[0]
    state.pos = found.end()
    return True


def as_typed(state: StateInline, end: int) -> bool:
    """Moves to `end`; whether that is a move at all."""
    start, state.pos = state.pos, end
    state.pending += state.src[start:end]
    return end > start


def count(env: EnvType) -> bool:
    """Counts one more thing that is marked in a message; whether there was room for it."""
    env["marked"] = env.get("marked", 0) + 1
    return bool(env["marked"] <= MOST_MARKED)


def _leads(url: str) -> bool:
    """Whether the address names a host."""
    try:
        return bool(urlsplit(url).hostname)
    except ValueError:
        return False


def _misleads(label: str, url: str) -> bool:
    """Whether the label is itself an address, and another than the link's."""
    return label != url and ("://" in label or label.lower().lstrip().startswith("www."))


def _without_tail(url: str) -> str:
    extra = {close: url.count(close) - url.count(open_) for close, open_ in _PAIRS.items()}
    end = len(url)
    while end and (extra.get(url[end - 1], 0) > 0 or url[end - 1] in ".,;:!?'*_~"):
        if url[end - 1] in extra:
            extra[url[end - 1]] -= 1
        end -= 1
    return url[:end]
