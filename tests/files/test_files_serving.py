"""Files on their way out: parts, conditions, and nothing that runs on the site's origin."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from support.server import Person, Server

from files.sending import download, eventually, in_pieces, picture, send_form
from files.wire import asking

TEXT = b"0123456789" * 100_000
HTML = b"<!doctype html><script>alert(document.domain)</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
PDF = b"%PDF-1.7\n1 0 obj <</OpenAction <</S /JavaScript /JS (app.alert(1))>>>> endobj\n"


async def a_file(server: Server) -> tuple[Person, Any]:
    (ada,) = await server.users(1)
    return ada, await in_pieces(ada, await ada.group(), "digits.txt", TEXT)


PARTS = {
    "bytes=0-0": (0, 1),
    "bytes=0-99": (0, 100),
    "bytes=999990-": (999_990, 10**6),
    "bytes=0-": (0, 10**6),
    "bytes=300000-799999": (300_000, 800_000),
    "bytes=-10": (999_990, 10**6),
    "bytes=-9999999": (0, 10**6),
    "bytes=999999-99999999999999999999": (999_999, 10**6),
}


async def test_a_part_is_given(server: Server) -> None:
    ada, made = await a_file(server)
    for asked, (start, stop) in PARTS.items():
        got = await download(ada, made["url"], Range=asked)
        assert (got.status_code, got.content) == (206, TEXT[start:stop])
        assert got.headers["Content-Range"] == f"bytes {start}-{stop - 1}/1000000"
        assert got.headers["Content-Length"] == str(stop - start)


async def test_a_part_beyond_the_end_is_refused(server: Server) -> None:
    ada, made = await a_file(server)
    for asked in ("bytes=1000000-", "bytes=1000000-1000005"):
        got = await download(ada, made["url"], Range=asked)
        assert (got.status_code, got.content) == (416, b"")
        assert got.headers["Content-Range"] == "bytes */1000000"


async def test_other_ranges_are_answered_with_the_whole(server: Server) -> None:
    ada, made = await a_file(server)
    for asked in ("bytes=0-4,10-14", "lines=0-4", "bytes=9-5", "bytes=x-", "bytes", "bytes=--1"):
        got = await download(ada, made["url"], Range=asked)
        assert (got.status_code, got.content) == (200, TEXT)


async def test_a_part_is_given_only_of_what_the_reader_has(server: Server) -> None:
    ada, made = await a_file(server)
    etag = (await download(ada, made["url"])).headers["ETag"]
    for has, status in (
        (etag, 206),
        ('"other"', 200),
        (f"W/{etag}", 200),
        ("Sat, 21 Nov 2026 00:00:00 GMT", 200),
    ):
        headers = {"Range": "bytes=0-4", "If-Range": has}
        got = await ada.request("GET", made["url"], headers=headers)
        assert got.status_code == status


async def test_a_head_tells_all_but_the_content(server: Server) -> None:
    ada, made = await a_file(server)
    whole = await download(ada, made["url"])
    for headers in ({}, {"Range": "bytes=0-4"}):
        head = await ada.request("HEAD", made["url"], headers=headers)
        assert (head.status_code, head.content) == (200, b"")
        for name in ("Content-Length", "Content-Type", "ETag", "Accept-Ranges"):
            assert head.headers[name] == whole.headers[name]


async def test_what_the_reader_has_is_not_sent_again(server: Server) -> None:
    (ada,) = await server.users(1)
    made = await send_form(ada, await ada.group(), "red.png", picture((900, 700), "PNG"))
    for url in (made["url"], made["thumbnail_url"]):
        first = await download(ada, url)
        assert first.headers["Cache-Control"] == "private, no-cache"
        etag = first.headers["ETag"]
        for has in (etag, f"W/{etag}", f'"other", {etag}', "*"):
            again = await ada.request("GET", url, headers={"If-None-Match": has})
            assert (again.status_code, again.content) == (304, b"")
        other = await ada.request("GET", url, headers={"If-None-Match": '"other"'})
        assert other.content == first.content


async def test_the_same_content_has_the_same_etag_and_other_content_another(
    server: Server,
) -> None:
    (ada,) = await server.users(1)
    chat_id = await ada.group()
    made = [await in_pieces(ada, chat_id, "a", data) for data in (b"one", b"one", b"two")]
    etags = [(await download(ada, one["url"])).headers["ETag"] for one in made]
    assert etags[0] == etags[1] != etags[2]


NAMES = {
    "plain.txt": "plain.txt",
    "two words.txt": "two words.txt",
    "Übergröße.txt": "Übergröße.txt",
    "заметки.txt": "заметки.txt",
    "笔记 📎.txt": "笔记 📎.txt",
    "עברית.txt": "עברית.txt",
    'a"b;c=d\\e.txt': "e.txt",
    "it's 100%.txt": "it's 100%.txt",
    "a;b=c, d.txt": "a;b=c, d.txt",
    "100%41.txt": "100%41.txt",
}


async def test_a_file_is_offered_under_its_name(server: Server) -> None:
    (ada,) = await server.users(1)
    chat_id = await ada.group()
    for name, kept in NAMES.items():
        made = await in_pieces(ada, chat_id, name, TEXT[:10])
        assert made["name"] == kept
        got = (await download(ada, made["url"])).headers["Content-Disposition"]
        found = re.fullmatch(r"attachment; filename=\"([ -~]+)\"; filename\*=UTF-8''(\S+)", got)
        assert found is not None
        assert not set(found[1]) & set('"\\%')
        assert unquote(found[2]) == kept


async def test_what_could_run_is_offered_to_be_saved_only(server: Server) -> None:
    (ada,) = await server.users(1)
    chat_id = await ada.group()
    for data, name in ((HTML, "a.html"), (HTML, "a.jpg"), (SVG, "a.svg"), (PDF, "a.mp4")):
        made = await in_pieces(ada, chat_id, name, data)
        assert made["kind"] == "file"
        got = await download(ada, made["url"])
        assert got.content == data
        check_safe(got)
        assert got.headers["Content-Disposition"].startswith("attachment;")


def check_safe(got: Any) -> None:
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in got.headers["Content-Security-Policy"]
    assert "default-src 'none'" in got.headers["Content-Security-Policy"]
    assert "allow-scripts" not in got.headers["Content-Security-Policy"]


async def test_pictures_are_shown_in_place_unless_they_are_to_be_saved(server: Server) -> None:
    (ada,) = await server.users(1)
    made = await send_form(ada, await ada.group(), "red.png", picture((900, 700), "PNG"))
    for url, how in (
        (made["url"], "inline"),
        (made["thumbnail_url"], "inline"),
        (made["url"] + "?download=1", "attachment"),
    ):
        got = await download(ada, url)
        check_safe(got)
        assert got.headers["Content-Disposition"].startswith(f"{how};")


async def test_there_are_no_other_sizes_than_two(server: Server) -> None:
    (ada,) = await server.users(1)
    made = await send_form(ada, await ada.group(), "red.png", picture((2000, 1500), "PNG"))
    words = await in_pieces(ada, await ada.group(), "a.txt", TEXT[:10])
    for which in ("digest", "clean", "id", "Small", "small/", "%2e%2e%2fsmall"):
        assert (await download(ada, f"{made['url']}/{which}")).status_code == 404
    assert (await download(ada, f"{words['url']}/small")).status_code == 404
    assert (await download(ada, f"{made['url']}/large")).status_code == 200


async def test_content_that_the_disk_lost_is_not_found(server: Server) -> None:
    ada, made = await a_file(server)
    (stored,) = (server.services.settings.data / "files" / "stored").rglob("??/*")
    stored.unlink()
    for headers in ({}, {"Range": "bytes=5-"}):
        assert (await ada.request("GET", made["url"], headers=headers)).status_code == 404


async def test_a_reader_that_goes_away_ends_the_reading(server: Server) -> None:
    (ada,) = await server.users(1)
    made = await in_pieces(ada, await ada.group(), "noise.bin", bytes(8 * 2**20))
    digest = next((server.services.settings.data / "files" / "stored").rglob("??/*"))
    async with asking(ada, "GET", made["url"], small_window=True) as wire:
        status, headers = await wire.head()
        assert (status, headers["content-length"]) == (200, str(8 * 2**20))
        await wire.read(100_000)
        assert is_open(digest)
        wire.cut()
    await eventually(lambda: not is_open(digest))


def is_open(path: Any) -> bool:
    """Whether this process has it open."""
    links = list(Path("/proc/self/fd").iterdir())
    return str(path) in {str(link.readlink()) for link in links if link.is_symlink()}
