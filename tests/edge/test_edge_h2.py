from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import h2.events as seen
import pytest
import quart
from edge_support import make_app, serving, until
from h2.errors import ErrorCodes
from h2_client import Socket, connect
from wsproto.events import CloseConnection, TextMessage

from quartchat.server import h2_stream
from quartchat.server.limits import Limits

WINDOW = 65535
GET = {":method": "GET", ":scheme": "http", ":path": "/", ":authority": "x"}


def endless(app: quart.Quart, path: str, chunk: bytes) -> list[int]:
    """An address that sends without end; how many chunks were taken from it, -1 at its end."""
    taken: list[int] = []

    @app.get(path)
    async def sends() -> quart.Response:
        async def body() -> AsyncIterator[bytes]:
            try:
                while True:
                    taken.append(len(taken))
                    yield chunk
            finally:
                taken.append(-1)

        response = quart.Response(body())
        response.timeout = None
        return response

    return taken


@pytest.mark.slow
async def test_a_stream_lives_on_beside_three_thousand_requests() -> None:
    app = make_app()
    async with serving(app) as site:
        client = await connect(site)
        stream = client.ask("/events")
        await client.next(seen.DataReceived, stream)
        for _ in range(3000):
            assert await client.get("/hello") == (200, b"hello")
        app.extensions["streams"].draining.set()
        assert b"retry" in (await client.next(seen.DataReceived, stream)).data
        await client.next(seen.StreamEnded, stream)


async def test_an_early_refusal_asks_to_send_no_more_and_leaves_the_other_streams_alone() -> None:
    app = make_app()
    async with serving(app, limits=Limits(max_body=1000)) as site:
        client = await connect(site)
        stream = client.ask("/events")
        post = client.ask("/echo", method="POST", end=False, content_length="200000")
        client.data(post, b"x" * 10_000)
        status, body = await client.answer(post)
        assert (status, b"too_large" in body) == (413, True)
        client.raw.write(b"\x00\x00\x05\x00\x00" + post.to_bytes(4, "big") + b"late!")
        assert await client.get("/hello") == (200, b"hello")
        app.extensions["streams"].draining.set()
        await client.next(seen.StreamEnded, stream)


async def test_a_refused_request_is_reset_without_an_error() -> None:
    async with serving(make_app(), limits=Limits(max_body=1000)) as site:
        client = await connect(site)
        post = client.ask("/echo", method="POST", end=False, content_length="200000")
        reset = await client.next(seen.StreamReset, post)
        assert reset.error_code == ErrorCodes.NO_ERROR
        assert await client.get("/hello") == (200, b"hello")


async def test_a_body_that_is_not_read_closes_the_window_of_its_own_stream_only() -> None:
    hello = make_app()
    go, got = asyncio.Event(), bytearray()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope.get("path") != "/later":
            await hello(scope, receive, send)
            return
        await go.wait()
        more = True
        while more:
            message = await receive()
            got.extend(message["body"])
            more = message["more_body"]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"read"})

    async with serving(app, limits=Limits(max_body=10**6, window_bytes=10_000)) as site:
        client = await connect(site)
        post = client.ask("/later", method="POST", end=False)
        sent = b"".join(bytes([number % 251]) * 1000 for number in range(400))
        rest = sent
        while (room := client.h2.local_flow_control_window(post)) and rest:
            client.data(post, rest[: min(room, 16_000)])
            rest = rest[min(room, 16_000) :]
            await client.get("/hello")
        assert 0 < len(sent) - len(rest) < 2 * WINDOW
        other = client.ask("/echo", method="POST", end=False)
        client.data(other, b"mine", end=True)
        assert await client.answer(other) == (200, b"mine")
        go.set()
        while rest:
            room = min(16_000, client.h2.local_flow_control_window(post))
            if room:
                client.data(post, rest[:room])
                rest = rest[room:]
            else:
                await client.read()
        client.data(post, b"", end=True)
        assert await client.answer(post) == (200, b"read")
        assert got == sent


async def test_what_a_client_does_not_take_is_not_made_and_holds_up_nobody() -> None:
    app = make_app()
    taken = endless(app, "/endless", b"x" * 1000)
    async with serving(app) as site:
        client = await connect(site)
        stuck = client.ask("/endless")
        client.untaken.add(stuck)
        await until(lambda: len(taken) * 1000 > WINDOW)
        for _ in range(50):
            assert await client.get("/hello") == (200, b"hello")
        assert len(taken) * 1000 < WINDOW + 2000
        client.h2.increment_flow_control_window(20_000, stuck)
        client.flush()
        await until(lambda: len(taken) * 1000 > WINDOW + 20_000)
        assert await client.get("/hello") == (200, b"hello")
        assert len(taken) * 1000 < WINDOW + 22_000
        client.reset(stuck)
        await until(lambda: taken[-1] == -1)


async def test_a_window_opened_byte_by_byte_lets_through_no_more_than_that() -> None:
    app = make_app()
    taken = endless(app, "/endless", b"x" * 1000)
    async with serving(app) as site:
        client = await connect(site, initial_window_size=0)
        stream = client.ask("/endless")
        client.untaken.add(stream)
        for _ in range(20):
            client.h2.increment_flow_control_window(1, stream)
            client.flush()
            assert len((await client.next(seen.DataReceived, stream)).data) == 1
        assert taken == [0]


async def test_a_stream_of_which_nothing_is_taken_for_too_long_is_reset(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(h2_stream, "STUCK_SECONDS", 0.2)
    app = make_app()
    taken = endless(app, "/endless", b"x" * 1000)
    async with serving(app) as site:
        client = await connect(site, initial_window_size=3000)
        live, stuck = client.ask("/events"), client.ask("/endless")
        client.untaken.add(stuck)
        reset = await client.next(seen.StreamReset, stuck)
        assert reset.error_code == ErrorCodes.CANCEL
        await until(lambda: taken[-1] == -1)
        assert (await client.next(seen.DataReceived, live)).data
        assert app.extensions["streams"].open == 1


async def test_a_handler_that_breaks_off_resets_its_stream_and_no_other() -> None:
    app = make_app()

    @app.get("/breaks")
    async def breaks() -> quart.Response:
        async def body() -> AsyncIterator[bytes]:
            yield b"half"
            raise RuntimeError("on purpose")

        return quart.Response(body())

    async with serving(app) as site:
        client = await connect(site)
        live, broken = client.ask("/events"), client.ask("/breaks")
        reset = await client.next(seen.StreamReset, broken)
        assert reset.error_code == ErrorCodes.INTERNAL_ERROR
        app.extensions["streams"].draining.set()
        await client.next(seen.StreamEnded, live)


async def test_who_opens_and_resets_without_end_is_sent_away_and_costs_others_nothing() -> None:
    app = make_app()
    async with serving(app) as site:
        other, bad = await connect(site), await connect(site)
        live = other.ask("/events")
        for _ in range(1000):
            bad.reset(bad.ask("/hello"))
        assert (await bad.end()).error_code == ErrorCodes.ENHANCE_YOUR_CALM
        assert await other.get("/hello") == (200, b"hello")
        app.extensions["streams"].draining.set()
        await other.next(seen.StreamEnded, live)


async def test_streams_that_were_cancelled_one_by_one_leave_nothing_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(h2_stream, "RESETS", 10_000)
    app = make_app()
    async with serving(app) as site:
        client = await connect(site)
        live = client.ask("/events")
        for _ in range(1500):
            stream = client.ask("/events")
            await client.next(seen.DataReceived, stream)
            client.reset(stream)
        await until(lambda: app.extensions["streams"].open == 1)
        assert await client.get("/hello") == (200, b"hello")
        app.extensions["streams"].draining.set()
        await client.next(seen.StreamEnded, live)


async def test_too_many_streams_end_the_connection_that_opened_them_and_no_other() -> None:
    app = make_app()
    async with serving(app) as site:
        other, bad = await connect(site), await connect(site)
        await bad.get("/hello")
        bad.h2.remote_settings[3] = 10_000
        bad.h2.remote_settings.acknowledge()
        for _ in range(150):
            bad.ask("/events")
        assert (await bad.end()).error_code != ErrorCodes.NO_ERROR
        await until(lambda: app.extensions["streams"].open == 0)
        assert await other.get("/hello") == (200, b"hello")


async def test_a_hundred_streams_are_open_at_once() -> None:
    app = make_app()
    async with serving(app) as site:
        client = await connect(site)
        streams = [client.ask("/events") for _ in range(99)]
        for stream in streams:
            await client.next(seen.DataReceived, stream)
        assert await client.get("/hello") == (200, b"hello")
        app.extensions["streams"].draining.set()
        for stream in streams:
            await client.next(seen.StreamEnded, stream)


async def test_headers_over_their_limit_refuse_one_request_and_beyond_that_the_connection() -> None:
    app = make_app()
    async with serving(app) as site:
        client, other = await connect(site), await connect(site)
        live = client.ask("/events")
        assert await client.answer(client.ask("/hello", x_large="x" * 20_000)) == (431, b"")
        assert await client.get("/hello") == (200, b"hello")
        await client.next(seen.DataReceived, live)
        client.ask("/hello", x_large="x" * 100_000)
        await client.end()
        await until(lambda: app.extensions["streams"].open == 0)
        assert await other.get("/hello") == (200, b"hello")


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ({":method": "CONNECT", ":authority": "example.org:80"}, 501),
        ({**GET, ":method": "CONNECT", ":protocol": "other"}, 501),
        ({**GET, ":path": "/\xff"}, 400),
    ],
)
async def test_a_request_that_is_none_of_ours_is_refused_alone(
    head: dict[str, str], status: int
) -> None:
    async with serving(make_app()) as site:
        client = await connect(site)
        client.h2.config.validate_outbound_headers = False
        assert await client.status(client.open(head)) == status
        assert await client.get("/hello") == (200, b"hello")


async def test_stopping_says_goaway_and_lets_open_streams_end_themselves() -> None:
    app = make_app()
    letting, draining = asyncio.Event(), asyncio.Event()

    async def drain() -> None:
        draining.set()
        await letting.wait()
        await app.extensions["streams"].drain()

    async with serving(app, drain=drain) as site:
        client, idle = await connect(site), await connect(site)
        await idle.get("/hello")
        streams = [client.ask("/events") for _ in range(8)]
        for stream in streams:
            await client.next(seen.DataReceived, stream)
        site.stop.set()
        await draining.wait()
        assert (await client.goaway()).last_stream_id == streams[-1]
        assert (await idle.end()).error_code == ErrorCodes.NO_ERROR
        began = time.perf_counter()
        letting.set()
        await site.task
        assert time.perf_counter() - began < 2
        await client.end()
        ended = [one for one in client.events if isinstance(one, seen.StreamEnded)]
        assert [one.stream_id for one in ended] == streams


async def test_a_request_behind_the_goaway_is_refused_so_that_it_can_be_sent_elsewhere() -> None:
    app = make_app()
    draining = asyncio.Event()

    async def drain() -> None:
        draining.set()
        await asyncio.Event().wait()

    async with serving(app, drain=drain, drain_seconds=0.5) as site:
        client = await connect(site)
        await client.next(seen.DataReceived, client.ask("/events"))
        site.stop.set()
        await draining.wait()
        await client.goaway()
        reset = await client.next(seen.StreamReset, client.ask("/hello"))
        assert reset.error_code == ErrorCodes.REFUSED_STREAM
        assert await site.stopped() < 5


async def test_clients_that_take_nothing_do_not_keep_the_server_from_stopping() -> None:
    app = make_app()
    taken = endless(app, "/endless", b"x" * 100_000)
    async with serving(app, drain_seconds=0.5) as site:
        flow, tcp = await connect(site, initial_window_size=0), await connect(site)
        tcp.h2.increment_flow_control_window(2**31 - 1 - WINDOW)
        for client in (flow, tcp):
            for _ in range(20):
                stream = client.ask("/endless")
                if client is tcp:
                    client.h2.increment_flow_control_window(2**30, stream)
            client.flush()
        await until(lambda: len(taken) == 40)
        assert await site.stopped() < 5
        assert taken.count(-1) == 40


async def test_a_connection_that_is_idle_gets_a_goaway_before_it_is_closed() -> None:
    async with serving(make_app(), limits=Limits(header_seconds=0.4)) as site:
        client = await connect(site)
        await client.get("/hello")
        assert (await client.end()).error_code == ErrorCodes.NO_ERROR


async def test_websockets_share_the_connection_with_streams_and_requests() -> None:
    app = make_app()
    async with serving(app) as site:
        client = await connect(site)
        live = client.ask("/events")
        sockets = [Socket(client) for _ in range(8)]
        for number, socket in enumerate(sockets):
            assert await client.status(socket.stream) == 200
            socket.send(TextMessage(data=f"hello {number}"))
        for number, socket in enumerate(sockets):
            assert (await socket.next()).data == f"hello {number}"
        assert await client.get("/hello") == (200, b"hello")
        sockets[0].send(CloseConnection(code=1000))
        assert (await sockets[0].next()).code == 1000
        await client.next(seen.StreamEnded, sockets[0].stream)
        client.reset(sockets[1].stream)
        client.data(sockets[2].stream, b"", end=True)
        await until(lambda: app.extensions["streams"].open == 6)
        stopping = asyncio.create_task(site.stopped())
        for socket in sockets[3:]:
            assert (await socket.next()).code == 1001
        await client.next(seen.StreamEnded, live)
        assert await stopping < 5


async def test_a_websocket_that_is_not_read_holds_up_its_own_stream_only() -> None:
    app = make_app()
    got: list[str] = []
    go = asyncio.Event()

    @app.websocket("/slow")
    async def slow() -> None:
        await quart.websocket.accept()
        await go.wait()
        while True:
            got.append(await quart.websocket.receive())
            quart.websocket.scope["quartchat.window"].consumed()

    async with serving(app) as site:
        client = await connect(site)
        socket = Socket(client, "/slow")
        assert await client.status(socket.stream) == 200
        sent = 0
        while client.h2.local_flow_control_window(socket.stream) > 2000:
            socket.send(TextMessage(data="x" * 1000))
            sent += 1
            if sent % 20 == 0:
                assert await client.get("/hello") == (200, b"hello")
        assert sent < 200
        assert await client.get("/hello") == (200, b"hello")
        go.set()
        await until(lambda: len(got) == sent)


async def test_frames_of_several_senders_on_one_websocket_do_not_mix() -> None:
    app = make_app()

    @app.websocket("/many")
    async def many() -> None:
        await quart.websocket.accept()
        await asyncio.gather(*(quart.websocket.send(char * 50_000) for char in "abcdefgh"))

    async with serving(app) as site:
        client = await connect(site)
        socket = Socket(client, "/many")
        texts: dict[str, int] = {}
        done = 0
        current = ""
        while done < 8:
            message = await socket.next()
            current += message.data
            if message.message_finished:
                assert len(set(current)) == 1
                texts[current[0]] = len(current)
                current, done = "", done + 1
        assert texts == dict.fromkeys("abcdefgh", 50_000)


async def test_a_websocket_message_over_its_limit_is_refused_with_its_code() -> None:
    app = make_app()
    async with serving(app, limits=Limits(max_frame=1000)) as site:
        client = await connect(site)
        live, socket = client.ask("/events"), Socket(client)
        await client.status(socket.stream)
        socket.send(TextMessage(data="x" * 1001))
        assert (await socket.next()).code == 1009
        assert await client.get("/hello") == (200, b"hello")
        app.extensions["streams"].draining.set()
        await client.next(seen.StreamEnded, live)


async def test_rubbish_ends_its_own_connection(caplog: pytest.LogCaptureFixture) -> None:
    async with serving(make_app()) as site:
        client, other = await connect(site), await connect(site)
        await client.get("/hello")
        client.raw.write(b"\x00\x00\x04\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00")  # opens by 0
        assert (await client.end()).error_code != ErrorCodes.NO_ERROR
        assert await other.get("/hello") == (200, b"hello")
    assert not caplog.records
