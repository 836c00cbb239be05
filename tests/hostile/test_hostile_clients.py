"""Hostile and careless clients against the real program: what they may do to others is nothing."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import socket
import struct
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
import websockets
from support.process import ServerProcess

STREAMS = 1000
PATIENCE = 30.0


class Real:
    """The program, two people in a room, and the plain sockets of a third."""

    def __init__(self, process: ServerProcess) -> None:
        self.process, self.url = process, process.url
        self.http = httpx.AsyncClient(base_url=self.url, timeout=PATIENCE)
        self.tokens: dict[str, str] = {}
        self.chat = ""

    @property
    def pid(self) -> int:
        return self.process._process.pid

    def headers(self, name: str = "ada") -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens[name]}"}

    async def prepare(self) -> None:
        for name in ("ada", "ben"):
            answer = await self.http.post(
                "/api/signup", json={"name": name, "password": "a long password"}
            )
            self.tokens[name] = answer.json()["access_token"]
            self.http.cookies.clear()
        made = await self.http.post(
            "/api/chats",
            json={"kind": "group", "title": "Room", "public": True},
            headers=self.headers(),
        )
        self.chat = made.json()["chat_id"]

    async def say(self, content: str = "hello", **more: Any) -> dict[str, Any]:
        answer = await self.http.post(
            f"/api/chats/{self.chat}/messages",
            json={"content": content, **more},
            headers=self.headers(),
        )
        answer.raise_for_status()
        return answer.json()

    async def contents(self) -> list[str]:
        answer = await self.http.get(
            f"/api/chats/{self.chat}/messages?limit=200", headers=self.headers()
        )
        return [message["content"] for message in answer.json()["messages"]]

    def socket(self, **more: Any) -> Any:
        address = self.url.replace("http", "ws") + "/ws"
        return websockets.connect(address, additional_headers=self.headers(), **more)

    async def stream(self, path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A plain connection that has caught up."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.process.port)
        writer.write(self.request("GET", path))
        async with asyncio.timeout(PATIENCE):
            await reader.readuntil(b"caught_up")
        return reader, writer

    def request(self, method: str, path: str, body: bytes = b"", *, length: int = -1) -> bytes:
        length = len(body) if length < 0 else length
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Authorization: Bearer {self.tokens['ada']}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        )
        return head.encode() + body

    def rss_kb(self) -> int:
        status = Path(f"/proc/{self.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if "VmRSS" in line)


@pytest_asyncio.fixture
async def real(new_folder: Any) -> AsyncIterator[Real]:
    async with ServerProcess(new_folder(), "--no-limits") as process:
        it = Real(process)
        await it.prepare()
        yield it
        await it.http.aclose()


def reset(writer: asyncio.StreamWriter) -> None:
    """End a connection with RST, as a crashed client's kernel would."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@pytest.mark.slow
async def test_sigterm_tells_a_thousand_open_streams_and_the_program_ends_within_five_seconds(
    real: Real,
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    try:
        sockets, streams = [], []
        for _ in range(10):
            sockets += await asyncio.gather(*[real.socket() for _ in range(STREAMS // 25)])
            paths = ["/events", "/stream"] * (STREAMS * 3 // 100)
            streams += await asyncio.gather(*[real.stream(path) for path in paths])
        assert len(sockets) + len(streams) == STREAMS
        ended = asyncio.gather(*map(_socket_end, sockets), *map(_stream_end, streams))
        began = time.monotonic()
        assert await real.process.terminate() == 0
        assert time.monotonic() - began < 5
        async with asyncio.timeout(PATIENCE):
            assert all(await ended)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def _socket_end(one: Any) -> bool:
    """Whether it was told goodbye, and closed with 1001."""
    told = False
    try:
        while True:
            told |= json.loads(await one.recv())["type"] == "goodbye"
    except websockets.ConnectionClosed as error:
        return told and error.rcvd is not None and error.rcvd.code == 1001


async def _stream_end(one: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> bool:
    """Whether it was told goodbye, and its chunked body ended as it should."""
    rest = await one[0].read()
    one[1].close()
    return b"goodbye" in rest and rest.endswith(b"0\r\n\r\n")


async def test_what_was_acknowledged_before_sigterm_is_there_after_the_next_start(
    real: Real,
) -> None:
    sent = [f"message {n}" for n in range(50)]
    await asyncio.gather(*[real.say(content) for content in sent])
    assert await real.process.terminate() == 0
    await real.process.start()
    assert sorted(await real.contents()) == sorted(sent)


async def test_a_request_that_is_cancelled_right_after_it_was_sent_is_committed_whole_or_not(
    real: Real,
) -> None:
    bodies = [json.dumps({"content": f"cut {n}", "client_id": f"cut-{n}"}) for n in range(40)]
    for body in bodies:
        _, writer = await asyncio.open_connection("127.0.0.1", real.process.port)
        writer.write(real.request("POST", f"/api/chats/{real.chat}/messages", body.encode()))
        await writer.drain()
        reset(writer)
    for n in range(40):  # the same again, as a client that heard nothing would
        await real.say(f"cut {n}", client_id=f"cut-{n}")
    assert sorted(await real.contents()) == sorted(f"cut {n}" for n in range(40))


async def test_clients_that_reset_in_the_middle_of_a_stream_harm_nobody(real: Real) -> None:
    async with real.socket() as other:
        for path in ("/events?last_event_id=0", "/stream?last_event_id=0", "/poll?timeout=20"):
            for _ in range(10):
                _, writer = await asyncio.open_connection("127.0.0.1", real.process.port)
                writer.write(real.request("GET", path))
                await writer.drain()
                reset(writer)
        ack = await real.say("still here")
        async with asyncio.timeout(PATIENCE):
            while json.loads(await other.recv()).get("id") != ack["event_id"]:
                pass


async def test_a_reader_that_stops_reading_delays_nobody_and_loses_nothing(real: Real) -> None:
    stuck, writer = await real.stream("/stream")
    sock: socket.socket = writer.get_extra_info("socket")
    stuck._transport.pause_reading()  # type: ignore[attr-defined]
    assert sock.fileno() >= 0
    async with real.socket(max_size=None) as other:
        sent = [(await real.say(f"{n} " + "x" * 7900))["event_id"] for n in range(120)]
        seen: list[int] = []
        async with asyncio.timeout(PATIENCE):
            while len(seen) < len(sent):
                event = json.loads(await other.recv())
                seen += [event["id"]] if event["type"] == "new_message" else []
    assert seen == sent
    stuck._transport.resume_reading()  # type: ignore[attr-defined]
    got, rest = [], b""
    async with asyncio.timeout(PATIENCE):
        while len(got) < len(sent):
            *lines, rest = (rest + await stuck.read(2**16)).split(b"\n")
            got += [json.loads(one)["id"] for one in lines if b'"type":"new_message"' in one]
    assert got == sent
    writer.close()


async def test_deflate_is_not_negotiated_though_the_client_offers_it(real: Real) -> None:
    async with real.socket(compression="deflate") as one:
        assert "Sec-WebSocket-Extensions" not in one.response.headers


@pytest.mark.parametrize("size", [70_000, 5_000_000])
async def test_a_frame_that_is_too_large_closes_with_1009_and_stores_nothing(
    real: Real, size: int
) -> None:
    # Not by `async with`: Python 3.13.0 stumbles over closing what is closed already.
    one = await real.socket(compression=None)
    data = {"chat_id": real.chat, "content": "x" * size}
    with pytest.raises(websockets.ConnectionClosed) as closed:
        await one.send(json.dumps({"type": "send_message", "data": data}))
        while True:
            await one.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009
    assert await real.contents() == []


@pytest.mark.slow
async def test_a_client_that_floods_without_reading_costs_a_bounded_amount_of_memory(
    real: Real,
) -> None:
    before = real.rss_kb()
    flood = asyncio.create_task(_flood(real, 20_000))
    async with asyncio.timeout(60):
        answered = await flood
    assert answered > 0
    assert real.rss_kb() - before < 60_000
    assert (await real.http.get("/health/ready")).status_code == 200


async def _flood(real: Real, frames: int) -> int:
    """Many pings of 2 KB without a pause; how many pongs came."""
    async with real.socket(compression=None, max_queue=4) as one:
        frame = json.dumps({"type": "ping", "data": {"pad": "x" * 2000}})

        async def push() -> None:
            for _ in range(frames):
                await one.send(frame)

        pushing, pongs = asyncio.create_task(push()), 0
        async for raw in one:
            pongs += json.loads(raw)["type"] == "pong"
            if pongs == frames:
                break
        await pushing
        return pongs


async def test_the_log_of_the_server_says_a_line_per_refusal_and_no_secret(
    real: Real, tmp_path: Path
) -> None:
    secret = "eyJhbGciOiJIUzI1NiJ9.c2VjcmV0.c2lnbmF0dXJl"
    for path in (f"/events?token={secret}", f"/poll?ticket={secret}", "/api/chats"):
        refused = await real.http.get(path, headers={"Authorization": f"Bearer {secret}"})
        assert refused.status_code == 401
    await real.http.post("/api/login", json={"name": "ada", "password": "hunter2 hunter2"})
    log = real.process.data.parent / f"{real.process.data.name}.log"
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    refusals = [line for line in lines if line["event"] == "refused"]
    assert [line["path"] for line in refusals] == ["/events", "/poll", "/api/chats", "/api/login"]
    assert secret not in log.read_text()
    assert "hunter2" not in log.read_text()


def test_it_starts_and_idles_within_what_was_promised(tmp_path: Path) -> None:
    """Under 80 MB without the optional packages; the default install has none of them."""
    hide = "import sys; sys.modules['cryptography'] = None; from quartchat.cli import main; main()"
    command = [sys.executable, "-c", hide, "serve", "--port", "0", "--data", str(tmp_path / "d")]
    root = str(Path(__file__).parents[2])
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": root}, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("http://127.0.0.1:")
        status = Path(f"/proc/{process.pid}/status").read_text()
        assert int(status.split("VmRSS:")[1].split()[0]) < 80_000
    finally:
        process.terminate()
        process.communicate(timeout=20)
