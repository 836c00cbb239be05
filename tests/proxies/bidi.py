"""Firefox, driven over WebDriver BiDi: just what the gauntlet asks of a browser."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from proxies.case import NAME, Door
from proxies.place import WITH_US, end
from proxies.programs import find
from proxies.seat import asking, record_script

START_SECONDS = 60.0
ANSWER_SECONDS = 60.0
PREFERENCES: dict[str, Any] = {
    "network.proxy.allow_hijacking_localhost": True,
    "network.dns.localDomains": NAME,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "toolkit.telemetry.reportingpolicy.firstRun": False,
    "app.update.enabled": False,
    "extensions.getAddons.cache.enabled": False,
    "browser.safebrowsing.update.enabled": False,
    "services.settings.server": "data:,#remote-settings-dummy/v1",
    "dom.min_background_timeout_value": 4,
    "dom.timeout.enable_budget_timer_throttling": False,
    "dom.ipc.processCount": 2,
    "browser.sessionhistory.max_total_viewers": 0,  # a page that was left is gone
}


class BidiError(Exception):
    """What the browser answered instead."""


class Bidi:
    """One session over one WebSocket: `ask` sends a command and awaits its result."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket, self._numbers = socket, itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}

    async def ask(self, method: str, **params: Any) -> Any:
        number = next(self._numbers)
        self._waiting[number] = answer = asyncio.get_running_loop().create_future()
        await self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        async with asyncio.timeout(ANSWER_SECONDS):
            return await answer

    async def read(self) -> None:
        with suppress(ConnectionClosed):
            async for text in self._socket:
                message = json.loads(text)
                waiting = self._waiting.pop(message.get("id") or 0, None)
                if waiting and not waiting.done():
                    self._answer(waiting, message)
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(BidiError("the browser has gone"))

    @staticmethod
    def _answer(waiting: asyncio.Future[Any], message: dict[str, Any]) -> None:
        if message["type"] == "error":
            waiting.set_exception(BidiError(f"{message['error']}: {message['message']}"))
        else:
            waiting.set_result(message["result"])


class FirefoxSeat:
    """A tab in a user context of its own. What a SharedWorker makes is not told of."""

    def __init__(self, bidi: Bidi, person: str, tab: str) -> None:
        self._bidi, self._person, self._tab = bidi, person, tab

    async def made(self) -> dict[str, Any]:
        return {"requests": 0, "log": [], **await self.ask("__allMade")}

    async def prepare(self, chat_id: str, transports: str) -> None:
        script = f"() => {{ {record_script(chat_id, transports)} }}"
        await self._bidi.ask(
            "script.addPreloadScript", functionDeclaration=script, userContexts=[self._person]
        )

    async def go(self, url: str, seconds: float) -> None:
        async with asyncio.timeout(seconds):
            await self._bidi.ask(
                "browsingContext.navigate", context=self._tab, url=url, wait="none"
            )
            here = json.dumps(url)
            while not await self.evaluate(f"location.href === {here} && Boolean(document.body)"):
                await asyncio.sleep(0.05)

    async def evaluate(self, expression: str) -> Any:
        answer = await self._bidi.ask(
            "script.evaluate",
            expression=expression,
            target={"context": self._tab},
            awaitPromise=True,
        )
        if answer["type"] == "exception":
            raise BidiError(answer["exceptionDetails"]["text"])
        return answer["result"].get("value")

    async def write(self, text: str) -> None:
        await self.evaluate(f"void window.__write({json.dumps(text)})")

    async def ask(self, name: str) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(await self.evaluate(asking(name)))
        return told


class Firefox:
    name = "Firefox"

    def __init__(self, bidi: Bidi) -> None:
        self._bidi = bidi

    @asynccontextmanager
    async def seat(self, door: Door, cookies: Mapping[str, str]) -> AsyncIterator[FirefoxSeat]:
        more: dict[str, Any] = {}
        if door.proxy:
            where = door.proxy.removeprefix("http://")
            more["proxy"] = {"proxyType": "manual", "httpProxy": where, "sslProxy": where}
        made = await self._bidi.ask("browser.createUserContext", acceptInsecureCerts=True, **more)
        person = made["userContext"]
        try:
            for name, value in cookies.items():
                await self._set_cookie(person, door, name, value)
            tab = await self._bidi.ask("browsingContext.create", type="window", userContext=person)
            yield FirefoxSeat(self._bidi, person, tab["context"])
        finally:
            with suppress(BidiError, ConnectionClosed, TimeoutError):
                await self._bidi.ask("browser.removeUserContext", userContext=person)

    async def _set_cookie(self, person: str, door: Door, name: str, value: str) -> None:
        cookie = {"name": name, "value": {"type": "string", "value": value}, "domain": door.host}
        await self._bidi.ask(
            "storage.setCookie",
            cookie={**cookie, "path": "/", "httpOnly": True},
            partition={"type": "storageKey", "userContext": person},
        )


@asynccontextmanager
async def firefox() -> AsyncIterator[Firefox]:
    with tempfile.TemporaryDirectory(prefix="qc-firefox-", ignore_cleanup_errors=True) as folder:
        lines = [f'user_pref("{k}", {json.dumps(v)});\n' for k, v in PREFERENCES.items()]
        (Path(folder) / "user.js").write_text("".join(lines))
        process = await asyncio.create_subprocess_exec(
            *WITH_US,
            find("firefox"),
            *("--headless", "--no-remote", "--profile", folder, "--remote-debugging-port", "0"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        try:
            address = await _address(process)
            async with connect(f"{address}/session", max_size=None, proxy=None) as socket:
                bidi = Bidi(socket)
                reading = asyncio.create_task(bidi.read())
                await bidi.ask(
                    "session.new", capabilities={"alwaysMatch": {"acceptInsecureCerts": True}}
                )
                yield Firefox(bidi)
            await reading
        finally:
            await end(process)


async def _address(process: asyncio.subprocess.Process) -> str:
    """Firefox says on its error output where it listens."""
    assert process.stderr
    async with asyncio.timeout(START_SECONDS):
        while line := await process.stderr.readline():
            if found := re.search(rb"ws://[\w.\[\]:]+", line):
                return found.group().decode()
    raise RuntimeError("Firefox did not say where it listens")
