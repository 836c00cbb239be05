from __future__ import annotations

import asyncio
import shutil
import signal
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest
from cli_support import Command, cli
from support.certificates import make, trusting

Start = Callable[..., Awaitable[Command]]


def name_shown(url: str, trusted: Path) -> str:
    """The name in the certificate that a new connection is shown."""
    where = httpx.URL(url)
    assert where.port
    pem = ssl.get_server_certificate((where.host, where.port), ca_certs=str(trusted))
    (trusted.parent / "shown.pem").write_text(pem)
    context = ssl.create_default_context(cafile=str(trusted.parent / "shown.pem"))
    return str(dict(field[0] for field in context.get_ca_certs()[0]["subject"])["commonName"])


async def test_it_serves_https_and_http2_and_its_cookies_are_for_https_only(
    start: Start, data: Path, tmp_path: Path
) -> None:
    certfile, keyfile = make(tmp_path)
    server = await start(
        *("serve", "--port", "0", "--data", data, "--certfile", certfile, "--keyfile", keyfile)
    )
    url = await server.line()
    assert url.startswith("https://127.0.0.1:")
    assert f"{url}/signup?setup=" in "".join([await server.line() for _ in range(4)])
    async with httpx.AsyncClient(verify=trusting(certfile), http2=True) as client:
        who = {"name": "ada", "password": "a long password"}
        answer = await client.post(f"{url}/api/signup", json=who)
        assert (answer.http_version, answer.status_code) == ("HTTP/2", 201)
        set_cookies = answer.headers.get_list("set-cookie")
        assert len(set_cookies) == 2
        assert all("; Secure" in one for one in set_cookies)
        assert (await client.get(f"{url}/api/chats")).status_code == 200
    ended = await server.end()
    assert ended.code == 0


async def test_curl_speaks_each_protocol_with_it(start: Start, data: Path, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("apt-get install curl")
    certfile, keyfile = make(tmp_path)
    server = await start(
        *("serve", "--port", "0", "--data", data),
        QUARTCHAT_CERTFILE=str(certfile),
        QUARTCHAT_KEYFILE=str(keyfile),
    )
    url = await server.line()
    for flag, version in (("--http2", "2"), ("--http1.1", "1.1"), ("--http1.0", "1.1")):
        process = await asyncio.create_subprocess_exec(
            *("curl", "-s", flag, "--cacert", str(certfile), "-o", str(tmp_path / "got")),
            *("-w", "%{http_code} %{http_version}", "--max-time", "10", f"{url}/login"),
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await process.communicate()
        assert (process.returncode, out.decode()) == (0, f"200 {version}")
        assert "</html>" in (tmp_path / "got").read_text()


async def test_a_hangup_makes_it_read_the_certificate_anew(
    start: Start, data: Path, tmp_path: Path
) -> None:
    certfile, keyfile = make(tmp_path, "first")
    server = await start(
        *("serve", "--port", "0", "--data", data, "--certfile", certfile, "--keyfile", keyfile)
    )
    url = await server.line()
    assert await asyncio.to_thread(name_shown, url, certfile) == "first"
    for old, new in zip((certfile, keyfile), make(tmp_path, "second"), strict=True):
        new.replace(old)
    server.process.send_signal(signal.SIGHUP)
    assert server.process.stderr
    async with asyncio.timeout(10):
        while b"read anew" not in await server.process.stderr.readline():
            pass
    assert await asyncio.to_thread(name_shown, url, certfile) == "second"


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--certfile", "{folder}/server.pem"], "keyfile: takes the file that belongs to certfile"),
        (["--keyfile", "{folder}/server.key"], "certfile: takes the file that belongs to keyfile"),
        (
            ["--certfile", "{folder}/none.pem", "--keyfile", "{folder}/server.key"],
            "none.pem cannot be read: No such file",
        ),
        (
            ["--certfile", "{folder}/server.pem", "--keyfile", "{folder}/other.key"],
            "does not belong to the certificate",
        ),
    ],
)
async def test_files_that_cannot_be_used_are_said_in_a_sentence(
    tmp_path: Path, flags: list[str], says: str
) -> None:
    make(tmp_path)
    make(tmp_path, "other")
    given = [flag.format(folder=tmp_path) for flag in flags]
    result = await cli("serve", "--port", "0", "--data", tmp_path / "data", *given)
    result.check_failed(says)
