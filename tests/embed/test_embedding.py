"""The example of docs/embedding.md, run as it says there: a site of its own, quartchat in it."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from support.readers import TLS, TRANSPORTS, Call, Reader
from support.server import Folder

from quartchat.app import create_app
from quartchat.config import Settings

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "embed.py"
DOCUMENT = (ROOT / "docs" / "embedding.md").read_text(encoding="utf-8")
START_SECONDS = 20.0


class Shop:
    """The example, which runs under Hypercorn, in a folder of its own."""

    def __init__(self, process: Process, url: str) -> None:
        self.process, self.url = process, url

    @classmethod
    async def start(cls, folder: Path) -> Shop:
        env = {**os.environ, "SHOP_KEY": secrets.token_urlsafe(32), "PYTHONWARNINGS": "error"}
        env["PYTHONPATH"] = str(ROOT)
        with socket.create_server(("127.0.0.1", 0)) as sock, (folder / "log").open("wb") as log:
            port, fd = sock.getsockname()[1], sock.fileno()
            env["SHOP_BIND"] = f"fd://{fd}"
            streams: dict[str, Any] = {"stdin": DEVNULL, "stdout": log, "stderr": log}
            process = await asyncio.create_subprocess_exec(
                sys.executable, str(EXAMPLE), cwd=folder, env=env, pass_fds=[fd], **streams
            )
        shop = cls(process, f"http://127.0.0.1:{port}")
        async with asyncio.timeout(START_SECONDS):
            while not await shop.answers():
                assert process.returncode is None, (folder / "log").read_text()
                await asyncio.sleep(0.05)
        return shop

    async def answers(self) -> bool:
        try:
            async with self.visitor() as someone:
                return (await someone.get("/")).status_code == 200
        except httpx.TransportError:
            return False

    def visitor(self) -> httpx.AsyncClient:
        """A browser without cookies."""
        return httpx.AsyncClient(base_url=self.url, follow_redirects=True, verify=TLS)

    async def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(START_SECONDS):
            return await self.process.wait()


@pytest_asyncio.fixture
async def shop(new_folder: Folder, tmp_path: Path) -> AsyncIterator[Shop]:
    new_folder("shop-data")
    made = await Shop.start(tmp_path)
    yield made
    if made.process.returncode is None:
        made.process.kill()
        await made.process.wait()


async def come_in(someone: httpx.AsyncClient, name: str) -> httpx.Response:
    return await someone.post("/login", data={"name": name})


async def live(someone: httpx.AsyncClient, transport: str) -> Reader:
    """A stream of a browser that is logged in at the shop."""
    cookie = {"Cookie": f"qc_session={someone.cookies['qc_session']}"}
    call = Call(str(someone.base_url).rstrip("/"), None, headers=cookie)
    reader = Reader(TRANSPORTS[transport].read, call)
    await reader.until("caught_up")
    return reader


async def test_the_site_keeps_its_pages_and_its_login_opens_the_chats(shop: Shop) -> None:
    async with shop.visitor() as ada:
        assert "Hello, stranger" in (await ada.get("/")).text
        sent_away = await ada.get("/chats")
        assert (sent_away.url.path, "Log in" in sent_away.text) == ("/login", True)
        chats = await come_in(ada, "ada")
        assert (chats.status_code, chats.url.path) == (200, "/c")
        assert "ada" in chats.text
        assert "Hello, ada" in (await ada.get("/")).text
        me = (await ada.get("/api/me")).json()
        assert (me["user_id"], me["name"]) == ("shop-ada", "ada")
        style = re.search(r'href="(/s/[^"]+\.css)"', chats.text)
        assert style and (await ada.get(style[1])).status_code == 200
        assert (await ada.get("/no/such/page")).status_code == 404


@pytest.mark.parametrize("transport", ["ws", "sse", "stream"])
async def test_the_site_tells_a_user_and_a_chat_on_open_streams(shop: Shop, transport: str) -> None:
    async with shop.visitor() as ada, shop.visitor() as ben:
        await come_in(ada, "ada")
        await come_in(ben, "ben")
        wish = {"kind": "group", "title": "Help desk", "members": ["shop-ben"]}
        chat = (await ada.post("/api/chats", json=wish)).json()["chat_id"]
        reader = await live(ben, transport)
        await ben.post("/orders")
        notice = await reader.one("global_notification")
        assert notice["data"]["message"] == "Your order is on its way."
        told = await ada.post(f"/announce/{chat}", data={"message": "We open at nine."})
        event = await reader.one("system_message")
        assert (event["id"], event["data"]["chat_id"]) == (told.json()["event_id"], chat)
        sent = await ada.post(f"/api/chats/{chat}/messages", json={"content": "Welcome"})
        await reader.until_id(sent.json()["event_id"])
        wrong = await ada.post("/announce/nowhere", data={"message": "x"})
        assert (wrong.status_code, wrong.json()["code"]) == (404, "chat_not_found")
        await reader.close()


async def test_it_stops_in_time_with_streams_open_which_are_told_to_come_back(
    shop: Shop, tmp_path: Path
) -> None:
    async with shop.visitor() as ada:
        await come_in(ada, "ada")
        readers = [await live(ada, transport) for transport in ("ws", "sse", "stream")]
        assert await shop.stop() == 0, (tmp_path / "log").read_text()
        for reader in readers:
            assert [event["type"] for event in await reader.end()][-1] == "goodbye"
    # SQLite takes the file of its log away when the last connection is closed.
    assert not (tmp_path / "shop-data" / "quartchat.db-wal").exists()
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_the_document_shows_the_example_as_it_is_run() -> None:
    [shown] = re.findall(r"^```python\n(\"\"\"A shop.*?)^```", DOCUMENT, re.M | re.S)
    assert shown == EXAMPLE.read_text(encoding="utf-8")


def test_the_document_names_every_first_part_of_an_address(tmp_path: Path) -> None:
    app = create_app(Settings(data=tmp_path))
    firsts = {"/" + rule.rule.split("/")[1] for rule in app.url_map.iter_rules()}
    assert sorted(one for one in firsts if f"`{one}`" not in DOCUMENT) == []
