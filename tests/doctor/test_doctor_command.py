"""`quartchat doctor` as people run it: its report, its exit codes, and being broken off."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from doctors import begun, doctor, ended
from proxies.place import Place
from support.process import ServerProcess
from support.server import Server


async def test_where_all_is_well_it_says_so_and_ends_with_0(site: ServerProcess) -> None:
    told = await doctor(site.url, "--quick")
    assert told.code == 0, told.out
    assert told.out.startswith(f"All well: everything gets through.\n{site.url}\n")
    for label in ("WebSocket", "Stream", "Server-Sent Events", "Long polling", "Sending by POST"):
        assert label in told.out
    assert told.err.splitlines()[0] == "Is anybody there?"
    assert "Silence" not in told.err


async def test_silence_is_tried_for_as_long_as_asked_for(site: ServerProcess) -> None:
    told = await doctor(site.url, "--seconds", 2, "--json")
    assert told.code == 0, told.out
    idle = told.report["measured"]["idle"]
    assert {name: one["lasted"] for name, one in idle.items()} == dict.fromkeys(
        ("stream", "beats", "socket", "pings", "hold"), 2
    )
    assert told.report["measured"]["repeated"] == 1
    assert "Silence: 2 s" in told.err


async def test_limits_for_strangers_leave_room_for_a_round(server: Server) -> None:
    told = await doctor(server.url, "--seconds", 1, "--json")
    assert (told.report["findings"], told.code) == ([], 0)


async def test_tls_is_gone_through_and_who_issued_the_certificate_is_told(place: Place) -> None:
    told = await doctor(f"https://127.0.0.1:{place.tls}", "--quick", "--json")
    assert told.report["measured"]["issuer"] == "quartchat.test"
    assert (set(told.found), told.code) == ({"untrusted"}, 1)
    assert set(told.ways.values()) == {"works"}


async def test_a_certificate_that_the_machine_trusts_is_no_finding(place: Place) -> None:
    url = f"https://127.0.0.1:{place.tls}"
    told = await doctor(url, "--quick", "--json", SSL_CERT_FILE=str(place.certificate))
    assert (told.found, told.code) == ({}, 0)
    assert told.report["measured"]["issuer"] == "quartchat.test"


async def test_ctrl_c_gives_what_is_known(site: ServerProcess) -> None:
    process = await begun(site.url, "--seconds", 60)
    assert process.stderr
    async with asyncio.timeout(60):
        while b"Silence" not in await process.stderr.readline():
            pass
    process.send_signal(signal.SIGINT)
    told = await ended(process)
    assert told.code == 130
    assert "works" in told.out
    assert "broken off" in told.out


async def test_where_nobody_listens_it_ends_with_2() -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        told = await doctor(f"http://127.0.0.1:{sock.getsockname()[1]}", "--json")
    assert (list(told.found), told.code) == (["unreachable"], 2)


@asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[str]:
    """A server that answers everything with this."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    made = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with made:
        yield f"http://127.0.0.1:{made.sockets[0].getsockname()[1]}"


def page(status: str, kind: str, body: str) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
    return f"{head}Connection: close\r\n\r\n{body}".encode()


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        (page("200 OK", "text/html", "<h1>Welcome to the hotel</h1>"), "captive"),
        (page("404 Not Found", "text/html", "nothing"), "not_quartchat"),
        (page("200 OK", "application/json", '{"hello":"world"}'), "not_quartchat"),
        (page("502 Bad Gateway", "text/html", "bad"), "gateway"),
        (page("403 Forbidden", "text/html", "no"), "refused"),
        (b"", "ping_cut"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "ping_cut"),
    ],
)
async def test_whatever_else_answers_is_told_and_it_ends_with_2(answer: bytes, name: str) -> None:
    async with answering(answer) as url:
        told = await doctor(url, "--json")
    assert (list(told.found), told.code) == ([name], 2)


@pytest.mark.parametrize("address", ["ftp://x", "http://", "gopher:x", "http://x:99999"])
async def test_what_is_no_address_is_refused_with_an_example(address: str) -> None:
    told = await doctor(address)
    assert (told.code, told.out) == (2, "")
    assert "https://chat.example.org" in told.err


async def test_a_proxy_that_is_none_for_http_is_refused(site: ServerProcess) -> None:
    told = await doctor(site.url, "--proxy", "socks5://127.0.0.1:1080")
    assert (told.code, told.out) == (2, "")
    assert "--proxy takes http://HOST:PORT" in told.err


async def test_a_proxy_of_the_environment_that_is_none_for_http_is_passed_by(
    site: ServerProcess,
) -> None:
    told = await doctor(site.url, "--quick", ALL_PROXY="socks5://127.0.0.1:1080")
    assert told.code == 0
    assert "going straight" in told.err


async def test_the_scheme_may_be_left_out(site: ServerProcess) -> None:
    told = await doctor(site.url.removeprefix("http://"), "--quick", "--json")
    assert json.loads(told.out)["url"] == site.url
