"""A file is what its content says, whatever it is called."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import media

from quartchat.media.examine import examine
from quartchat.media.findings import Findings
from quartchat.media.signatures import UNKNOWN

OFFICE = "application/vnd.openxmlformats-officedocument."


def files() -> dict[str, tuple[bytes, str]]:
    """name: (content, MIME type)."""
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    ole, ebml = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"\x1a\x45\xdf\xa3\x93\x42\x82\x88"
    return {
        "nothing": (b"", "text/plain"),
        "a text": ("Příliš žluťoučký kůň\n".encode() * 9000, "text/plain"),
        "a text with a mark": (b"\xef\xbb\xbfhello", "text/plain"),
        "a text of two bytes": ("hello".encode("utf-16"), "text/plain"),
        "json": (b'{"a": [1, 2]}', "text/plain"),
        "a table": (b"a,b\n1,2\n", "text/plain"),
        "a page": (b"\n <!-- x --><!DOCTYPE html><title>x</title>", "text/html"),
        "a page without a head": (b"<script>alert(1)</script>", "text/html"),
        "a page with a mark": (b"\xef\xbb\xbf<html>", "text/html"),
        "a page of two bytes": ("<html><body>".encode("utf-16"), "text/html"),
        "a page as xml": (b'<?xml version="1.0"?>\n<html xmlns="x"/>', "text/html"),
        "a drawing": (svg, "image/svg+xml"),
        "a drawing as xml": (b"<?xml version='1.0'?><!DOCTYPE svg>" + svg, "image/svg+xml"),
        "xml": (b'<?xml version="1.0"?><rss/>', "application/xml"),
        "a pdf": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj", "application/pdf"),
        "a pdf after junk": (b"junk\n%PDF-1.4\n\0", "application/pdf"),
        "an archive": (media.archive("a.txt", "word/x"), "application/zip"),
        "an empty archive": (media.archive(), "application/zip"),
        "half an archive": (media.archive("a.txt")[:40], "application/zip"),
        "a text document": (media.docx(), OFFICE + "wordprocessingml.document"),
        "a sheet": (
            media.archive("[Content_Types].xml", "xl/workbook.xml"),
            OFFICE + "spreadsheetml.sheet",
        ),
        "a book": (media.epub(), "application/epub+zip"),
        "a program in Java": (media.archive("META-INF/MANIFEST.MF"), "application/java-archive"),
        "a zip bomb": (media.docx(bytes(50_000_000)), OFFICE + "wordprocessingml.document"),
        "a list without end": (
            media.archive(*(f"{n:0200}" for n in range(20_000))),
            "application/zip",
        ),
        "7z": (b"7z\xbc\xaf\x27\x1c\0\4" + bytes(40), "application/x-7z-compressed"),
        "gzip": (b"\x1f\x8b\x08\0" + bytes(20), "application/gzip"),
        "an old document": (ole + bytes(99), "application/x-ole-storage"),
        "a photo of an iPhone": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "image/heic"),
        "a film of Matroska": (ebml + b"matroska" + bytes(9), "video/x-matroska"),
        "bytes": (bytes(range(255, 0, -1)), UNKNOWN),
        "zeros": (bytes(1000), UNKNOWN),
    }


@pytest.mark.parametrize("name", files())
async def test_the_type_is_taken_from_the_content(tmp_path: Path, name: str) -> None:
    data, mime_type = files()[name]
    path = tmp_path / "holiday.jpg"
    path.write_bytes(data)
    assert await examine(path, tmp_path / "out") == Findings(kind="file", mime_type=mime_type)
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("prefix", [b"BM", b"II*\0", b"\0\0\0\x0cjP  \r\n\x87\n", b"OggX", b"RIFF"])
async def test_no_guess_comes_out_as_what_browsers_show(tmp_path: Path, prefix: bytes) -> None:
    (tmp_path / "in").write_bytes(prefix + bytes(200))
    found = await examine(tmp_path / "in", tmp_path / "out")
    assert found.kind == "file"
    assert found.mime_type not in ("image/jpeg", "image/png", "text/html", "image/svg+xml")
