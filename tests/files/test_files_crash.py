"""`kill -9` at every stage of a file's way: what came is gone on with, what nobody goes on with is
swept."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.server import Folder, Person, running

from files.apart import people_in, served
from files.sending import (
    OCTETS,
    begin,
    download,
    eventually,
    files_in,
    go_on,
    in_pieces,
    offset_of,
    sent,
    traces,
)
from files.wire import FORM, asking, part

BYTES = random.Random(8).randbytes(2 * 2**20)
DAY = 86400.0
NOTHING: tuple[list[Path], list[int]] = ([], [0, 0, 0])


def coming(folder: Path, size: int) -> Callable[[], bool]:
    """Whether so many bytes of a file have come."""
    return lambda: any(path.stat().st_size >= size for path in files_in(folder))


def examined(folder: Path) -> Callable[[], bool]:
    """Whether a file is being examined."""
    return lambda: any((folder / "files" / "incoming").glob("*.work"))


async def test_an_upload_goes_on_after_a_crash_from_what_the_disk_has(new_folder: Folder) -> None:
    folder = new_folder()
    ada, chat_id = await people_in(folder)
    async with served(ada, folder) as (process, there):
        upload = await begin(there, chat_id, len(BYTES), client_id="one")
        path = f"{upload['url']}?offset=0"
        async with asking(there, "POST", path, **OCTETS, Content_Length=len(BYTES)) as wire:
            await wire.write(BYTES[:1_500_000])
            await eventually(coming(folder, 2**20))
            await process.kill()
    async with served(ada, folder) as (_, there):
        have = await offset_of(there, upload)
        again = await begin(there, chat_id, len(BYTES), client_id="one")
        assert again == {**upload, "offset": have}
        assert 2**20 <= have <= 1_500_000
        made = (await go_on(there, upload, have, BYTES[have:]))["attachment"]
        assert (await download(there, made["url"])).content == BYTES


async def test_a_crash_while_a_file_is_examined_loses_nothing(new_folder: Folder) -> None:
    folder = new_folder()
    ada, chat_id = await people_in(folder)
    async with served(ada, folder) as (process, there):
        upload = await begin(there, chat_id, 5)
        last = asyncio.create_task(go_on(there, upload, 0, b"Hello"))
        await eventually(examined(folder))
        await process.kill()
        await asyncio.wait([last])
        assert last.exception()
    async with served(ada, folder) as (_, there):
        made = (await go_on(there, upload, 5, b""))["attachment"]
        await sent(there, chat_id, made)
        assert (await download(there, made["url"])).content == b"Hello"


async def begun(there: Person, chat_id: str, folder: Path) -> None:
    await go_on(there, await begin(there, chat_id, len(BYTES)), 0, BYTES[:1000])


async def amid_a_form(there: Person, chat_id: str, folder: Path) -> Any:
    path = f"/api/chats/{chat_id}/files"
    async with asking(there, "POST", path, Content_Type=FORM, Content_Length=10**7) as wire:
        await wire.write(part("file", BYTES, "a.bin")[:-2])
        await eventually(coming(folder, 2**20))
        return wire


async def examining(there: Person, chat_id: str, folder: Path) -> Any:
    files = {"file": ("a.txt", b"Hello")}
    sending = there.request("POST", f"/api/chats/{chat_id}/files", files=files)
    task = asyncio.create_task(sending)
    await eventually(examined(folder))
    return task


async def not_sent(there: Person, chat_id: str, folder: Path) -> None:
    await in_pieces(there, chat_id, "a.bin", BYTES)


async def just_deleted(there: Person, chat_id: str, folder: Path) -> None:
    said = await sent(there, chat_id, await in_pieces(there, chat_id, "a.bin", BYTES))
    await there.api("DELETE", f"/messages/{said['message_id']}")


@pytest.mark.parametrize("stage", [begun, amid_a_form, examining, not_sent, just_deleted])
async def test_nothing_is_left_of_what_nobody_goes_on_with(new_folder: Folder, stage: Any) -> None:
    folder = new_folder()
    ada, chat_id = await people_in(folder)
    async with served(ada, folder) as (process, there):
        left = await stage(there, chat_id, folder)
        await process.kill()
        if isinstance(left, asyncio.Task):
            await asyncio.wait([left])
            assert left.exception()
    async with running(folder) as server:
        server.move_clock(8 * DAY)
        await server.services.sweeper.sweep()
        assert await traces(server) == NOTHING
        assert not list((folder / "files" / "incoming").iterdir())


async def test_files_without_a_row_go_at_the_first_start(new_folder: Folder) -> None:
    folder = new_folder()
    ada, chat_id = await people_in(folder)
    async with served(ada, folder) as (process, there):
        await amid_a_form(there, chat_id, folder)
        await process.kill()
    async with running(folder) as server:
        await server.services.sweeper.sweep()
        assert await traces(server) == NOTHING


async def test_stopping_in_order_leaves_a_file_that_is_examined_to_be_finished_later(
    new_folder: Folder,
) -> None:
    folder = new_folder()
    ada, chat_id = await people_in(folder)
    async with served(ada, folder) as (process, there):
        upload = await begin(there, chat_id, 5)
        last = asyncio.create_task(go_on(there, upload, 0, b"Hello"))
        await eventually(examined(folder))
        assert await process.terminate() == 0
        await asyncio.wait([last])
        last.exception()
    async with served(ada, folder) as (_, there):
        assert (await go_on(there, upload, 5, b""))["attachment"]
