from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from cli_support import ROOT, Command, Result, cli
from support.process import ServerProcess
from support.server import Person, Server, ids

Start = Callable[..., Awaitable[Command]]
WAYS = ["best", "ws", "stream", "sse", "poll"]


@pytest.fixture
async def pair(server: Server) -> tuple[Person, Person, str]:
    ada, bob = await server.user("ada"), await server.user("bob")
    return ada, bob, await ada.group(bob, title="Choir")


Pair = tuple[Person, Person, str]


async def send(server: Server, who: Person, *words: Any, given: str | None = None) -> Result:
    return await cli("send", "--url", server.url, *words, given=given, QUARTCHAT_TOKEN=who.token)


@pytest.mark.parametrize("chat", ["Choir", "@bob", "id"])
async def test_a_message_is_sent_by_title_person_or_id(
    server: Server, pair: Pair, chat: str
) -> None:
    ada, bob, chat_id = pair
    result = await send(server, ada, chat_id if chat == "id" else chat, "good evening")
    assert (result.code, result.err) == (0, "")
    event = await bob.connect("sse", cursor=int(result.out) - 1).one("new_message")
    assert (event["id"], event["data"]["content"]) == (int(result.out), "good evening")


async def test_a_message_is_read_from_standard_input_and_repeated_once(
    server: Server, pair: Pair
) -> None:
    ada, _, chat_id = pair
    words = ["Choir", "--client-id", "0d9f2a44-6a2f-4b1f-8f41-0a3f5c1c8a11"]
    first = await send(server, ada, *words, given="two\nlines\n")
    assert (await send(server, ada, *words, given="two\nlines\n")).out == first.out
    assert [m["content"] for m in await ada.history(chat_id)] == ["two\nlines"]


async def test_files_are_sent_with_a_message_or_alone(
    server: Server, pair: Pair, tmp_path: Path
) -> None:
    ada, _, _ = pair
    paths = [tmp_path / "a.txt", tmp_path / "b.txt"]
    for path in paths:
        path.write_text(path.name)
    files = [word for path in paths for word in ("--file", path)]
    result = await send(server, ada, "Choir", "two notes", *files)
    assert result.code == 0, result.err
    assert "a.txt" in result.err
    (message,) = await ada.history(pair[2])
    assert message["content"] == "two notes"
    assert [one["name"] for one in message["attachments"]] == ["a.txt", "b.txt"]
    words = ["Choir", "--file", paths[0], "--client-id", "mine"]
    first = await send(server, ada, *words)
    assert (await send(server, ada, *words)).out == first.out
    assert [m["content"] for m in await ada.history(pair[2])] == ["two notes", ""]


async def test_it_acts_as_a_user_of_the_folder(server: Server, pair: Pair, data: Path) -> None:
    ada, _, chat_id = pair
    result = await cli("send", "--url", server.url, "--as", "ada", "--data", data, "Choir", "hi")
    assert (result.code, result.err) == (0, "")
    assert (await ada.history(chat_id))[0]["sender_id"] == ada.user_id


async def test_what_cannot_be_sent_is_said_in_a_sentence(
    server: Server, pair: Pair, data: Path
) -> None:
    ada = pair[0]
    (await send(server, ada, "Nowhere", "hi")).check_failed("no chat 'Nowhere'")
    (await send(server, ada, "@nobody", "hi")).check_failed("no such user")
    (await send(server, ada, "Choir", "")).check_failed("empty")
    (await send(server, ada, "Choir", "x" * 8001)).check_failed("8,000")
    stranger = await cli("send", "--url", server.url, "Choir", "hi", QUARTCHAT_TOKEN="nonsense")
    stranger.check_failed("token")
    words = ["send", "--url", server.url, "--as", "nobody", "--data", data, "Choir", "hi"]
    (await cli(*words)).check_failed("no user 'nobody'")
    (await cli("send", "--url", server.url, "Choir", "hi")).check_failed("who you are", code=2)
    bad = await cli("send", "--url", "nonsense", "Choir", "hi", QUARTCHAT_TOKEN="x")
    bad.check_failed("http://")
    gone = await cli("send", "--url", "http://127.0.0.1:9", "Choir", "hi", QUARTCHAT_TOKEN="x")
    gone.check_failed("cannot be reached")


@pytest.mark.parametrize("way", WAYS)
async def test_tail_shows_what_was_missed_and_what_comes_once(
    server: Server, pair: Pair, start: Start, way: str
) -> None:
    ada, bob, chat_id = pair
    sent = await ada.say_many(chat_id, 3)
    words = ["--json", "--since", sent[0], "--transport", way]
    tail = await start("tail", "--url", server.url, *words, QUARTCHAT_TOKEN=bob.token)
    came = [await said(tail) for _ in range(2)]
    sent += await ada.say_many(chat_id, 3)
    came += [await said(tail) for _ in range(3)]
    assert ids(came) == sent[1:]
    seen = await bob.may_see(sent[0])
    assert came == [event for event in seen if event["type"] == "new_message"]
    result = await tail.end(signal.SIGINT)
    assert result.code == 130
    assert result.err.endswith(f"--since {sent[-1]}\n")
    assert "Traceback" not in result.err


async def said(tail: Command) -> dict[str, Any]:
    """The next message; who was away is notified beside."""
    while (event := await tail.event())["type"] != "new_message":
        pass
    return event


async def test_tail_ends_after_as_many_lines_as_were_asked_for(server: Server, pair: Pair) -> None:
    ada, bob, chat_id = pair
    await ada.say_many(chat_id, 4)
    words = ["--since", "0", "--count", "3"]
    tail = await cli("tail", "--url", server.url, *words, QUARTCHAT_TOKEN=bob.token)
    assert (tail.code, len(tail.out.splitlines())) == (0, 3)
    assert "Traceback" not in tail.err


async def test_tail_shows_lines_for_people_and_says_where_to_go_on(
    server: Server, pair: Pair, start: Start
) -> None:
    ada, bob, chat_id = pair
    other = await ada.group(bob)
    await ada.say(other, "elsewhere")
    await ada.say(chat_id, "good evening — käse")
    tail = await start(
        "tail", "--url", server.url, "Choir", "--since", "0", QUARTCHAT_TOKEN=bob.token
    )
    assert (await tail.line()).endswith("<ada> good evening — käse")
    last = await ada.say(chat_id, "more")
    assert (await tail.line()).endswith("<ada> more")
    result = await tail.end(signal.SIGINT)
    assert (result.code, result.out) == (130, "")
    assert result.err.endswith(f"To go on from here: --since {last['event_id']}\n")


async def test_tail_of_what_it_may_not_see_says_so(server: Server, pair: Pair) -> None:
    stranger = await server.user()
    for chat in ("Choir", pair[2]):
        tail = await cli("tail", "--url", server.url, chat, QUARTCHAT_TOKEN=stranger.token)
        tail.check_failed("no chat")
    (await cli("tail", "--url", server.url, QUARTCHAT_TOKEN="nonsense")).check_failed("token")
    (await cli("tail", "--since", "-1", QUARTCHAT_TOKEN="x")).check_failed("--since", code=2)


async def test_a_reader_that_goes_ends_tail_without_a_word(
    server: Server, pair: Pair, data: Path
) -> None:
    """As in `quartchat tail | head -1`."""
    ada, bob, chat_id = pair
    await ada.say_many(chat_id, 50)
    pipe = f'"{sys.executable}" -m quartchat tail --json --since 0 --url {server.url} | head -1'
    process = await asyncio.create_subprocess_shell(
        pipe,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "QUARTCHAT_TOKEN": bob.token},
    )

    async def talk() -> None:  # a pipe that nobody reads is noticed when more is written
        while True:
            await ada.say(chat_id)

    talking = asyncio.create_task(talk())
    try:
        async with asyncio.timeout(30):
            out, err = await process.communicate()
    finally:
        talking.cancel()
        await asyncio.gather(talking, return_exceptions=True)
    assert len(out.splitlines()) == 1
    assert b"rror" not in err, err.decode()


@pytest.mark.parametrize("way", ["ws", "stream", "sse", "poll"])
async def test_tail_comes_back_after_a_restart_and_misses_nothing(
    data: Path, start: Start, way: str
) -> None:
    for name in ("ada", "bob"):
        await cli("user", "add", name, "--password-stdin", "--data", data, given="long enough")
    async with ServerProcess(data, "--no-limits") as server:
        as_ada = ["--url", server.url, "--as", "ada", "--data", data]
        sent = [int((await cli("send", *as_ada, "@bob", "first")).out)]
        tail = await start(
            "tail", "--url", server.url, "--as", "bob", "--data", data, "--json",
            "--since", sent[0] - 1, "--transport", way,
        )  # fmt: skip
        assert (await said(tail))["id"] == sent[0]
        for end in (server.terminate, server.kill):
            await end()
            await server.start()
            sent.append(int((await cli("send", *as_ada, "@bob", "after")).out))
            assert (await said(tail))["id"] == sent[-1]
        result = await tail.end(signal.SIGINT)
        rest = [json.loads(line) for line in result.out.splitlines()]
        assert [event for event in rest if event["type"] == "new_message"] == []
        assert "Traceback" not in result.err
