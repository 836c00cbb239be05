"""What the signs in a message's text mean: a small Markdown for chats.

Emphasis, strong, strikethrough, code, quotes, lists, links and mentions; each line break is one.
No HTML, images, headings, tables, rules or indented code: such lines stay as they were typed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, blockquote, fence, list_block
from markdown_it.token import Token

from quartchat.chat import markdown_links as links
from quartchat.chat import markdown_signs as signs

PLAIN_MOST = 2000
"""As many characters of a message `plain` looks at."""

Rule = Callable[[StateBlock, int, int, bool], bool]

# Deeper quotes and lists (two levels each) stay text.
_DEEPEST = 8
_UNWANTED = {
    **dict.fromkeys([*range(9), 11, 12, *range(14, 32), 127]),
    **dict.fromkeys(range(0xD800, 0xE000), "\ufffd"),
}
_BREAK = re.compile(r"\r\n?")
_MARKER = r"(?:[-*]|(?:0|[1-9][0-9]{0,8})[.)])[ \t]+"
# `1. ` alone, `- - -` and `25. 12. 2024` are no lists; `>_<` is no quote.
_ITEM = re.compile(rf"{_MARKER}(?=\S)(?![-*](?:[ \t]|$)|[0-9]+[.)](?:[ \t]|$))")
_QUOTE = re.compile(r"(?:>[ \t]?)*>[ \t]+\S")
_FENCE = re.compile(r"`{3,}[ \t]*[A-Za-z0-9+#.-]{0,30}[ \t]*$")
_BARE_FENCE = re.compile(r"`+[ \t]*$")
_FENCE_END = re.compile(r"^[ \t>]*`{3,}[ \t]*$", re.MULTILINE)
_MEANS = re.compile(rf"[*_~`\[@]|https?://|^[ \t]*\\?(?:>|{_MARKER})", re.IGNORECASE | re.MULTILINE)


def cleaned(content: str) -> str:
    """The text without control characters, its line ends as `\\n`, none at its edges."""
    return _BREAK.sub("\n", content.translate(_UNWANTED)).strip("\n")


def has_signs(text: str) -> bool:
    """False where parsing would find nothing but text and line breaks."""
    return _MEANS.search(text) is not None


def parse(text: str) -> list[Token]:
    """Tokens of cleaned text, as markdown-it makes them, with two of our own: `mention`, and
    `link_open` whose `info` is `auto` for a bare address. The `info` of an item of an ordered
    list is its number."""
    ends = [match.start() for match in _FENCE_END.finditer(text)]
    return _PARSER.parse(text, {"last_fence": ends[-1] if ends else -1})


def plain(content: str) -> str:
    """The beginning of a message without its signs, in one line."""
    text = cleaned(content[:PLAIN_MOST])
    if has_signs(text):
        text = "".join(_words(parse(text)))
    return " ".join(text.split())


def _words(tokens: Iterable[Token]) -> Iterator[str]:
    for token in tokens:
        if token.type == "inline":
            yield from _words(token.children or ())
        elif token.type == "list_item_open":
            yield f" {token.info}. " if token.info else " "
        elif token.block or token.type == "softbreak":
            yield f" {token.content} "
        else:
            yield token.content


def paragraph(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Lines up to an empty one, or one that begins something else, with their spaces. A line
    below a quote or beside a list is no part of it."""
    parent, state.parentType = state.parentType, "paragraph"
    line = start + 1
    while line < end and not _ends_paragraph(state, line, end):
        line += 1
    state.parentType = parent
    state.line = line
    state.push("paragraph_open", "p", 1).map = [start, line]
    inline = state.push("inline", "", 0)
    inline.content = state.getLines(start, line, state.blkIndent, False)
    inline.map, inline.children = [start, line], []
    state.push("paragraph_close", "p", -1)
    return True


def _ends_paragraph(state: StateBlock, line: int, end: int) -> bool:
    if state.isEmpty(line) or state.sCount[line] < state.blkIndent:
        return True
    return any(rule(state, line, end, True) for rule in state.md.block.ruler.getRules("paragraph"))


def _fits(state: StateBlock, line: int, sign: re.Pattern[str]) -> bool:
    start = state.bMarks[line] + state.tShift[line]
    is_indented = state.sCount[line] - state.blkIndent >= 4
    return not is_indented and sign.match(state.src, start, state.eMarks[line]) is not None


def _only(rule: Rule, sign: re.Pattern[str]) -> Rule:
    """The rule where the line begins with the sign, neither too deep inside of others nor behind
    too many."""

    def gate(state: StateBlock, start: int, end: int, silent: bool) -> bool:
        if state.level > _DEEPEST or not _fits(state, start, sign):
            return False
        return (silent or links.count(state.env)) and rule(state, start, end, silent)

    return gate


def _closed_fence(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    # Backticks that end behind text are those of code inside of a line; a word behind backticks
    # that nothing ends is no language.
    behind = state.eMarks[start]
    is_closed = state.env["last_fence"] > behind
    is_bare = _fits(state, start, _BARE_FENCE) and state.src.rfind("```") < behind
    return (is_closed or is_bare) and fence(state, start, end, silent)


def _ends_quote(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    return silent


def _ends_list(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    return silent and not _fits(state, start, _ITEM)


def _parser() -> MarkdownIt:
    parser = MarkdownIt("zero")
    # The rules bound how deep blocks stand in each other; the parser drops what is deeper.
    parser.options["maxNesting"] = 100
    block, inline = parser.block.ruler, parser.inline.ruler
    everywhere = ["paragraph", "blockquote", "list"]
    block.at("fence", _only(_closed_fence, _FENCE), {"alt": everywhere})
    block.at("blockquote", _only(blockquote, _QUOTE), {"alt": everywhere})
    block.at("list", _only(list_block, _ITEM), {"alt": ["paragraph", "blockquote"]})
    block.at("paragraph", paragraph)
    block.push("end_of_quote", _ends_quote, {"alt": ["blockquote"]})
    block.push("end_of_list", _ends_list, {"alt": ["list"]})
    inline.at("text", signs.text)
    inline.at("newline", signs.newline)
    inline.at("escape", signs.backslash)
    inline.at("backticks", signs.code)
    inline.at("emphasis", signs.signs)
    inline.at("link", links.link)
    inline.push("address", links.address)
    inline.push("mention", links.mention)
    parser.enable(["fence", "blockquote", "list", "newline", "escape", "backticks", "link"])
    parser.enable("emphasis")
    parser.inline.ruler2.enable("strikethrough")
    return parser


_PARSER = _parser()
