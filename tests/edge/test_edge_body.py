from __future__ import annotations

import asyncio
import json
from typing import Any

import quart
from edge_support import Raw, Site, make_app, serving, until

from quartchat.server.limits import Limits

LIMITS = Limits(max_body=1000, body_seconds=0.3, max_upload=5000, linger_seconds=0.5)


async def post(site: Site, headers: str, body: str = "", path: str = "/echo") -> Raw:
    return await site.send(f"POST {path} HTTP/1.1\r\nHost: x\r\n{headers}\r\n\r\n{body}")


async def problem(raw: Raw) -> dict[str, Any]:
    head, _, body = (await raw.rest()).decode().partition("\r\n\r\n")
    assert "content-type: application/problem+json" in head
    assert "connection: close" in head.lower()
    document: dict[str, Any] = json.loads(body)
    assert head.startswith(f"HTTP/1.1 {document['status']}")
    return document


async def test_a_body_of_just_the_limit_is_taken() -> None:
    async with (
        serving(make_app(), limits=LIMITS) as site,
        await post(site, "Content-Length: 1000", "x" * 1000) as raw,
    ):
        assert "200" in await raw.head()
        assert await raw.reader.readexactly(1000) == b"x" * 1000


async def test_a_declared_body_over_the_limit_is_refused_before_it_comes() -> None:
    async with (
        serving(make_app(), limits=LIMITS) as site,
        await post(site, "Content-Length: 1001") as raw,
    ):
        refusal = await problem(raw)
    assert (refusal["status"], refusal["code"]) == (413, "too_large")
    assert "1000 bytes" in refusal["detail"]


async def test_a_chunked_body_is_refused_once_it_is_over_the_limit() -> None:
    async with (
        serving(make_app(), limits=LIMITS) as site,
        await post(site, "Transfer-Encoding: chunked") as raw,
    ):
        for _ in range(3):
            raw.write(b"190\r\n" + b"x" * 400 + b"\r\n")
        assert (await problem(raw))["code"] == "too_large"


async def test_who_goes_on_sending_still_reads_the_refusal() -> None:
    async with (
        serving(make_app(), limits=LIMITS) as site,
        await post(site, "Content-Length: 100000000") as raw,
    ):
        sending = asyncio.create_task(send_on(raw))
        assert (await problem(raw))["status"] == 413
        sending.cancel()


async def send_on(raw: Raw) -> None:
    while True:
        raw.write(b"x" * 65536)
        await raw.writer.drain()


async def test_a_body_that_drips_is_refused_in_time_and_its_handler_ends() -> None:
    app, handlers = make_app(), []

    @app.post("/watched")
    async def watched() -> str:
        try:
            await quart.request.get_data()
        finally:
            handlers.append("ended")
        return ""

    async with serving(app, limits=LIMITS) as site:
        async with await post(site, "Content-Length: 900", "x", "/watched") as raw:
            refusal = await problem(raw)
        await until(lambda: handlers == ["ended"])
    assert (refusal["status"], refusal["code"]) == (408, "request_timeout")


async def test_a_body_that_nobody_reads_is_refused_in_time() -> None:
    app = make_app()

    @app.post("/deaf")
    async def deaf() -> str:
        await asyncio.Event().wait()
        return ""

    async with (
        serving(app, limits=LIMITS) as site,
        await post(site, "Content-Length: 900", "x", "/deaf") as raw,
    ):
        assert (await problem(raw))["status"] == 408


async def test_a_handler_may_take_longer_than_its_body_did() -> None:
    app, go_on = make_app(), asyncio.Event()

    @app.post("/slow")
    async def slow() -> str:
        await quart.request.get_data()
        await go_on.wait()
        return "done"

    async with (
        serving(app, limits=LIMITS) as site,
        await post(site, "Content-Length: 1", "x", "/slow") as raw,
    ):
        async with await post(site, "Content-Length: 1") as later:
            assert (await problem(later))["status"] == 408
        go_on.set()
        assert "200" in await raw.head()


async def test_an_upload_has_a_limit_of_its_own() -> None:
    multipart = "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: "
    async with serving(make_app(), limits=LIMITS) as site:
        async with await post(site, f"{multipart}5000", "x" * 5000) as raw:
            assert "200" in await raw.head()
        async with await post(site, f"{multipart}5001") as raw:
            assert (await problem(raw))["status"] == 413
