"""The site behind all proxies: a real `quartchat serve`, its people, and its log read from disk."""

from __future__ import annotations

import itertools
import json
import sqlite3
import ssl
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from support.process import ServerProcess

import quartchat
from proxies.place import free_port
from proxies.programs import find
from proxies.relay import Relay, relaying
from quartchat.events import chat_topic
from quartchat.web.files import Files

NEW_MESSAGES = "SELECT id, data FROM events WHERE topic = ? AND type = 'new_message' ORDER BY id"
# People come back later than an access token lives, with the cookies that they began with.
FLAGS = ("--no-limits", "--log-level", "error", "--access-token-seconds", "36000")
STATIC = Path(quartchat.__file__).parents[1] / "static"


@dataclass
class Person:
    house: House
    name: str
    user_id: str
    cookies: dict[str, str]
    token: str

    async def api(self, method: str, path: str, **fields: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = await self.house.client.request(
            method, f"/api{path}", json=fields or None, headers=headers
        )
        answer.raise_for_status()
        return answer.json() if answer.content else None


@dataclass
class House:
    """`up`: port with plain http; `tls`: port where TLS is ended before it. `script`: address
    of the client that pages have."""

    client: httpx.AsyncClient
    database: Path
    up: int
    tls: int
    certificate: Path
    script: str = field(default_factory=lambda: Files(STATIC).url("js/client/connect.js"))
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    async def person(self, name: str) -> Person:
        """A new one, whose name begins so."""
        name = f"{name}{next(self._numbers)}"
        fields = {"name": name, "password": "a very long password"}
        answer = await self.client.post("/api/signup", json=fields)
        answer.raise_for_status()
        said, cookies = answer.json(), dict(answer.cookies.items())
        self.client.cookies.clear()  # the next one is somebody else
        return Person(self, name, said["user_id"], cookies, said["access_token"])

    def messages(self, chat_id: str) -> list[dict[str, Any]]:
        """What the log holds of a chat, in its order: the data of each message and `event_id`."""
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as db:
            rows = db.execute(NEW_MESSAGES, (chat_topic(chat_id),))
            return [{**json.loads(data), "event_id": event_id} for event_id, data in rows]


def make_certificate(folder: Path) -> Path:
    """One for the names that lead to loopback here: `site.crt`, `site.key`, `site.pem` (both)."""
    names = "subjectAltName=DNS:localhost,DNS:quartchat.test,DNS:*.quartchat.test,IP:127.0.0.1"
    subprocess.run(
        [
            *(find("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30"),
            *("-subj", "/CN=quartchat.test", "-addext", names),
            *("-keyout", str(folder / "site.key"), "-out", str(folder / "site.crt")),
        ],
        check=True,
        capture_output=True,
    )
    pem = folder / "site.pem"
    pem.write_text((folder / "site.crt").read_text() + (folder / "site.key").read_text())
    for file in folder.glob("site.*"):
        file.chmod(0o644)  # programs that gave up root's rights read them
    return pem


@asynccontextmanager
async def serving_h2(folder: Path) -> AsyncIterator[House]:
    """A site that ends TLS itself and speaks HTTP/2: `up` and `tls` are the same port."""
    folder.chmod(0o755)
    certificate = make_certificate(folder)
    data = folder / "data"
    data.mkdir()
    keys = ("--certfile", str(folder / "site.crt"), "--keyfile", str(folder / "site.key"))
    trusting = ssl.create_default_context(cafile=str(folder / "site.crt"))
    async with (
        ServerProcess(data, *FLAGS, *keys) as server,
        httpx.AsyncClient(base_url=server.url, timeout=30, verify=trusting) as client,
    ):
        yield House(client, data / "quartchat.db", server.port, server.port, certificate)


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[House]:
    folder.chmod(0o755)
    certificate = make_certificate(folder)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    data, tls = folder / "data", free_port()
    data.mkdir()
    async with (
        ServerProcess(data, *FLAGS) as plain,
        httpx.AsyncClient(base_url=plain.url, timeout=30) as client,
        relaying(Relay(plain.port, None), tls, context),
    ):
        yield House(client, data / "quartchat.db", plain.port, tls, certificate)
