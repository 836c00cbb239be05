from __future__ import annotations

import asyncio
from typing import Any

import pytest
import quart
import websockets
from edge_support import UPGRADE, close_code, frame, make_app, serving, until

from quartchat.server.limits import Limits

SMALL = Limits(max_frame=1000)


def ws_url(site: Any, path: str = "/ws") -> str:
    return str(site.url).replace("http", "ws") + path


async def test_compression_is_not_agreed_on_though_the_client_offers_it() -> None:
    async with serving(make_app()) as site, websockets.connect(ws_url(site)) as ws:
        assert ws.protocol.extensions == []
        assert ws.response is not None
        assert "Sec-WebSocket-Extensions" not in ws.response.headers
        await ws.send("x" * 1000)
        assert await ws.recv() == "x" * 1000


async def test_a_compressed_frame_is_refused_as_a_protocol_error() -> None:
    async with serving(make_app()) as site, await site.upgraded() as raw:
        raw.write(frame(0x41, b"\x00" * 10))
        assert close_code(await raw.rest()) == 1002


async def test_a_message_of_just_the_limit_is_taken() -> None:
    async with serving(make_app(), limits=SMALL) as site, websockets.connect(ws_url(site)) as ws:
        await ws.send("x" * 1000)
        assert len(await ws.recv()) == 1000


async def test_the_limit_counts_bytes_and_not_characters() -> None:
    async with serving(make_app(), limits=SMALL) as site, websockets.connect(ws_url(site)) as ws:
        await ws.send("ü" * 600)
        with pytest.raises(websockets.ConnectionClosed):
            await ws.recv()
        assert ws.close_code == 1009


async def test_a_frame_that_declares_too_much_is_refused_before_its_payload() -> None:
    async with serving(make_app(), limits=SMALL) as site, await site.upgraded() as raw:
        raw.write(frame(0x1, declare=2**40))
        assert close_code(await raw.rest()) == 1009


async def test_many_fragments_are_counted_as_one_message() -> None:
    async with serving(make_app(), limits=SMALL) as site, await site.upgraded() as raw:
        raw.write(frame(0x2, b"x" * 300, fin=False))
        raw.write(b"".join(frame(0x0, b"x" * 300, fin=False) for _ in range(3)))
        assert close_code(await raw.rest()) == 1009


async def test_a_ping_between_fragments_does_not_reset_the_count() -> None:
    async with serving(make_app(), limits=SMALL) as site, await site.upgraded() as raw:
        raw.write(frame(0x2, b"x" * 600, fin=False) + frame(0x9) + frame(0x0, b"x" * 600))
        assert close_code(await raw.rest()) == 1009


async def test_who_goes_on_sending_after_1009_still_reads_it_and_is_cut_off() -> None:
    limits = Limits(max_frame=1000, linger_seconds=0.3)
    app = make_app()
    async with serving(app, limits=limits) as site, await site.upgraded() as raw:
        raw.write(frame(0x2, declare=2**40))
        sending = asyncio.create_task(send_for_ever(raw))
        assert close_code(await raw.rest()) == 1009
        await until(lambda: app.extensions["streams"].ended == 1)
        with pytest.raises(ConnectionError):
            await sending


async def send_for_ever(raw: Any) -> None:
    while True:
        raw.write(b"x" * 65536)
        await raw.writer.drain()


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (b"\x81\x05hello", 1002),
        (frame(0x3), 1002),
        (frame(0x9, fin=False), 1002),
        (frame(0x1, b"\xff\xfe"), 1007),
    ],
    ids=["unmasked", "opcode", "fragmented-ping", "utf8"],
)
async def test_a_broken_frame_is_answered_with_its_close_code(bad: bytes, code: int) -> None:
    async with serving(make_app()) as site, await site.upgraded() as raw:
        raw.write(bad)
        assert close_code(await raw.rest()) == code


async def test_a_close_is_answered_and_the_connection_ends() -> None:
    app = make_app()
    async with serving(app) as site, await site.upgraded() as raw:
        raw.write(frame(0x8, b"\x03\xe8"))
        assert close_code(await raw.rest()) == 1000
        await until(lambda: app.extensions["streams"].ended == 1)


async def test_a_frame_before_the_handshake_is_done_ends_connection_and_handler() -> None:
    app, handlers = make_app(), []

    @app.websocket("/late")
    async def late() -> None:
        handlers.append("began")
        try:
            await asyncio.Event().wait()
        finally:
            handlers.append("ended")

    async with (
        serving(app) as site,
        await site.send(f"GET /late HTTP/1.1\r\n{UPGRADE}\r\n") as raw,
    ):
        await until(lambda: handlers)
        raw.write(frame(0x1, b"x"))
        assert (await raw.rest()).startswith(b"HTTP/1.1 400")
        await until(lambda: handlers == ["began", "ended"])


async def test_a_handshake_that_is_none_is_refused_and_the_connection_ends() -> None:
    broken = UPGRADE.replace("Version: 13", "Version: 12")
    async with (
        serving(make_app()) as site,
        await site.send(f"GET /ws HTTP/1.1\r\n{broken}\r\n") as raw,
    ):
        assert (await raw.rest()).startswith(b"HTTP/1.1 400")


async def test_frames_are_held_back_while_the_handler_consumes_none() -> None:
    app, taken = make_app(), []

    @app.websocket("/deaf")
    async def deaf() -> None:
        await quart.websocket.accept()
        window = quart.websocket.scope["quartchat.window"]
        while len(taken) < 10:
            taken.append(await quart.websocket.receive())
        await until(lambda: window.full)
        window.consumed()
        await app.extensions["streams"].draining.wait()

    limits = Limits(window_frames=10)
    async with serving(app, limits=limits) as site, await site.upgraded("/deaf") as raw:
        sending = asyncio.create_task(send_frames(raw))
        await until(lambda: len(taken) == 10)
        await until(lambda: raw.writer.transport.get_write_buffer_size() > 65536)
        assert not sending.done()
        sending.cancel()
        raw.reset()


async def send_frames(raw: Any) -> None:
    while True:
        raw.write(frame(0x2, b"x" * 20_000))
        await raw.writer.drain()


async def test_every_frame_arrives_in_order_through_a_window_that_is_often_full() -> None:
    limits = Limits(window_frames=4, window_bytes=100)
    async with serving(make_app(), limits=limits) as site, websockets.connect(ws_url(site)) as ws:
        sending = asyncio.create_task(send_numbers(ws, 500))
        assert [await ws.recv() for _ in range(500)] == [str(n) for n in range(500)]
        await sending


async def send_numbers(ws: Any, most: int) -> None:
    for number in range(most):
        await ws.send(str(number))


@pytest.mark.parametrize("how", ["reset", "close", "half"])
async def test_a_handler_hears_that_its_client_went_though_its_window_is_full(how: str) -> None:
    app = make_app()
    windows: list[Any] = []

    @app.websocket("/deaf")
    async def deaf() -> None:
        with app.extensions["streams"].one():
            await quart.websocket.accept()
            windows.append(quart.websocket.scope["quartchat.window"])
            await asyncio.Event().wait()

    limits = Limits(window_frames=4)
    async with serving(app, limits=limits) as site, await site.upgraded("/deaf") as raw:
        raw.write(b"".join(frame(0x1, b"x") for _ in range(100)))
        await until(lambda: windows and windows[0].full)
        if how == "reset":
            raw.reset()
        elif how == "half":
            raw.writer.write_eof()
        else:
            await raw.close()
        await until(lambda: app.extensions["streams"].ended == 1, 5.0)


async def test_a_flood_whose_sender_resets_is_noticed_though_nobody_reads() -> None:
    app = make_app()

    @app.websocket("/deaf")
    async def deaf() -> None:
        with app.extensions["streams"].one():
            await quart.websocket.accept()
            await asyncio.Event().wait()

    limits = Limits(ping_seconds=0.4)
    async with serving(app, limits=limits) as site, await site.upgraded("/deaf") as raw:
        sending = asyncio.create_task(send_frames(raw))
        await until(lambda: raw.writer.transport.get_write_buffer_size() > 65536)
        sending.cancel()
        raw.reset()
        await until(lambda: app.extensions["streams"].ended == 1, 5.0)


async def test_a_silent_client_that_answers_pings_outlives_one_that_does_not() -> None:
    app = make_app()
    async with (
        serving(app, limits=Limits(ping_seconds=0.3)) as site,
        websockets.connect(ws_url(site)) as ws,
    ):
        for ended in (1, 2):
            async with await site.upgraded() as raw:
                assert b"\x89\x00" in await raw.rest()
            await until(lambda ended=ended: app.extensions["streams"].ended == ended)  # type: ignore[misc]
        await ws.send("still here")
        assert await ws.recv() == "still here"


async def test_pings_are_answered_while_a_flood_of_them_starves_nobody() -> None:
    async with serving(make_app()) as site, await site.upgraded() as raw:
        flood = asyncio.create_task(flood_pings(raw))
        for _ in range(3):
            async with await site.get("/hello") as other:
                assert "200" in await other.head()
        assert await raw.reader.read(100)
        flood.cancel()
        raw.reset()


async def flood_pings(raw: Any) -> None:
    pings = frame(0x9) * 1000
    while True:
        raw.write(pings)
        await raw.writer.drain()
        await asyncio.sleep(0)
