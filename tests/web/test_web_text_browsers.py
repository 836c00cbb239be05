"""w3m and lynx, as people use them: log in, read, write."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlencode

import pytest
from support.holding import nginx
from support.readers import PATIENCE
from support.server import Server
from web_support import Visit, parse

PASSWORD = "five blue horses run"


def need(program: str) -> None:
    if not shutil.which(program):
        pytest.skip(f"apt-get install {program}")


async def run(home: Path, *command: str, given: str = "") -> str:
    """What the program prints. Its state is kept in `home`."""
    settings = {"HOME": str(home), "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TERM": "xterm"}
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={"PATH": os.environ["PATH"], **settings},
    )
    try:
        async with asyncio.timeout(2 * PATIENCE):
            output, _ = await process.communicate(given.encode())
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
    return output.decode(errors="replace")


@pytest.fixture
async def address(server: Server, visit: Visit) -> str:
    """Of a chat of ada's, who has a password, with bob, who has said hello."""
    await visit().post("/signup", name="ada", password=PASSWORD)
    ada = await visit().http.post("/api/login", json={"name": "ada", "password": PASSWORD})
    bob = await server.user("bob")
    body = {"kind": "direct", "user_id": ada.json()["user_id"]}
    chat_id = (await bob.api("POST", "/chats", **body))["chat_id"]
    await bob.say(chat_id, "hello from bob — käse & wine")
    return f"{server.url}/c/{chat_id}"


async def written(server: Server, address: str) -> list[str]:
    from quartchat.chat import history

    chat_id = address.rpartition("/")[2]
    bob = await server.services.database.read(_bob)
    page = await history.history(server.services.core, bob, chat_id, history.Span(limit=50))
    return [message["content"] for message in page["messages"]]


async def _bob(connection: object) -> str:
    from quartchat.store import people

    return str((await people.by_name(connection.execute, "bob")).id)  # type: ignore[attr-defined]


class W3m:
    """A dump per request, the forms' fields sent as w3m itself would send them."""

    def __init__(self, home: Path) -> None:
        self.home = home

    async def ask(
        self, url: str, fields: dict[str, str] | None = None, *, source: bool = False
    ) -> str:
        way = ["-dump_source"] if source else ["-dump", "-cols", "100"]
        more = []
        if fields is not None:
            form = self.home / "form"
            form.write_text(urlencode(fields))
            more = ["-post", str(form)]
        return await run(self.home, "w3m", "-cookie", "-no-proxy", *more, *way, url)


async def test_w3m_logs_in_reads_and_writes(server: Server, address: str, tmp_path: Path) -> None:
    need("w3m")
    w3m = W3m(tmp_path)
    door = await w3m.ask(address)
    assert "Log in" in door and "Password" in door
    form = parse(await w3m.ask(f"{server.url}/login", source=True)).form("/login")
    fields = {**form.fields(), "name": "ada", "password": PASSWORD}
    chats = await w3m.ask(f"{server.url}/login", fields)
    assert "bob: hello from bob — käse & wine" in " ".join(chats.split())
    chat = await w3m.ask(address)
    assert "hello from bob — käse & wine" in chat
    assert "Reload" in chat
    found = parse(await w3m.ask(address, source=True))
    form = found.form(address.removeprefix(server.url) + "/messages")
    after = await w3m.ask(f"{address}/messages", {**form.fields(), "content": "hello from w3m"})
    assert "hello from w3m" in after
    assert await written(server, address) == ["hello from bob — käse & wine", "hello from w3m"]


NAMED = ("<tab>", "^J")


def keys(steps: Iterable[str]) -> str:
    """A script for lynx: each step is the name of a key, or text to type."""
    lines = []
    for step in steps:
        lines += [step] if step in NAMED else ["<space>" if c == " " else c for c in step]
    return "".join(f"key {key}\n" for key in lines)


async def test_lynx_logs_in_reads_and_writes(server: Server, address: str, tmp_path: Path) -> None:
    need("lynx")
    script, jar, settings = tmp_path / "keys", tmp_path / "cookies", tmp_path / "lynx.cfg"
    jar.touch()
    settings.write_text(
        f"PERSISTENT_COOKIES:TRUE\nACCEPT_ALL_COOKIES:TRUE\n"
        f"COOKIE_FILE:{jar}\nCOOKIE_SAVE_FILE:{jar}\n"
    )
    base = ["lynx", f"-cfg={settings}", "-nopause", "-display_charset=utf-8"]
    # The skip link has the focus at first, then come name, password and button.
    steps = ["<tab>", "ada", "<tab>", PASSWORD, "<tab>", "^J", "Q", "y"]
    script.write_text(keys(steps))
    await run(tmp_path, *base, f"-cmd_script={script}", f"{server.url}/login")
    assert "qc_session" in jar.read_text()
    chats = await run(tmp_path, *base, "-dump", f"{server.url}/c")
    assert "hello from bob — käse & wine" in " ".join(chats.split())
    chat = await run(tmp_path, *base, "-dump", address)
    assert "hello from bob — käse & wine" in " ".join(chat.split())
    found = parse(await run(tmp_path, *base, "-source", address))
    form = found.form(address.removeprefix(server.url) + "/messages")
    fields = urlencode({**form.fields(), "content": "hello from lynx"})
    after = await run(
        tmp_path, *base, "-post_data", "-dump", f"{address}/messages", given=f"{fields}\n---\n"
    )
    assert "hello from lynx" in after
    assert (await written(server, address))[-1] == "hello from lynx"


DUMPS = {
    "w3m": ["w3m", "-no-proxy", "-dump"],
    "lynx": ["lynx", "-nopause", "-display_charset=utf-8", "-dump"],
    "elinks": ["elinks", "-no-connect", "-dump"],
    "links": ["links", "-dump"],
}


@pytest.mark.parametrize("program", DUMPS)
async def test_text_browsers_get_pages_that_end_and_news_at_the_next_look(
    server: Server, tmp_path: Path, program: str
) -> None:
    """A proxy that holds pages back says who they are: not all of them take cookies along."""
    need(program)
    ada, bob = await server.users(2)
    chat_id = await ada.group(bob)
    cookie = f'proxy_set_header Cookie "qc_session={bob.token}";'
    site = int(server.url.rpartition(":")[2])
    await ada.say(chat_id, "the first words")
    async with nginx(tmp_path, site, cookie) as door:
        for path in (f"/c/{chat_id}", f"/c/{chat_id}/now?r=1"):
            shown = await run(tmp_path, *DUMPS[program], f"{door.url}{path}")
            assert "the first words" in shown
            assert "Reload" in shown
            assert "modulepreload" not in shown
            await ada.say(chat_id, news := f"and more for {path[-3:]}")
            shown = await run(tmp_path, *DUMPS[program], f"{door.url}{path}")
            times = " ".join(shown.split()).count(news)
            assert times == (1 if "now" in path else 2), "beside the messages: the list of chats"
