"""What tests of files share: people in a chat, ways to send a file, and what is left of it."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from PIL import Image
from sqlalchemy import func, select
from support.readers import PATIENCE, Refused
from support.server import Person, Server

from quartchat.store.schema import attachments, loose, uploads

RED = (255, 0, 0)
OCTETS = {"Content-Type": "application/octet-stream"}


def picture(size: tuple[int, int] = (40, 30), kind: str = "JPEG", **how: Any) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, RED).save(out, kind, **how)
    return out.getvalue()


def checked(response: httpx.Response) -> Any:
    if response.status_code >= 400:
        raise Refused(response.status_code, response.content)
    return response.json() if response.content else None


async def refusal(asked: Awaitable[Any]) -> Refused:
    """How this is refused."""
    try:
        got = await asked
    except Refused as refused:
        return refused
    raise AssertionError(f"not refused: {got}")


async def send_form(who: Person, chat_id: str, name: str, data: Any) -> Any:
    """The attachment of a file that was sent by a form."""
    files = {"file": (name, data)}
    return checked(await who.request("POST", f"/api/chats/{chat_id}/files", files=files))


async def begin(who: Person, chat_id: str, size: int, name: str = "a.bin", **more: Any) -> Any:
    return await who.api("POST", f"/chats/{chat_id}/uploads", name=name, size=size, **more)


async def go_on(
    who: Person, upload: Any, offset: int, data: bytes | AsyncIterable[bytes], **more: Any
) -> Any:
    url = f"{upload['url']}?offset={offset}"
    return checked(await who.request("POST", url, content=data, headers=OCTETS, **more))


async def offset_of(who: Person, upload: Any) -> int:
    return int(checked(await who.request("GET", upload["url"]))["offset"])


async def in_pieces(who: Person, chat_id: str, name: str, data: bytes) -> Any:
    """The attachment of a file that was sent as one piece of an upload."""
    upload = await begin(who, chat_id, len(data), name)
    return (await go_on(who, upload, 0, data))["attachment"]


async def sent(who: Person, chat_id: str, *attachments: Any, content: str = "", **more: Any) -> Any:
    ids = [one["attachment_id"] for one in attachments]
    fields = {"content": content, "attachments": ids, **more}
    return await who.api("POST", f"/chats/{chat_id}/messages", **fields)


async def download(who: Person, url: str, **headers: str) -> httpx.Response:
    return await who.request("GET", url, headers=headers)


def on_disk(server: Server) -> list[Path]:
    """All files of the storage and of what comes in."""
    return files_in(server.services.settings.data)


def files_in(data: Path) -> list[Path]:
    return sorted(path for path in (data / "files").rglob("*") if path.is_file())


async def traces(server: Server) -> tuple[list[Path], list[int]]:
    """The files, and how many rows there are of uploads, attachments and loose files."""
    tables = (uploads, attachments, loose)
    queries = [select(func.count()).select_from(table) for table in tables]
    read = server.services.database.read
    counts = [(await read(lambda c, q=q: c.execute(q))).scalar_one() for q in queries]
    return on_disk(server), counts


@asynccontextmanager
async def leaving_nothing(server: Server) -> AsyncIterator[None]:
    """What was there before is there soon afterwards, and no more; and a message goes through."""
    (ada,) = await server.users(1)
    chat_id, before = await ada.group(), await traces(server)

    async def is_as_before() -> bool:
        return await traces(server) == before

    yield
    await (await server.log_in_again(ada)).say(chat_id)
    await eventually(is_as_before)


async def eventually(holds: Callable[[], Any]) -> None:
    """Returns when it holds (it may be a coroutine function); fails when it does not in time."""
    async with asyncio.timeout(PATIENCE):
        while not (await found if asyncio.iscoroutine(found := holds()) else found):
            await asyncio.sleep(0.01)
