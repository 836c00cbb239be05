"""Files that the Python client sends, through a network that is cut and a proxy that refuses."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from proxies.nginx import nginx
from proxies.place import Place
from proxies.programs import missing
from support.gate import Gate, gate_to
from support.server import Folder, Server, running

from quartchat.client import Client, ClientError, Refused

SIZE = 9 * 2**20


@pytest.fixture
async def server(new_folder: Folder) -> AsyncIterator[Server]:
    async with running(new_folder()) as server:
        yield server


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "long.bin"
    path.write_bytes(os.urandom(SIZE))
    return path


async def fetched(server: Server, token: str, url: str) -> bytes:
    headers = {"Authorization": f"Bearer {token}"}
    return (await server.client.get(server.url + url, headers=headers)).content


async def test_a_file_is_sent_in_pieces_and_named_in_a_message(server: Server, video: Path) -> None:
    ada = await server.user()
    chat_id, told = await ada.group(), list[int]()
    async with Client(server.url, ada.token) as client:
        made = await client.send_file(chat_id, video, progress=lambda sent, _: told.append(sent))
        await client.send(chat_id, "look", attachments=[made["attachment_id"]])
    assert told == sorted(told)
    assert (told[0], told[-1], len(told)) == (0, SIZE, 4)
    assert await fetched(server, ada.token, made["url"]) == video.read_bytes()
    (message,) = await ada.history(chat_id)
    assert message["attachments"] == [made]


async def test_what_was_cut_goes_on_where_it_was(server: Server, video: Path) -> None:
    ada = await server.user()
    chat_id = await ada.group()
    async with gate_to(server.url) as gate:
        cuts = asyncio.create_task(_cut_in_the_middle(gate, server, ada.user_id))
        async with Client(gate.url, ada.token, random=lambda: 0.0) as client:
            made = await client.send_file(chat_id, video)
        await cuts
    assert await fetched(server, ada.token, made["url"]) == video.read_bytes()


async def _cut_in_the_middle(gate: Gate, server: Server, user_id: str) -> None:
    """As soon as some of the file is there."""
    incoming = server.services.settings.data / "files" / "incoming"
    while sum(path.stat().st_size for path in incoming.iterdir()) < 2**20:
        await asyncio.sleep(0)
    await gate.cut()
    await gate.open()


async def test_pieces_get_smaller_where_a_proxy_refuses_large_ones(
    server: Server, video: Path
) -> None:
    if lacking := missing(("nginx",)):
        pytest.skip("; ".join(lacking))
    ada = await server.user()
    chat_id, port = await ada.group(), urlsplit(server.url).port or 0
    async with Place("small bodies", port, port, Path()) as place:
        door = await nginx(server="client_max_body_size 1m;")(place)
        async with Client(door.url, ada.token, random=lambda: 0.0) as client:
            made = await client.send_file(chat_id, video)
    assert await fetched(server, ada.token, made["url"]) == video.read_bytes()


async def test_a_file_that_gets_shorter_meanwhile_is_given_up(server: Server, video: Path) -> None:
    ada = await server.user()

    def shorten(sent: int, _size: int) -> None:
        if sent:
            os.truncate(video, sent)

    async with Client(server.url, ada.token) as client:
        with pytest.raises(ClientError, match="shorter"):
            await client.send_file(await ada.group(), video, progress=shorten)


async def test_a_refusal_of_the_server_s_is_final(new_folder: Folder, video: Path) -> None:
    async with running(new_folder("small"), max_upload=1000) as server:
        ada = await server.user()
        async with Client(server.url, ada.token) as client:
            with pytest.raises(Refused) as caught:
                await client.send_file(await ada.group(), video)
    assert (caught.value.status, caught.value.code) == (413, "too_large")


async def test_the_same_client_id_goes_on_with_what_was_begun(server: Server, video: Path) -> None:
    ada = await server.user()
    chat_id = await ada.group()
    async with Client(server.url, ada.token) as client:
        first = await client.send_file(chat_id, video, client_id="mine")
        told: list[Any] = []
        again = await client.send_file(
            chat_id, video, client_id="mine", progress=lambda *at: told.append(at)
        )
    assert again == first
    assert told == [(SIZE, SIZE)]
