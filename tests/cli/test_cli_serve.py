from __future__ import annotations

import json
import re
import signal
import socket
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest
from cli_support import Command, cli
from support.readers import TLS, Call, Reader, read_sse

PASSWORD = "five blue horses run"
Start = Callable[..., Awaitable[Command]]


def check_quiet(err: str) -> None:
    assert "Traceback" not in err
    assert not [line for line in err.splitlines() if '"level": "error"' in line]
    assert "Warning" not in err


async def test_the_first_line_is_the_address_and_then_comes_the_way_in(
    start: Start, tmp_path: Path
) -> None:
    server = await start("serve", "--port", "0", "--data", tmp_path / "new" / "folder")
    address = await server.line()
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", address)
    async with httpx.AsyncClient(verify=TLS) as client:
        assert (await client.get(f"{address}/health/ready")).status_code == 200
    lines = [await server.line() for _ in range(4)]
    assert lines[-1].strip().startswith(f"{address}/signup?setup=")
    ended = await server.end()
    assert ended.code == 0
    check_quiet(ended.err)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_at_once_also_with_open_streams(
    start: Start, data: Path, how: signal.Signals
) -> None:
    assert (
        await cli("user", "add", "ada", "--password-stdin", "--data", data, given=PASSWORD)
    ).code == 0
    token = (await cli("token", "ada", "--data", data)).out.strip()
    server = await start("serve", "--port", "0", "--data", data)
    address = await server.line()
    readers = [
        Reader(lambda call: read_sse(call, "/events"), Call(address, token)) for _ in range(10)
    ]
    for reader in readers:
        await reader.until("caught_up")
    began = time.monotonic()
    ended = await server.end(how)
    assert time.monotonic() - began < 5
    assert ended.code == 0
    check_quiet(ended.err)
    for reader in readers:
        assert "goodbye" in [event["type"] for event in await reader.end()]


async def test_a_port_in_use_is_said_in_a_sentence(data: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = await cli("serve", "--port", port, "--data", data)
    result.check_failed(f"Port {port}", "in use", "--port")


@pytest.mark.parametrize(
    ("flags", "env", "says"),
    [
        (["--heartbeat", "100"], {}, "heartbeat: takes seconds from 1 to 60"),
        ([], {"QUARTCHAT_PORT": "many"}, "QUARTCHAT_PORT"),
        ([], {"QUARTCHAT_LOG_LEVEL": "loud"}, "log_level"),
        (["--config", "{folder}/none.toml"], {}, "none.toml"),
        (["--host", "no.such.host.invalid"], {}, "no.such.host.invalid"),
        (["--issuer-key", "short"], {}, "issuer_key"),
        (["--trusted-proxies", "somewhere"], {}, "trusted_proxies"),
        (["--data", "/proc/nowhere"], {}, "/proc/nowhere"),
    ],
)
async def test_a_setting_that_cannot_be_used_is_said_in_a_sentence(
    tmp_path: Path, flags: list[str], env: dict[str, str], says: str
) -> None:
    flags = [flag.format(folder=tmp_path) for flag in flags]
    rest = [] if "--data" in flags else ["--data", tmp_path / "data"]
    result = await cli("serve", "--port", "0", *rest, *flags, **env)
    result.check_failed(says)


async def test_an_unknown_setting_of_the_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "quartchat.toml").write_text("colour = 1\n")
    result = await cli("serve", "--data", tmp_path / "d", "--config", tmp_path / "quartchat.toml")
    result.check_failed("quartchat.toml", "colour")


async def test_a_wrong_flag_is_a_matter_of_usage(tmp_path: Path) -> None:
    for flags in (["--port", "many"], ["--nonsense"]):
        result = await cli("serve", *flags)
        result.check_failed("Usage:", flags[0], code=2)


async def test_started_again_on_its_folder_it_knows_everything(start: Start, data: Path) -> None:
    first = await start("serve", "--port", "0", "--data", data)
    address = await first.line()
    async with httpx.AsyncClient(verify=TLS) as client:
        body = {"name": "ada", "password": PASSWORD}
        tokens = (await client.post(f"{address}/api/signup", json=body)).json()
    assert (await first.end()).code == 0
    port = address.rpartition(":")[2]
    second = await start("serve", "--port", port, "--data", data)
    assert await second.line() == address
    async with httpx.AsyncClient(verify=TLS) as client:
        headers = {"Authorization": f"Bearer {tokens['access_token']}"}
        assert (await client.get(f"{address}/api/me", headers=headers)).json()["name"] == "ada"
    assert (await second.end()).code == 0


async def test_it_starts_in_seconds_and_its_key_is_for_the_owner_only(
    start: Start, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    server = await start("serve", "--port", "0", "--data", folder)
    await server.line()
    await server.end()
    assert folder.stat().st_mode & 0o077 == 0
    for path in folder.iterdir():
        secret = path.suffix not in (".db", ".db-wal", ".db-shm")
        assert not secret or path.stat().st_mode & 0o077 == 0, path.name


async def test_the_log_has_no_secrets_in_it(start: Start, data: Path) -> None:
    server = await start("serve", "--port", "0", "--data", data)
    address = await server.line()
    async with httpx.AsyncClient(verify=TLS) as client:
        await client.get(f"{address}/events?token=hush-hush-token")
        await client.get(f"{address}/nothing?q=hush-hush-query", headers={"Referer": "hush-hush"})
        wrong = {"name": "ada", "password": "hush-hush-password"}
        await client.post(f"{address}/api/login", json=wrong)
        await client.post(f"{address}/login", data=wrong)
        bearer = {"Authorization": "Bearer hush-hush-token"}
        await client.get(f"{address}/api/me", headers=bearer)
    ended = await server.end()
    assert "hush" not in ended.err + ended.out
    lines = [json.loads(line) for line in ended.err.splitlines()]
    assert len([line for line in lines if line["event"] == "refused"]) >= 4


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["serve"],
        ["user"],
        ["user", "add"],
        ["token"],
        ["send"],
        ["tail"],
        ["import"],
        ["import", "irc"],
    ],
)
async def test_every_command_has_help(words: list[str]) -> None:
    result = await cli(*words, "--help")
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith("Usage:")
    assert len(result.out.split("Options:")[0].split()) > 8


async def test_the_version_is_told() -> None:
    from quartchat import __version__

    assert __version__ in (await cli("--version")).out


async def test_a_second_server_on_the_folder_is_refused_as_long_as_the_first_lives(
    start: Start, data: Path
) -> None:
    first = await start("serve", "--port", "0", "--data", data)
    assert (await first.line()).startswith("http")
    second = await cli("serve", "--port", "0", "--data", data)
    second.check_failed(f"another server runs on the folder {data}")
    await first.end(signal.SIGKILL)
    third = await start("serve", "--port", "0", "--data", data)
    assert (await third.line()).startswith("http")
