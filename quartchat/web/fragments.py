"""From an event or a row of history to what the templates show of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from markupsafe import Markup

from quartchat.events import Event
from quartchat.web.render import Renderer


class Fragments:
    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer

    def of_event(self, event: Event) -> str | None:
        """The HTML that a page shows for an event; None where it shows nothing."""
        return self._renderer.fragment(event.id, event.type, _shown(event.fields()))

    def timeline(self, messages: Iterable[dict[str, Any]], notes: Iterable[Event]) -> list[Markup]:
        """The fragments of a page of history, in the order in which things happened."""
        shown = [(message["event_id"], self.of_message(message)) for message in messages]
        shown += [(note.id, Markup(self.of_event(note) or "")) for note in notes]  # noqa: S704
        return [html for _, html in sorted(shown, key=lambda pair: pair[0])]

    def of_message(self, message: dict[str, Any]) -> Markup:
        """The same for a message of a page of history."""
        html = self._renderer.fragment(message["event_id"], "new_message", _shown(message))
        return Markup(html or "")  # noqa: S704  (made by the templates, which escape)


def _shown(data: dict[str, Any]) -> dict[str, Any]:
    return {**data, "reply_to": data["quote"]} if "quote" in data else data
