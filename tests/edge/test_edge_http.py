from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
import quart
from edge_support import make_app, serving, until

from quartchat.server.limits import Limits


def streaming(app: quart.Quart, path: str, chunks: Any) -> None:
    """A route whose endless body is `chunks()`, counted among the streams while it lives."""

    @app.get(path, endpoint=path[1:])
    async def endless() -> quart.Response:
        async def body() -> AsyncIterator[bytes]:
            with app.extensions["streams"].one():
                async for chunk in chunks():
                    yield chunk

        response = quart.Response(body())
        response.timeout = None
        return response


async def tight() -> AsyncIterator[bytes]:
    while True:
        yield b"x"


async def big() -> AsyncIterator[bytes]:
    while True:
        yield b"x" * 65536


async def test_a_generator_in_a_tight_loop_does_not_starve_others_while_it_is_read() -> None:
    app = make_app()
    streaming(app, "/tight", tight)
    async with serving(app) as site, await site.get("/tight") as raw:
        reading = asyncio.create_task(raw.rest())
        for _ in range(5):
            async with await site.get("/hello") as other:
                assert "200" in await other.head()
        raw.reset()
        await reading


async def test_a_generator_in_a_tight_loop_ends_when_its_client_resets() -> None:
    app = make_app()
    streaming(app, "/tight", tight)
    async with serving(app) as site, await site.get("/tight") as raw:
        await raw.head()
        raw.reset()
        async with await site.get("/hello") as other:
            assert "200" in await other.head()
        await until(lambda: app.extensions["streams"].ended == 1)


async def test_a_reader_that_stops_reading_parks_only_itself_and_ends_by_a_reset() -> None:
    app = make_app()
    streaming(app, "/big", big)
    async with serving(app) as site, await site.get("/big") as raw:
        await raw.head()
        raw.writer.transport.pause_reading()
        for _ in range(5):
            async with await site.get("/hello") as other:
                assert "200" in await other.head()
        assert app.extensions["streams"].ended == 0
        raw.reset()
        await until(lambda: app.extensions["streams"].ended == 1)


async def test_a_reader_that_stops_reading_is_thrown_out_by_the_kernel() -> None:
    app = make_app()
    streaming(app, "/big", big)
    async with serving(app) as site:
        site.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 1000)
        async with await site.get("/big") as raw:
            await raw.head()
            raw.writer.transport.pause_reading()
            await until(lambda: app.extensions["streams"].ended == 1, 15.0)


async def test_a_half_closed_client_ends_its_stream() -> None:
    app = make_app()
    async with serving(app) as site, await site.get("/events") as raw:
        await raw.head()
        raw.writer.write_eof()
        await until(lambda: app.extensions["streams"].ended == 1)
        await raw.rest()


async def test_a_stream_with_a_second_request_behind_it_ends_with_its_client() -> None:
    app = make_app()
    async with serving(app) as site, await site.get("/events") as raw:
        await raw.head()
        raw.write(b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
        await raw.writer.drain()
        raw.reset()
        await until(lambda: app.extensions["streams"].ended == 1)


@pytest.mark.parametrize("said", ["", "GET /hello HT", "GET /hello HTTP/1.1\r\nHost: x\r\nX-A: b"])
async def test_a_connection_without_a_whole_request_is_closed_in_time(said: str) -> None:
    async with (
        serving(make_app(), limits=Limits(header_seconds=0.2)) as site,
        await site.send(said) as raw,
    ):
        assert await raw.rest() == b""


async def test_headers_that_drip_in_do_not_buy_more_time() -> None:
    async with (
        serving(make_app(), limits=Limits(header_seconds=0.3)) as site,
        await site.send("GET /hello HTTP/1.1\r\n") as raw,
    ):
        dripping = asyncio.create_task(drip(raw, b"X-A: b\r\n"))
        assert await raw.rest() == b""
        dripping.cancel()


async def drip(raw: Any, piece: bytes) -> None:
    while True:
        raw.write(piece)
        await asyncio.sleep(0.02)


async def test_a_connection_that_is_idle_after_an_answer_is_closed_in_time() -> None:
    async with (
        serving(make_app(), limits=Limits(header_seconds=0.2)) as site,
        await site.get("/hello") as raw,
    ):
        assert (await raw.rest()).endswith(b"hello")


async def test_a_stream_is_not_idle() -> None:
    app = make_app()
    async with (
        serving(app, limits=Limits(header_seconds=0.05)) as site,
        await site.get("/events") as raw,
    ):
        await raw.head()
        for _ in range(3):
            async with await site.connect() as idle:
                assert await idle.rest() == b""
        app.extensions["streams"].draining.set()
        assert b"retry" in await raw.rest()


async def test_headers_over_their_limit_are_refused() -> None:
    async with (
        serving(make_app(), limits=Limits(max_headers=4096)) as site,
        await site.send("GET /hello HTTP/1.1\r\nX: " + "a" * 10_000) as raw,
    ):
        assert (await raw.rest()).startswith(b"HTTP/1.1 431")


async def test_a_connection_is_used_for_far_more_than_a_thousand_requests() -> None:
    async with serving(make_app()) as site, await site.connect() as raw:
        for _ in range(1100):
            raw.write(b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
            head = await raw.head()
            assert "connection" not in head.lower()
            await raw.reader.readexactly(5)


async def test_neither_query_nor_referer_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    app = make_app()

    @app.get("/fails")
    async def fails() -> str:
        raise RuntimeError("broken")

    with caplog.at_level(logging.DEBUG):
        async with serving(app) as site:
            for path in ("/hello", "/fails", "/none"):
                async with await site.get(f"{path}?ticket=secret", "Referer: secret\r\n") as raw:
                    await raw.head()
    assert "broken" in caplog.text
    assert "secret" not in caplog.text


async def test_a_client_that_speaks_no_http_is_answered_and_not_a_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with serving(make_app()) as site:
        for said in ("\x16\x03\x01\x02\x00\x01\x00\x01\xfc", "\x00" * 50 + "\r\n\r\n"):
            async with await site.send(said) as raw:
                assert (await raw.rest()).startswith(b"HTTP/1.1 400")
    assert not [r for r in caplog.records if r.levelno >= logging.WARNING]
