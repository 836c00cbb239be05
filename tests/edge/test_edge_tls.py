from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import h2.events as seen
import httpx
import pytest
import websockets
from edge_support import Raw, Site, make_app, serving, until
from h2_client import Client
from support.certificates import make, trusting

from quartchat.server.limits import Limits
from quartchat.server.sockets import ServerStartError, address
from quartchat.server.tls import Certificate


@asynccontextmanager
async def serving_tls(
    app: Any, folder: Path, certificate: Certificate | None = None, **options: Any
) -> AsyncIterator[tuple[Site, Path]]:
    """The site, and the certificate that its clients are to trust."""
    files = make(folder)
    certificate = certificate or Certificate(*files)
    async with serving(app, certificate=certificate, **options) as site:
        site.url = address(site.sock, "https")
        yield site, files[0]


async def connect(site: Site, trusted: Path, *protocols: str) -> Raw:
    return await site.connect(ssl=trusting(trusted, *protocols), server_hostname="127.0.0.1")


def spoken(raw: Raw) -> str | None:
    found: str | None = raw.writer.get_extra_info("ssl_object").selected_alpn_protocol()
    return found


def shown(raw: Raw) -> str:
    """The name in the certificate that the server showed."""
    names = dict(field[0] for field in raw.writer.get_extra_info("peercert")["subject"])
    return str(names["commonName"])


async def test_each_client_gets_the_newest_protocol_that_it_speaks(tmp_path: Path) -> None:
    async with serving_tls(make_app(), tmp_path) as (site, trusted):
        for offered, agreed in [
            (["h2", "http/1.1"], "h2"),
            (["http/1.1"], "http/1.1"),
            ([], None),
            (["spdy/3"], None),
        ]:
            raw = await connect(site, trusted, *offered)
            assert spoken(raw) == agreed
            if agreed == "h2":
                assert await Client(raw).get("/hello") == (200, b"hello")
            else:
                raw.write(b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
                assert "200" in await raw.head()
            await raw.close()


async def test_httpx_and_websockets_speak_with_it_as_with_any_server(tmp_path: Path) -> None:
    async with serving_tls(make_app(), tmp_path) as (site, trusted):
        async with httpx.AsyncClient(verify=trusting(trusted), http2=True) as client:
            answers = await asyncio.gather(*(client.get(f"{site.url}/hello") for _ in range(50)))
            assert {(one.http_version, one.text) for one in answers} == {("HTTP/2", "hello")}
            answer = await client.post(f"{site.url}/echo", content=b"x" * 100_000)
            assert answer.content == b"x" * 100_000
        url = site.url.replace("https", "wss")
        async with websockets.connect(f"{url}/ws", ssl=trusting(trusted), proxy=None) as socket:
            await socket.send("hello")
            assert await socket.recv() == "hello"
            began = time.perf_counter()
        assert time.perf_counter() - began < 1, "the end of the connection is not waited for"


async def test_the_application_sees_https(tmp_path: Path) -> None:
    import quart

    app = make_app()

    @app.get("/scheme")
    async def scheme() -> str:
        return quart.request.scheme

    async with serving_tls(app, tmp_path) as (site, trusted):
        for http2 in (False, True):
            async with httpx.AsyncClient(verify=trusting(trusted), http2=http2) as client:
                assert (await client.get(f"{site.url}/scheme")).text == "https"


async def test_a_refusal_reaches_a_client_that_is_still_sending(tmp_path: Path) -> None:
    async with serving_tls(make_app(), tmp_path, limits=Limits(max_body=1000)) as (site, trusted):
        raw = await connect(site, trusted)
        raw.write(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n")
        for _ in range(30):
            raw.write(b"x" * 10_000)
            await raw.writer.drain()
        assert "413" in await raw.head()
        began = time.perf_counter()
        assert b"too_large" in await raw.rest()
        assert time.perf_counter() - began < 2
        await raw.close()


async def test_an_answer_without_a_length_ends_with_the_end_of_tls(tmp_path: Path) -> None:
    app = make_app()
    app.extensions["streams"].draining.set()
    async with serving_tls(app, tmp_path) as (site, trusted):
        raw = await connect(site, trusted)
        raw.write(b"GET /events HTTP/1.0\r\nHost: x\r\n\r\n")
        assert (await raw.rest()).endswith(b"retry: 100\n\n")
        await raw.close()


async def test_who_speaks_no_tls_or_does_not_finish_saying_hello_costs_nobody_anything(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving_tls(make_app(), tmp_path) as (site, trusted):
        silent = [await site.connect() for _ in range(20)]
        plain = await site.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"200" not in await plain.rest()
        raw = await connect(site, trusted, "h2")
        assert await Client(raw).get("/hello") == (200, b"hello")
        assert await site.stopped() < 5
        for one in [*silent, plain, raw]:
            await one.close()
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_stopping_takes_moments_with_streams_of_each_kind_open(tmp_path: Path) -> None:
    app = make_app()
    async with serving_tls(app, tmp_path) as (site, trusted):
        old = await connect(site, trusted)
        old.write(b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
        await old.head()
        client = Client(await connect(site, trusted, "h2"))
        streams = [client.ask("/events") for _ in range(8)]
        for stream in streams:
            await client.next(seen.DataReceived, stream)
        url = site.url.replace("https", "wss")
        async with websockets.connect(f"{url}/ws", ssl=trusting(trusted), proxy=None) as socket:
            stopping = asyncio.create_task(site.stopped())
            assert b"retry" in await old.rest()
            with pytest.raises(websockets.ConnectionClosed):
                await socket.recv()
            assert socket.close_code == 1001
        assert await stopping < 3
        for one in (old, client.raw):
            await one.close()


async def test_clients_that_read_nothing_do_not_keep_it_from_stopping(tmp_path: Path) -> None:
    import quart

    app = make_app()

    @app.get("/flood")
    async def flood() -> quart.Response:
        async def body() -> AsyncIterator[bytes]:
            while True:
                yield b"x" * 100_000

        response = quart.Response(body())
        response.timeout = None
        return response

    async with serving_tls(app, tmp_path, drain_seconds=0.5) as (site, trusted):
        stuck = [await connect(site, trusted) for _ in range(5)]
        for raw in stuck:
            raw.writer.transport.pause_reading()  # type: ignore[attr-defined]
            raw.write(b"GET /flood HTTP/1.1\r\nHost: x\r\n\r\n")
        other = Client(await connect(site, trusted, "h2"))
        assert await other.get("/hello") == (200, b"hello")
        assert await site.stopped() < 5
        for raw in [*stuck, other.raw]:
            await raw.close()


async def test_a_certificate_that_was_renewed_is_shown_from_the_next_connection_on(
    tmp_path: Path,
) -> None:
    files = make(tmp_path, "first")
    certificate = Certificate(*files)
    looking = asyncio.create_task(certificate.watch(0.02))
    async with serving_tls(make_app(), tmp_path, certificate) as (site, _):
        before = Client(await connect(site, files[0], "h2"))
        assert shown(before.raw) == "first"
        for old, new in zip(files, make(tmp_path, "second"), strict=True):
            new.replace(old)
        await until(lambda: certificate._newest is not certificate.context)
        after = Client(await connect(site, files[0], "h2"))
        assert (shown(after.raw), spoken(after.raw)) == ("second", "h2")
        for one in (before, after):
            assert await one.get("/hello") == (200, b"hello")
            await one.raw.close()
    looking.cancel()


async def test_files_that_do_not_belong_together_leave_the_certificate_as_it_was(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    certfile, keyfile = make(tmp_path, "first")
    certificate = Certificate(certfile, keyfile)
    newcert, newkey = make(tmp_path, "second")
    trusted = certfile.read_bytes()
    newcert.replace(certfile)  # the key comes a moment later
    certificate.renew_if_changed()
    assert "does not belong" in caplog.text
    (tmp_path / "old.pem").write_bytes(trusted)
    async with serving_tls(make_app(), tmp_path, certificate) as (site, _):
        raw = await connect(site, tmp_path / "old.pem")
        assert shown(raw) == "first"
        await raw.close()
        newkey.replace(keyfile)
        certificate.renew_if_changed()
        raw = await connect(site, certfile)
        assert shown(raw) == "second"
        await raw.close()
        certfile.unlink()
        certificate.renew_if_changed()
        certificate.renew_if_changed()
    assert caplog.text.count("cannot be read") == 1


def test_files_that_cannot_be_used_are_named_with_what_to_do(tmp_path: Path) -> None:
    certfile, keyfile = make(tmp_path)
    _, other = make(tmp_path, "other")
    secret = make(tmp_path, "secret", password=b"word")
    rubbish = tmp_path / "rubbish.pem"
    rubbish.write_text("nothing")
    for pair, says in [
        ((tmp_path / "none.pem", keyfile), "certificate file"),
        ((certfile, tmp_path / "none.key"), "key file"),
        ((certfile, tmp_path), "Is a directory"),
        ((certfile, other), "does not belong"),
        ((keyfile, certfile), "holds no certificate"),
        ((certfile, rubbish), "holds no private key"),
        ((rubbish, keyfile), "holds no certificate"),
        (secret, "password"),
    ]:
        with pytest.raises(ServerStartError, match=says) as caught:
            Certificate(*pair)
        assert str(caught.value).endswith(".")


def test_old_versions_of_tls_are_not_spoken(tmp_path: Path) -> None:
    context = Certificate(*make(tmp_path)).context
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
