"""Uploads that were cut, and gone on with; and what of a cut form is left: nothing."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from support.server import Person, Server

from files.sending import (
    OCTETS,
    begin,
    download,
    eventually,
    go_on,
    leaving_nothing,
    offset_of,
    on_disk,
    refusal,
    sent,
)
from files.wire import BOUNDARY, END, FORM, asking, chunk, part

BYTES = random.Random(6).randbytes(3 * 2**20)


def piece(who: Person, upload: Any, offset: int, length: int) -> Any:
    """A connection on which a piece of so many bytes was announced."""
    path = f"{upload['url']}?offset={offset}"
    return asking(who, "POST", path, **OCTETS, Content_Length=length)


async def test_after_a_cut_the_offset_tells_the_truth_and_the_rest_makes_the_same_bytes(
    server: Server,
) -> None:
    (ada,) = await server.users(1)
    upload, cut_at = await begin(ada, await ada.group(), len(BYTES)), 1_300_001
    async with piece(ada, upload, 0, len(BYTES)) as wire:
        await wire.write(BYTES[:cut_at])
        path = await came(server, 2**20)
        wire.cut()
    have = await offset_of(ada, upload)
    assert 2**20 <= have <= cut_at
    assert path.read_bytes() == BYTES[:have]
    state = await go_on(ada, upload, have, BYTES[have:])
    assert (await download(ada, state["attachment"]["url"])).content == BYTES


async def came(server: Server, size: int) -> Any:
    """The one file that is coming in, once so much of it is there."""
    await eventually(lambda: any(path.stat().st_size >= size for path in on_disk(server)))
    (path,) = on_disk(server)
    return path


async def test_it_can_be_cut_again_and_again(server: Server) -> None:
    (ada,) = await server.users(1)
    upload, data = await begin(ada, await ada.group(), 100_000), BYTES[:100_000]
    have = 0
    while have < 90_000:
        async with piece(ada, upload, have, len(data) - have) as wire:
            await wire.write(data[have : have + 30_000])
            wire.cut()
        have = await offset_of(ada, upload)
        assert 0 <= have <= 90_000
        state = await go_on(ada, upload, have, data[have : have + 10_000])
        have = state["offset"]
    state = await go_on(ada, upload, have, data[have:])
    assert (await download(ada, state["attachment"]["url"])).content == data


async def test_a_wrong_offset_is_told_the_right_one_and_changes_nothing(server: Server) -> None:
    (ada,) = await server.users(1)
    upload = await begin(ada, await ada.group(), 10)
    await go_on(ada, upload, 0, b"01234")
    for wrong in (0, 4, 6, 10, 11, 10**14):
        refused = await refusal(go_on(ada, upload, wrong, b"x"))
        assert (refused.status, refused.code) == (409, "offset_mismatch")
        assert refused.problem["offset"] == 5
    assert await offset_of(ada, upload) == 5


@pytest.mark.parametrize("offset", ["", "-1", "x", "1.5", "٣", "1" * 16])
async def test_an_offset_that_is_no_number_is_invalid(server: Server, offset: str) -> None:
    (ada,) = await server.users(1)
    upload = await begin(ada, await ada.group(), 10)
    refused = await refusal(go_on(ada, upload, offset, b"x"))  # type: ignore[arg-type]
    assert (refused.status, refused.problem["field"]) == (422, "offset")


async def test_a_lost_last_answer_is_asked_for_by_an_empty_piece_at_the_end(server: Server) -> None:
    (ada,) = await server.users(1)
    chat_id = await ada.group()
    upload = await begin(ada, chat_id, 5)
    made = (await go_on(ada, upload, 0, b"Hello"))["attachment"]
    again = await go_on(ada, upload, 5, b"")
    assert again["attachment"] == made
    await sent(ada, chat_id, made)
    assert (await go_on(ada, upload, 5, b""))["attachment"] == made
    found = await ada.api("GET", f"/chats/{chat_id}/files?kind=files")
    assert len(found["files"]) == 1


async def test_who_is_cut_while_the_file_is_examined_gets_it_by_asking_again(
    server: Server,
) -> None:
    (ada,) = await server.users(1)
    chat_id = await ada.group()
    for _ in range(3):
        upload = await begin(ada, chat_id, 5)
        async with piece(ada, upload, 0, 5) as wire:
            await wire.write(b"Hello")
            await eventually(lambda: any(p.name.endswith(".work") for p in folders(server)))
            wire.cut()
        both = await asyncio.gather(*(go_on(ada, upload, 5, b"") for _ in range(2)))
        assert both[0]["attachment"] == both[1]["attachment"] is not None
    assert len([path for path in on_disk(server) if "incoming" not in path.parts]) == 1


def folders(server: Server) -> list[Any]:
    return list((server.services.settings.data / "files" / "incoming").iterdir())


async def test_of_two_requests_at_once_the_later_goes_on(server: Server) -> None:
    (ada,) = await server.users(1)
    upload = await begin(ada, await ada.group(), 10)
    async with piece(ada, upload, 0, 10) as wire:
        await wire.write(b"012")
        await eventually(lambda: folders(server))
        have = await offset_of(ada, upload)
        assert (await wire.answer()).code == "conflict"
    state = await go_on(ada, upload, have, b"0123456789"[have:])
    assert (await download(ada, state["attachment"]["url"])).content == b"0123456789"


async def test_many_requests_at_once_leave_one_whole_file(server: Server) -> None:
    (ada,) = await server.users(1)
    data = BYTES[:200_000]
    upload = await begin(ada, await ada.group(), len(data))
    tries = [go_on(ada, upload, 0, data) for _ in range(8)]
    answers = await asyncio.gather(*tries, return_exceptions=True)
    codes = {getattr(answer, "code", None) for answer in answers}
    assert codes <= {None, "conflict", "offset_mismatch"}
    have = await offset_of(ada, upload)
    state = await go_on(ada, upload, have, data[have:])
    assert (await download(ada, state["attachment"]["url"])).content == data


async def test_cancelling_ends_a_request_that_still_sends(server: Server) -> None:
    (ada,) = await server.users(1)
    chat_id = await ada.group()
    async with leaving_nothing(server):
        upload = await begin(ada, chat_id, len(BYTES))
        async with piece(ada, upload, 0, len(BYTES)) as wire:
            await wire.write(BYTES[:1_500_000])
            await came(server, 2**20)
            assert (await ada.request("DELETE", upload["url"])).status_code == 204
            assert (await wire.answer()).code == "conflict"


async def test_cancelling_ends_the_examination_too(server: Server) -> None:
    (ada,) = await server.users(1)
    chat_id = await ada.group()
    async with leaving_nothing(server):
        upload = await begin(ada, chat_id, 5)
        last = asyncio.create_task(go_on(ada, upload, 0, b"Hello"))
        await eventually(lambda: any(p.name.endswith(".work") for p in folders(server)))
        assert (await ada.request("DELETE", upload["url"])).status_code == 204
        assert (await refusal(last)).code == "upload_not_found"
        await server.services.sweeper.sweep()


async def test_more_bytes_than_announced_are_refused(server: Server) -> None:
    (ada,) = await server.users(1)
    upload = await begin(ada, await ada.group(), 10)
    refused = await refusal(go_on(ada, upload, 0, b"0123456789x"))
    assert (refused.status, refused.code) == (413, "too_large")
    have = await offset_of(ada, upload)
    assert (await go_on(ada, upload, have, b"0123456789"[have:]))["attachment"]


FILE = part("file", BYTES, "a.bin") + END
CUTS = {
    "before the boundary": 5,
    "in the boundary": len(BOUNDARY) - 3,
    "in the headers": len(BOUNDARY) + 20,
    "before the file": FILE.index(b"\r\n\r\n") + 2,
    "in the file": 1_500_000,
    "in the last boundary": len(FILE) - 10,
    "before the last line break": len(FILE) - 1,
}


@pytest.mark.parametrize("size", CUTS.values(), ids=CUTS)
@pytest.mark.parametrize("how", ["reset", "closed"])
async def test_a_cut_form_leaves_nothing(server: Server, size: int, how: str) -> None:
    (ada,) = await server.users(1)
    path = f"/api/chats/{await ada.group()}/files"
    async with leaving_nothing(server):
        async with asking(ada, "POST", path, Content_Type=FORM, Content_Length=len(FILE)) as wire:
            await wire.write(FILE[:size])
            if size > 2**20:
                await came(server, 2**20)
            if how == "reset":
                wire.cut()
        await eventually(lambda: on_disk(server) == [])


@pytest.mark.parametrize("size", list(CUTS.values())[:-1], ids=list(CUTS)[:-1])
async def test_a_form_that_ends_too_early_is_refused(server: Server, size: int) -> None:
    """As where a program in between lost its end."""
    (ada,) = await server.users(1)
    path = f"/api/chats/{await ada.group()}/files"
    async with (
        leaving_nothing(server),
        asking(ada, "POST", path, Content_Type=FORM, Transfer_Encoding="chunked") as wire,
    ):
        await wire.write(chunk(FILE[:size]) + b"0\r\n\r\n")
        answer = await wire.answer()
        assert (answer.status, answer.code) == (400, "bad_request")


async def test_the_tasks_of_cut_requests_end(server: Server) -> None:
    (ada,) = await server.users(1)
    chat_id = await ada.group()
    await offset_of(ada, await begin(ada, chat_id, 5))
    before = asyncio.all_tasks()
    for size in (10_000, len(BYTES)):
        upload = await begin(ada, chat_id, len(BYTES) + 1)
        path = f"/api/chats/{chat_id}/files"
        async with (
            piece(ada, upload, 0, len(BYTES) + 1) as one,
            asking(ada, "POST", path, Content_Type=FORM, Content_Length=len(FILE)) as two,
        ):
            await one.write(BYTES[:size])
            await two.write(FILE[:size])
            await eventually(lambda: len(on_disk(server)) >= 2)
            one.cut()
            two.cut()
        await ada.request("DELETE", upload["url"])
    await eventually(lambda: not asyncio.all_tasks() - before)
    assert on_disk(server) == []
