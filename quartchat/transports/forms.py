"""Events as bytes, in each form that a transport sends. Made once per event, and once per
page, however many read it (`Event.form`, `Page.form`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from operator import add

from sse_starlette import ServerSentEvent

from quartchat.events import Event, Page, encode_data
from quartchat.services import Fragment

TOLD = frozenset({"reset", "goodbye"})
PAD = b" " * 2047 + b"\n"  # some scanners hold back the first KB of a body


@dataclass(frozen=True, slots=True)
class Form:
    """`event`: one event's bytes. `page`: those of all events of a page, as one write.
    `put_before`: (an event's bytes, a page's) as one page.
    `name` tells forms apart in the caches, and so the languages of what they hold."""

    name: str
    event: Callable[[Event], bytes]
    join: Callable[[Iterable[bytes]], bytes] = b"".join
    put_before: Callable[[bytes, bytes], bytes] = add

    def page(self, page: Page) -> bytes:
        joined = page.form(self.name, self._joined)
        return joined if page.lead is None else self.put_before(self.event(page.lead), joined)

    def _joined(self, events: Iterable[Event]) -> bytes:
        return self.join(event.form(self.name, self.event) for event in events)


def json_bytes(fragment: Fragment | None) -> Callable[[Event], bytes]:
    """The event's JSON; with `fragment` the pages' HTML of it stands in `html`."""

    def plain(event: Event) -> bytes:
        return event.json

    def with_html(event: Event) -> bytes:
        html = fragment.of_event(event) if fragment and event.id is not None else None
        return event.json if html is None else event.json[:-1] + b',"html":%s}' % encode_data(html)

    return with_html if fragment else plain


def text(fragment: Fragment | None) -> Form:
    """The event's JSON alone: one WebSocket frame."""
    return Form(f"json{_html(fragment)}", json_bytes(fragment))


def lines(fragment: Fragment | None) -> Form:
    """A line of JSON per event."""
    body = json_bytes(fragment)
    return Form(f"lines{_html(fragment)}", lambda event: body(event) + b"\n")


def array(fragment: Fragment | None) -> Form:
    """A JSON array of the page's events."""
    return Form(
        f"json{_html(fragment)}",
        json_bytes(fragment),
        lambda parts: b"[%s]" % b",".join(parts),
        lambda first, others: b"[%s,%s" % (first, others[1:]),
    )


def sse(fragment: Fragment | None, *, named: bool) -> Form:
    """Server-Sent Events whose data is the event's JSON; `named` gives their type too."""
    body = json_bytes(fragment)

    def frame(event: Event) -> bytes:
        return _sse_frame(event, body(event).decode(), event.type if named else None)

    return Form(f"sse{'+named' * named}{_html(fragment)}", frame)


def sse_html(fragment: Fragment, *, named: bool) -> Form:
    """Server-Sent Events whose data is the page's HTML; a comment for what shows nothing, and
    named JSON for what a page must act on: `reset` (load anew) and `goodbye`."""

    def frame(event: Event) -> bytes:
        html = fragment.of_stream(event) if event.id is not None else None
        if event.type in TOLD:
            return _sse_frame(event, event.json.decode(), event.type)
        if html is None:
            return b": %s\n\n" % event.type.encode()
        return _sse_frame(event, html, event.type if named else None)

    return Form(f"sse-fragments{'+named' * named}:{fragment.locale}", frame)


def fragments(fragment: Fragment) -> Form:
    """The page's HTML alone; a comment for what shows nothing, so that silence is broken."""

    def piece(event: Event) -> bytes:
        html = fragment.of_stream(event) if event.id is not None else None
        return (html or f"<!-- {event.type} -->").encode() + b"\n"

    return Form(f"fragments:{fragment.locale}", piece)


def _html(fragment: Fragment | None) -> str:
    return f"+html:{fragment.locale}" if fragment else ""


def _sse_frame(event: Event, data: str, name: str | None) -> bytes:
    retry = event.fields()["retry_ms"] if event.type == "goodbye" else None
    id_ = None if event.id is None else str(event.id)
    return ServerSentEvent(data=data, event=name, id=id_, retry=retry, sep="\n").encode()
