"""The signs inside lines of a message, as rules of the parser: emphasis, code, backslashes.

They are stricter than Markdown's, for people type stars, underscores and backslashes without
meaning anything by them. Each rule takes the parser's state and moves it on, or refuses. Each
looks at a character a bounded number of times.
"""

from __future__ import annotations

import re

from markdown_it.rules_inline import StateInline, backtick, emphasis, strikethrough

from quartchat.chat.markdown_links import LINK, as_typed, count

_STOP = re.compile(
    r"[\n\\`*_~\[]|!(?=\[)|\bhttps?://|(?<![\w@/.])@(?=\w)",
    re.IGNORECASE,
)
_TICKS = re.compile(r"`+")
_RUN = re.compile(r"([*_~])\1*")
_FACE = re.compile(r"(\*+)[_.]+\1")
_SIGNS = {"*", "**", "***", "_", "~~"}
# What may stand outside of a sign that opens or closes, and inside of one that opens: `2*3*4`,
# `-_-`, `*.txt` and `count(*)` are no emphasis.
_BEFORE = re.compile(r"[\s(\[{\"'*_~:|—–«„“‘…]|$")
_AFTER = re.compile(r"[^\w<>=^@#$%&+\\]|_|$")
_INSIDE = re.compile(r"[^.,;:!?)\]}/\\|=^%]")
# A backslash keeps its place unless a sign behind it would begin something: `C:\*.txt`, `\d+`.
_ESCAPE = re.compile(r"\\([*_~`])")
_BEGINS = re.compile(r"(?<![^\s(\[{\"'*_~`])\\([*_~`])(?=\S)")
_ENDS = re.compile(r"(?<=[\w!-/:-@\[-`{-~])\\([*_~`])")
_LINE_SIGN = re.compile(r"(?<![^\n])\\(?=>[ \t]+\S|[-*][ \t]+\S)")


def text(state: StateInline, silent: bool) -> bool:
    """All up to the next character that may mean something."""
    found = _STOP.search(state.src, state.pos, state.posMax)
    return as_typed(state, found.start() if found else state.posMax)


def newline(state: StateInline, silent: bool) -> bool:
    """A break where one was typed; the spaces around it stay."""
    if state.src[state.pos] != "\n":
        return False
    state.push("softbreak", "br", 0)
    state.pos += 1
    return True


def backslash(state: StateInline, silent: bool) -> bool:
    """`\\*so\\*` is `*so*`; where the backslash stays, the sign behind it means nothing."""
    src, at, most = state.src, state.pos, state.posMax
    if src[at] != "\\":
        return False
    if _LINE_SIGN.match(src, at, most) or LINK.match(src, at + 1, most):
        state.pos += 1
        return as_typed(state, state.pos + 1)
    if not (found := _ESCAPE.match(state.src, state.pos, state.posMax)):
        return False
    if _is_meant(state, found[1]):
        state.pos += 1
    return as_typed(state, found.end())


def _is_meant(state: StateInline, sign: str) -> bool:
    escaped: set[str] = state.env.setdefault("escaped", set())
    at = state.pos
    if _BEGINS.match(state.src, at, state.posMax) and state.src.rfind(sign) > at + 1:
        escaped.add(sign)
        return True
    return sign in escaped and _ENDS.match(state.src, at, state.posMax) is not None


def code(state: StateInline, silent: bool) -> bool:
    """Text between equal runs of backticks, its line breaks kept."""
    start = state.pos
    if not (run := _TICKS.match(state.src, start, state.posMax)):
        return False
    if not count(state.env):
        return as_typed(state, run.end())
    backtick(state, silent)
    if state.pos > run.end():
        typed = state.src[run.end() : state.pos - len(run[0])]
        if "\n" in typed:
            state.tokens[-1].content = typed.strip("\n")
    return True


def signs(state: StateInline, silent: bool) -> bool:
    """`*`, `**`, `_` and `~~`, where they stand at the edge of words."""
    if not (run := _RUN.match(state.src, state.pos, state.posMax)):
        return False
    if face := _FACE.match(state.src, state.pos, state.posMax):
        return as_typed(state, face.end())
    opens, closes = _edges(state, run)
    if run[0] not in _SIGNS or not (opens or closes) or not count(state.env):
        return as_typed(state, run.end())
    known = len(state.delimiters)
    (strikethrough if run[1] == "~" else emphasis).tokenize(state, silent)
    for delimiter in state.delimiters[known:]:
        delimiter.open &= opens
        delimiter.close &= closes
    return True


def _edges(state: StateInline, run: re.Match[str]) -> tuple[bool, bool]:
    """Whether the run may open, and whether it may close."""
    before = state.src[run.start() - 1 : run.start()] if run.start() else ""
    after = state.src[run.end() : run.end() + 1]
    # Scripts without spaces between words have their stars inside of what looks like a word.
    splits = run[1] != "_"
    opens = bool(_BEFORE.match(before)) or (splits and _is_foreign(before))
    closes = bool(_AFTER.match(after)) or (splits and _is_foreign(after))
    return opens and bool(_INSIDE.match(after)), closes


def _is_foreign(letter: str) -> bool:
    return letter.isalpha() and not letter.isascii()
