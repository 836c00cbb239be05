"""Files over HTTP/2, where all requests of a client share one connection."""

from __future__ import annotations

import asyncio
import json
import random
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.certificates import make, trusting
from support.server import Person, Server

from files.conftest import Start
from files.sending import (
    begin,
    download,
    go_on,
    in_pieces,
    leaving_nothing,
    offset_of,
    send_form,
)
from quartchat.server.tls import Certificate

BYTES = random.Random(9).randbytes(3 * 2**20)


@pytest.fixture
async def server(start: Start, tmp_path: Path) -> AsyncIterator[Server]:
    certfile, keyfile = make(tmp_path)
    made = await start(certificate=Certificate(certfile, keyfile), max_upload=4 * 2**20)
    async with httpx.AsyncClient(http2=True, verify=trusting(certfile, "h2")) as client:
        plain, made.client = made.client, client
        yield made
        made.client = plain


async def test_files_go_both_ways(server: Server) -> None:
    (ada,) = await server.users(1)
    chat_id = await ada.group()
    for way in (send_form, in_pieces):
        made = await way(ada, chat_id, "noise.bin", BYTES)
        got = await download(ada, made["url"])
        assert (got.http_version, got.content) == ("HTTP/2", BYTES)


async def test_a_refusal_before_the_bytes_came_is_read(server: Server, tmp_path: Path) -> None:
    (ada,) = await server.users(1)
    chat_id, file = await ada.group(), tmp_path / "a.bin"
    file.write_bytes(bytes(5 * 2**20))
    upload = await begin(ada, chat_id, len(BYTES))
    async with leaving_nothing(server):
        code = await curl(ada, f"/api/chats/{chat_id}/files", "-F", f"file=@{file}")
        assert code == "too_large"
        octets = ("-H", "Content-Type: application/octet-stream", "--data-binary", f"@{file}")
        assert await curl(ada, f"{upload['url']}?offset=5", *octets) == "offset_mismatch"
    assert (await go_on(ada, upload, 0, BYTES))["attachment"]


async def curl(who: Person, path: str, *more: str) -> str:
    """The code of the refusal that curl, of other makers, gets over HTTP/2."""
    if not shutil.which("curl"):
        pytest.skip("apt-get install curl")
    command = ["curl", "-sSk", "--http2", "-H", f"Authorization: Bearer {who.token}", *more]
    process = await asyncio.create_subprocess_exec(
        *command, f"{who.server.url}{path}", stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    return str(json.loads(out)["code"])


async def test_a_stream_that_is_reset_keeps_what_came(server: Server) -> None:
    (ada,) = await server.users(1)
    upload = await begin(ada, await ada.group(), len(BYTES))
    come = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield BYTES[:1_000_000]
        come.set()
        await asyncio.Event().wait()

    sending = asyncio.create_task(go_on(ada, upload, 0, slowly()))
    await come.wait()
    sending.cancel()
    await asyncio.wait([sending])
    have = await offset_of(ada, upload)
    assert 0 <= have <= 1_000_000
    state: Any = await go_on(ada, upload, have, BYTES[have:])
    assert (await download(ada, state["attachment"]["url"])).content == BYTES
