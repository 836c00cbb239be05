"""A disk that is full: told as such, nothing half-done is left, and messages go on."""

from __future__ import annotations

import io
import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from support.server import Folder, Server

from files.conftest import Start
from files.sending import (
    begin,
    download,
    go_on,
    in_pieces,
    leaving_nothing,
    offset_of,
    refusal,
    send_form,
    sent,
)

ROOM = 1_500_000  # bytes


@pytest.fixture
def small_disk(new_folder: Folder) -> Iterator[Path]:
    """A data folder whose files are on a disk of little room."""
    folder = new_folder("small")
    files = folder / "files"
    files.mkdir(mode=0o700)
    command = ["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "none", str(files)]
    if not shutil.which("mount") or subprocess.call(command, stderr=subprocess.DEVNULL):
        pytest.skip("needs to mount a file system: run as root, in a container with --privileged")
    yield folder
    subprocess.run(["umount", str(files)], check=True)


@pytest.fixture
async def server(start: Start, small_disk: Path) -> Server:
    return await start(small_disk)


@pytest.mark.parametrize("way", [send_form, in_pieces])
async def test_a_file_that_does_not_fit_is_refused_and_leaves_nothing(
    server: Server, way: Any
) -> None:
    (ada,) = await server.users(1)
    chat_id = await ada.group()
    async with leaving_nothing(server):
        refused = await refusal(way(ada, chat_id, "a.bin", bytes(2 * ROOM)))
        assert (refused.status, refused.code) == (507, "storage_full")
    assert await way(ada, chat_id, "a.bin", bytes(ROOM // 2))


async def test_an_upload_that_fills_the_disk_gives_its_room_back(server: Server) -> None:
    (ada,) = await server.users(1)
    chat_id = await ada.group()
    kept = await in_pieces(ada, chat_id, "kept.bin", b"kept" * 100_000)
    async with leaving_nothing(server):
        upload = await begin(ada, chat_id, 2 * ROOM)
        await go_on(ada, upload, 0, bytes(600_000))
        refused = await refusal(go_on(ada, upload, 600_000, bytes(900_000)))
        assert refused.code == "storage_full"
        assert (await ada.request("GET", upload["url"])).status_code == 404
    assert (await download(ada, kept["url"])).content == b"kept" * 100_000


async def test_while_the_disk_is_full_small_files_are_refused_and_messages_go_on(
    server: Server,
) -> None:
    ada, bob = await server.users(2)
    chat_id = await ada.group(bob)
    begun = await begin(ada, chat_id, 10)
    await go_on(ada, begun, 0, b"Hel")
    filling = fill(server)
    reader = await bob.live()
    assert (await refusal(send_form(ada, chat_id, "a.txt", b"x" * 5000))).code == "storage_full"
    await ada.say(chat_id, "still here")
    assert (await reader.one("new_message"))["data"]["content"] == "still here"
    filling.unlink()
    assert await offset_of(ada, begun) == 3
    assert (await go_on(ada, begun, 3, b"lo, all"))["attachment"]
    assert (await send_form(ada, chat_id, "a.txt", b"x" * 5000))["size"] == 5000


async def test_a_picture_whose_versions_do_not_fit_is_refused_as_such(server: Server) -> None:
    (ada,) = await server.users(1)
    chat_id = await ada.group()
    noise = Image.frombytes("RGB", (200, 200), random.Random(1).randbytes(120_000))
    noise.save(out := io.BytesIO(), "PNG")
    fill(server, leaving=150_000)
    async with leaving_nothing(server):
        for way in (send_form, in_pieces):
            refused = await refusal(way(ada, chat_id, "a.png", out.getvalue()))
            assert (refused.status, refused.code) == (507, "storage_full")


def fill(server: Server, leaving: int = 0) -> Path:
    path: Path = server.services.settings.data / "files" / "filling"
    with path.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space"):
        while True:
            file.write(bytes(4096))
    os.truncate(path, path.stat().st_size - leaving)
    return path


async def test_what_cannot_be_removed_now_is_removed_later(
    server: Server, small_disk: Path
) -> None:
    (ada,) = await server.users(1)
    chat_id = await ada.group()
    async with leaving_nothing(server):
        made = [await in_pieces(ada, chat_id, f"{n}.txt", b"%d" % n) for n in range(3)]
        said = await sent(ada, chat_id, *made)
        remount(small_disk, "ro")
        await ada.api("DELETE", f"/messages/{said['message_id']}")
        with pytest.raises(OSError, match="Read-only"):
            await server.services.sweeper.sweep()
        remount(small_disk, "rw")
        await server.services.sweeper.sweep()


def remount(folder: Path, how: str) -> None:
    command = ["mount", "-o", f"remount,{how},size={ROOM}", str(folder / "files")]
    subprocess.run(command, check=True)
