"""Pages and fragments as HTML, from plain data; no web framework, no request.

Everything that people wrote is escaped here or by the templates' autoescape. A fragment
is the same bytes for every reader, so that it can be made once and shared.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from quartchat.addresses import chats_url, segment
from quartchat.locale import texts
from quartchat.web import text
from quartchat.web.compiled import Compiled
from quartchat.web.dates import clock, day, month, number, size, when
from quartchat.web.files import Files
from quartchat.web.locale import LOCALES, current, look

SHOWN = frozenset(
    {
        "new_message",
        "message_edited",
        "message_deleted",
        "message_reacted",
        "message_pinned",
        "user_joined",
        "user_left",
        "chat_created",
        "system_message",
        "global_notification",
    }
)
"""The event types that have a place in a page's timeline."""


class Renderer:
    """Renders `templates`; `files` are those of `static`, named by what they hold."""

    def __init__(self, templates: Path, static: Path, site_name: str) -> None:
        self.files = _files(templates, static)
        self._env = Environment(
            loader=FileSystemLoader(templates),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            cache_size=-1,
            bytecode_cache=Compiled(),
            extensions=["jinja2.ext.i18n"],
        )
        self._env.policies["ext.i18n.trimmed"] = True
        self._env.install_gettext_callables(  # type: ignore[attr-defined]
            texts.gettext, texts.plural, newstyle=True
        )
        self._env.filters |= _FILTERS
        self._env.globals |= {
            "site_name": site_name,
            "chats_url": chats_url,
            "static_url": self.files.url,
            "again": lambda: Markup(f"<script>{self.again}</script>"),  # noqa: S704  (ours)
            "js_texts": js_texts,
            "languages": LOCALES,
        }
        self._event = self._env.get_template("partials/event.html")

    @cached_property
    def again(self) -> str:
        """The script that stands in pages."""
        return self.files.text("js/again.js")

    def page(self, name: str, **context: Any) -> str:
        """The template `name` in the language and the theme that are set (`web.locale`). Raises
        `jinja2.UndefinedError` where its context lacks a name."""
        return self._env.get_template(name).render({**_look(), **context})

    def fragment(
        self, event_id: int | None, type_: str, data: Mapping[str, Any], *, stream: bool = False
    ) -> str | None:
        """One line of HTML that shows the event in a timeline; None for a type that has none.
        `stream`: as it is appended to a page without scripts, which cannot change what stands
        there already."""
        if type_ not in SHOWN:
            return None
        html = self._event.render(event_id=event_id, type=type_, data=data, stream=stream)
        return " ".join(line.strip() for line in html.split("\n") if line.strip()) or None


def _look() -> dict[str, Any]:
    code, chosen = current(), look()
    return {"lang": code, "dir": LOCALES[code].direction, "theme": chosen.theme, "look": chosen}


@cache
def _files(templates: Path, static: Path) -> Files:
    """Read once in a process, however many applications it makes."""
    return Files(static, _page_scripts(templates))


def _page_scripts(templates: Path) -> set[str]:
    texts_of = (path.read_text(encoding="utf-8") for path in templates.rglob("*.html"))
    return {name for text in texts_of for name in re.findall(r'module\("([^"]+)"\)', text)}


def js_texts() -> Markup:
    """The block of texts that `js/text.js` reads; nothing in the language of the sources."""
    found = texts.for_scripts(current())
    block = '<script type="application/json" id="texts">%s</script>'
    return Markup(block % found if found else "")  # noqa: S704  (made without `<`)


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


def _bytes(value: str) -> bytes:
    return str(value).encode("utf-8", "surrogatepass")


_FILTERS = {
    "body": text.body,
    "clock": clock,
    "day": day,
    "initials": initials,
    "month": month,
    "number": number,
    "person_hue": person_hue,
    "person_key": person_key,
    "plain": text.plain,
    "segment": segment,
    "size": size,
    "when": when,
}
