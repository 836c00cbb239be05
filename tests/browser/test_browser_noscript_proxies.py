"""Pages without JavaScript, directly and through real proxies that hold pages back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import expect
from support.holding import DIRECT, HOLDING, Door
from support.process import ServerProcess
from support.server import Folder
from windows import Desk, Window

SOON_MS = 10_000
NOW_MS = 4_000  # well before a page that is fetched anew could show it


@dataclass
class House:
    server: ServerProcess
    ada: httpx.AsyncClient
    bob: dict[str, str]
    chat: str

    async def say(self, text: str) -> None:
        answer = await self.ada.post(f"/api/chats/{self.chat}/messages", json={"content": text})
        answer.raise_for_status()


@pytest_asyncio.fixture
async def house(new_folder: Folder) -> AsyncIterator[House]:
    """A server of its own, which can be started anew, with ada, and bob, who only reads."""
    async with ServerProcess(new_folder(), "--no-limits", "--log-level", "error") as server:
        people = []
        for name in ("ada", "bob"):
            client = httpx.AsyncClient(base_url=server.url, timeout=20)
            fields = {"name": name, "password": "five blue horses run"}
            people.append((client, (await client.post("/api/signup", json=fields)).json()))
        (ada, _), (bob, who) = people
        fields = {"kind": "direct", "user_id": who["user_id"]}
        chat = (await ada.post("/api/chats", json=fields)).json()["chat_id"]
        yield House(server, ada, dict(bob.cookies), chat)
        for client, _ in people:
            await client.aclose()


async def reading(house: House, desk: Desk, door: Door) -> Window:
    """Bob's window at the chat, without scripts."""
    proxy = {"server": door.proxy, "bypass": "<-loopback>"} if door.proxy else None
    window = await desk.window(door.url, house.bob, scripts=False, proxy=proxy)
    await window.go(f"/c/{house.chat}")
    return window


async def shows(window: Window, texts: list[str], ms: int) -> None:
    """These messages and no others, each once, in the frame alone."""
    await expect(window.framed).to_have_text(texts, timeout=ms)
    await expect(window.page.locator("#messages")).to_be_hidden(timeout=ms)
    await expect(window.page.locator("iframe.live-frame")).to_be_visible()


@pytest.mark.parametrize("way", [*DIRECT, *HOLDING])
async def test_without_scripts_news_show_up_and_what_is_typed_stays(
    house: House, desk: Desk, tmp_path: Path, way: str
) -> None:
    await house.say("before")
    async with (DIRECT | HOLDING)[way](tmp_path, house.server.port) as door:
        window = await reading(house, desk, door)
        await shows(window, ["before"], SOON_MS)
        await window.page.fill("#write", "half a thought")
        said = ["before"]
        for number in range(4):
            said.append(f"news {number}")
            await house.say(said[-1])
            await shows(window, said, NOW_MS if way in DIRECT else SOON_MS)
        await expect(window.page.locator("#write")).to_have_value("half a thought")
        ways = window.frame.locator(".ways")
        offered = "Refresh by itself" if way in DIRECT else "Show live"
        await expect(ways).to_contain_text(offered)


@pytest.mark.parametrize("way", [*DIRECT, *HOLDING])
async def test_without_scripts_nothing_is_missing_after_the_server_was_started_anew(
    house: House, desk: Desk, tmp_path: Path, way: str
) -> None:
    async with (DIRECT | HOLDING)[way](tmp_path, house.server.port) as door:
        await house.say("before")
        window = await reading(house, desk, door)
        await shows(window, ["before"], SOON_MS)
        await house.server.terminate()
        await house.server.start()
        await house.say("after")
        await shows(window, ["before", "after"], 3 * SOON_MS)
        await house.say("later")
        await shows(window, ["before", "after", "later"], SOON_MS)
