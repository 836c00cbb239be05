"""Files in a bucket of an S3-compatible store, under the names that they have in a folder."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing, suppress
from io import BytesIO
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError, ParamValidationError  # type: ignore[import-untyped]

from quartchat.config import SettingsError
from quartchat.errors import Unavailable
from quartchat.storage.base import DIGEST, PIECE, check_range, name_of
from quartchat.storage.s3client import client
from quartchat.storage.s3errors import code_of, status_of, told, why
from quartchat.storage.s3upload import OLD, PART, Upload, abandon_old, part_of
from quartchat.storage.threads import Threads

SHORTEST_PIECE = 64 * 2**10  # bytes, but for the last


class S3:
    """A Storage (see base.py)."""

    def __init__(
        self, bucket: str, endpoint: str, region: str, key: str, secret: str, prefix: str = ""
    ) -> None:
        self._bucket, self._endpoint, self._prefix = bucket, endpoint, prefix.lstrip("/")
        self._access = (endpoint, region, key, secret)
        self._threads = Threads()
        self._stack = AsyncExitStack()
        self._opening = asyncio.Lock()
        self._opened: Any = None

    async def check(self) -> None:
        """Also tries to write, to delete and to list. Raises Unavailable if nobody answers."""
        with told():
            try:
                await self._try()
            except ClientError as error:
                if status_of(error) >= 500:
                    raise
                raise SettingsError(why(error, self._bucket, self._endpoint)) from error
            except ParamValidationError as error:
                raise SettingsError(f"s3_bucket {self._bucket}: is no name of a bucket") from error
            await abandon_old(await self._client(), self._bucket, self._prefix, time.time() - OLD)

    async def put(self, path: Path, digest: str) -> None:
        """`path` stays where it is."""
        target = {"Bucket": self._bucket, "Key": self._key(digest)}
        first = await self._threads.run(part_of, path, 0)
        with told():
            s3 = await self._client()
            if len(first) < PART:
                await s3.put_object(**target, Body=BytesIO(first))
            else:
                del first
                await Upload(s3, target, self._threads).send(path)

    async def read(
        self, digest: str, start: int = 0, length: int | None = None
    ) -> AsyncGenerator[bytes]:
        """Goes on by a new request where a store ended one, as some do when a reader is slow."""
        check_range(start, length)
        key, end = self._key(digest), None if length is None else start + length
        while end is None or start < end:
            begun = start
            try:
                async with aclosing(self._pieces(key, start, end)) as pieces:
                    async for piece in pieces:
                        start += len(piece)
                        yield piece
                return
            except Unavailable:
                if start == begun:
                    raise

    async def remove(self, digest: str) -> None:
        target = {"Bucket": self._bucket, "Key": self._key(digest)}
        with suppress(FileNotFoundError), told():
            await (await self._client()).delete_object(**target)

    async def stored(self) -> AsyncGenerator[tuple[str, float]]:
        with told():
            pages = (await self._client()).get_paginator("list_objects_v2")
            async for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix):
                for item in page.get("Contents", ()):
                    digest = item["Key"].rpartition("/")[2]
                    if DIGEST.fullmatch(digest) and item["Key"] == self._key(digest):
                        yield digest, item["LastModified"].timestamp()

    async def close(self) -> None:
        self._threads.close()
        await self._stack.aclose()

    async def _client(self) -> Any:
        async with self._opening:
            if self._opened is None:
                self._opened = await self._stack.enter_async_context(client(*self._access))
        return self._opened

    async def _try(self) -> None:
        try:
            s3 = await self._client()
        except ValueError as error:
            raise SettingsError(f"s3_endpoint: takes https://…, not {self._endpoint!r}") from error
        await s3.list_objects_v2(Bucket=self._bucket, Prefix=self._prefix, MaxKeys=1)
        probe = {"Bucket": self._bucket, "Key": f"{self._prefix}check"}
        await s3.put_object(**probe, Body=b"")
        await s3.delete_object(**probe)

    def _key(self, digest: str) -> str:
        return self._prefix + name_of(digest)

    async def _pieces(self, key: str, start: int, end: int | None) -> AsyncGenerator[bytes]:
        part = {"Range": f"bytes={start}-{'' if end is None else end - 1}"} if start or end else {}
        with told():
            try:
                s3 = await self._client()
                answer = await s3.get_object(Bucket=self._bucket, Key=key, **part)
            except ClientError as error:
                if code_of(error) == "InvalidRange" or status_of(error) == 416:
                    return  # it begins behind the end
                raise
            async with answer["Body"] as body:
                while piece := await _next(body):
                    yield piece


async def _next(body: Any) -> bytes:
    """What has come, or all of a shortest piece; empty at the end."""
    piece = bytearray()
    while len(piece) < SHORTEST_PIECE and (more := await body.read(PIECE - len(piece))):
        piece += more
    return bytes(piece)
