"""What a page asks for: short, neutral addresses, each file under one of them and once."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from playwright.async_api import Request
from support.server import Server
from windows import Window

FILE = re.compile(r"/s/[0-9a-f]{16}\.[a-z0-9]+")


async def test_a_live_page_asks_for_each_of_its_files_once_by_what_the_file_holds(
    server: Server, window: Callable[..., Awaitable[Window]]
) -> None:
    ada, bob = await server.users(2)
    chat = await ada.group(bob)
    here = await window(ada)
    asked: list[Request] = []
    here.context.on("request", lambda request: asked.append(request))  # noqa: PLW0108  (a builtin has no attributes)
    await here.open_chat(chat)
    await bob.say(chat, "hello")
    await here.shows("hello")
    files = [urlsplit(r.url).path for r in asked if r.resource_type in ("script", "stylesheet")]
    assert len(files) > 20
    assert all(FILE.fullmatch(path) for path in files), files
    assert len(set(files)) == len(files), "a module that is loaded twice is there twice"
    assert not here.errors
