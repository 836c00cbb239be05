from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import event as hooks
from sqlalchemy import insert, select, text
from support.clock import Clock
from support.log import STORES, Log, ids, open_log

from quartchat.errors import Invalid, StoreFailed, Unavailable
from quartchat.events import Draft, Event
from quartchat.store import people
from quartchat.store.schema import log_state, users
from quartchat.store.writer import Transaction

pytestmark = [pytest.mark.usefixtures("leaves_no_task"), pytest.mark.parametrize("store", STORES)]
Folder = Callable[..., Path]


def draft(number: int = 0) -> Draft:
    return Draft("c:x", "new_message", {"n": number})


def adding(number: int) -> Callable[[Transaction], object]:
    async def work(tx: Transaction) -> Event:
        return tx.append(draft(number))

    return work


async def refused(tx: Transaction) -> None:
    tx.append(draft(-1))
    tx.run(insert(log_state).values(one=99, head=0, floor=0))
    raise Invalid("not like that")


async def broken(tx: Transaction) -> None:
    tx.append(draft(-2))
    tx.run(text("INSERT INTO there_is_no_such_table VALUES (1)"))


def count_commits(log: Log) -> list[str]:
    commits: list[str] = []
    engine = log.database._writer.sync_engine
    hooks.listen(engine, "commit", lambda connection: commits.append("commit"))
    return commits


async def test_many_that_wait_are_committed_in_one_transaction(
    new_folder: Folder, store: str
) -> None:
    async with open_log(new_folder(), store=store) as log:
        commits = count_commits(log)
        events = await asyncio.gather(*(log.writer.do(adding(n)) for n in range(300)))
        assert len(commits) <= 2
        assert ids(events) == ids(await log.kept())
        assert [event.fields()["n"] for event in events] == list(range(300))


async def test_refused_work_leaves_nothing_and_its_neighbours_stay(
    new_folder: Folder, store: str
) -> None:
    async with open_log(new_folder(), store=store) as log:
        works = [adding(1), refused, adding(2), refused, adding(3)]
        done = await asyncio.gather(
            *(log.writer.do(work) for work in works), return_exceptions=True
        )
        assert [type(answer) for answer in done] == [Event, Invalid, Event, Invalid, Event]
        kept = await log.kept()
        assert [event.fields()["n"] for event in kept] == [1, 2, 3]
        assert ids(kept) == [answer.id for answer in done if isinstance(answer, Event)]
        assert (await log.state()).head == kept[-1].id


async def test_work_that_the_database_refuses_takes_none_of_its_neighbours_with_it(
    new_folder: Folder, store: str
) -> None:
    async with open_log(new_folder(), store=store) as log:
        works = [adding(1), broken, adding(2), broken, adding(3)]
        done = await asyncio.gather(
            *(log.writer.do(work) for work in works), return_exceptions=True
        )
        assert [type(answer) for answer in done] == [Event, StoreFailed, Event, StoreFailed, Event]
        kept = await log.kept()
        assert [event.fields()["n"] for event in kept] == [1, 2, 3]
        assert [event.json for event in log.announced] == [event.json for event in kept]
        assert isinstance(await log.writer.do(adding(4)), Event)


async def test_work_sees_what_its_earlier_neighbours_changed(
    new_folder: Folder, store: str
) -> None:
    async def take_name(tx: Transaction) -> bool:
        if await people.by_name(tx.fetch, "ada"):
            return False
        row = {"id": "ada", "name": "ada", "email": None, "password_hash": None}
        people.add(tx, {**row, "is_admin": False, "created_at": tx.now})
        return True

    async with open_log(new_folder(), store=store) as log:
        took = await asyncio.gather(*(log.writer.do(take_name) for _ in range(5)))
        assert took == [True, False, False, False, False]
        found = await log.database.read(lambda c: c.execute(select(users.c.id)))
        assert [row.id for row in found] == ["ada"]


async def test_ids_are_the_time_and_go_on_growing_when_the_clock_steps_back(
    new_folder: Folder, store: str, clock: Clock
) -> None:
    clock.stop(1_700_000_000)
    async with open_log(new_folder(), store=store, clock=clock) as log:
        first = await log.append(draft(), draft())
        clock.move(-3600)
        second = await log.append(draft(), draft())
        clock.move(7200)
        third = await log.append(draft())
    assert ids(first) == [1_700_000_000_000_000, 1_700_000_000_000_001]
    assert ids(second) == [1_700_000_000_000_002, 1_700_000_000_000_003]
    assert ids(third) == [1_700_003_600_000_000]


async def test_an_id_is_not_given_out_again_after_the_newest_rows_are_deleted(
    new_folder: Folder, store: str, clock: Clock
) -> None:
    clock.stop()
    folder = new_folder()
    async with open_log(folder, store=store, clock=clock) as log:
        given = ids(await log.append(*[draft(n) for n in range(10)]))

        async def delete_newest(tx: Transaction) -> None:
            tx.run(text(f"DELETE FROM events WHERE id >= {given[5]}"))

        await log.writer.do(delete_newest)
        assert ids(await log.kept()) == given[:5]
    clock.move(-60)
    async with open_log(folder, store=store, clock=clock) as log:
        assert ids(await log.append(draft()))[0] > given[-1]


async def test_an_id_is_not_given_out_again_after_an_older_copy_is_restored(
    new_folder: Folder, tmp_path: Path, store: str
) -> None:
    folder = new_folder()
    async with open_log(folder, store=store) as log:
        await log.append(draft())
    shutil.copytree(folder, tmp_path / "backup")
    async with open_log(folder, store=store) as log:
        lost = ids(await log.append(*[draft(n) for n in range(50)]))
    async with open_log(tmp_path / "backup", store=store) as log:
        assert ids(await log.append(draft()))[0] > lost[-1]


async def test_a_request_that_is_cancelled_still_commits(new_folder: Folder, store: str) -> None:
    async with open_log(new_folder(), store=store) as log:
        requests = [asyncio.ensure_future(log.writer.do(adding(n))) for n in range(20)]
        await asyncio.sleep(0)
        for request in requests[::2]:
            request.cancel()
        answers = await asyncio.gather(*requests, return_exceptions=True)
        assert [isinstance(answer, asyncio.CancelledError) for answer in answers] == [
            True,
            False,
        ] * 10
        await log.writer.do(adding(99))
        numbers = [event.fields()["n"] for event in await log.kept()]
        assert numbers == [*range(20), 99]


async def test_nobody_is_answered_before_the_commit_nor_before_the_readers_can_know(
    new_folder: Folder, store: str
) -> None:
    async with open_log(new_folder(), store=store) as log:
        order: list[str] = []
        hooks.listen(
            log.database._writer.sync_engine, "commit", lambda connection: order.append("commit")
        )

        async def sender(number: int) -> None:
            event = await log.writer.do(adding(number))
            order.append("answer")
            assert event.id in ids(log.announced)
            assert event.id in ids(await log.kept())

        await asyncio.gather(*(sender(n) for n in range(10)))
        assert order[0] == "commit"


async def test_closing_commits_what_waits_and_then_takes_nothing(
    new_folder: Folder, store: str
) -> None:
    async with open_log(new_folder(), store=store) as log:
        waiting = [asyncio.ensure_future(log.writer.do(adding(n))) for n in range(5)]
        await asyncio.sleep(0)
        await log.writer.close()
        assert ids(await asyncio.gather(*waiting)) == ids(await log.kept())
        with pytest.raises(Unavailable):
            await log.writer.do(adding(6))


async def test_work_that_reads_after_it_changed_is_a_mistake_and_changes_nothing(
    new_folder: Folder, store: str
) -> None:
    async def backwards(tx: Transaction) -> None:
        tx.append(draft())
        await tx.fetch(select(users.c.id))

    async with open_log(new_folder(), store=store) as log:
        with pytest.raises(RuntimeError):
            await log.writer.do(backwards)
        assert await log.kept() == []


async def test_an_append_of_two_ids_knows_its_own_id_in_its_data(
    new_folder: Folder, store: str
) -> None:
    async with open_log(new_folder(), store=store) as log:
        own = Draft("c:x", "new_message", lambda id_: {"message_id": str(id_)})
        for event in await log.append(own, own):
            assert event.fields() == {"message_id": str(event.id)}


async def test_work_that_is_refused_redacts_nothing(new_folder: Folder, store: str) -> None:
    async with open_log(new_folder(), store=store) as log:
        [said] = await log.append(Draft("c:x", "new_message", {"content": "kept"}))

        async def change_of_mind(tx: Transaction) -> None:
            tx.redact(said, {"content": None})
            raise Invalid("not like that")

        with pytest.raises(Invalid):
            await log.writer.do(change_of_mind)
        assert [event.data for event in await log.kept()] == [b'{"content":"kept"}']
        page = log.feed.tail.read({"c:x": 0}, 0, 10)
        assert [event.data for event in page.events] == [b'{"content":"kept"}']
