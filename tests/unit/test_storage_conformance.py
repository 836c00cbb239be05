"""What holds for every storage, whatever keeps the bytes."""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio
from support import s3

from quartchat.storage.base import Storage, digest_of
from quartchat.storage.folder import Folder

MIB = 2**20
CONTENT = bytes(range(256)) * 2048  # two pieces
DIGEST = hashlib.sha256(CONTENT).hexdigest()
NOWHERE = "0" * 64


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[s3.Store]:
    if why := s3.missing():
        pytest.skip(why)
    with s3.serving(tmp_path_factory.mktemp("s3")) as store:
        yield store


@dataclass
class Kept:
    """`files`: the names of all that is there, also of what is half-done."""

    storage: Storage
    files: Callable[[], set[str]]


@pytest_asyncio.fixture(params=["folder", "s3"])
async def kept(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Kept]:
    make = {"folder": _folder, "s3": _bucket}[request.param]
    kept = make(request, tmp_path)
    await kept.storage.check()
    yield kept
    await kept.storage.close()


def _folder(_: pytest.FixtureRequest, tmp_path: Path) -> Kept:
    root = tmp_path / "stored"
    return Kept(Folder(root), lambda: _below(root))


def _bucket(request: pytest.FixtureRequest, _: Path) -> Kept:
    from quartchat.storage.s3 import S3

    store: s3.Store = request.getfixturevalue("server")
    name = uuid4().hex
    storage = S3(s3.BUCKET, store.endpoint, "", s3.KEY, s3.SECRET, f"{name}/")
    return Kept(storage, lambda: _below(store.folder / name))


def _below(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


@pytest.fixture
def file(tmp_path: Path) -> Callable[[bytes], Path]:
    def make(content: bytes = CONTENT) -> Path:
        path = tmp_path / uuid4().hex
        path.write_bytes(content)
        return path

    return make


async def read(storage: Storage, digest: str, start: int = 0, length: int | None = None) -> bytes:
    return b"".join([piece async for piece in storage.read(digest, start, length)])


async def listed(storage: Storage) -> list[str]:
    return sorted([digest async for digest, _ in storage.stored()])


async def put(kept: Kept, path: Path) -> str:
    digest = await digest_of(path)
    await kept.storage.put(path, digest)
    return digest


File = Callable[..., Path]


async def test_what_was_put_is_read_as_it_was(kept: Kept, file: File) -> None:
    assert await put(kept, file()) == DIGEST
    assert await read(kept.storage, DIGEST) == CONTENT
    assert kept.files() == {f"{DIGEST[:2]}/{DIGEST}"}


async def test_an_empty_file_is_a_file(kept: Kept, file: File) -> None:
    digest = await put(kept, file(b""))
    assert await read(kept.storage, digest) == b""
    assert await listed(kept.storage) == [digest]


SIZE = len(CONTENT)
EDGES = [
    (0, None),
    (0, 0),
    (0, 1),
    (0, SIZE),
    (0, SIZE + 1),
    (1, SIZE),
    (256 * 1024 - 1, 2),
    (256 * 1024, None),
    (SIZE - 1, None),
    (SIZE - 1, 1),
    (SIZE - 1, 10),
    (SIZE, None),
    (SIZE, 1),
    (SIZE + 1, None),
    (SIZE + 1, 5),
]


async def test_every_range_is_what_a_slice_is(kept: Kept, file: File) -> None:
    await put(kept, file())
    for start, length in EDGES:
        end = None if length is None else start + length
        assert await read(kept.storage, DIGEST, start, length) == CONTENT[start:end]


@pytest.mark.parametrize(("start", "length"), [(-1, None), (0, -1)])
async def test_a_range_before_the_beginning_is_refused(
    kept: Kept, file: File, start: int, length: int | None
) -> None:
    await put(kept, file())
    with pytest.raises(ValueError, match="range"):
        await read(kept.storage, DIGEST, start, length)


async def test_what_is_not_there_is_told_before_the_first_piece(kept: Kept) -> None:
    for length in (None, 5):
        with pytest.raises(FileNotFoundError):
            await read(kept.storage, NOWHERE, 0, length)


async def test_pieces_are_neither_large_nor_tiny(kept: Kept, file: File) -> None:
    digest = await put(kept, file(os.urandom(3 * MIB)))
    sizes = [len(piece) async for piece in kept.storage.read(digest)]
    assert max(sizes) <= 256 * 1024
    assert min(sizes[:-1]) >= 64 * 1024


async def test_what_is_removed_is_gone_and_may_be_removed_again(kept: Kept, file: File) -> None:
    await put(kept, file())
    await kept.storage.remove(DIGEST)
    await kept.storage.remove(DIGEST)
    with pytest.raises(FileNotFoundError):
        await read(kept.storage, DIGEST)
    assert not kept.files()
    assert await listed(kept.storage) == []


async def test_two_puts_of_the_same_at_once_keep_it_once(kept: Kept, file: File) -> None:
    paths = [file() for _ in range(6)]
    await asyncio.gather(*(kept.storage.put(path, DIGEST) for path in paths))
    assert await read(kept.storage, DIGEST) == CONTENT
    assert kept.files() == {f"{DIGEST[:2]}/{DIGEST}"}


async def test_what_is_put_again_counts_as_new(kept: Kept, file: File) -> None:
    before = time.time() - 2  # a store may round its times
    for _ in range(2):
        path = file()
        os.utime(path, (1, 1))
        await kept.storage.put(path, DIGEST)
        [(digest, since)] = [item async for item in kept.storage.stored()]
        assert digest == DIGEST
        assert before <= since <= time.time() + 2


async def test_a_reader_goes_on_while_the_same_is_put_again(kept: Kept, file: File) -> None:
    await put(kept, file())
    reading = kept.storage.read(DIGEST)
    first = await anext(reading)
    await put(kept, file())
    assert first + b"".join([piece async for piece in reading]) == CONTENT


async def test_a_listing_goes_on_while_files_come_and_go(kept: Kept, file: File) -> None:
    stay = {await put(kept, file(b"stay %d" % number)) for number in range(5)}
    goes = await put(kept, file(b"goes"))
    seen = list[str]()
    async for digest, _ in kept.storage.stored():
        seen.append(digest)
        if len(seen) == 1:
            await kept.storage.remove(goes)
            comes = await put(kept, file(b"comes"))
    assert len(seen) == len(set(seen))
    assert stay <= set(seen) <= stay | {goes, comes}
    assert await listed(kept.storage) == sorted(stay | {comes})


STRANGE = [
    "",
    ".",
    "../secret.key",
    "/etc/passwd",
    "a" * 63,
    "a" * 65,
    "A" * 64,
    "a" * 64 + "\n",
    "\0" * 64,
    "../" + "a" * 61,
    "é" * 64,
    "１" * 64,
]


@pytest.mark.parametrize("digest", STRANGE)
async def test_nothing_but_a_digest_names_a_file(kept: Kept, file: File, digest: str) -> None:
    path = file()
    with pytest.raises(ValueError, match="digest"):
        await kept.storage.put(path, digest)
    with pytest.raises(ValueError, match="digest"):
        await read(kept.storage, digest)
    with pytest.raises(ValueError, match="digest"):
        await kept.storage.remove(digest)
    assert path.exists()
    assert not kept.files()


async def test_a_file_that_is_not_there_is_an_error_and_leaves_nothing(
    kept: Kept, tmp_path: Path
) -> None:
    with pytest.raises(FileNotFoundError):
        await kept.storage.put(tmp_path / "nothing", DIGEST)
    assert not kept.files()


async def test_a_reader_that_never_began_or_ended_early_does_no_harm(
    kept: Kept, file: File
) -> None:
    await put(kept, file())
    await kept.storage.read(DIGEST).aclose()
    reading = kept.storage.read(DIGEST)
    await anext(reading)
    await reading.aclose()
    assert await read(kept.storage, DIGEST) == CONTENT


async def test_a_large_file_takes_little_memory(kept: Kept, tmp_path: Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as large:
        for _ in range(50):
            large.write(os.urandom(MIB))
    tracemalloc.start()
    try:
        digest = await put(kept, path)
        hasher = hashlib.sha256()
        async for piece in kept.storage.read(digest):
            hasher.update(piece)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert hasher.hexdigest() == digest
    assert peak < 16 * MIB
