"""Which document a zip archive is, by its list of contents: nothing is ever unpacked."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

ZIP = "application/zip"
OFFICE = "application/vnd.openxmlformats-officedocument."
BY_FOLDER = {
    "word/": OFFICE + "wordprocessingml.document",
    "xl/": OFFICE + "spreadsheetml.sheet",
    "ppt/": OFFICE + "presentationml.presentation",
}
BY_NAME = {
    "AndroidManifest.xml": "application/vnd.android.package-archive",
    "META-INF/MANIFEST.MF": "application/java-archive",
}
SAYS_ITSELF = {  # in its first entry, unpacked
    b"application/epub+zip",
    b"application/vnd.oasis.opendocument.text",
    b"application/vnd.oasis.opendocument.spreadsheet",
    b"application/vnd.oasis.opendocument.presentation",
    b"application/vnd.oasis.opendocument.graphics",
}
LONGEST_LIST = 4 * 2**20  # bytes
END, END_SIZE, COMMENT = b"PK\5\6", 22, 2**16


def zip_type(path: Path) -> str:
    """The MIME type of a file that begins like a zip archive."""
    said = _said(path)
    if said is not None:
        return said
    if not 0 < _length_of_list(path) <= LONGEST_LIST:
        return ZIP
    try:
        with zipfile.ZipFile(path) as archive:
            return _by_contents(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return ZIP


def _said(path: Path) -> str | None:
    with path.open("rb") as file:
        head = file.read(200)
    if head[30:38] != b"mimetype":
        return None
    return next((said.decode() for said in SAYS_ITSELF if head[38:].startswith(said + b"PK")), None)


def _length_of_list(path: Path) -> int:
    """In bytes, as the end of the archive says; 0 where there is no end."""
    with path.open("rb") as file:
        file.seek(-min(path.stat().st_size, END_SIZE + COMMENT), 2)
        tail = file.read()
    at = tail.rfind(END)
    if at < 0 or len(tail) - at < END_SIZE:
        return 0
    length: int = struct.unpack_from("<I", tail, at + 12)[0]
    return length


def _by_contents(names: list[str]) -> str:
    if "[Content_Types].xml" in names:
        for folder, mime_type in BY_FOLDER.items():
            if any(name.startswith(folder) for name in names):
                return mime_type
    return next((mime for name, mime in BY_NAME.items() if name in names), ZIP)
