"""Files in a bucket: what is particular to a store on the network."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from support import s3
from support.gate import Gate

from quartchat.config import SettingsError
from quartchat.errors import Unavailable
from quartchat.storage.base import digest_of
from quartchat.storage.s3 import S3
from quartchat.storage.s3client import client
from quartchat.storage.s3upload import PART, abandon_old

pytestmark = pytest.mark.slow  # each starts a store of its own
MIB = 2**20
DIGEST = "ab" * 32
WRONG = [
    ({"bucket": "another"}, "s3_bucket another: there is none of this name at http"),
    ({"bucket": "no name"}, "s3_bucket no name: is no name of a bucket"),
    ({"key": "nobody"}, "s3_key, s3_secret: .* refuses them for the bucket files"),
    ({"secret": "guessed"}, "s3_key, s3_secret: .* refuses them for the bucket files"),
    ({"endpoint": "s3.example.org"}, "s3_endpoint: takes https"),
]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[s3.Store]:
    if why := s3.missing():
        pytest.skip(why)
    with s3.serving(tmp_path / "s3") as store:
        yield store


@pytest_asyncio.fixture
async def gate(store: s3.Store) -> AsyncIterator[Gate]:
    gate = Gate(store.endpoint)
    await gate.open()
    yield gate
    await unused(gate)
    await gate.cut()


@pytest_asyncio.fixture
async def storage(gate: Gate) -> AsyncIterator[S3]:
    storage = S3(s3.BUCKET, gate.url, "", s3.KEY, s3.SECRET)
    yield storage
    await storage.close()


async def unused(gate: Gate) -> None:
    async with asyncio.timeout(5):
        while gate.connections:
            await asyncio.sleep(0)


@pytest.fixture
def large(tmp_path: Path) -> Path:
    path = tmp_path / "large"
    path.write_bytes(os.urandom(4 * PART + 1))
    return path


@pytest.mark.parametrize(("change", "says"), WRONG)
async def test_settings_that_cannot_work_are_refused_with_what_to_change(
    store: s3.Store, change: dict[str, str], says: str
) -> None:
    right = {"bucket": s3.BUCKET, "endpoint": store.endpoint, "key": s3.KEY, "secret": s3.SECRET}
    storage = S3(**{**right, "region": "", **change})
    with pytest.raises(SettingsError, match=says) as refusal:
        await storage.check()
    assert s3.SECRET not in str(refusal.value)
    await storage.close()


async def test_a_check_leaves_nothing_in_the_bucket(storage: S3, store: s3.Store) -> None:
    await storage.check()
    assert not store.files()


async def test_nothing_is_looked_for_in_the_environment(
    storage: S3, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "config").write_text("[default\nbroken")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_PROFILE", "of-somebody-else")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "of-somebody-else")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    await storage.check()


@pytest.mark.parametrize("size", [PART - 1, PART, PART + 1, 2 * PART])
async def test_files_about_the_size_of_a_part_come_through_whole(
    storage: S3, tmp_path: Path, size: int
) -> None:
    path = tmp_path / "one"
    path.write_bytes(os.urandom(size))
    digest = await digest_of(path)
    await storage.put(path, digest)
    assert b"".join([piece async for piece in storage.read(digest)]) == path.read_bytes()


async def test_a_put_that_is_cancelled_leaves_nothing(
    storage: S3, store: s3.Store, large: Path
) -> None:
    putting = asyncio.create_task(storage.put(large, DIGEST))
    while not store.files():
        await asyncio.sleep(0)
    putting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await putting
    assert not store.files()


async def test_a_put_whose_file_is_gone_halfway_leaves_nothing(
    storage: S3, store: s3.Store, large: Path
) -> None:
    putting = asyncio.create_task(storage.put(large, DIGEST))
    while not store.files():
        await asyncio.sleep(0)
    large.unlink()
    with pytest.raises(FileNotFoundError):
        await putting
    assert not store.files()


async def test_a_store_that_dies_halfway_is_told_as_unavailable(
    storage: S3, store: s3.Store, large: Path
) -> None:
    putting = asyncio.create_task(storage.put(large, DIGEST))
    while not store.files():
        await asyncio.sleep(0)
    store.kill()
    with pytest.raises(Unavailable, match="does not answer"):
        await putting
    with pytest.raises(Unavailable, match="does not answer"):
        await storage.remove(DIGEST)
    with pytest.raises(Unavailable, match="does not answer"):
        await storage.check()


async def test_a_reader_goes_on_where_the_network_was_cut(
    storage: S3, store: s3.Store, gate: Gate, large: Path
) -> None:
    await storage.put(large, DIGEST)
    reading = storage.read(DIGEST, 5, 3 * PART)
    came = await anext(reading)
    await gate.lead(store.endpoint)
    async for piece in reading:
        came += piece
    assert came == large.read_bytes()[5 : 3 * PART + 5]


async def test_a_reader_is_told_when_the_store_is_gone(
    storage: S3, store: s3.Store, large: Path
) -> None:
    await storage.put(large, DIGEST)
    reading = storage.read(DIGEST)
    await anext(reading)
    store.kill()
    with pytest.raises(Unavailable):
        async for _ in reading:
            pass


async def test_a_reader_that_ends_early_gives_its_connection_back(
    storage: S3, gate: Gate, large: Path
) -> None:
    await storage.put(large, DIGEST)
    before = gate.connections
    readers = [storage.read(DIGEST) for _ in range(3)]
    await asyncio.gather(*(anext(reading) for reading in readers))
    assert gate.connections == before + 2
    for reading in readers:
        await reading.aclose()
    await unused(gate)


async def test_uploads_that_a_crash_left_are_taken_away_when_they_are_old(
    store: s3.Store,
) -> None:
    async with client(store.endpoint, "", s3.KEY, s3.SECRET) as plain:
        for name in ("ours/one", "theirs/one"):
            upload = await plain.create_multipart_upload(Bucket=s3.BUCKET, Key=name)
            target = {"Bucket": s3.BUCKET, "Key": name, "UploadId": upload["UploadId"]}
            await plain.upload_part(**target, PartNumber=1, Body=b"x" * PART)
        now = time.time()
        await abandon_old(plain, s3.BUCKET, "ours/", now - 3600)
        assert len(store.files()) == 2
        await abandon_old(plain, s3.BUCKET, "ours/", now + 3600)
    assert [name.partition("/")[0] for name in store.files()] == ["theirs"]


async def test_a_listing_of_several_pages_is_whole(storage: S3, store: s3.Store) -> None:
    digests = {f"{number:064x}" for number in range(1200)}
    (store.folder / "00").mkdir()
    for digest in digests:
        (store.folder / "00" / digest).touch()
    assert {digest async for digest, _ in storage.stored()} == digests
