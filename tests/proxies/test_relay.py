"""The relay does what its mischief says: a case that does nothing proves nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from time import monotonic

import pytest

from proxies.place import free_port
from proxies.relay import Mischief, Relay, relaying

Pair = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def through(
    mischief: Mischief | None, later: Mischief | None = None
) -> AsyncIterator[tuple[Relay, int]]:
    """A relay before something that answers each line with itself."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while line := await reader.readline():
                writer.write(line)
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0, limit=2**20)
    port, up = free_port(), server.sockets[0].getsockname()[1]
    try:
        async with relaying(Relay(up, mischief, later), port) as relay:
            yield relay, port
    finally:
        server.close()


async def say(pair: Pair, text: bytes, seconds: float = 0.5) -> bytes | None:
    """The answer; None if none comes in time; what an end looks like: empty."""
    reader, writer = pair
    try:
        writer.write(text + b"\n")
        async with asyncio.timeout(seconds):
            return (await reader.readline()).strip()
    except TimeoutError:
        return None
    except OSError:
        return b""


async def test_without_mischief_all_comes_through() -> None:
    async with through(None) as (_, port):
        pair = await asyncio.open_connection("127.0.0.1", port)
        assert await say(pair, b"hello") == b"hello"
        pair[1].close()


async def test_swallowed_connections_stay_open_and_silent() -> None:
    async with through(Mischief(swallow_after=0.0)) as (_, port):
        pair = await asyncio.open_connection("127.0.0.1", port)
        assert await say(pair, b"hello") is None
        pair[1].close()


async def test_a_connection_is_reset_after_so_many_bytes() -> None:
    async with through(Mischief(reset_after_bytes=10)) as (_, port):
        pair = await asyncio.open_connection("127.0.0.1", port)
        assert await say(pair, b"hello") == b"hello"
        assert await say(pair, b"again and again") in (b"", b"agai")
        pair[1].close()


async def test_what_is_sent_is_delayed_both_ways() -> None:
    async with through(Mischief(delay=0.1)) as (_, port):
        began = monotonic()
        pair = await asyncio.open_connection("127.0.0.1", port)
        assert await say(pair, b"hello", 5) == b"hello"
        assert monotonic() - began >= 0.2
        pair[1].close()


async def test_what_begins_later_cuts_what_was_open() -> None:
    async with through(None, Mischief(swallow_after=0.0)) as (relay, port):
        pair = await asyncio.open_connection("127.0.0.1", port)
        assert await say(pair, b"hello") == b"hello"
        await relay.begin()
        assert await say(pair, b"hello") == b""
        again = await asyncio.open_connection("127.0.0.1", port)
        assert await say(again, b"hello") is None
        again[1].close()


@pytest.mark.parametrize("most", [1, 2])
async def test_connections_over_the_most_wait(most: int) -> None:
    async with through(Mischief(most=most)) as (_, port):
        pairs = [await asyncio.open_connection("127.0.0.1", port) for _ in range(most)]
        assert [await say(pair, b"hello") for pair in pairs] == [b"hello"] * most
        another = await asyncio.open_connection("127.0.0.1", port)
        assert await say(another, b"hello") is None
        for _, writer in [*pairs, another]:
            writer.close()
