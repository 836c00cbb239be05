"""Sending a file in pieces: after each failure it goes on from what the server has."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quartchat.client.errors import ClientError, Refused, Unreachable
from quartchat.client.send import Sending

LARGEST, SMALLEST = 4 * 2**20, 16 * 2**10  # bytes of a piece
BYTES = {"Content-Type": "application/octet-stream"}
Progress = Callable[[int, int], None]
"""Called with how many bytes have come, of how many."""


@dataclass(slots=True)
class Uploading:
    """`failures`: how many in a row it bears; what arrives begins the count anew."""

    sending: Sending
    url: str
    token: Callable[[], Awaitable[str]]
    progress: Progress
    failures: int
    _size: int = LARGEST

    async def run(self, path: Path, chat_id: str, client_id: str) -> dict[str, Any]:
        """The attachment. Raises Refused, Unreachable, ClientError (the file got
        shorter), OSError."""
        size = (await asyncio.to_thread(path.stat)).st_size
        wish = {"name": path.name, "size": size, "client_id": client_id}
        state = await self._ask("POST", f"/api/chats/{chat_id}/uploads", json=wish)
        failed = 0
        while not state["attachment"]:
            self.progress(state["offset"], size)
            state, failed = await self._piece(path, state, failed)
        self.progress(size, size)
        found: dict[str, Any] = state["attachment"]
        return found

    async def _piece(
        self, path: Path, state: dict[str, Any], failed: int
    ) -> tuple[dict[str, Any], int]:
        """The state after one more piece, and how many have failed in a row."""
        data = await asyncio.to_thread(_read, path, state["offset"], self._size)
        if not data and state["offset"] < state["size"]:
            raise ClientError("The file got shorter while it was sent; send it again.")
        try:
            return await self._put(state, data), 0
        except (Refused, Unreachable) as error:
            if failed >= self.failures or not _may_pass(error):
                raise
            wait = getattr(error.__cause__, "wait", 0.0)
        await self.sending.sleep(max(wait, self.sending.backoff.next()))
        self._size = max(SMALLEST, self._size // 2)
        return await self._ask("GET", state["url"]), failed + 1

    async def _put(self, state: dict[str, Any], data: bytes) -> dict[str, Any]:
        where = f"{state['url']}?offset={state['offset']}"
        once = self.sending.without_retries()
        return await once.request(
            "POST", self.url + where, await self.token(), content=data, headers=BYTES
        )

    async def _ask(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        return await self.sending.request(method, self.url + path, await self.token(), **more)


def _may_pass(error: ClientError) -> bool:
    """Whether smaller pieces, or those from another place on, may be taken."""
    if not isinstance(error, Refused):
        return True
    return not error.by_server or error.code in ("offset_mismatch", "conflict")


def _read(path: Path, offset: int, size: int) -> bytes:
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(size)
