from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import websockets
from edge_support import Raw, frame, until

SERVER = Path(__file__).with_name("edge_server.py")
ROOT = SERVER.parents[2]


class Server:
    def __init__(self, process: asyncio.subprocess.Process, url: str) -> None:
        self.process, self.url = process, url
        self.port = int(url.rpartition(":")[2])

    async def connect(self, text: str) -> Raw:
        raw = Raw(*await asyncio.open_connection("127.0.0.1", self.port))
        raw.write(text.encode())
        return raw

    async def ended(self) -> int:
        return await asyncio.wait_for(self.process.wait(), 10)

    def memory(self) -> int:
        """Resident bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) * 1024


@contextlib.asynccontextmanager
async def process(*arguments: str) -> AsyncIterator[Server]:
    started = await asyncio.create_subprocess_exec(
        *(sys.executable, str(SERVER), *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error", "PATH": ""},
    )
    assert started.stdout is not None
    try:
        yield Server(started, (await started.stdout.readline()).decode().strip())
    finally:
        with contextlib.suppress(ProcessLookupError):
            started.kill()
        await started.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("loop", ["plain", "uvloop"])
async def test_a_signal_stops_in_order_with_streams_open(number: int, loop: str) -> None:
    async with process(loop) as server:
        stream = await server.connect("GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
        await stream.head()
        began = time.perf_counter()
        server.process.send_signal(number)
        assert b"retry: 100" in await stream.rest()
        assert await server.ended() == 7
        assert time.perf_counter() - began < 3.0
        output, errors = await server.process.communicate()
        assert output == b"stopped in order\n"
        assert errors == b""
        await stream.close()


async def test_a_second_signal_ends_at_once() -> None:
    async with process("stubborn") as server:
        server.process.send_signal(signal.SIGTERM)
        await until(lambda: refuses(server.port))
        began = time.perf_counter()
        server.process.send_signal(signal.SIGTERM)
        assert await server.ended() == 128 + signal.SIGTERM
        assert time.perf_counter() - began < 1.0


def refuses(port: int) -> bool:
    """Whether nobody listens on the port: the first signal has been taken in."""
    tables = Path("/proc/net/tcp").read_text().splitlines()
    return not any(f":{port:04X} 00000000:0000 0A" in line for line in tables)


async def test_a_flood_at_a_handler_that_never_reads_blocks_its_sender_and_costs_no_memory() -> (
    None
):
    async with process() as server:
        async with websockets.connect(server.url.replace("http", "ws") + "/slow"):
            before = server.memory()
        sent = 0
        async with websockets.connect(server.url.replace("http", "ws") + "/deaf") as ws:
            with pytest.raises(TimeoutError):
                while sent < 60 * 2**20:
                    await asyncio.wait_for(ws.send(b"x" * 60_000), 1.0)
                    sent += 60_000
            assert server.memory() - before < 8 * 2**20
            ws.transport.abort()
    assert sent < 20 * 2**20


async def test_a_flood_at_a_slow_handler_passes_through_in_bounded_memory() -> None:
    async with (
        process() as server,
        websockets.connect(server.url.replace("http", "ws") + "/slow") as ws,
    ):
        await ws.send(b"x")
        assert await ws.recv() == "1"
        before = server.memory()
        peak = asyncio.create_task(watched_peak(server))
        flood = asyncio.create_task(send_flood(ws, 1000))
        for number in range(1000):
            assert await ws.recv() == str(number + 2)
        await flood
        peak.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await peak
        assert server.memory() - before < 8 * 2**20


async def watched_peak(server: Server) -> None:
    """Fails as soon as the server is bigger than it has any reason to be."""
    first = server.memory()
    await until(lambda: server.memory() - first > 10 * 2**20, 60)
    raise AssertionError("the flood is held in memory")


async def send_flood(ws: websockets.ClientConnection, frames: int) -> None:
    for _ in range(frames):
        await ws.send(b"x" * 60_000)


async def test_a_frame_that_never_ends_costs_no_memory() -> None:
    async with process() as server:
        raw = await server.connect(
            "GET /slow HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        await raw.head()
        before = server.memory()
        raw.write(frame(0x2, declare=2**32))
        sent = 0
        with pytest.raises(ConnectionError):
            while sent < 500 * 2**20:
                raw.write(b"x" * 65536)
                await raw.writer.drain()
                sent += 65536
        assert server.memory() - before < 8 * 2**20
        await raw.close()
