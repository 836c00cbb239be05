"""The probes, which strangers may use: bounded, and nothing that they are given comes back as
something else."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest
import websockets
from support.readers import PATIENCE
from support.server import Folder, Server, running

from quartchat.web.doctor_guard import AT_ONCE, OPEN_HERE, OPEN_IN_ALL, Guard
from quartchat.web.doctor_probes import MOST_BYTES

EVIL = "<script>alert(1)</script>"
ANSWERS = ["p", "a/chat", "c", "n", "h?seconds=0", "b?bytes=100", "b?kind=c&bytes=300"]


def url(server: Server, path: str, **query: object) -> httpx.URL:
    return httpx.URL(f"{server.url}/t/d/{path}").copy_merge_params(
        {name: str(value) for name, value in query.items()}
    )


@pytest.mark.parametrize("path", ANSWERS)
async def test_answers_are_no_page_and_are_not_kept(server: Server, path: str) -> None:
    answer = await server.client.get(url(server, path, n=EVIL))
    assert answer.status_code == 200
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "no-store" in answer.headers["cache-control"]
    assert "script" not in answer.text
    assert not answer.headers.get("set-cookie")


async def test_what_is_sent_is_counted_and_not_given_back(server: Server) -> None:
    answer = await server.client.post(url(server, "p", n="abc"), content=EVIL * 10)
    assert "script" not in answer.text
    assert answer.json() == {"n": "abc", "bytes": 250, "type": "", "own": True}


@pytest.mark.parametrize(
    ("headers", "own"),
    [
        ({}, True),
        ({"Origin": "SELF"}, True),
        ({"Origin": "https://evil.example"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
    ],
)
async def test_whether_a_post_counts_as_the_sites_own_is_told(
    server: Server, headers: dict[str, str], own: bool
) -> None:
    sent = {name: value.replace("SELF", server.url) for name, value in headers.items()}
    answer = await server.client.post(url(server, "p"), headers=sent)
    assert answer.json()["own"] is own


async def test_bytes_are_as_many_as_asked_for_up_to_a_bound(server: Server) -> None:
    for asked, got in ((16, 16), (64_000, 64_000), (10**9, MOST_BYTES)):
        answer = await server.client.get(url(server, "b", bytes=asked))
        assert len(answer.content) == got
    page = await server.client.get(url(server, "b", bytes=1008, kind="c"))
    assert (len(page.content), page.headers["content-type"][:9]) == (1008, "text/html")


async def test_a_number_that_is_none_is_a_clear_refusal(server: Server) -> None:
    answer = await server.client.get(url(server, "h", seconds="soon"))
    assert (answer.status_code, answer.json()["field"]) == (422, "seconds")


async def test_the_websocket_gives_numbers_back_and_nothing_else(server: Server) -> None:
    address = str(url(server, "w")).replace("http", "ws", 1)
    async with websockets.connect(address) as socket:
        await socket.send("7")
        assert json.loads(await socket.recv()) == {"k": 7}
        await socket.send(EVIL)
        with pytest.raises(websockets.ConnectionClosedOK):
            await asyncio.wait_for(socket.recv(), PATIENCE)


async def test_how_often_a_post_arrived_is_told(server: Server) -> None:
    for _ in range(3):
        await server.client.post(url(server, "h", n="twice", seconds=0))
    times = await server.client.get(url(server, "n", n="twice"))
    assert times.json()["times"] == 3


async def test_the_real_address_of_nobody_is_told(server: Server) -> None:
    headers = {"X-Forwarded-For": "203.0.113.7", "Via": "1.1 squid"}
    answer = await server.client.get(url(server, "p"), headers=headers)
    assert "203.0.113.7" not in answer.text
    assert answer.json()["seen"]["via"] == "1.1 squid"
    assert answer.json()["seen"]["forwarded"]


async def test_one_address_may_ask_for_so_much_and_is_told_when_to_come_back(
    new_folder: Folder,
) -> None:
    async with running(new_folder(), no_limits=False, requests_per_second=10_000.0) as server:
        codes = set()
        for _ in range(AT_ONCE // 16 + 2):
            answer = await server.client.get(url(server, "b", bytes=MOST_BYTES))
            codes.add(answer.status_code)
        assert codes == {200, 429}
        assert answer.json()["code"] == "rate_limited"
        assert int(answer.headers["retry-after"]) >= 1


async def test_one_address_may_keep_so_many_open(new_folder: Folder) -> None:
    async with (
        running(new_folder(), no_limits=False) as server,
        httpx.AsyncClient(timeout=PATIENCE) as client,
    ):
        kept = [
            await client.send(
                client.build_request("GET", url(server, "i", seconds=60)), stream=True
            )
            for _ in range(OPEN_HERE)
        ]
        first = [await anext(one.aiter_bytes()) for one in kept]
        assert len(first) == OPEN_HERE
        refused = await client.get(url(server, "h", seconds=1))
        assert refused.status_code == 429
        for one in kept:
            await one.aclose()
        async with asyncio.timeout(PATIENCE):
            while (await client.get(url(server, "h", seconds=0))).status_code == 429:
                await asyncio.sleep(0.05)


def test_all_addresses_together_may_keep_so_many_open() -> None:
    from contextlib import ExitStack

    from quartchat.errors import RateLimited

    guard = Guard(no_limits=False)
    with ExitStack() as stack:
        for number in range(OPEN_IN_ALL):
            guard.check_room(f"address {number}")
            stack.enter_context(guard.staying(f"address {number}"))
        with pytest.raises(RateLimited):
            guard.check_room("another")
    guard.check_room("another")


async def test_probes_that_are_open_do_not_keep_the_server_from_stopping(server: Server) -> None:
    async with (
        httpx.AsyncClient(timeout=PATIENCE) as client,
        client.stream("GET", url(server, "i", seconds=60)) as stream,
    ):
        await anext(stream.aiter_bytes())
        await server.stop()
