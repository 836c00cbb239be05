"""A large file on its way into a bucket, part by part: all of it gets there, or nothing of it."""

from __future__ import annotations

import asyncio
from io import BytesIO
from pathlib import Path
from typing import Any

import structlog
from aiohttp import ClientError as ConnectionFailed
from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]

from quartchat.storage.s3errors import code_of
from quartchat.storage.threads import Threads, to_the_end

PART = 5 * 2**20  # bytes: the least that a part may have; one is in memory
PATIENCE = 20.0  # seconds for what is waited for even when cancelled
OLD = 86400.0  # seconds, after which an upload that is not complete has nobody who goes on

log = structlog.get_logger("quartchat")


class Upload:
    """`target`: Bucket and Key."""

    def __init__(self, s3: Any, target: dict[str, str], threads: Threads) -> None:
        self._s3, self._target, self._threads = s3, target, threads
        self._id = ""

    async def send(self, path: Path) -> None:
        """Raises what the library raises; the store has forgotten the parts then."""
        try:
            await to_the_end(self._begin())
            parts = await self._parts(path)
            await self._s3.complete_multipart_upload(**self._of(), MultipartUpload={"Parts": parts})
        except BaseException:
            await to_the_end(self._abort())
            raise

    def _of(self) -> dict[str, Any]:
        return {**self._target, "UploadId": self._id}

    async def _begin(self) -> None:
        async with asyncio.timeout(PATIENCE):
            self._id = (await self._s3.create_multipart_upload(**self._target))["UploadId"]

    async def _parts(self, path: Path) -> list[dict[str, Any]]:
        parts = list[dict[str, Any]]()
        while piece := await self._threads.run(part_of, path, len(parts) * PART):
            number = len(parts) + 1
            body = BytesIO(piece)
            answer = await self._s3.upload_part(**self._of(), PartNumber=number, Body=body)
            parts.append({"PartNumber": number, "ETag": answer["ETag"]})
        return parts

    async def _abort(self) -> None:
        """As well as it goes: what stays, `abandon_old` finds."""
        try:
            async with asyncio.timeout(PATIENCE):
                await self._s3.abort_multipart_upload(**self._of())
        except (ClientError, BotoCoreError, ConnectionFailed, TimeoutError) as error:
            log.warning("s3_abort_failed", error=f"{type(error).__name__}: {error}"[:300])


def part_of(path: Path, offset: int) -> bytes:
    """The part that begins there; shorter or empty at the end."""
    with path.open("rb", buffering=0) as file:
        file.seek(offset)
        return file.read(PART)


async def abandon_old(s3: Any, bucket: str, prefix: str, before: float) -> None:
    """Takes away what crashes left of uploads that began before (Unix seconds); not every store
    can list them."""
    try:
        pages = s3.get_paginator("list_multipart_uploads")
        async for page in pages.paginate(Bucket=bucket, Prefix=prefix):
            for upload in page.get("Uploads", ()):
                if upload["Initiated"].timestamp() < before:
                    of = {"Key": upload["Key"], "UploadId": upload["UploadId"]}
                    await s3.abort_multipart_upload(Bucket=bucket, **of)
    except ClientError as error:
        if code_of(error) != "NoSuchUpload":  # as some say for an empty list
            log.warning("s3_uploads_not_listed", error=str(error)[:300])
