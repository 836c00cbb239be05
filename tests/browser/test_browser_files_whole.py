"""A phone's photo, a long video and a document, from one browser to another and to one without
scripts, while others go on talking and the server stays small."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import httpx
import pytest
from PIL import Image
from playwright.async_api import expect
from support import media
from support.process import ServerProcess
from windows import Desk, Window

from quartchat.client import Client

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
MB = 2**20
VIDEO = 200 * MB
GROWS = 20 * MB  # by how much the server may
FLAGS = ("--no-limits", "--log-level", "error", "--max-upload", str(256 * MB))
PACE = 0.05  # seconds between two messages of those who talk meanwhile
BEFORE = 120  # messages by which their usual time is found
ONLY_POLLING = "localStorage.setItem('qc_transports', 'poll,serial');"
DIGEST = """async (url) => {
  const content = await (await fetch(url)).arrayBuffer();
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}"""
SHOWN = ".timeline:not(.pending) "


@dataclass
class Someone:
    user_id: str
    token: str
    cookies: dict[str, str]


async def sign_up(http: httpx.AsyncClient, name: str) -> Someone:
    fields = {"name": name, "password": "a very long password"}
    answer = (await http.post("/api/signup", json=fields)).raise_for_status()
    said, cookies = answer.json(), dict(answer.cookies.items())
    http.cookies.clear()
    return Someone(said["user_id"], said["access_token"], cookies)


async def api(http: httpx.AsyncClient, who: Someone, method: str, path: str, **fields: Any) -> Any:
    headers = {"Authorization": f"Bearer {who.token}"}
    answer = await http.request(method, f"/api{path}", json=fields or None, headers=headers)
    return answer.raise_for_status().json()


def long_video(path: Path, size: int) -> Path:
    """Noise, the same second again and again: as large as a camera's, made in no time."""
    picture, packets = (640, 360), list[Any]()
    with av.open(str(path), "w") as sink:
        stream: Any = sink.add_stream("mpeg4", rate=25, options={"qscale": "1", "g": "1"})
        stream.width, stream.height, stream.pix_fmt = *picture, "yuv420p"
        for _ in range(25):
            noise = os.urandom(picture[0] * picture[1] * 3)
            frame = av.VideoFrame.from_image(Image.frombytes("RGB", picture, noise))
            packets += stream.encode(frame)
        packets += stream.encode(None)
        content, written, number = [bytes(packet) for packet in packets], 0, 0
        while written < size:
            packet = av.Packet(content[number % len(content)])
            packet.stream, packet.is_keyframe = stream, True
            packet.pts = packet.dts = number
            packet.time_base = Fraction(1, 25)
            sink.mux(packet)
            written, number = written + packet.size, number + 1
    return path


@dataclass
class Talk:
    """Two others, in a chat of their own; how long each message took from one to the other."""

    took: list[float] = field(default_factory=list)

    def p99(self) -> float:
        return sorted(self.took)[int(len(self.took) * 0.99)]

    async def usual(self) -> float:
        """Of the messages from now on, in ms: the pages are there, and nothing else happens."""
        self.took = []
        while len(self.took) < BEFORE:
            await asyncio.sleep(PACE)
        return self.take()

    def take(self) -> float:
        """The 99th percentile so far, in ms; begins anew."""
        found, self.took = self.p99() * 1000, []
        return found


@asynccontextmanager
async def talking(server: ServerProcess, core: int, http: httpx.AsyncClient) -> AsyncIterator[Talk]:
    os.sched_setaffinity(server.pid, {core})
    eve, dan = await sign_up(http, "eve"), await sign_up(http, "dan")
    chat = await api(http, eve, "POST", "/chats", kind="direct", user_id=dan.user_id)
    talk, written = Talk(), dict[str, float]()

    async def write(client: Client) -> None:
        while True:
            text = str(len(written))
            written[text] = time.perf_counter()
            await client.send(chat["chat_id"], text)
            await asyncio.sleep(PACE)

    async def read(client: Client) -> None:
        async for event in client.follow(cursor=0, transport="ws"):
            if event["type"] == "new_message":
                talk.took.append(time.perf_counter() - written[event["data"]["content"]])

    async with Client(server.url, eve.token) as writer, Client(server.url, dan.token) as reader:
        tasks = [asyncio.create_task(read(reader)), asyncio.create_task(write(writer))]
        try:
            yield talk
        finally:
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task


def memory(pid: int) -> int:
    """Bytes of a process that are in memory."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) * 1024


@asynccontextmanager
async def watched(pid: int) -> AsyncIterator[Callable[[], int]]:
    """Gives the most that the process has had."""
    most = memory(pid)

    async def look() -> None:
        nonlocal most
        while True:
            most = max(most, memory(pid))
            await asyncio.sleep(0.02)

    task = asyncio.create_task(look())
    try:
        yield lambda: most
    finally:
        task.cancel()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`photo.jpg`, `film.mp4`, `plan.pdf`."""
    folder = tmp_path_factory.mktemp("files")
    (folder / "photo.jpg").write_bytes(media.photo(orientation=6, size=(4000, 3000)))
    long_video(folder / "film.mp4", VIDEO)
    (folder / "plan.pdf").write_bytes(b"%PDF-1.4\n" + b"1 0 obj\n<<>>\nendobj\n" * 40 + b"%%EOF\n")
    return folder


@pytest.fixture(autouse=True)
def core() -> Iterator[int]:
    """One for the server and its programs alone; all else, browsers too, gets the others."""
    before = os.sched_getaffinity(0)
    first, *others = sorted(before)
    os.sched_setaffinity(0, others or {first})
    yield first
    os.sched_setaffinity(0, before)


@pytest.mark.parametrize("network", ["WebSocket", "polling only"])
async def test_files_of_a_phone_reach_everybody_while_others_talk_and_the_server_stays_small(
    network: str,
    core: int,
    tmp_path: Path,
    folder: Path,
    desk: Desk,
    record_property: Callable[[str, object], None],
) -> None:
    (data := tmp_path / "data").mkdir()
    async with (
        ServerProcess(data, *FLAGS) as server,
        httpx.AsyncClient(base_url=server.url, timeout=60) as http,
        talking(server, core, http) as talk,
    ):
        ada, bob, carl = [await sign_up(http, name) for name in ("ada", "bob", "carl")]
        members = [bob.user_id, carl.user_id]
        chat = await api(http, ada, "POST", "/chats", kind="group", title="Trip", members=members)
        before = ONLY_POLLING if network == "polling only" else ""
        windows = [await desk.window(server.url, who.cookies, before=before) for who in (ada, bob)]
        for window in windows:
            await window.open_chat(chat["chat_id"])
        usual, rss = await talk.usual(), memory(server.pid)
        async with watched(server.pid) as most:
            began = time.perf_counter()
            await send_all(windows[0], folder)
            await shown_to(windows[1], http, bob, folder)
            took, meanwhile, grown = time.perf_counter() - began, talk.take(), most() - rss
        await shown_without_scripts(desk, server.url, carl, chat["chat_id"], http)
        record_property("network", network)
        for name, value in (("seconds", took), ("p99 before, ms", usual)):
            record_property(name, round(value, 1))
        record_property("p99 meanwhile, ms", round(meanwhile, 1))
        record_property("server's memory grew by, MB", round(grown / MB, 1))
        print(
            f"{network}: {took:.1f} s, p99 {usual:.1f} -> {meanwhile:.1f} ms, +{grown / MB:.1f} MB"
        )
        assert grown < GROWS


def digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


async def send_all(window: Window, folder: Path) -> None:
    paths = [folder / name for name in ("photo.jpg", "film.mp4", "plan.pdf")]
    await window.page.set_input_files("#files", paths)
    await window.write("From the trip")


async def shown_to(window: Window, http: httpx.AsyncClient, who: Someone, folder: Path) -> None:
    """The whole of it, playable, and nothing of where the photo was taken."""
    page = window.page
    await expect(page.locator(SHOWN + ".files")).to_be_visible(timeout=120_000)
    photo = await page.locator(SHOWN + "a.shot").first.get_attribute("href")
    video = await page.locator(SHOWN + "video").get_attribute("src")
    assert photo and video
    headers = {"Authorization": f"Bearer {who.token}"}
    image = Image.open(io.BytesIO((await http.get(photo, headers=headers)).content))
    assert (image.size, dict(image.getexif())) == ((4000, 3000), {})
    wanted = await asyncio.to_thread(digest_of, folder / "film.mp4")
    assert await page.evaluate(DIGEST, video) == wanted
    assert window.errors == []


async def shown_without_scripts(
    desk: Desk, url: str, who: Someone, chat_id: str, http: httpx.AsyncClient
) -> None:
    window = await desk.window(url, who.cookies, scripts=False)
    await window.go(f"/chats/{chat_id}")
    shown = window.frame.locator(".files")
    await expect(shown.locator("img").first).to_be_visible()
    await expect(shown.locator("video")).to_be_visible()
    await expect(shown.get_by_text("plan.pdf")).to_be_visible()
