"""Files that are not what they say, or are made to do harm."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from support.media import SCRIPT, archive, docx, gif_bomb, photo, png_bomb
from support.server import Person, Server

from files.sending import (
    begin,
    download,
    eventually,
    go_on,
    in_pieces,
    leaving_nothing,
    on_disk,
    picture,
    refusal,
    send_form,
)

WAYS = [send_form, in_pieces]
LOOK = b"quartchat.media.look"


async def test_an_empty_file_is_refused(server: Server) -> None:
    (ada,) = await server.users(1)
    chat_id = await ada.group()
    async with leaving_nothing(server):
        for way in WAYS:
            refused = await refusal(way(ada, chat_id, "a.txt", b""))
            assert (refused.status, refused.code) == (422, "invalid")
            assert refused.problem["message"] == "The file is empty."


BROKEN = {
    "a JPEG cut short": photo()[:2000],
    "a PNG cut short": picture((900, 700), "PNG")[:-200],
    "a JPEG's beginning alone": photo()[:20],
    "a script that begins as a GIF": b"GIF89a/*" + bytes(40) + b"*/=1;alert(1)//",
    "a WebP of nothing": b"RIFF\x10\0\0\0WEBPVP8 " + bytes(4),
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
async def test_a_picture_that_is_none_is_refused(server: Server, data: bytes) -> None:
    (ada,) = await server.users(1)
    chat_id = await ada.group()
    async with leaving_nothing(server):
        for way in WAYS:
            refused = await refusal(way(ada, chat_id, "a.jpg", data))
            assert (refused.status, refused.code) == (422, "damaged")


@pytest.mark.parametrize(
    "data",
    [png_bomb(body=2_000_000), gif_bomb(5000, (40_000, 40_000))],
    ids=["PNG", "GIF"],
)
async def test_a_picture_that_would_fill_the_memory_is_refused(server: Server, data: bytes) -> None:
    (ada,) = await server.users(1)
    chat_id = await ada.group()
    async with leaving_nothing(server):
        refused = await refusal(send_form(ada, chat_id, "a.png", data))
        assert (refused.status, refused.code) == (413, "too_many_pixels")


async def test_archives_are_not_unpacked(server: Server) -> None:
    (ada,) = await server.users(1)
    chat_id = await ada.group()
    for data in (docx(bytes(50_000_000)), archive("../../etc/passwd", data=b"root")):
        made = await send_form(ada, chat_id, "a.docx", data)
        assert made["kind"] == "file"
        assert (await download(ada, made["url"])).content == data
    assert len(on_disk(server)) == 2


async def test_a_script_behind_a_picture_does_not_reach_others(server: Server) -> None:
    (ada,) = await server.users(1)
    made = await send_form(ada, await ada.group(), "a.html", photo() + SCRIPT)
    assert made["mime_type"] == "image/jpeg"
    assert SCRIPT not in (await download(ada, made["url"])).content


async def test_a_picture_behind_a_script_is_no_picture(server: Server) -> None:
    (ada,) = await server.users(1)
    made = await send_form(ada, await ada.group(), "a.jpg", SCRIPT + photo())
    assert made["kind"] == "file"
    got = await download(ada, made["url"])
    assert got.headers["Content-Disposition"].startswith("attachment;")
    assert not got.headers["Content-Type"].startswith("image/")


LONG = "ä" * 300
NAMES = {
    "../../etc/passwd": "passwd",
    "..\\..\\windows\\win.ini": "win.ini",
    "/etc/passwd": "passwd",
    "C:\\autoexec.bat": "autoexec.bat",
    "a\0b.txt": "ab.txt",
    "a\r\nX-Evil: 1.txt": "aX-Evil_ 1.txt",
    "\u202egpj.exe": "gpj.exe",
    "\u2067\u200ehidden\u200b.txt": "hidden.txt",
    "CON": "_CON",
    "nul.tar.gz": "_nul.tar.gz",
    "LPT1.txt": "_LPT1.txt",
    "console.txt": "console.txt",
    ".": "file",
    "..": "file",
    "...": "file",
    " . ": "file",
    "/": "file",
    "": "file",
    "\u200b": "file",
    ".htaccess": "htaccess",
    "a.": "a",
    "a<b>c|d?e*f.txt": "a_b_c_d_e_f.txt",
    "  a   b  .txt ": "a b .txt",
    f"{LONG}.jpeg": f"{'ä' * 97}.jpeg",
    LONG: "ä" * 100,
    f"a.{LONG}": f"a.{'ä' * 99}",
}


async def test_names_are_made_harmless(server: Server) -> None:
    (ada,) = await server.users(1)
    chat_id = await ada.group()
    for name, kept in NAMES.items():
        upload = await begin(ada, chat_id, 5, name)
        assert upload["name"] == kept, ascii(name)
    assert on_disk(server) == []


async def test_names_in_forms_are_made_harmless_too(server: Server) -> None:
    (ada,) = await server.users(1)
    chat_id = await ada.group()
    for name in ("../../etc/passwd", "..\\..\\passwd", "passwd\u202e", "\u2066passwd"):
        assert (await send_form(ada, chat_id, name, b"root"))["name"] == "passwd"
    there = {path.parent.parent.name for path in on_disk(server)}
    assert there == {"stored"}


async def test_names_and_ids_with_lone_surrogates_are_refused(server: Server) -> None:
    (ada,) = await server.users(1)
    chat_id = await ada.group()
    headers = {"Content-Type": "application/json"}
    async with leaving_nothing(server):
        for content in (
            b'{"name": "\\ud800.txt", "size": 5}',
            b'{"name": "a", "size": 5, "client_id": "\\ud800"}',
            b'{"name": "\xff", "size": 5}',
        ):
            path = f"/api/chats/{chat_id}/uploads"
            response = await ada.request("POST", path, content=content, headers=headers)
            assert response.status_code in (400, 422)
        path = f"/api/chats/{chat_id}/messages"
        content = b'{"content": "a", "attachments": ["\\ud800"]}'
        response = await ada.request("POST", path, content=content, headers=headers)
        assert response.status_code in (400, 404, 422)


async def test_names_of_uploads_are_no_paths(server: Server) -> None:
    (ada,) = await server.users(1)
    for name in ("..", "%2e%2e", "..%2f..%2fquartchat.db", "%00", "a" * 3000):
        for method in ("GET", "DELETE", "POST"):
            response = await ada.request(method, f"/api/uploads/{name}?offset=0", content=b"")
            assert response.status_code in (404, 405)
    assert (server.services.settings.data / "quartchat.db").exists()


def examiners() -> Iterator[int]:
    """The programs that examine files now, of this process."""
    for entry in Path("/proc").iterdir():
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == os.getpid() and LOOK in (entry / "cmdline").read_bytes():
                yield int(entry.name)
        except (OSError, ValueError, IndexError):
            continue


@asynccontextmanager
async def killing(times: int) -> AsyncIterator[list[int]]:
    """Kills so many programs that examine files, as soon as they are there."""
    killed: list[int] = []

    def look() -> bool:
        for pid in examiners():
            if pid not in killed and len(killed) < times:
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)
        return len(killed) == times

    killer = asyncio.create_task(eventually(look))
    yield killed
    await killer


async def test_a_file_whose_examiner_is_killed_is_tried_again(server: Server) -> None:
    (ada,) = await server.users(1)
    chat_id = await ada.group()
    async with killing(1):
        made = await send_form(ada, chat_id, "a.jpg", picture())
    assert made["kind"] == "image"


@pytest.mark.parametrize("way", WAYS)
async def test_a_file_whose_examiner_is_killed_twice_is_refused_for_good(
    server: Server, way: Any
) -> None:
    ada, bob = await server.users(2)
    chat_id = await ada.group()
    async with leaving_nothing(server), killing(2):
        sending = asyncio.create_task(refusal(way(ada, chat_id, "a.jpg", picture())))
        await bob.say(await bob.group())
        refused = await sending
        assert (refused.status, refused.code) == (422, "media_failed")
    assert await way(ada, chat_id, "a.jpg", picture())


async def test_others_send_messages_while_files_are_examined(server: Server) -> None:
    ada, bob = await server.users(2)
    chat_id, his = await ada.group(), await bob.group()
    files = [in_pieces(ada, chat_id, "a.jpg", picture((1000 + n, 900))) for n in range(6)]
    sending = asyncio.gather(*files)
    said = 0
    while not sending.done():
        async with asyncio.timeout(2):
            await bob.say(his)
        said += 1
    assert len(await sending) == 6
    assert said > 6


async def resumed(who: Person, chat_id: str, data: bytes) -> Any:
    upload = await begin(who, chat_id, len(data))
    await go_on(who, upload, 0, data[:10])
    return await refusal(go_on(who, upload, 10, data[10:])), upload


async def test_an_upload_that_was_refused_for_good_is_gone(server: Server) -> None:
    (ada,) = await server.users(1)
    chat_id = await ada.group()
    async with leaving_nothing(server):
        refused, upload = await resumed(ada, chat_id, photo()[:2000])
        assert refused.code == "damaged"
        assert (await ada.request("GET", upload["url"])).status_code == 404
