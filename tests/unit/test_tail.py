from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.log import STORES, ids, open_log

from quartchat.delivery.subscriber import Wish
from quartchat.events import OVERHEAD, Draft, Event, chat_topic
from quartchat.store import log as rows
from quartchat.store.tail import MAX_PAGE_BYTES, Tail, page_of

Folder = Callable[..., Path]
TOPICS = ["c:a", "c:b", "c:c", "u:x"]


def event(id_: int, topic: str = "c:a", size: int = 10) -> Event:
    return Event(id_, topic, "new_message", b'"' + b"x" * size + b'"')


def cost(one: Event) -> int:
    return len(one.json) * 2 + OVERHEAD


def test_a_page_holds_no_more_than_its_limit_and_says_whether_more_waits() -> None:
    tail = Tail(2**20)
    tail.extend([event(n) for n in range(1, 8)])
    first = tail.read({"c:a": 0}, 0, 3)
    assert (ids(first.events), first.cursor, first.complete) == ([1, 2, 3], 3, False)
    last = tail.read({"c:a": 3}, 3, 4)
    assert (ids(last.events), last.cursor, last.complete) == ([4, 5, 6, 7], 7, True)


def test_nothing_new_is_an_empty_page_where_the_cursor_stands() -> None:
    tail = Tail(2**20)
    tail.extend([event(1), event(2, "c:b")])
    page = tail.read({"c:a": 1}, 1, 10)
    assert (list(page.events), page.cursor, page.complete) == ([], 1, True)


def test_large_events_make_short_pages_but_never_an_empty_one() -> None:
    large = [event(n, size=MAX_PAGE_BYTES // 2) for n in (1, 2, 3)]
    assert ids(page_of(large, 100, 3).events) == [1]
    assert not page_of(large, 100, 3).complete
    huge = [event(1, size=MAX_PAGE_BYTES * 2)]
    assert ids(page_of(huge, 100, 1).events) == [1]
    assert page_of(huge, 100, 1).complete


def test_several_topics_are_merged_in_the_order_of_their_ids() -> None:
    tail = Tail(2**20)
    tail.extend([event(n, TOPICS[n % 3]) for n in range(1, 20)])
    assert ids(tail.read({"c:a": 0, "c:c": 5}, 0, 100).events) == [
        n for n in range(1, 20) if n % 3 == 0 or (n % 3 == 2 and n > 5)
    ]


def test_the_oldest_go_when_the_memory_is_full_and_the_floor_says_so() -> None:
    tail = Tail(cost(event(1)) * 3)
    tail.extend([event(n) for n in range(1, 6)])
    assert tail.floor == 2
    assert ids(tail.read({"c:a": 2}, 2, 10).events) == [3, 4, 5]
    assert tail.size <= tail.max_bytes


def test_a_tail_too_small_for_one_event_holds_none_and_its_head_goes_on() -> None:
    tail = Tail(1)
    tail.extend([event(5), event(6)])
    assert (tail.head, tail.floor, tail.size) == (6, 6, 0)


def test_what_events_are_kept_in_besides_json_counts_and_goes_with_them() -> None:
    tail = Tail(cost(event(1)) * 4)
    events = [event(n) for n in range(1, 4)]
    tail.extend(events)
    before = tail.size
    events[1].form("html", lambda one: b"x" * 10_000)
    assert tail.size == before + 10_000
    tail.extend([event(4)])
    assert tail.floor == 2
    assert tail.size == 2 * cost(event(3))
    events[1].form("sse", lambda one: b"y" * 10_000)
    assert tail.size == 2 * cost(event(3)), "what is not kept does not count"


def test_a_redacted_event_is_less_for_all_and_weighs_less() -> None:
    tail = Tail(2**20)
    tail.extend([event(1), event(2, size=5000), event(3)])
    page = tail.read({"c:a": 0}, 0, 10)
    page.form("joined", lambda events: b"".join(one.json for one in events))
    page.events[1].form("html", lambda one: b"<b>" + one.data + b"</b>")
    tail.redact(Event(2, "c:a", "new_message", b"null"))
    again = tail.read({"c:a": 0}, 0, 10)
    assert again.form("joined", lambda events: b"".join(e.json for e in events)).count(b"x") == 20
    assert again.events[1].form("html", lambda one: b"<b>" + one.data + b"</b>") == b"<b>null</b>"
    assert tail.size == sum(cost(one) for one in again.events) + len(b"<b>null</b>")


def test_redacting_what_is_not_in_the_tail_changes_nothing() -> None:
    tail = Tail(2**20, head=5)
    tail.extend([event(7)])
    for gone in (Event(3, "c:a", "new_message", b"null"), Event(7, "c:b", "new_message", b"null")):
        tail.redact(gone)
    assert tail.read({"c:a": 5}, 5, 10).events[0].data == event(7).data


def test_readers_at_the_same_place_share_one_page_that_is_joined_once() -> None:
    tail = Tail(2**20)
    tail.extend([event(n) for n in range(1, 5)])
    made: list[int] = []

    def join(events: object) -> bytes:
        made.append(1)
        return b""

    for _ in range(3):
        tail.read({"c:a": 1}, 1, 10).form("x", join)  # type: ignore[arg-type]
    assert len(made) == 1


def test_a_page_that_has_grown_is_not_the_one_that_was_shared_before() -> None:
    tail = Tail(2**20)
    tail.extend([event(1), event(2)])
    assert ids(tail.read({"c:a": 0}, 0, 10).events) == [1, 2]
    tail.extend([event(3)])
    assert ids(tail.read({"c:a": 0}, 0, 10).events) == [1, 2, 3]
    assert ids(tail.read({"c:a": 0}, 0, 2).events) == [1, 2]
    assert not tail.read({"c:a": 0}, 0, 2).complete


@given(
    batches=st.lists(
        st.lists(st.tuples(st.sampled_from(TOPICS), st.integers(0, 80)), min_size=1, max_size=12),
        max_size=12,
    ),
    memory=st.integers(1, 40),
    limit=st.integers(1, 9),
    starts=st.dictionaries(st.sampled_from(TOPICS), st.integers(0, 60), min_size=1),
)
def test_whatever_was_evicted_a_page_from_the_tail_is_the_page_of_the_whole_log(
    batches: list[list[tuple[str, int]]], memory: int, limit: int, starts: dict[str, int]
) -> None:
    tail, whole = Tail(memory * cost(event(1))), []
    for batch in batches:
        events = [
            event(len(whole) + n, topic, size) for n, (topic, size) in enumerate(batch, start=1)
        ]
        tail.extend(events)
        whole += events
        assert tail.size == sum(cost(e) for e in whole if (e.id or 0) > tail.floor)
        for cursor in range(tail.floor, tail.head + 1):
            asked = {topic: max(cursor, start) for topic, start in starts.items()}
            page = tail.read(asked, cursor, limit)
            want = [e for e in whole if e.topic in asked and (e.id or 0) > asked[e.topic]]
            assert ids(page.events) == ids(want)[:limit]
            assert page.complete == (len(want) <= limit)
            assert page.cursor == (page.events[-1].id if page.events else cursor)
            assert page.cursor <= page.reached <= tail.head
            assert page.complete or page.reached == page.cursor


@pytest.mark.parametrize("store", STORES)
@pytest.mark.usefixtures("leaves_no_task")
async def test_reads_from_memory_and_from_the_store_are_equal_to_the_byte_at_every_cursor(
    new_folder: Folder, store: str
) -> None:
    awkward = ["", "plain", 'quo"te\\', "ünï \u2028 😀", "<b>&amp;", "tab\t\n\r\x01", "x" * 500]
    async with open_log(new_folder(), store=store, tail_bytes=20 * 700) as log:
        drafts = [
            Draft(TOPICS[n % 4], "new_message", {"content": awkward[n % 7], "n": n})
            for n in range(60)
        ]
        written = [(await log.append(one))[0] for one in drafts]
        kept = await log.kept()
        assert [one.json for one in kept] == [one.json for one in written]
        floor = log.feed.tail.floor
        assert kept[0].id < floor < kept[-1].id, "some are in memory only in part"
        for cursor in [0, *ids(kept)]:
            starts = dict.fromkeys(TOPICS[:3], cursor)
            stored = await log.database.read(lambda c, starts=starts: rows.after(c, starts, 8))
            want = page_of(stored, 7, log.feed.tail.head) if stored else None
            if cursor < floor or want is None:
                continue
            page = log.feed.tail.read(starts, cursor, 7)
            assert [one.json for one in page.events] == [one.json for one in want.events]
            assert (page.cursor, page.complete) == (want.cursor, want.complete)


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("memory", [1, 3_000, 2**20])
@pytest.mark.usefixtures("leaves_no_task")
async def test_a_reader_gets_the_same_bytes_whatever_the_memory(
    new_folder: Folder, store: str, memory: int
) -> None:
    async with open_log(new_folder(), store=store, tail_bytes=memory) as log:
        await log.append(*[Draft("*", "system_message", {"n": n}) for n in range(40)])
        await log.append(*[Draft(chat_topic("no"), "new_message", {"n": n}) for n in range(3)])
        await log.append(*[Draft("u:ada", "notification", {"n": n}) for n in range(40)])
        got: list[bytes] = []
        async for page in log.subscriber("ada", Wish(0, None, 0.0, page_size=7)).pages():
            got += [one.json for one in page.events if one.id is not None]
            if any(one.type == "heartbeat" for one in page.events):
                break
        kept = await log.kept()
        assert got == [one.json for one in kept if one.topic != chat_topic("no")]
