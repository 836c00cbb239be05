"""The text of messages as HTML: parsed, rendered, and sanitised whatever the parser did."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from markdown_it.token import Token
from markupsafe import Markup, escape

from quartchat.chat.markdown import cleaned, has_signs, parse, plain

__all__ = ["body", "plain"]

TAGS = {"a", "b", "blockquote", "br", "code", "em", "li", "ol", "pre", "s", "strong", "ul"}
ATTRIBUTES = {
    "a": {"href", "dir"},
    "b": {"class"},
    "code": {"class"},
    "li": {"value"},
    "pre": {"tabindex"},
}
_REL = "noopener noreferrer nofollow"
_LANGUAGE = re.compile(r"[a-z0-9+#.-]{1,30}")
_CLASS = re.compile(rf"mention|language-{_LANGUAGE.pattern}")


def body(content: str, mentions: Iterable[str] = ()) -> Markup:
    """A message's text as one line of HTML. `mentions`: ids of those mentioned; where there are
    any, `@words` outside of code and links are marked."""
    text = cleaned(content)
    if not has_signs(text):
        return Markup("<br>").join(text.split("\n"))
    mark = any(True for _ in mentions)
    return _sanitised("".join(_blocks(parse(text), mark=mark)))


def _sanitised(html: str) -> Markup:
    import nh3  # noqa: PLC0415  (1.6 MB, for the first text with signs)

    clean = nh3.clean(
        html,
        tags=TAGS,
        clean_content_tags=set(),
        attributes=ATTRIBUTES,
        attribute_filter=_kept,
        url_schemes={"http", "https"},
        link_rel=_REL,
        # What is too wide is scrolled, also by keys.
        set_tag_attribute_values={"a": {"target": "_blank"}, "pre": {"tabindex": "0"}},
    )
    # Breaks in code are the only ones; a fragment is one line.
    return Markup(clean.replace("\n", "&#10;"))  # noqa: S704  (sanitised)


def _kept(tag: str, attribute: str, value: str) -> str | None:
    """Whoever wrote the text can take on none of the page's own classes."""
    return value if attribute != "class" or _CLASS.fullmatch(value) else None


def _blocks(tokens: Iterable[Token], *, mark: bool) -> Iterator[str]:
    above: int | None = None  # the line below the paragraph that stands right above
    for token in tokens:
        if token.type == "inline":
            yield from (_inline(child, mark=mark) for child in token.children or ())
        elif token.type == "paragraph_open":
            start, end = token.map or (0, 0)
            yield "" if above is None else "<br>" * (start - above + 1)
            above = end
        elif token.type != "paragraph_close":
            above = None
            yield _fence(token) if token.type == "fence" else _tag(token)


def _inline(token: Token, *, mark: bool) -> str:
    if token.type == "softbreak":
        return "<br>"
    if token.type == "code_inline":
        return f"<code>{'<br>'.join(map(escape, token.content.split(chr(10))))}</code>"
    if token.type == "link_open":
        way = ' dir="ltr"' if token.info == "auto" else ""
        return f'<a href="{escape(token.attrs["href"])}"{way}>'
    if token.type == "mention" and mark:
        return f'<b class="mention">{escape(token.content)}</b>'
    return _tag(token) if token.nesting else escape(token.content)


def _tag(token: Token) -> str:
    if token.nesting < 0:
        return f"</{token.tag}>"
    return f'<li value="{int(token.info)}">' if token.info else f"<{token.tag}>"


def _fence(token: Token) -> str:
    language = token.info.strip().lower()
    named = f' class="language-{language}"' if _LANGUAGE.fullmatch(language) else ""
    return f"<pre><code{named}>{escape(token.content)}</code></pre>"
