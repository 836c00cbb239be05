from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from cli_support import Command, Result, cli
from support.process import ServerProcess
from support.readers import KINDS, Call, Reader
from support.server import Server

IRC = Path(__file__).parents[2].parent / "shared" / "data" / "irc"
DAY = """\
[10:00] <ada> good morning
=== bob [~bob@host] has joined #choir
[10:01] <bob> käse & <b>wine</b>
[10:01] * ada waves
"""


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "2020-01-02.txt").write_text("[09:00] <eve> the day after\n")
    (folder / "2020-01-01.txt").write_text(DAY)
    (folder / "LICENSE.txt").write_text("Do what you like.\n")
    return folder


async def take_in(data: Path, *files: Path, chat: str = "Choir") -> Result:
    return await cli("import", "irc", *files, "--chat", chat, "--data", data, "--owner", "root")


@pytest.fixture
async def server_with_root(server: Server) -> Server:
    await server.user("root")
    return server


async def test_logs_are_taken_in_order_once_with_authors_and_times(
    server_with_root: Server, data: Path, logs: Path
) -> None:
    server = server_with_root
    first = await take_in(data, *sorted(logs.iterdir(), reverse=True))
    assert first.code == 0
    assert "4 messages taken in from 2 files; 0 were there already." in first.out
    assert "1 join" in first.out
    assert "LICENSE.txt" in first.err
    assert "Traceback" not in first.err
    again = await take_in(data, *sorted(logs.iterdir()))
    assert "0 messages taken in from 2 files; 4 were there already." in again.out
    reader = await server.user("reader")
    rooms = (await reader.api("GET", "/rooms"))["rooms"]
    found = await reader.history(rooms[0]["chat_id"])
    said = [(m["sender"]["name"], m["content"], m["timestamp"][:16]) for m in found]
    assert said == [
        ("ada", "good morning", "2020-01-01T10:00"),
        ("bob", "käse & <b>wine</b>", "2020-01-01T10:01"),
        ("ada", "* ada waves", "2020-01-01T10:01"),
        ("eve", "the day after", "2020-01-02T09:00"),
    ]


async def test_readers_of_a_running_server_get_what_is_taken_in(
    server_with_root: Server, data: Path, logs: Path
) -> None:
    server = server_with_root
    files = sorted(logs.glob("2020*"))
    assert (await take_in(data, files[0])).code == 0
    reader = await server.user("reader")
    chat_id = (await reader.api("GET", "/rooms"))["rooms"][0]["chat_id"]
    await reader.api("POST", f"/chats/{chat_id}/members/me")
    live = [await reader.live(kind) for kind in KINDS]
    assert (await take_in(data, *files)).code == 0
    for each in live:
        event = await each.one("new_message")
        assert event["data"]["content"] == "the day after"
        assert event["data"]["timestamp"].startswith("2020-01-02T09:00")


async def test_lines_that_cannot_be_read_are_named(
    server_with_root: Server, data: Path, logs: Path
) -> None:
    odd = logs / "2020-01-03.txt"
    odd.write_bytes(b"[10:00] <ada> fine\nnonsense\n[99:99] <ada> when?\n[10:02] <ada> \xff\xfe\n")
    result = await take_in(data, odd)
    assert result.code == 0
    assert "2020-01-03.txt:2:" in result.err
    assert "2020-01-03.txt:3:" in result.err
    assert "2 messages taken in" in result.out


async def test_what_cannot_be_taken_in_at_all_is_said_in_a_sentence(
    server_with_root: Server, data: Path, logs: Path
) -> None:
    (await take_in(data, logs / "LICENSE.txt")).check_failed("LICENSE.txt", "None of the files")
    missing = await take_in(data, logs / "2020-09-09.txt")
    missing.check_failed("2020-09-09.txt", "does not exist", code=2)
    nobody = await cli(
        "import", "irc", logs / "2020-01-01.txt", "--chat", "New", "--data", data, "--owner", "who"
    )
    nobody.check_failed("who")


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_all_of_the_real_logs_reach_readers_of_a_running_server_once(data: Path) -> None:
    if not IRC.is_dir() and not os.environ.get("CI"):
        pytest.skip(f"no logs in {IRC}")
    files = sorted(IRC.iterdir())
    days = [path for path in files if re.match(r"\d{4}-\d\d-\d\d", path.name)]
    for name in ("root", "reader"):
        await cli("user", "add", name, "--password-stdin", "--data", data, given="long enough")
    async with ServerProcess(data, "--no-limits") as server:
        assert (await take_in(data, days[0])).code == 0
        token = (await cli("token", "reader", "--data", data)).out.strip()
        await _join(server.url, token)
        readers = [Reader(kind.read, Call(server.url, token)) for kind in KINDS]
        for reader in readers:
            await reader.until("caught_up")
        command = await Command.start(
            "import", "irc", *files, "--chat", "Choir", "--data", data, "--owner", "root"
        )
        result = await command.result()
        assert result.code == 0, result.err
        assert "LICENSE.txt" in result.err
        new, there = _figures(result.out)
        assert new + there == 20_948
        said = [await _messages(reader, new) for reader in readers]
        for one in said:
            assert one == sorted(set(one))
            assert one == said[0]
        again = await take_in(data, *files)
        assert _figures(again.out) == (0, 20_948)
        for reader in readers:
            await reader.close()


def _figures(text: str) -> tuple[int, int]:
    found = re.search(r"([\d,]+) messages taken in from \d+ files; ([\d,]+) were", text)
    assert found, text
    return int(found[1].replace(",", "")), int(found[2].replace(",", ""))


async def _join(url: str, token: str) -> None:
    from support.readers import http_client

    async with http_client() as client:
        client.headers["Authorization"] = f"Bearer {token}"
        rooms = (await client.get(f"{url}/api/rooms")).json()["rooms"]
        answer = await client.post(f"{url}/api/chats/{rooms[0]['chat_id']}/members/me")
        assert answer.status_code == 200


async def _messages(reader: Reader, number: int) -> list[int]:
    found: list[int] = []
    while len(found) < number:
        event = await reader.next_event(60)
        if event["type"] == "new_message":
            found.append(event["id"])
    return found
