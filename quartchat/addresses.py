"""The addresses of the pages of chats, made here alone. They are short on purpose: some proxies
refuse whatever has a word like `chat`, `ws` or `event` in its address."""

from __future__ import annotations

from urllib.parse import quote

CHATS = "/c"
IN_FULL = {CHATS: "/chats", f"/admin{CHATS}": "/admin/chats"}
"""What these addresses are called too: each works under both names."""


def segment(value: object) -> str:
    """A value as one segment of a path or one value of a query."""
    return quote(str(value).encode("utf-8", "surrogatepass"), safe="")


def chats_url(*parts: object) -> str:
    """`/c`, the page of one's chats; with the id of a chat that chat's, and so on down."""
    return "/".join((CHATS, *map(segment, parts)))


def shortened(path: str) -> str:
    """The path of a page as the site's own links name it."""
    for short, full in IN_FULL.items():
        if path == full or path.startswith(f"{full}/"):
            return short + path.removeprefix(full)
    return path
