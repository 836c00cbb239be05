"""A server whose files are in an S3-compatible store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support import s3

from files.conftest import Start
from files.sending import download, eventually, in_pieces, picture, sent


@pytest.fixture
def store(tmp_path: Path) -> Iterator[s3.Store]:
    if why := s3.missing():
        pytest.skip(why)
    with s3.serving(tmp_path / "s3") as store:
        yield store


async def test_files_are_kept_in_a_bucket_read_from_there_and_removed_with_their_message(
    start: Start, store: s3.Store
) -> None:
    server = await start(
        s3_bucket=s3.BUCKET, s3_endpoint=store.endpoint, s3_key=s3.KEY, s3_secret=s3.SECRET
    )
    ada, bob = await server.users(2)
    chat_id, red = await ada.group(bob), picture((800, 600))
    made = await in_pieces(ada, chat_id, "red.jpg", red)
    ack = await sent(ada, chat_id, made)
    assert len(store.files()) >= 2  # with its thumbnails
    whole = await download(bob, made["url"])
    assert (whole.status_code, len(whole.content)) == (200, made["size"])
    part = await download(bob, made["url"], Range="bytes=-10")
    assert (part.status_code, part.content) == (206, whole.content[-10:])
    await ada.api("DELETE", f"/messages/{ack['message_id']}")
    await eventually(lambda: not store.files())
