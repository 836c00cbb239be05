"""Files in a folder: durable, closed to others, and nothing half-done stays."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from support import disks

from quartchat.config import SettingsError
from quartchat.storage.base import StorageFull, digest_of
from quartchat.storage.folder import Folder

MIB = 2**20
DIGEST = "ab" * 32


@pytest_asyncio.fixture
async def folder(tmp_path: Path) -> AsyncIterator[Folder]:
    folder = Folder(tmp_path / "data" / "stored")
    await folder.check()
    yield folder
    await folder.close()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "data" / "stored"


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    """A folder on another file system."""
    path = Path(tempfile.mkdtemp(dir="/dev/shm"))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 1 MiB and 20 files."""
    with disks.small_disk(tmp_path / "disk", "1m", nr_inodes=20) as path:
        yield path


def made(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def below(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def is_open(path: Path) -> bool:
    links = Path("/proc/self/fd").iterdir()
    return any(os.path.realpath(link) == str(path) for link in links)


async def test_a_file_of_the_same_disk_is_moved(folder: Folder, tmp_path: Path) -> None:
    path = made(tmp_path / "one", b"some")
    await folder.put(path, DIGEST)
    assert not path.exists()


async def test_a_file_of_another_disk_is_copied(
    folder: Folder, root: Path, elsewhere: Path
) -> None:
    path = made(elsewhere / "one", os.urandom(3 * MIB))
    await folder.put(path, DIGEST)
    assert (root / "ab" / DIGEST).read_bytes() == path.read_bytes()
    assert below(root) == {f"ab/{DIGEST}"}


@pytest.mark.parametrize("place", ["tmp_path", "elsewhere"])
async def test_others_on_the_machine_read_nothing(
    folder: Folder, root: Path, place: str, request: pytest.FixtureRequest
) -> None:
    path = made(request.getfixturevalue(place) / "one", b"some")
    path.chmod(0o644)
    await folder.put(path, DIGEST)
    assert (root / "ab" / DIGEST).stat().st_mode & 0o777 == 0o600
    for made_folder in (root, root / "ab", root / "new", root.parent):
        assert made_folder.stat().st_mode & 0o777 == 0o700


async def test_the_file_is_on_the_disk_before_its_name_and_the_folders_after(
    folder: Folder, root: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = list[str]()
    sync, replace = os.fsync, Path.replace

    def synced(descriptor: int) -> None:
        done.append(os.path.realpath(f"/proc/self/fd/{descriptor}"))
        sync(descriptor)

    def replaced(path: Path, target: Path) -> Path:
        moved = replace(path, target)
        done.append(f"{path} -> {target}")
        return moved

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", replaced)
    path = made(elsewhere / "one", b"some")
    await folder.put(path, DIGEST)
    copy = done[2]
    assert done[0] == str(root)  # for the folder that was made in it
    assert Path(copy).parent == root / "new"
    assert done[3:] == [f"{copy} -> {root / 'ab' / DIGEST}", str(root / "ab"), str(root)]


async def test_a_put_that_is_cancelled_stops_and_leaves_nothing(
    folder: Folder, root: Path, elsewhere: Path
) -> None:
    path = elsewhere / "sparse"
    with path.open("wb") as file:
        file.truncate(1024 * MIB)
    putting = asyncio.create_task(folder.put(path, DIGEST))
    while not below(root):
        await asyncio.sleep(0)
    putting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await putting
    assert not below(root)


async def test_a_reader_closes_its_file_when_it_is_closed_or_cancelled(
    folder: Folder, root: Path, tmp_path: Path
) -> None:
    await folder.put(made(tmp_path / "one", os.urandom(3 * MIB)), DIGEST)
    target = root / "ab" / DIGEST
    reading = folder.read(DIGEST)
    await anext(reading)
    assert is_open(target)
    await reading.aclose()
    assert not is_open(target)
    for turns in range(8):  # cancelled at each of its first steps
        task = asyncio.ensure_future(_read_all(folder))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not is_open(target)


async def _read_all(folder: Folder) -> None:
    while True:
        async for _ in folder.read(DIGEST):
            pass


async def test_what_is_removed_is_still_read_by_who_began(folder: Folder, tmp_path: Path) -> None:
    content = os.urandom(MIB)
    await folder.put(made(tmp_path / "one", content), DIGEST)
    reading = folder.read(DIGEST)
    first = await anext(reading)
    await folder.remove(DIGEST)
    assert first + b"".join([piece async for piece in reading]) == content


async def test_a_full_disk_is_told_and_nothing_half_done_stays(
    small_disk: Path, tmp_path: Path
) -> None:
    root = small_disk / "stored"
    folder = Folder(root)
    await folder.check()
    await folder.put(made(tmp_path / "small", b"x" * 1000), DIGEST)
    large = made(tmp_path / "large", os.urandom(2 * MIB))
    with pytest.raises(StorageFull):
        await folder.put(large, await digest_of(large))
    assert large.exists()
    assert below(root) == {f"ab/{DIGEST}"}
    assert b"".join([piece async for piece in folder.read(DIGEST)]) == b"x" * 1000
    assert 0 < await folder.free_bytes() < MIB
    half = made(tmp_path / "half", os.urandom(MIB // 2))
    await folder.put(half, await digest_of(half))
    await folder.close()


async def test_a_disk_without_room_for_one_more_name_is_full(
    small_disk: Path, tmp_path: Path
) -> None:
    root = small_disk / "stored"
    folder = Folder(root)
    await folder.check()
    put = 0
    with pytest.raises(StorageFull):
        for number in range(20):
            path = made(tmp_path / str(number), b"%d" % number)
            await folder.put(path, hashlib.sha256(b"%d" % number).hexdigest())
            put += 1
    assert len(below(root)) == put > 0
    await folder.close()


async def test_a_start_takes_away_what_a_crash_left_and_nothing_that_is_under_way(
    folder: Folder, root: Path
) -> None:
    old, young = made(root / "new" / "old", b"half"), made(root / "new" / "young", b"half")
    os.utime(old, (1, 1))
    await folder.check()
    assert not old.exists()
    assert young.exists()
    assert [item async for item in folder.stored()] == []


async def test_what_is_not_ours_in_the_folder_is_not_listed(folder: Folder, root: Path) -> None:
    (root / "ab").mkdir()
    made(root / "ab" / "notes.txt", b"")
    made(root / "ab" / ("cd" * 32), b"")
    assert [item async for item in folder.stored()] == []


async def test_a_folder_that_cannot_be_is_refused_at_the_start(tmp_path: Path) -> None:
    made(tmp_path / "file", b"")
    folder = Folder(tmp_path / "file" / "stored")
    with pytest.raises(SettingsError, match=r"folder of files .*file/stored: "):
        await folder.check()
    await folder.close()
