"""From an event or a row of history to what the templates show of it."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from quartchat.events import Event
from quartchat.services import Fragment
from quartchat.web import locale
from quartchat.web.render import Renderer


class Fragments:
    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer
        self._speaking = {code: self._in(code) for code in locale.LOCALES}

    def speaking(self, code: str) -> Fragment:
        """The fragments of events in this language, whatever the request's own."""
        return self._speaking[code]

    def _in(self, code: str) -> Fragment:
        def of_event(event: Event) -> str | None:
            with locale.speaking(code):
                return self.of_event(event)

        def of_stream(event: Event) -> str | None:
            with locale.speaking(code):
                return self.of_event(event, stream=True)

        return Fragment(code, of_event, of_stream)

    def of_event(self, event: Event, *, stream: bool = False) -> str | None:
        """The HTML that a page shows for an event; None where it shows nothing. `stream`: as
        it is appended to a page without scripts."""
        data = _shown(event.fields())
        return self._renderer.fragment(event.id, event.type, data, stream=stream)

    def of_message(self, message: dict[str, Any]) -> Markup:
        """The same for a message of a page of history."""
        html = self._renderer.fragment(message["event_id"], "new_message", _shown(message))
        return Markup(html or "")  # noqa: S704  (made by the templates, which escape)


def _shown(data: dict[str, Any]) -> dict[str, Any]:
    return {**data, "reply_to": data["quote"]} if "quote" in data else data
