from __future__ import annotations

import asyncio
from typing import Any

import pytest
import quart
import websockets
from edge_support import make_app, serving, until

from quartchat.server.run import serve
from quartchat.server.sockets import ServerStartError, open_socket


async def test_a_request_is_answered_once_ready_was_called() -> None:
    async with serving(make_app()) as site, await site.get("/hello") as raw:
        assert "200" in await raw.head()


async def test_the_server_names_no_software_in_its_answers() -> None:
    async with serving(make_app()) as site, await site.get("/hello") as raw:
        assert "hypercorn" not in (await raw.head()).lower()


async def test_no_connection_is_taken_once_stopping_has_begun() -> None:
    app = make_app()
    draining, go_on = asyncio.Event(), asyncio.Event()

    async def drain() -> None:
        draining.set()
        await go_on.wait()

    async with serving(app, drain=drain) as site:
        site.stop.set()
        await draining.wait()
        with pytest.raises(OSError, match=r"refused|Connect call failed"):
            await site.connect()
        go_on.set()


async def test_streams_end_by_themselves_and_the_application_closes_last() -> None:
    log: list[str] = []
    app = make_app(log)
    async with serving(app) as site, await site.get("/events") as raw:
        await raw.head()
        async with websockets.connect(site.url.replace("http", "ws") + "/ws") as ws:
            await until(lambda: app.extensions["streams"].open == 2)
            assert await site.stopped() < 1.5
            with pytest.raises(websockets.ConnectionClosed):
                await ws.recv()
            assert ws.close_code == 1001
        assert (await raw.rest()).endswith(b"retry: 100\n\n\r\n0\r\n\r\n")
    assert log == ["open", "closed"]


async def test_a_request_in_flight_is_finished_after_the_drain() -> None:
    app, began, drained = make_app(), asyncio.Event(), asyncio.Event()

    @app.get("/slow")
    async def slow() -> str:
        began.set()
        await drained.wait()
        return "done"

    async def drain() -> None:
        drained.set()

    async with serving(app, drain=drain) as site, await site.get("/slow") as raw:
        await began.wait()
        await site.stopped()
        assert (await raw.rest()).endswith(b"done")


async def test_a_handler_that_does_not_end_is_cancelled_before_the_application_closes() -> None:
    log: list[str] = []
    app, began = make_app(log), asyncio.Event()

    @app.get("/endless")
    async def endless() -> str:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            log.append("handler ended")
        return ""

    async with serving(app, drain_seconds=0.1) as site, await site.get("/endless"):
        await began.wait()
        assert await site.stopped() < 3.0
    assert log == ["open", "handler ended", "closed"]


async def test_a_websocket_whose_handler_does_not_end_is_told_that_the_server_goes() -> None:
    app = make_app()

    @app.websocket("/deaf")
    async def deaf() -> None:
        await quart.websocket.accept()
        await asyncio.Event().wait()

    async with (
        serving(app, drain_seconds=0.1) as site,
        websockets.connect(site.url.replace("http", "ws") + "/deaf") as ws,
    ):
        await site.stopped()
        with pytest.raises(websockets.ConnectionClosed):
            await ws.recv()
        assert ws.close_code == 1001


async def test_idle_and_half_open_connections_do_not_delay_stopping() -> None:
    async with serving(make_app()) as site:
        idle, silent = await site.get("/hello"), await site.connect()
        half = await site.send("GET /hello HTTP/1.1\r\nHo")
        await idle.head()
        assert await site.stopped() < 1.5
        for raw in (idle, silent, half):
            await raw.rest()
            await raw.close()


async def test_a_client_that_reads_nothing_does_not_keep_the_server_from_stopping() -> None:
    log: list[str] = []
    app = make_app(log)

    @app.get("/flood")
    async def flood() -> quart.Response:
        async def body() -> Any:
            with app.extensions["streams"].one():
                while True:
                    yield b"x" * 65536

        response = quart.Response(body())
        response.timeout = None
        return response

    async with serving(app, drain_seconds=0.3) as site:
        stuck = [await site.get("/flood") for _ in range(5)]
        for raw in stuck:
            raw.writer.transport.pause_reading()
        await until(lambda: app.extensions["streams"].open == 5)
        assert await site.stopped() < 3.0
        for raw in stuck:
            await raw.close()
    assert app.extensions["streams"].ended == 5
    assert log == ["open", "closed"]


async def test_a_drain_that_fails_or_hangs_does_not_keep_the_server_from_stopping() -> None:
    async def fails() -> None:
        raise RuntimeError("no")

    async with serving(make_app(), drain=fails) as site:
        assert await site.stopped() < 2.0
    async with serving(make_app(), drain=asyncio.Event().wait, drain_seconds=0.2) as site:
        assert await site.stopped() < 2.0


async def test_cancelling_serve_ends_connections_and_the_application() -> None:
    log: list[str] = []
    sock, accepting = open_socket("127.0.0.1", 0), asyncio.Event()
    running = serve(
        make_app(log), sock, stop=asyncio.Event(), drain=asyncio.Event().wait, ready=accepting.set
    )
    task = asyncio.create_task(running)
    await accepting.wait()
    reader, writer = await asyncio.open_connection(*sock.getsockname())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert log == ["open", "closed"]
    assert await reader.read() == b""
    writer.close()


async def test_an_application_that_cannot_start_is_a_start_error_with_its_reason() -> None:
    app = quart.Quart("edge")

    @app.before_serving
    async def fails() -> None:
        raise RuntimeError("the disk is full")

    with (
        open_socket("127.0.0.1", 0) as sock,
        pytest.raises(ServerStartError, match="the disk is full"),
    ):
        await serve(app, sock, stop=asyncio.Event(), drain=asyncio.Event().wait)


async def test_a_port_taken_between_bind_and_listen_is_a_start_error() -> None:
    first = open_socket("127.0.0.1", 0)
    second = open_socket("127.0.0.1", first.getsockname()[1])
    first.listen()
    with first, second, pytest.raises(ServerStartError, match="in use"):
        await serve(make_app(), second, stop=asyncio.Event(), drain=asyncio.Event().wait)


@pytest.mark.parametrize("kind", ["events", "ws"])
async def test_a_thousand_streams_and_some_stuck_clients_end_in_time(kind: str) -> None:
    app = make_app()
    async with serving(app) as site:
        opened = [site.get("/events") if kind == "events" else site.upgraded() for _ in range(250)]
        clients = list(await asyncio.gather(*opened))
        stuck = [await site.send("GET /hello HTTP/1.1\r\n") for _ in range(5)]
        await until(lambda: app.extensions["streams"].open == 250)
        took = await site.stopped()
        assert took < 5.0
        print(f"stopped in {took:.2f} s")
        for raw in clients + stuck:
            await raw.close()
    assert app.extensions["streams"].ended == 250
