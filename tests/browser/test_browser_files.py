"""Pictures, videos and documents: chosen, dropped or pasted, sent once through whatever the
network does, and looked at by hand, key and finger."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from math import inf
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import FilePayload, Locator, Route, expect
from proxies.nginx import nginx
from proxies.place import Place
from proxies.programs import missing
from support import media
from support.gate import CHUNK, Gate, gate_to
from support.server import Person, Server, running
from test_browser_axe import AXE, CUT, RUN, TOO_WIDE
from windows import Desk, Window

Pair = tuple[Person, Person, str]
Open = Callable[..., Awaitable[Window]]
LOCKS = "delete window.SharedWorker;"
ALONE = LOCKS + "delete Navigator.prototype.locks;"
WAYS = {"worker": "", "locks": LOCKS, "alone": ALONE}
UPLOADS = "**/api/uploads/**"
PDF = b"%PDF-1.4\n" + b"1 0 obj\n<<>>\nendobj\n" * 40 + b"%%EOF\n"
GIVE = """([names, how]) => {
  const data = new DataTransfer();
  const real = { bubbles: true, cancelable: true };
  for (const [name, type, content] of names) {
    const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
    data.items.add(new File([bytes], name, { type }));
  }
  const place = document.getElementById("write");
  if (how === "paste") {
    place.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, ...real }));
  } else for (const type of how) {
    place.dispatchEvent(new DragEvent(type, { dataTransfer: data, ...real }));
  }
}"""


@pytest.fixture
async def pair(server: Server) -> Pair:
    ada, bob = await server.user("ada"), await server.user("bob")
    return ada, bob, await ada.group(bob, title="Choir")


class Narrow(Gate):
    """A network that is stuck once `left` bytes went through it."""

    left: float = inf

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(CHUNK):
                self.left -= len(data)
                if self.left < 0:
                    await asyncio.Event().wait()  # until it is cut
                writer.write(data)
                await writer.drain()


@pytest_asyncio.fixture
async def gate(server: Server) -> AsyncIterator[Narrow]:
    made = Narrow(server.url)
    await made.open()
    yield made
    await made.cut()


def picture(name: str = "roses.jpg", width: int = 400, height: int = 200) -> FilePayload:
    content = media.encoded(media.quarters(width, height), "JPEG")
    return {"name": name, "mimeType": "image/jpeg", "buffer": content}


def text(name: str, size: int) -> FilePayload:
    line = b"what was said in the choir on Tuesday, line by line\n"
    content = (line * (size // len(line) + 1))[:size]
    return {"name": name, "mimeType": "text/plain", "buffer": content}


def document(name: str = "minutes.pdf") -> FilePayload:
    return {"name": name, "mimeType": "application/pdf", "buffer": PDF}


async def choose(window: Window, *files: FilePayload) -> None:
    await window.page.set_input_files("#files", list(files))


async def give(window: Window, how: list[str] | str, *files: FilePayload) -> None:
    content = [
        (one["name"], one["mimeType"], base64.b64encode(one["buffer"]).decode()) for one in files
    ]
    await window.page.evaluate(GIVE, [content, how])


def tray(window: Window) -> Locator:
    return window.page.locator(".tray .document-name")


def shots(window: Window) -> Locator:
    return window.page.locator(".timeline:not(.pending) .shot > img:not(.blur)")


def pending(window: Window) -> Locator:
    return window.page.locator("#pending .document")


async def sends(window: Window) -> None:
    await window.page.press("#write", "Enter")


async def upload(person: Person, chat_id: str, name: str, content: bytes) -> str:
    begun = await person.api("POST", f"/chats/{chat_id}/uploads", name=name, size=len(content))
    headers = {"Content-Type": "application/octet-stream"}
    address = f"{begun['url']}?offset=0"
    done = await person.request("POST", address, content=content, headers=headers)
    assert done.status_code == 200, done.text
    return str(done.json()["attachment"]["attachment_id"])


async def put(person: Person, chat_id: str, *files: tuple[str, bytes], words: str = "") -> Any:
    ids = [await upload(person, chat_id, *file) for file in files]
    path = f"/chats/{chat_id}/messages"
    return await person.api("POST", path, content=words, attachments=ids)


async def sent(person: Person, chat_id: str) -> list[tuple[str, list[str]]]:
    """Text and names of files of each message."""
    return [
        (one["content"], [file["name"] for file in one["attachments"]])
        for one in await person.history(chat_id)
    ]


@pytest.mark.parametrize("way", WAYS)
async def test_files_chosen_dropped_and_pasted_go_together_and_are_seen_at_once(
    server: Server, desk: Desk, window: Open, pair: Pair, way: str
) -> None:
    ada, bob, chat_id = pair
    hers = await window(ada, before=WAYS[way])
    theirs = await window(bob)
    for one in (hers, theirs):
        await one.open_chat(chat_id)
    await choose(hers, picture("a.jpg"), document())
    await give(hers, ["dragenter", "dragover"], picture("b.jpg"))
    await expect(hers.page.locator(".drop")).to_be_visible()
    await give(hers, ["drop"], picture("b.jpg"))
    await expect(hers.page.locator(".drop")).to_be_hidden()
    await give(hers, "paste", picture("c.jpg"))
    await expect(tray(hers)).to_have_text(["a.jpg", "minutes.pdf", "b.jpg", "c.jpg"])
    await expect(hers.page.locator(".tray .face-of img")).to_have_count(3)
    await hers.page.click("text=Remove b.jpg")
    await hers.write("two of them")
    for one in (hers, theirs):
        await one.shows("two of them")
        await expect(shots(one)).to_have_count(2)
        await expect(one.page.locator(".msg a.document")).to_contain_text("minutes.pdf")
    assert await hers.page.evaluate("quartchat.mode") == way
    assert await sent(bob, chat_id) == [("two of them", ["a.jpg", "minutes.pdf", "c.jpg"])]
    assert hers.errors == theirs.errors == []


async def test_a_picture_needs_no_words_and_its_place_is_there_before_it(
    window: Open, pair: Pair
) -> None:
    ada, bob, chat_id = pair
    hers = await window(ada)
    await hers.open_chat(chat_id)
    await hers.context.route("**/files/**", lambda _: None)  # they never come
    await choose(hers, picture(width=800, height=600))
    await sends(hers)
    await expect(shots(hers)).to_have_count(1)
    await expect(hers.page.locator(".msg .body")).to_have_count(0)
    box = await shots(hers).bounding_box()
    assert box and abs(box["width"] / box["height"] - 800 / 600) < 0.02 and box["width"] > 300
    await expect(hers.page.locator(".shot > .blur")).to_have_count(1)
    await expect(hers.page.locator("#pending .msg")).to_have_count(0)
    assert await sent(bob, chat_id) == [("", ["roses.jpg"])]


async def test_what_cannot_be_sent_says_so_beside_it_before_anything_is_sent(
    new_folder: Any, desk: Desk
) -> None:
    async with running(new_folder(), max_upload=100_000, max_attachments=2) as server:
        ada, bob = await server.user("ada"), await server.user("bob")
        chat_id = await ada.group(bob)
        cookies = {"qc_session": ada.token, "qc_refresh": ada.refresh_token}
        hers = await desk.window(server.url, cookies)
        await hers.open_chat(chat_id)
        empty: FilePayload = {"name": "empty.txt", "mimeType": "text/plain", "buffer": b""}
        await choose(hers, text("long.txt", 200_000), empty, document())
        why = hers.page.locator(".tray .document-why")
        most = "One too many: 2 files in a message at most."
        await expect(why).to_have_text(["Too large: 98 kB at most.", "This file is empty.", most])
        await hers.write("with files")
        await expect(tray(hers)).to_have_count(3)
        await expect(hers.page.locator(".tray button").first).to_be_focused()
        await hers.page.keyboard.press("Enter")
        await hers.page.keyboard.press("Enter")
        await expect(why).to_have_text([""])
        await hers.page.press("#write", "Enter")
        await hers.shows("with files")
        assert await sent(ada, chat_id) == [("with files", ["minutes.pdf"])]


async def test_text_overtakes_a_large_file_whose_progress_is_shown_and_which_can_be_cancelled(
    window: Open, pair: Pair
) -> None:
    ada, bob, chat_id = pair
    hers = await window(ada, before=ALONE)
    await hers.open_chat(chat_id)
    held: list[Route] = []

    async def hold(route: Route) -> None:
        if "offset=0" in route.request.url:
            await route.continue_()
        else:
            held.append(route)

    await hers.context.route(UPLOADS, hold)
    await choose(hers, text("large.txt", 4_000_000), picture())
    await sends(hers)
    await expect(pending(hers)).to_have_count(2)
    bar = hers.page.locator("#pending progress").first
    await expect(bar).to_have_attribute("aria-label", "large.txt")
    await expect(pending(hers).first).to_contain_text("256 kB of 3.8 MB")
    assert await bar.evaluate("(bar) => bar.value") == 262144
    await hers.write("meanwhile")
    await expect(hers.bodies).to_have_text(["meanwhile"])
    await expect(hers.page.locator("#pending .head")).to_have_text(["Sending the files…"])
    await hers.page.click("#pending >> text=Remove large.txt")
    await expect(pending(hers)).to_have_count(0)
    await expect(shots(hers)).to_have_count(1)
    await choose(hers, text("large.txt", 4_000_000))
    await sends(hers)
    await expect(pending(hers).first).to_contain_text("of 3.8 MB")
    await hers.page.click("#pending >> text=Cancel")
    await expect(hers.page.locator("#pending .msg")).to_have_count(0)
    await expect(hers.page.locator("#write")).to_be_focused()
    assert await sent(bob, chat_id) == [("meanwhile", []), ("", ["roses.jpg"])]


@pytest.mark.parametrize("way", WAYS)
async def test_a_large_file_goes_on_after_cuts_and_in_a_new_tab(
    gate: Narrow, desk: Desk, pair: Pair, way: str
) -> None:
    ada, bob, chat_id = pair
    cookies = {"qc_session": ada.token, "qc_refresh": ada.refresh_token}
    hers = await desk.window(gate.url, cookies, before=WAYS[way])
    await hers.open_chat(chat_id)
    whole = text("large.txt", 6_000_000)
    gate.left = 2_000_000
    await choose(hers, whole)
    await sends(hers)
    await expect(pending(hers)).to_contain_text(" of ")
    await gate.cut()
    await expect(hers.page.locator("#pending .head")).to_have_text(["Waiting for the connection"])
    gate.left = 3_000_000
    await gate.open()
    await expect(pending(hers)).to_contain_text(re.compile(r"[2-9]\.\d MB of"))
    tab = Window(hers.context, await hers.context.new_page(), hers.url)
    await gate.cut()
    await hers.page.close()
    gate.left = inf
    await gate.open()
    await tab.open_chat(chat_id)
    await expect(tab.page.locator(".timeline:not(.pending) a.document")).to_have_count(1)
    await expect(tab.page.locator("#pending .msg")).to_have_count(0)
    [message] = await bob.history(chat_id)
    there = await bob.request("GET", message["attachments"][0]["url"])
    assert there.content == whole["buffer"]


async def test_a_file_waits_for_a_server_that_is_started_anew(new_folder: Any, desk: Desk) -> None:
    folder = new_folder()
    async with running(folder) as server:
        ada, bob = await server.user("ada"), await server.user("bob")
        chat_id = await ada.group(bob)
        async with gate_to(server.url) as gate:
            cookies = {"qc_session": ada.token, "qc_refresh": ada.refresh_token}
            hers = await desk.window(gate.url, cookies)
            await hers.open_chat(chat_id)
            await gate.cut()
            await server.stop()
            await choose(hers, picture())
            await hers.write("later")
            await expect(hers.page.locator("#pending .head")).to_have_text(
                ["Waiting for the connection"]
            )
            await expect(pending(hers)).to_contain_text("roses.jpg")
            async with running(folder) as again:
                await gate.lead(again.url)
                await hers.page.evaluate("quartchat.wake({ anew: true })")
                await hers.shows("later")
                await expect(shots(hers)).to_have_count(1)


async def test_a_file_that_is_refused_says_why_and_the_others_can_be_sent(
    window: Open, pair: Pair
) -> None:
    ada, bob, chat_id = pair
    hers = await window(ada)
    await hers.open_chat(chat_id)
    broken = picture("broken.jpg")
    broken["buffer"] = broken["buffer"][:300]
    await choose(hers, broken, picture())
    await hers.write("look")
    await expect(hers.page.locator("#pending .head")).to_have_text(["Not sent"])
    await expect(pending(hers).first.locator(".document-why")).not_to_be_empty()
    await hers.page.click("#pending >> text=Remove broken.jpg")
    await hers.shows("look")
    assert await sent(bob, chat_id) == [("look", ["roses.jpg"])]


async def test_a_refused_message_comes_back_with_its_files(window: Open, pair: Pair) -> None:
    ada, _, chat_id = pair
    hers = await window(ada)
    await hers.open_chat(chat_id)
    broken = picture("broken.jpg")
    broken["buffer"] = broken["buffer"][:300]
    await choose(hers, broken)
    await hers.write("look")
    await hers.page.click("#pending >> text=Edit")
    await expect(tray(hers)).to_have_text(["broken.jpg"])
    await expect(hers.page.locator("#write")).to_have_value("look")
    await expect(hers.page.locator("#pending .msg")).to_have_count(0)


async def test_without_scripts_the_plain_form_sends_files(window: Open, pair: Pair) -> None:
    ada, bob, chat_id = pair
    hers = await window(ada, scripts=False)
    await hers.go(f"/chats/{chat_id}")
    await expect(hers.page.locator("#files")).to_be_visible()
    await hers.page.fill("#write", "by hand")
    await choose(hers, picture(), document())
    await hers.page.click(".send")
    await expect(hers.framed).to_have_text(["by hand"])
    await expect(hers.frame.locator(".shot")).to_have_count(1)
    await expect(hers.frame.locator("a.document")).to_have_count(1)
    assert await sent(bob, chat_id) == [("by hand", ["roses.jpg", "minutes.pdf"])]


async def test_without_scripts_what_is_refused_says_so_and_the_rest_stays_chosen(
    new_folder: Any, desk: Desk
) -> None:
    async with running(new_folder(), max_upload=100_000) as server:
        ada, bob = await server.user("ada"), await server.user("bob")
        chat_id = await ada.group(bob)
        cookies = {"qc_session": ada.token, "qc_refresh": ada.refresh_token}
        hers = await desk.window(server.url, cookies, scripts=False)
        await hers.go(f"/chats/{chat_id}")
        await hers.page.fill("#write", "two")
        await choose(hers, picture(), text("long.txt", 200_000))
        await hers.page.click(".send")
        await expect(hers.page.locator(".composer :is(.error, .alert)")).to_have_count(1)
        await expect(hers.page.locator(".tray")).to_contain_text("roses.jpg")
        await expect(hers.page.locator("#write")).to_have_value("two")
        await hers.page.click(".send")
        await expect(hers.framed).to_have_text(["two"])
        assert await sent(bob, chat_id) == [("two", ["roses.jpg"])]


@pytest.fixture
async def album(pair: Pair, tmp_path: Path) -> Pair:
    """Three pictures and a film, in two messages; then a document and a recording."""
    ada, bob, chat_id = pair
    roses = [(f"{name}.jpg", picture(name)["buffer"]) for name in ("one", "two", "three")]
    film = media.film(tmp_path / "film.mp4", "libx264")
    tone = media.recording(tmp_path / "tone.mp3", "libmp3lame")
    await put(bob, chat_id, *roses, words="roses")
    await put(ada, chat_id, ("film.mp4", film.read_bytes()))
    await put(bob, chat_id, ("minutes.pdf", PDF), ("tone.mp3", tone.read_bytes()))
    return pair


@pytest.mark.parametrize("path", ["/c/{}", "/c/{}/files"])
async def test_the_viewer_goes_through_all_by_keys_and_gives_the_focus_back(
    window: Open, album: Pair, path: str
) -> None:
    ada, _, chat_id = album
    hers = await window(ada, reduced_motion="reduce")
    await hers.go(path.format(chat_id))
    await hers.live()
    names = ["film.mp4", "one.jpg", "two.jpg", "three.jpg"]
    if path.endswith("{}"):
        names = [*names[1:], names[0]]
    viewer, page = hers.page.locator("dialog.viewer"), hers.page
    first = page.locator("a.shot[data-name='one.jpg']")
    await first.focus()
    await page.keyboard.press("Enter")
    await expect(viewer).to_be_visible()
    at = names.index("one.jpg")
    await expect(viewer.locator(".viewer-count")).to_have_text(f"{at + 1} of 4")
    await expect(viewer.locator(".viewer-about")).to_contain_text("bob")
    for key, to in (
        ("ArrowRight", at + 1),
        ("End", 3),
        ("Home", 0),
        ("ArrowRight", 1),
        ("ArrowLeft", 0),
    ):
        await page.keyboard.press(key)
        await expect(viewer.locator(".viewer-name")).to_have_text(names[to])
    await page.keyboard.press("ArrowLeft")
    await expect(viewer.locator(".viewer-count")).to_have_text("1 of 4")
    have = viewer.locator("a.viewer-act")
    assert (await have.get_attribute("href") or "").endswith("?download=1")
    await page.keyboard.press("Escape")
    await expect(viewer).to_be_hidden()
    await expect(first).to_be_focused()
    assert hers.errors == []


async def test_a_swipe_goes_on_and_a_deleted_picture_is_not_shown_any_more(
    window: Open, album: Pair
) -> None:
    ada, bob, chat_id = album
    hers = await window(ada, has_touch=True, viewport={"width": 390, "height": 700})
    await hers.open_chat(chat_id)
    await hers.page.locator("a.shot[data-name='one.jpg']").tap()
    name = hers.page.locator(".viewer-name")
    swipe = """(dx) => {
      const stage = document.querySelector(".viewer-stage");
      const send = (type, clientX) => stage.dispatchEvent(new PointerEvent(type, {
        pointerId: 7, pointerType: "touch", isPrimary: true, bubbles: true, clientX }));
      send("pointerdown", 200); send("pointermove", 200 + dx); send("pointerup", 200 + dx);
    }"""
    for dx, expected in ((-120, "two.jpg"), (-20, "two.jpg"), (120, "one.jpg")):
        await hers.page.evaluate(swipe, dx)
        await expect(name).to_have_text(expected)
    [roses, *_] = await bob.history(chat_id)
    await bob.api("DELETE", f"/messages/{roses['message_id']}")
    await expect(name).to_have_text("film.mp4")
    await expect(hers.page.locator(".viewer-count")).to_have_text("1 of 1")


async def test_the_gallery_shows_all_of_a_chat_also_without_scripts(
    window: Open, album: Pair
) -> None:
    ada, _, chat_id = album
    for scripts in (True, False):
        hers = await window(ada, scripts=scripts)
        await hers.go(f"/c/{chat_id}/about")
        await hers.page.click("main >> text=Files")
        await expect(hers.page.locator(".gallery .shot")).to_have_count(4)
        await hers.page.click("text=Other files")
        await expect(hers.page.locator(".document-name")).to_have_text(["minutes.pdf", "tone.mp3"])
        await expect(hers.page.locator("audio")).to_have_count(1)
        await hers.go(f"/c/{chat_id}/files")
        link = hers.page.locator(".gallery .shot").first
        assert (await link.get_attribute("href") or "").startswith("/files/")


async def test_a_chats_row_shows_what_came_last(window: Open, pair: Pair) -> None:
    ada, bob, chat_id = pair
    hers = await window(ada)
    await hers.go("/c")
    await hers.live()
    last = hers.page.locator(f"[data-chat-id='{chat_id}'] .last")
    await put(bob, chat_id, ("roses.jpg", picture()["buffer"]))
    await expect(last).to_have_text("bob: Picture")
    await expect(last.locator("img")).to_have_count(1)
    await put(bob, chat_id, ("minutes.pdf", PDF))
    await expect(last).to_have_text("bob: minutes.pdf")
    roses = [(name, picture()["buffer"]) for name in ("a.jpg", "b.jpg")]
    await put(bob, chat_id, *roses)
    await expect(last).to_have_text("bob: 2 pictures")


async def test_a_message_of_files_alone_can_be_answered_and_given_words(
    window: Open, pair: Pair
) -> None:
    ada, _, chat_id = pair
    await put(ada, chat_id, ("roses.jpg", picture()["buffer"]))
    hers = await window(ada)
    await hers.open_chat(chat_id)
    await expect(shots(hers)).to_have_count(1)
    await hers.page.locator(".msg").hover()
    await hers.page.locator(".acts .reply").click()
    await expect(hers.page.locator("#replying")).to_contain_text("roses.jpg")
    await hers.write("nice")
    await expect(hers.page.locator(".quote")).to_contain_text("roses.jpg")
    await hers.page.press("#write", "Escape")
    await hers.page.locator(".msg", has=hers.page.locator(".shot")).hover()
    await hers.page.locator(".msg .acts .more").first.click()
    await expect(hers.page.locator("[data-do=copy-text]")).to_be_hidden()
    await hers.page.click("#menu >> text=Edit")
    await expect(hers.page.locator("form.editing")).to_be_visible()
    await hers.write("from the garden")
    await expect(hers.bodies).to_have_text(["from the garden", "nice"])
    await expect(shots(hers)).to_have_count(1)


@pytest.mark.skipif(not AXE.exists(), reason="npm install --prefix tests/node")
@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_axe_finds_nothing_serious_and_nothing_is_cut_off(
    window: Open, album: Pair, theme: str
) -> None:
    ada, _, chat_id = album
    look = {"color_scheme": theme, "reduced_motion": "reduce"}
    hers = await window(ada, viewport={"width": 320, "height": 600}, **look)
    page = hers.page
    await page.context.route(UPLOADS, lambda route: route.abort())
    found = {}

    async def look_at(name: str) -> None:
        await page.evaluate(AXE.read_text(encoding="utf-8") + ";0")
        wide = (
            [] if name == "viewer" else [await page.evaluate(TOO_WIDE), *await page.evaluate(CUT)]
        )
        found[name] = [*await page.evaluate(RUN), *filter(None, wide)]

    await hers.open_chat(chat_id)
    await look_at("chat")
    await choose(hers, picture(), document(f"{'minutes ' * 20}.pdf"))
    await look_at("tray")
    await page.locator("a.shot").first.click()
    await expect(page.locator("dialog.viewer")).to_be_visible()
    await look_at("viewer")
    await page.keyboard.press("Escape")
    await sends(hers)
    await expect(pending(hers)).to_have_count(2)
    await look_at("pending")
    for kind in ("media", "files"):
        await hers.go(f"/c/{chat_id}/files?kind={kind}")
        await look_at(kind)
    assert {name: some for name, some in found.items() if some} == {}


async def test_a_proxy_that_takes_small_bodies_only_gets_small_pieces(
    server: Server, desk: Desk, pair: Pair
) -> None:
    if lacking := missing(("nginx",)):
        pytest.skip("; ".join(lacking))
    ada, _, chat_id = pair
    port = urlsplit(server.url).port or 0
    async with Place("small bodies", port, port, Path()) as place:
        door = await nginx(server="client_max_body_size 200k;")(place)
        cookies = {"qc_session": ada.token, "qc_refresh": ada.refresh_token}
        hers = await desk.window(door.url, cookies)
        await hers.open_chat(chat_id)
        await choose(hers, text("long.txt", 3_000_000))
        await hers.write("all of it")
        await hers.shows("all of it")
    (message,) = await ada.history(chat_id)
    assert message["attachments"][0]["size"] == 3_000_000
