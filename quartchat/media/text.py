"""Which kind of text a file is, by its beginning."""

from __future__ import annotations

import codecs
import re

# What may stand before the root of a document, and the root's name.
PROLOG = re.compile(rb"(?:\s+|<\?.*?\?>|<!--.*?-->|<!(?!doctype\s+html)[^-][^>]*>)*", re.S | re.I)
PAGE = re.compile(
    rb"<(?:!doctype\s+html|html|head|body|script|iframe|style|title|meta|link|table|div|font"
    rb"|h[1-6]|img|form|object|embed|br|p|a|b)[\s/>]",
    re.I,
)
DRAWING = re.compile(rb"<(?:\w+:)?svg[\s/>]", re.I)
XML = re.compile(rb"\s*<\?xml\s", re.I)
CONTROLS = frozenset(range(32)) - frozenset(b"\t\n\r\f\b\x1b")


def text_type(head: bytes) -> str | None:
    """The MIME type of a text that begins like this; None if it is no text."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        head = _decoded(head, "utf-16").encode()
    if CONTROLS.intersection(head):
        return None
    return _marked_up(head.removeprefix(codecs.BOM_UTF8)) or _plain(head)


def _marked_up(head: bytes) -> str | None:
    start = PROLOG.match(head)
    root = start.end() if start else 0
    if PAGE.match(head, root):
        return "text/html"
    if DRAWING.match(head, root):
        return "image/svg+xml"
    return "application/xml" if XML.match(head) else None


def _plain(head: bytes) -> str | None:
    """Only Unicode counts: of other bytes nobody can say what they mean."""
    return None if "\0" in _decoded(head, "utf-8") else "text/plain"


def _decoded(head: bytes, encoding: str) -> str:
    """The last letter may be cut; a NUL where it is no such text."""
    try:
        return codecs.getincrementaldecoder(encoding)().decode(head)
    except UnicodeDecodeError:
        return "\0"
