"""However large a file is, the server's memory is not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from support.server import Folder, Person

from files.apart import people_in, resident, served
from files.sending import begin, checked, eventually, go_on
from files.wire import END, FORM, asking, part

MB = 2**20
SIZE = 100 * MB
FLAGS = ("--max-upload", str(2 * SIZE))
MOST = 20 * MB
pytestmark = pytest.mark.slow


class Watch:
    """The most memory that a process has while this is open, beyond what it had before."""

    def __init__(self, process: Any) -> None:
        self._process, self._before, self.most = process, resident(process), 0

    async def __aenter__(self) -> Watch:
        self._task = asyncio.create_task(self._look())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _look(self) -> None:
        while True:
            self.most = max(self.most, resident(self._process) - self._before)
            await asyncio.sleep(0.01)


async def form() -> AsyncIterator[bytes]:
    head, _, tail = part("file", b"SPLIT", "a.bin").partition(b"SPLIT")
    yield head
    for _ in range(SIZE // MB):
        yield bytes(MB)
    yield tail + END


async def by_form(who: Person, chat_id: str) -> Any:
    headers = {"Content-Type": FORM}
    return checked(
        await who.request("POST", f"/api/chats/{chat_id}/files", content=form(), headers=headers)
    )


async def by_chunks(who: Person, chat_id: str) -> Any:
    upload, step = await begin(who, chat_id, SIZE), 4 * MB
    for offset in range(0, SIZE, step):
        state = await go_on(who, upload, offset, bytes(step))
    return state["attachment"]


async def warm(who: Person, chat_id: str) -> None:
    """What is loaded with the first file is no growth."""
    for _ in range(2):
        upload = await begin(who, chat_id, 2 * MB)
        made = (await go_on(who, upload, 0, bytes(2 * MB)))["attachment"]
        await who.request("GET", made["url"])


@pytest.mark.parametrize("way", [by_form, by_chunks])
async def test_a_large_file_comes_in_little_memory(new_folder: Folder, way: Any) -> None:
    folder = new_folder()
    ada, chat_id = await people_in(folder)
    async with served(ada, folder, *FLAGS) as (process, there):
        await warm(there, chat_id)
        async with Watch(process) as watch:
            made = await way(there, chat_id)
        assert made["size"] == SIZE
        assert watch.most < MOST, f"{watch.most / MB:.1f} MB"


async def test_a_slow_reader_of_a_large_file_keeps_no_memory(new_folder: Folder) -> None:
    folder = new_folder()
    ada, chat_id = await people_in(folder)
    async with served(ada, folder, *FLAGS) as (process, there):
        await warm(there, chat_id)
        made = await by_chunks(there, chat_id)
        async with (
            Watch(process) as watch,
            asking(there, "GET", made["url"], small_window=True) as slow,
        ):
            await slow.head()
            await slow.read(MB)
            async with there.server.client.stream(
                "GET",
                f"{there.server.url}{made['url']}",
                headers={"Authorization": f"Bearer {there.token}"},
            ) as fast:
                sizes = [len(piece) async for piece in fast.aiter_raw()]
            assert sum(sizes) == SIZE
            await slow.read(MB)
            slow.cut()
            await eventually(lambda: not opened(process.pid, folder))
        assert watch.most < MOST, f"{watch.most / MB:.1f} MB"


def opened(pid: int, folder: Path) -> list[Path]:
    """The stored files that a process has open."""
    links = [link.readlink() for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()]
    return [path for path in links if path.is_relative_to(folder / "files" / "stored")]


async def test_several_large_files_at_once_come_in_little_memory(
    new_folder: Folder,
) -> None:
    folder = new_folder()
    ada, chat_id = await people_in(folder)
    async with served(ada, folder, *FLAGS) as (process, there):
        await warm(there, chat_id)
        async with Watch(process) as watch:
            uploads = [await begin(there, chat_id, 20 * MB) for _ in range(5)]
            await asyncio.gather(*(go_on(there, one, 0, bytes(20 * MB)) for one in uploads))
        assert watch.most < 2 * MOST, f"{watch.most / MB:.1f} MB"
