"""The newest events, in memory, bounded in bytes; by topic, in id order.

Serves any reader whose cursor is not below `floor`; the others read the store, and get the
same bytes. Pages read by many at the same position are joined once (`Page.form`).
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from operator import attrgetter

from quartchat.events import Event, Page

SHARED_PAGES = 16
# What a reader is given at once, as JSON; with HTML it may be five times as much, which is
# below what clients of other makers take in one frame.
MAX_PAGE_BYTES = 128 * 2**10
_id = attrgetter("id")


class _Run:
    """The events of one topic: dropped at the front, appended at the end."""

    __slots__ = ("events", "ids", "start")

    def __init__(self) -> None:
        self.ids: list[int] = []
        self.events: list[Event] = []
        self.start = 0

    def append(self, id_: int, event: Event) -> None:
        self.ids.append(id_)
        self.events.append(event)

    def drop_first(self) -> bool:
        """True when none is left."""
        self.start += 1
        if self.start > 64 and self.start * 2 > len(self.ids):
            del self.ids[: self.start], self.events[: self.start]
            self.start = 0
        return self.start == len(self.ids)

    def after(self, id_: int, limit: int) -> list[Event]:
        begin = bisect_right(self.ids, id_, lo=self.start)
        return self.events[begin : begin + limit]

    def find(self, id_: int) -> Event | None:
        at = bisect_right(self.ids, id_, lo=self.start) - 1
        return self.events[at] if at >= self.start and self.ids[at] == id_ else None


class Tail:
    def __init__(self, max_bytes: int, head: int = 0) -> None:
        self.max_bytes = max_bytes
        self.reset(head)

    def reset(self, head: int) -> None:
        """Forget all: every cursor below `head` reads the store."""
        self.head = self.floor = head
        self.size = 0
        self._all: deque[Event] = deque()
        self._runs: dict[str, _Run] = {}
        self._shared: OrderedDict[tuple[str, int, int, bool, int], Page] = OrderedDict()

    def extend(self, events: Sequence[Event]) -> None:
        """Take in the events that follow the head, in id order, with no hole between."""
        for event in events:
            self._append(event)
        while self.size > self.max_bytes and self._all:
            self._evict()

    def _append(self, event: Event) -> None:
        assert event.id is not None
        self._all.append(event)
        run = self._runs.get(event.topic)
        if run is None:
            run = self._runs[event.topic] = _Run()
        run.append(event.id, event)
        self.size += event.keep(self._grew)
        self.head = event.id

    def _grew(self, size: int) -> None:
        """One of the events is kept in one more form."""
        self.size += size

    def _evict(self) -> None:
        event = self._all.popleft()
        assert event.id is not None
        if self._runs[event.topic].drop_first():
            del self._runs[event.topic]
        self.size -= event.let_go()
        self.floor = event.id

    def redact(self, event: Event) -> None:
        """Let the event of this id, if it is here, carry what this one carries."""
        run = self._runs.get(event.topic)
        found = run.find(event.id) if run is not None and event.id is not None else None
        if found is not None:
            found.redact(event.data)
            self._shared.clear()  # joined pages may hold the bytes of before

    def read(self, starts: Mapping[str, int], cursor: int, limit: int) -> Page:
        """The next events of the topics, each after its own start, merged by id."""
        found: list[list[Event]] = []
        for topic, start in starts.items():
            run = self._runs.get(topic)
            if run is not None and run.ids[-1] > start:
                found.append(run.after(start, limit + 1))
        if not found:
            return Page((), cursor, reached=self.head)
        if len(found) == 1:
            return self._share(found[0], limit)
        merged = sorted((event for events in found for event in events), key=_id)
        return page_of(merged, limit, self.head)

    def _share(self, events: list[Event], limit: int) -> Page:
        page = page_of(events, limit, self.head)
        first = page.events[0]
        key = (first.topic, first.id or 0, page.cursor, page.complete, page.reached)
        shared = self._shared.setdefault(key, page)
        while len(self._shared) > SHARED_PAGES:
            self._shared.popitem(last=False)
        return shared


def page_of(events: Sequence[Event], limit: int, head: int) -> Page:
    """The first `limit` of these, fewer where they are large (one more than the limit tells
    that the page is not complete). `head`: the log's head when they were read."""
    count, size = 0, 0
    for event in events[:limit]:
        size += len(event.json)
        if count and size > MAX_PAGE_BYTES:
            break
        count += 1
    last = events[count - 1]
    assert last.id is not None
    complete = count == len(events)
    return Page(events[:count], last.id, complete, reached=head if complete else last.id)
