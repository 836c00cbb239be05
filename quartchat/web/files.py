"""The files of `static/` by what they hold: `/s/<16 hex digits>.js`, which may be kept for ever.

Where a script or a style sheet names another file of these by a relative address, it is served with
that one's address: so each module has one address only, in pages and in workers.
"""

from __future__ import annotations

import hashlib
import mimetypes
import posixpath
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

PREFIX = "/s/"
REFERENCE = re.compile(rb"""(?<=["'(])\.{1,2}/[\w./-]+(?=["')])""")
IMPORT = re.compile(rb"""\b(?:from|import)\s*["'](\.{1,2}/[\w./-]+)["']""")
TEXTS = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class File:
    """`address`: the last part of its URL. `content`: as it is served."""

    address: str
    content: bytes
    type: str


class Files:
    """A snapshot of a folder. What changes there afterwards is served by the next one.

    `entries` are the scripts of pages: at their end they name all modules that they need, so that
    these are fetched beside each other, not one after the other.
    """

    def __init__(self, folder: Path, entries: Collection[str] = ()) -> None:
        self._entries = entries
        found = (path for path in sorted(folder.rglob("*")) if path.is_file())
        self._raw = {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}
        names = {name: self._address(name) for name in self._raw}
        self._files = {name: self._file(name, names) for name in self._raw}
        self._by_address = {file.address: file for file in self._files.values()}

    def url(self, name: str) -> str:
        """`css/a.css` -> `/s/<16 hex digits>.css`. Raises KeyError for a file that is not there."""
        return PREFIX + self._files[name].address

    def text(self, name: str) -> str:
        return self._files[name].content.decode()

    def at(self, address: str) -> File | None:
        return self._by_address.get(address)

    def _address(self, name: str) -> str:
        """Other than before when the file has changed, or one that it refers to."""
        digest = hashlib.sha256(name.encode())
        for one in sorted(self._reached(name, REFERENCE)):
            digest.update(hashlib.sha256(self._raw[one]).digest())
        return digest.hexdigest()[:16] + posixpath.splitext(name)[1]

    def _reached(self, name: str, pattern: re.Pattern[bytes]) -> set[str]:
        reached, waiting = {name}, [name]
        while waiting:
            for other in self._named(waiting.pop(), pattern) - reached:
                reached.add(other)
                waiting.append(other)
        return reached

    def _named(self, name: str, pattern: re.Pattern[bytes]) -> set[str]:
        if posixpath.splitext(name)[1] not in TEXTS:
            return set()
        found = {_resolved(name, reference) for reference in pattern.findall(self._raw[name])}
        return found & self._raw.keys()

    def _file(self, name: str, addresses: Mapping[str, str]) -> File:
        def readdressed(match: re.Match[bytes]) -> bytes:
            other = _resolved(name, match[0])
            return b"./" + addresses[other].encode() if other in addresses else match[0]

        extension, content = posixpath.splitext(name)[1], self._raw[name]
        if extension in TEXTS:
            content = REFERENCE.sub(readdressed, content)
        if name in self._entries:
            further = self._reached(name, IMPORT) - self._named(name, IMPORT) - {name}
            for other in sorted(further):
                content += f'import "./{addresses[other]}";\n'.encode()
        guessed = TEXTS.get(extension) or mimetypes.guess_type(name)[0]
        return File(addresses[name], content, guessed or "application/octet-stream")


def _resolved(name: str, reference: bytes) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), reference.decode()))
