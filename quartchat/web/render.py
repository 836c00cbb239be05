"""Pages and fragments as HTML, from plain data; no web framework, no request.

Everything that people wrote is escaped here or by the templates' autoescape. A fragment
is the same bytes for every reader, so that it can be made once and shared.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

SHOWN = frozenset(
    {
        "new_message",
        "user_joined",
        "user_left",
        "chat_created",
        "system_message",
        "global_notification",
    }
)
"""The event types that have a place in a page's timeline."""

# Characters that reorder what stands next to them end a link, so that it shows where it leads.
_BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_TOKEN = re.compile(
    rf"(?P<url>\bhttps?://[^\s<>\"\x00-\x1f\x7f{_BIDI}]+)|(?P<mention>(?<![\w@/.])@\w(?:[\w.-]*\w)?)",
    re.IGNORECASE,
)
_INVISIBLE = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 127])
_BREAK = re.compile(r"\r\n|\r|\n")
# Links and mentions in one message; what is behind them stays plain text, so that a short text
# cannot become a long page.
MOST_MARKED = 200
_PAIRS = {")": "(", "]": "[", "}": "{"}


class Renderer:
    """Renders `templates`; addresses of files under `static` carry a hash of their content."""

    def __init__(self, templates: Path, static: Path, site_name: str) -> None:
        self.version = _hash_files(static)
        self._env = Environment(
            loader=FileSystemLoader(templates),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            cache_size=-1,
        )
        self._env.filters |= _FILTERS
        self._env.globals |= {"site_name": site_name, "static_url": self.static_url}
        self._event = self._env.get_template("partials/event.html")

    def page(self, name: str, **context: Any) -> str:
        """The template `name`; raises `jinja2.UndefinedError` where its context lacks a name."""
        return self._env.get_template(name).render(context)

    def fragment(self, event_id: int | None, type_: str, data: Mapping[str, Any]) -> str | None:
        """One line of HTML that shows the event in a timeline; None for a type that has none."""
        if type_ not in SHOWN:
            return None
        html = self._event.render(event_id=event_id, type=type_, data=data)
        return " ".join(line.strip() for line in html.split("\n")).strip()

    def static_url(self, path: str) -> str:
        """`css/a.css` -> `/static/VERSION/css/a.css`, which may be cached for ever: what it
        imports by a relative address carries the version too."""
        return f"/static/{self.version}/{path}"


def person_key(user_id: str) -> str:
    """A short, stable name of a user that is safe in CSS selectors: 12 hex digits."""
    return hashlib.sha256(_bytes(user_id)).hexdigest()[:12]


def person_hue(user_id: str) -> int:
    """A stable hue for a user, 0 to 359 degrees."""
    return int(person_key(user_id)[:8], 16) % 360


def initials(name: str) -> str:
    """`Ada Lovelace` -> `AL`; one letter for one word; `?` where there is no letter at all."""
    words = re.findall(r"[^\W_]+", name)
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper() or "?"


def when(timestamp: str, precision: str = "minute") -> Markup:
    """A `<time>` element with a short text in UTC, to the `minute` or the `day`, for RFC 3339."""
    try:
        moment = datetime.fromisoformat(timestamp).astimezone(UTC)
    except (TypeError, ValueError):
        return escape(timestamp or "")
    text = f"{moment.day} {moment:%b %Y, %H:%M}" if precision == "minute" else f"{moment:%Y-%m-%d}"
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        timestamp, f"{moment:%Y-%m-%d %H:%M:%S} UTC", text
    )


def segment(value: str) -> str:
    """A value as one segment of a path or one value of a query."""
    return quote(_bytes(value), safe="")


def body(content: str, mentions: Iterable[str] = ()) -> Markup:
    """A message's text: escaped, line breaks kept, links clickable, mentions marked."""
    text = content.translate(_INVISIBLE)
    return Markup().join(_pieces(text, mark=any(True for _ in mentions)))


def _pieces(text: str, *, mark: bool) -> Iterator[Markup]:
    at = 0
    for match in islice(_TOKEN.finditer(text), MOST_MARKED):
        token = match[0]
        if match["url"]:
            token = _without_tail(token)
            html = _link(token)
        else:
            html = Markup('<b class="mention">{}</b>').format(token) if mark else escape(token)
        yield _lines(text[at : match.start()])
        yield html
        at = match.start() + len(token)
    yield _lines(text[at:])


def _lines(text: str) -> Markup:
    return Markup("<br>").join(_BREAK.split(text))


def _link(url: str) -> Markup:
    try:
        named = bool(urlsplit(url).hostname)
    except ValueError:
        named = False
    if not named:
        return escape(url)
    return Markup(
        '<a href="{}" rel="noopener noreferrer nofollow" target="_blank" dir="ltr">{}</a>'
    ).format(url, url)


def _without_tail(url: str) -> str:
    """The address without the punctuation of the sentence around it."""
    extra = {close: url.count(close) - url.count(open_) for close, open_ in _PAIRS.items()}
    end = len(url)
    while end and (extra.get(url[end - 1], 0) > 0 or url[end - 1] in ".,;:!?'*_~"):
        if url[end - 1] in extra:
            extra[url[end - 1]] -= 1
        end -= 1
    return url[:end]


def _bytes(value: str) -> bytes:
    return str(value).encode("utf-8", "surrogatepass")


def _hash_files(folder: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(file.relative_to(folder).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:12]


_FILTERS = {
    "body": body,
    "initials": initials,
    "person_hue": person_hue,
    "person_key": person_key,
    "segment": segment,
    "when": when,
}
