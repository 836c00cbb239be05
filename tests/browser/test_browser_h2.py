"""HTTP/2 as Chromium speaks it: all that its tabs do goes over one connection."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
import quart
from support.certificates import make, trusting
from support.server import Folder, Person, Server, running
from windows import Desk, Window, chromium

from quartchat.server.limits import Limits
from quartchat.server.run import serve
from quartchat.server.sockets import address, open_socket
from quartchat.server.tls import Certificate

Open = Callable[..., Awaitable[Window]]
# Streams of each kind, and what of the log each of them has brought.
LISTEN = """async () => {
  const got = window.got = { sse: [], stream: [], ws: [] };
  const note = (name, text) => {
    const event = JSON.parse(text);
    if (event.type === "new_message") got[name].push(event.data.content);
    if (event.type === "caught_up") return true;
  };
  const source = window.source = new EventSource("/t/e");
  const sse = new Promise((done) => {
    source.onmessage = (message) => note("sse", message.data) && done();
  });
  const socket = window.socket = new WebSocket(`wss://${location.host}/t/w`);
  const ws = new Promise((done, fail) => {
    socket.onmessage = (message) => note("ws", message.data) && done();
    socket.onclose = (event) => { got.code = event.code; fail(event.code); };
  });
  const stream = new Promise(async (done) => {
    const body = (await fetch("/t/s")).body.pipeThrough(new TextDecoderStream()).getReader();
    for (let rest = ""; ;) {
      const { value, done: over } = await body.read();
      if (over) break;
      const lines = (rest + value).split("\\n");
      rest = lines.pop();
      for (const line of lines) note("stream", line) && done();
    }
    got.over = true;
  });
  await Promise.all([sse, ws, stream]);
}"""
ASK = """async (many) => {
  const failed = [];
  const one = async () => {
    const answer = await fetch(`/health/live?n=${Math.random()}`, { cache: "no-store" });
    await answer.text();
    if (answer.status !== 200) failed.push(answer.status);
  };
  performance.setResourceTimingBufferSize(10000);
  for (let n = 0; n < many; n += 50) await Promise.all(Array.from({ length: 50 }, one));
  const ways = performance.getEntriesByType("resource").map((entry) => entry.nextHopProtocol);
  return { failed, ways: [...new Set(ways.filter(Boolean))], asked: ways.length };
}"""
HEARD = "(text) => ['sse', 'stream', 'ws'].every((name) => window.got[name].at(-1) === text)"


@pytest_asyncio.fixture
async def secure(new_folder: Folder, tmp_path: Path) -> AsyncIterator[Server]:
    certfile, keyfile = make(tmp_path)
    certificate = Certificate(certfile, keyfile)
    async with (
        running(new_folder(), certificate=certificate) as made,
        httpx.AsyncClient(verify=trusting(certfile)) as made.client,
    ):
        yield made


@pytest_asyncio.fixture
async def open_tab() -> AsyncIterator[Open]:
    """A tab, in one browser that takes any certificate; all tabs of a person share it."""
    async with chromium("--ignore-certificate-errors") as browser, AsyncExitStack() as stack:
        desk = Desk(browser, stack)
        windows: dict[str, Window] = {}

        async def opened(url: str, person: Person | None = None) -> Window:
            key = person.user_id if person else url
            if key not in windows:
                cookies = {"qc_session": person.token} if person else {}
                windows[key] = await desk.window(url, cookies, ignore_https_errors=True)
            first = windows[key]
            tab = Window(first.context, await first.context.new_page(), url)
            await tab.go("/t/nothing" if person else "/")
            return tab

        yield opened


async def heard(tab: Window, text: str) -> None:
    await tab.page.wait_for_function(HEARD, arg=text)


@pytest.mark.slow
async def test_streams_live_on_beside_three_thousand_requests_on_their_connection(
    secure: Server, open_tab: Open
) -> None:
    ada, ben = await secure.users(2)
    chat = await ada.direct(ben)
    tab = await open_tab(secure.url, ada)
    await tab.page.evaluate(LISTEN)
    await ada.say(chat, "before")
    await heard(tab, "before")
    asked = await tab.page.evaluate(ASK, 3000)
    assert (asked["failed"], asked["ways"]) == ([], ["h2"])
    assert asked["asked"] >= 3000
    await ada.say(chat, "after")
    await heard(tab, "after")
    got = await tab.page.evaluate("window.got")
    expected = ["before", "after"]
    assert got == {"sse": expected, "stream": expected, "ws": expected}


async def test_eight_tabs_with_three_streams_each_ask_freely_and_end_in_order(
    secure: Server, open_tab: Open
) -> None:
    ada, ben = await secure.users(2)
    chat = await ada.direct(ben)
    tabs = [await open_tab(secure.url, ada) for _ in range(8)]
    await asyncio.gather(*(tab.page.evaluate(LISTEN) for tab in tabs))
    assert len(list(secure.services.sessions)) == 24
    for tab in tabs:
        asked = await tab.page.evaluate(ASK, 50)
        assert (asked["failed"], asked["ways"]) == ([], ["h2"])
    await ada.say(chat, "to all")
    await asyncio.gather(*(heard(tab, "to all") for tab in tabs))
    await tabs[0].page.close()
    await tabs[1].go("/t/nothing")
    async with asyncio.timeout(5):
        while len(list(secure.services.sessions)) > 18:
            await asyncio.sleep(0.01)
    began = time.monotonic()
    await secure.stop()
    assert time.monotonic() - began < 5
    for tab in tabs[2:]:
        await tab.page.wait_for_function("window.got.over && window.got.code")
        assert await tab.page.evaluate("window.got.code") == 1001


@asynccontextmanager
async def small_site(app: quart.Quart, folder: Path, **options: Any) -> AsyncIterator[str]:
    sock, stop, ready = open_socket("127.0.0.1", 0), asyncio.Event(), asyncio.Event()

    async def drain() -> None:
        return

    certificate = Certificate(*make(folder))
    options |= {"stop": stop, "drain": drain, "ready": ready.set, "certificate": certificate}
    serving = asyncio.create_task(serve(app, sock, **options))
    await ready.wait()
    try:
        yield address(sock, "https")
    finally:
        stop.set()
        await serving


async def test_a_websocket_goes_over_the_connection_that_is_there_and_closes_with_its_code(
    open_tab: Open, tmp_path: Path
) -> None:
    app, versions = quart.Quart("small"), []

    @app.get("/")
    async def page() -> str:
        return "<!doctype html><link rel=icon href=data:,>"

    @app.websocket("/ws")
    async def ws() -> None:
        versions.append(quart.websocket.http_version)
        await quart.websocket.accept()
        await quart.websocket.send(await quart.websocket.receive())
        await quart.websocket.close(4429, "slowly")

    async with small_site(app, tmp_path) as url:
        tab = await open_tab(url)
        said = await tab.page.evaluate("""() => new Promise((done) => {
          const socket = new WebSocket(`wss://${location.host}/ws`);
          let heard = "";
          socket.onopen = () => socket.send("x".repeat(30000));
          socket.onmessage = (message) => { heard = message.data.length; };
          socket.onclose = ({ code, reason, wasClean }) => done([heard, code, reason, wasClean]);
        })""")
        assert said == [30000, 4429, "slowly", True]
        assert versions == ["2"]


async def test_an_upload_that_is_refused_early_is_told_so_and_leaves_the_streams_alone(
    open_tab: Open, tmp_path: Path
) -> None:
    app, go = quart.Quart("small"), asyncio.Event()

    @app.get("/")
    async def page() -> str:
        return "<!doctype html><link rel=icon href=data:,>"

    @app.get("/events")
    async def events() -> quart.Response:
        async def body() -> AsyncIterator[bytes]:
            yield b"data: first\n\n"
            await go.wait()
            yield b"data: last\n\n"

        return quart.Response(body(), content_type="text/event-stream")

    async with small_site(app, tmp_path, limits=Limits(max_body=1000)) as url:
        tab = await open_tab(url)
        await tab.page.evaluate("""() => new Promise((done) => {
          const source = new EventSource("/events");
          source.onmessage = ({ data }) => { window.last = data; done(); };
          source.onerror = () => { window.broke = window.last !== "last"; source.close(); };
        })""")
        for _ in range(3):
            refused = await tab.page.evaluate("""async () => {
              const answer = await fetch("/", { method: "POST", body: "x".repeat(5000000) });
              return [answer.status, (await answer.json()).code];
            }""")
            assert refused == [413, "too_large"]
        go.set()
        await tab.page.wait_for_function("window.last === 'last'")
        assert not await tab.page.evaluate("window.broke")
