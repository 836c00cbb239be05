from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import pytest
from fake_server import TOKEN, Clock, Event, Fake, Open, Plan, Sleeps

from quartchat.client import Refused
from quartchat.client.choice import CLIMB_AFTER

WAYS = ["ws", "stream", "sse", "poll"]
STREAMS = ["ws", "stream", "sse"]

pytestmark = pytest.mark.timeout(30)


async def take(events: AsyncGenerator[Event, None], count: int) -> list[Any]:
    """The ids (or types, where there is none) of the next events."""
    async with asyncio.timeout(10):
        taken = [await anext(events) for _ in range(count)]
    return [event.get("id", event["type"]) for event in taken]


@pytest.mark.parametrize("way", WAYS)
async def test_what_was_missed_comes_first_and_then_what_happens(
    fake: Fake, open_client: Open, way: str
) -> None:
    fake.say(1, 2, 3)
    async with aclosing(open_client().follow(cursor=1, transport=way)) as events:  # type: ignore[arg-type]
        assert await take(events, 2) == [2, 3]
        coming = asyncio.ensure_future(take(events, 2))
        await asked(fake, 1)
        fake.say(4, 5)
        assert await coming == [4, 5]


async def asked(fake: Fake, count: int) -> None:
    async with asyncio.timeout(10):
        while len(fake.asked) < count:
            await asyncio.sleep(0)


@pytest.mark.parametrize("way", WAYS)
async def test_the_token_goes_in_a_header_and_never_in_an_address(
    fake: Fake, open_client: Open, way: str
) -> None:
    fake.say(1)
    chats = ["c1", "c2"]
    following = open_client().follow(cursor=0, transport=way, chats=chats, heartbeat=7)  # type: ignore[arg-type]
    async with aclosing(following) as events:
        await take(events, 1)
    (path, headers, query) = fake.asked[0]
    assert path == way
    assert headers["authorization"] == f"Bearer {TOKEN}"
    assert TOKEN not in str(query)
    assert (query["chats"], query["hb"], query["last_event_id"]) == ("c1,c2", "7", "0")


@pytest.mark.parametrize("way", WAYS)
async def test_after_a_break_nothing_is_missing_and_nothing_twice(
    fake: Fake, open_client: Open, way: str
) -> None:
    fake.usual = lambda: Plan(cut_after=3, twice=True)
    fake.say(*range(1, 20))
    async with aclosing(open_client().follow(cursor=0, transport=way)) as events:  # type: ignore[arg-type]
        assert await take(events, 19) == list(range(1, 20))


@pytest.mark.parametrize("way", WAYS)
async def test_without_a_cursor_it_begins_now_and_a_break_before_the_first_event_loses_none(
    fake: Fake, open_client: Open, way: str
) -> None:
    fake.say(1, 2)
    fake.plans.append(Plan(cut_after=0))
    async with aclosing(open_client().follow(transport=way, control=True)) as events:  # type: ignore[arg-type]
        assert await take(events, 1) == ["hello"]
        fake.say(3)
        found: list[Any] = []
        while 3 not in found:
            found += await take(events, 1)
    assert not {1, 2} & set(found)
    assert "last_event_id" not in fake.asked[0][2]
    assert fake.asked[1][2]["last_event_id"] == "2"


@pytest.mark.parametrize("way", STREAMS)
async def test_it_comes_back_with_the_cursor_of_the_last_event_taken(
    fake: Fake, open_client: Open, way: str
) -> None:
    fake.plans.append(Plan(cut_after=2))
    fake.say(1, 2)
    async with aclosing(open_client().follow(cursor=0, transport=way)) as events:  # type: ignore[arg-type]
        await take(events, 2)
        fake.say(3)
        assert await take(events, 1) == [3]
    assert [query["last_event_id"] for _, _, query in fake.asked] == ["0", "2"]


@pytest.mark.parametrize("way", STREAMS)
async def test_an_event_that_was_swallowed_is_noticed_by_the_heartbeat_and_fetched(
    fake: Fake, open_client: Open, way: str
) -> None:
    fake.plans.append(Plan(swallowed={3}, beat=True))
    fake.say(1, 2, 3)
    async with aclosing(open_client().follow(cursor=0, transport=way)) as events:  # type: ignore[arg-type]
        assert await take(events, 3) == [1, 2, 3]


@pytest.mark.parametrize("way", WAYS)
async def test_a_reset_is_told_and_it_goes_on_from_the_head(
    fake: Fake, open_client: Open, way: str
) -> None:
    fake.say(50, 51)
    reset = {"type": "reset", "data": {"reason": "unknown", "head": 50}}
    fake.plans.append(Plan(prelude=(reset,), cut_after=0))
    async with aclosing(open_client().follow(cursor=99, transport=way)) as events:  # type: ignore[arg-type]
        assert await take(events, 2) == ["reset", 51]


@pytest.mark.parametrize("way", WAYS)
async def test_ephemeral_events_are_given_and_move_no_cursor(
    fake: Fake, open_client: Open, way: str
) -> None:
    typing = {"type": "user_typing", "data": {"user_id": "u", "chat_id": "c"}}
    fake.plans.append(Plan(prelude=(typing,), cut_after=0))
    fake.say(1, 2)
    async with aclosing(open_client().follow(cursor=1, transport=way)) as events:  # type: ignore[arg-type]
        assert await take(events, 2) == ["user_typing", 2]


@pytest.mark.parametrize("way", WAYS)
async def test_goodbye_says_when_to_come_back(
    fake: Fake, open_client: Open, sleeps: Sleeps, way: str
) -> None:
    bye = {"type": "goodbye", "data": {"retry_ms": 1234}}
    fake.plans.append(Plan(prelude=(bye,)))
    fake.say(1)
    async with aclosing(open_client().follow(cursor=0, transport=way)) as events:  # type: ignore[arg-type]
        assert await take(events, 1) == [1]
    assert sleeps == [1.234]


async def test_retry_of_a_stream_of_server_sent_events_says_when_to_come_back(
    fake: Fake, open_client: Open, sleeps: Sleeps
) -> None:
    fake.plans.append(Plan(retry=4321, cut_after=1))
    fake.say(1, 2)
    async with aclosing(open_client().follow(cursor=0, transport="sse")) as events:
        assert await take(events, 2) == [1, 2]
    assert sleeps == [4.321]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("status", [401, 403, 422])
async def test_a_refusal_by_the_server_ends_it_with_its_sentence(
    fake: Fake, open_client: Open, way: str, status: int
) -> None:
    fake.plans.append(Plan(status=status))
    async with aclosing(open_client().follow(transport=way)) as events:  # type: ignore[arg-type]
        with pytest.raises(Refused, match="The server says no") as caught:
            await take(events, 1)
    assert (caught.value.status, caught.value.code) == (status, "because")


@pytest.mark.parametrize("close", [4401, 4403])
async def test_a_websocket_that_is_closed_for_good_ends_it(
    fake: Fake, open_client: Open, close: int
) -> None:
    fake.plans.append(Plan(close=close, cut_after=0))
    async with aclosing(open_client().follow(transport="ws")) as events:
        with pytest.raises(Refused) as caught:
            await take(events, 1)
    assert caught.value.status == close - 4000


@pytest.mark.parametrize("way", WAYS)
async def test_each_try_in_vain_waits_up_to_twice_as_long_and_half_a_minute_at_most(
    fake: Fake, open_client: Open, sleeps: Sleeps, way: str
) -> None:
    fake.plans.extend(Plan(status=503) for _ in range(8))
    fake.say(1)
    async with aclosing(open_client().follow(cursor=0, transport=way)) as events:  # type: ignore[arg-type]
        assert await take(events, 1) == [1]
    assert sleeps == [0.5, 1, 2, 4, 8, 16, 30, 30]


async def test_the_wait_is_random_from_nothing_up(
    fake: Fake, open_client: Open, sleeps: Sleeps
) -> None:
    fake.plans.extend(Plan(status=503) for _ in range(3))
    fake.say(1)
    client = open_client(random=iter([0.0, 0.25, 0.5]).__next__)
    async with aclosing(client.follow(cursor=0, transport="stream")) as events:
        await take(events, 1)
    assert sleeps == [0, 0.25, 1]


async def test_after_a_connection_that_lived_the_next_try_comes_soon(
    fake: Fake, open_client: Open, sleeps: Sleeps, clock: Clock
) -> None:
    fake.plans.extend([Plan(status=503), Plan(status=503), Plan(cut_after=1)])
    fake.say(1)
    async with aclosing(open_client().follow(cursor=0, transport="stream")) as events:
        await take(events, 1)
        clock.now += 60
        fake.say(2)
        assert await take(events, 1) == [2]
    assert sleeps == [0.5, 1, 0.5]


async def test_a_server_that_ends_each_connection_at_once_is_asked_ever_less_often(
    fake: Fake, open_client: Open, sleeps: Sleeps
) -> None:
    fake.plans.extend(Plan(cut_after=1) for _ in range(4))
    async with aclosing(open_client().follow(cursor=0, transport="stream")) as events:
        for id_ in range(1, 6):
            fake.say(id_)
            assert await take(events, 1) == [id_]
    assert sleeps == [0.5, 1, 2, 4]


@pytest.mark.parametrize("way", WAYS)
async def test_a_page_of_something_on_the_way_is_no_event(
    fake: Fake, open_client: Open, way: str
) -> None:
    fake.plans.append(Plan(garbage=True))
    fake.say(1)
    async with aclosing(open_client().follow(cursor=0, transport=way)) as events:  # type: ignore[arg-type]
        assert await take(events, 1) == [1]


@pytest.mark.parametrize("way", STREAMS)
async def test_silence_for_two_heartbeats_is_a_break(
    fake: Fake, open_client: Open, way: str
) -> None:
    told: list[str] = []
    fake.plans.append(Plan(heartbeat=0.01))
    client = open_client(notice=told.append)
    fake.say(1)
    async with aclosing(client.follow(cursor=0, transport=way)) as events:  # type: ignore[arg-type]
        await take(events, 1)
        coming = asyncio.ensure_future(take(events, 1))
        await asked(fake, 2)
        fake.say(2)
        assert await coming == [2]
    assert "Nothing was heard for 1.02 seconds" in told[0]


async def test_a_poll_that_is_not_held_makes_no_busy_loop(
    fake: Fake, open_client: Open, sleeps: Sleeps
) -> None:
    fake.plans.extend([Plan(), Plan(hold=False)])
    async with aclosing(open_client().follow(cursor=0, transport="poll")) as events:
        coming = asyncio.ensure_future(take(events, 1))
        await asked(fake, 4)
        fake.say(1)
        assert await coming == [1]
    assert sleeps == [0.5]


async def test_the_best_transport_is_the_first_that_works(fake: Fake, open_client: Open) -> None:
    fake.say(1)
    async with aclosing(open_client().follow(cursor=0)) as events:
        await take(events, 1)
    assert fake.ways == ["ws"]


@pytest.mark.parametrize(
    "broken",
    [
        Plan(status=502),
        Plan(status=403, signed=False),
        Plan(status=404),
        Plan(silent=True),
        Plan(garbage=True),
    ],
    ids=["bad gateway", "a proxy's no", "not found", "opens and swallows all", "garbage"],
)
async def test_a_transport_that_brings_nothing_gives_way_to_the_next_at_once(
    fake: Fake, open_client: Open, sleeps: Sleeps, broken: Plan
) -> None:
    fake.plans.append(broken)
    fake.say(1)
    async with aclosing(open_client(patience=0.2).follow(cursor=0)) as events:
        assert await take(events, 1) == [1]
    assert fake.ways == ["ws", "stream"]
    assert sleeps == [0]


@pytest.mark.parametrize(
    "plan", [Plan(heartbeat=0.01), Plan(swallowed={2}, beat=True)], ids=["silence", "a hole"]
)
async def test_a_transport_that_worked_and_does_no_more_gives_way_to_the_next(
    fake: Fake, open_client: Open, sleeps: Sleeps, plan: Plan
) -> None:
    fake.plans.append(plan)
    fake.say(1)
    async with aclosing(open_client().follow(cursor=0)) as events:
        assert await take(events, 1) == [1]
        coming = asyncio.ensure_future(take(events, 1))
        if plan.swallowed:
            fake.say(2)
        await asked(fake, 2)
        if not plan.swallowed:
            fake.say(2)
        assert await coming == [2]
    assert fake.ways == ["ws", "stream"]
    assert sleeps == [0]


async def test_when_all_fail_it_waits_and_begins_again_with_the_best(
    fake: Fake, open_client: Open, sleeps: Sleeps
) -> None:
    fake.plans.extend(Plan(status=502) for _ in range(3))
    fake.say(1)
    async with aclosing(open_client().follow(cursor=0)) as events:
        assert await take(events, 1) == [1]
    assert fake.ways == ["ws", "stream", "poll", "ws"]
    assert sleeps == [0, 0, 0.5]


async def test_a_lesser_transport_that_works_is_kept_for_a_while_and_the_best_tried_again(
    fake: Fake, open_client: Open, clock: Clock
) -> None:
    fake.plans.extend([Plan(status=502), Plan(beat=True, cut_after=2), Plan(beat=True)])
    fake.say(1)
    async with aclosing(open_client().follow(cursor=0, control=True)) as events:
        assert await take(events, 4) == ["hello", 1, "caught_up", "heartbeat"]
        fake.say(2)
        assert await take(events, 5) == [2, "heartbeat", "hello", "caught_up", "heartbeat"]
        clock.now += CLIMB_AFTER
        fake.say(3)
        assert await take(events, 3) == ["hello", 3, "caught_up"]
    assert fake.ways == ["ws", "stream", "stream", "ws"]


async def test_the_last_transport_s_unsigned_no_is_final(fake: Fake, open_client: Open) -> None:
    fake.plans.extend(Plan(status=403, signed=False) for _ in range(3))
    async with aclosing(open_client().follow()) as events:
        with pytest.raises(Refused) as caught:
            await take(events, 1)
    assert (caught.value.status, caught.value.by_server) == (403, False)


async def test_a_token_that_ended_is_had_anew_and_nothing_is_lost(
    fake: Fake, open_client: Open
) -> None:
    tokens = iter(["first", "second", "third"])

    async def fresh() -> str:
        return next(tokens)

    fake.plans.extend([Plan(cut_after=1), Plan(status=401)])
    fake.say(1, 2)
    async with aclosing(open_client(fresh).follow(cursor=0, transport="stream")) as events:
        assert await take(events, 2) == [1, 2]
    used = [headers["authorization"] for _, headers, _ in fake.asked]
    assert used == ["Bearer first", "Bearer second", "Bearer third"]


async def test_a_fresh_token_that_is_refused_too_is_final(fake: Fake, open_client: Open) -> None:
    async def fresh() -> str:
        return "never good"

    fake.usual = lambda: Plan(status=401)
    async with aclosing(open_client(fresh).follow()) as events:
        with pytest.raises(Refused):
            await take(events, 1)


async def test_a_token_about_to_end_is_renewed_before_it_does(
    fake: Fake, open_client: Open
) -> None:
    tokens = iter(["first", "second"])

    async def fresh() -> str:
        return next(tokens)

    fake.plans.append(Plan(prelude=({"type": "token_expiring", "data": {}},)))
    fake.say(1)
    async with aclosing(open_client(fresh).follow(cursor=0)) as events:
        assert await take(events, 1) == [1]
    assert [headers["authorization"] for _, headers, _ in fake.asked][-1] == "Bearer second"


@pytest.mark.parametrize("way", WAYS)
async def test_whoever_stops_following_leaves_no_task_behind(
    fake: Fake, open_client: Open, way: str
) -> None:
    fake.say(1)
    client = open_client()
    async with aclosing(client.follow(cursor=0, transport=way)) as events:  # type: ignore[arg-type]
        await take(events, 1)
        waiting = asyncio.ensure_future(take(events, 1))
        await asked(fake, 1)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    mine = [task for task in asyncio.all_tasks() if "quartchat" in repr(task)]
    assert mine == []


def test_importing_the_client_loads_no_network_library() -> None:
    code = (
        "import sys, quartchat.client\n"
        "sys.exit(bool({'httpx', 'httpx_sse', 'websockets', 'quart'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
