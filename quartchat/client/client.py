"""The client of one server, for one user."""

from __future__ import annotations

import asyncio
import logging
import random
import time
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import aclosing
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self
from urllib.parse import quote

from quartchat.client.backoff import Backoff
from quartchat.client.choice import BEST, Choice
from quartchat.client.position import Event, Position

if TYPE_CHECKING:
    import httpx

    from quartchat.client.transports import Ask

TransportName = Literal["best", "ws", "stream", "sse", "poll"]
log = logging.getLogger(__name__)
Token = str | Callable[[], Awaitable[str]]


class Client:
    """Sends and follows as the user of an access token.

    `url` is the server's address, as in `https://chat.example`; `token` an access token, or an
    async function that gives a fresh one. `patience` is how long a connection may take to
    say hello, in seconds; `notice` gets a sentence for each break. Use it with `async with`,
    or call `aclose` at the end.
    """

    def __init__(
        self,
        url: str,
        token: Token,
        *,
        patience: float = 10.0,
        notice: Callable[[str], None] = log.info,
        random: Callable[[], float] = random.random,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not url.startswith(("http://", "https://")):
            raise ValueError(f"the address starts with http:// or https://, not {url!r}")
        self._url = url.rstrip("/")
        self._token = token
        self._patience = patience
        self._notice = notice
        self._random = random
        self._sleep = sleep
        self._clock = clock
        self._opened: httpx.AsyncClient | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes what is open; the client can be used again."""
        opened, self._opened = self._opened, None
        if opened is not None:
            await opened.aclose()

    async def send(
        self,
        chat_id: str,
        content: str,
        *,
        client_id: str | None = None,
        reply_to: str | None = None,
        attachments: Iterable[str] = (),
        retries: int = 5,
    ) -> dict[str, Any]:
        """Sends a message, and gives the server's `ack` once it is stored. `attachments`: ids of
        files that were sent by `send_file`.

        Every try carries the same `client_id` (made here where none is given), so it is stored
        once however often it is sent. Raises Refused, or Unreachable after `retries` more tries.
        """
        from quartchat.client.send import Sending  # noqa: PLC0415 (it loads httpx)

        body: dict[str, Any] = {"content": content, "client_id": client_id or str(uuid.uuid4())}
        body |= {"reply_to": reply_to} if reply_to is not None else {}
        body |= {"attachments": ids} if (ids := list(attachments)) else {}
        url = f"{self._url}/api/chats/{quote(chat_id, safe='')}/messages"
        sending = Sending(self._http(), Backoff(self._random), self._sleep, retries)
        return await sending.request("POST", url, await self._fresh_token(), json=body)

    async def send_file(
        self,
        chat_id: str,
        path: Path,
        *,
        client_id: str | None = None,
        progress: Callable[[int, int], None] = lambda _sent, _size: None,
        retries: int = 5,
    ) -> dict[str, Any]:
        """Sends a file to a chat; what it gives, the server's `attachment`, a message can then have
        by its `attachment_id`.

        It goes in pieces, and goes on where it was cut; the same `client_id` goes on with what an
        earlier call began. `progress(sent, size)` is told of each piece, in bytes. Raises Refused,
        Unreachable after `retries` failures in a row, OSError.
        """
        from quartchat.client.send import Sending  # noqa: PLC0415 (it loads httpx)
        from quartchat.client.upload import Uploading  # noqa: PLC0415

        sending = Sending(self._http(), Backoff(self._random), self._sleep, retries)
        uploading = Uploading(sending, self._url, self._fresh_token, progress, retries)
        chat = quote(chat_id, safe="")
        return await uploading.run(path, chat, client_id or str(uuid.uuid4()))

    async def find_chat(self, name: str) -> str:
        """The id of a chat of the user, by id or title; `@name` is the direct chat with
        somebody, made where there is none. Raises Refused, Unreachable."""
        from quartchat.client.chats import find_chat  # noqa: PLC0415 (it loads httpx)

        return await find_chat(self._http(), self._url, await self._fresh_token(), name)

    async def chat_titles(self) -> dict[str, str]:
        """Chat id -> title, of the user's chats. Raises Refused, Unreachable."""
        from quartchat.client.chats import chat_titles  # noqa: PLC0415 (it loads httpx)

        return await chat_titles(self._http(), self._url, await self._fresh_token())

    async def follow(
        self,
        *,
        chats: Iterable[str] | None = None,
        cursor: int | None = None,
        transport: TransportName = "best",
        heartbeat: float = 15.0,
        control: bool = False,
    ) -> AsyncGenerator[Event, None]:
        """Events as they come: `{"id", "type", "data"}`, without `id` where ephemeral.

        `cursor` is the id of the last event that the caller has: those after it come first (0:
        all that are kept, None: from now on). After a `reset` the caller loads anew what it shows.
        `control` also gives hello, caught_up, heartbeat and the like. Comes back after every
        break, for ever; raises Refused when the server says no for good.
        """
        from quartchat.client.follow import CONTROL, Follow  # noqa: PLC0415 (it loads httpx)

        wanted = tuple(chats or ())
        order = BEST if transport == "best" else (transport,)

        async def ask(cursor: int | None) -> Ask:
            return await self._ask(cursor, wanted, heartbeat)

        following = Follow(
            ask=ask,
            position=Position(cursor),
            choice=Choice(order, self._clock),
            backoff=Backoff(self._random),
            sleep=self._sleep,
            clock=self._clock,
            notice=self._notice,
            renewable=not isinstance(self._token, str),
        )
        async with aclosing(following.events()) as events:
            async for event in events:
                if control or event["type"] not in CONTROL:
                    yield event

    async def _ask(self, cursor: int | None, chats: tuple[str, ...], heartbeat: float) -> Ask:
        from quartchat.client.transports import Ask  # noqa: PLC0415 (not needed to send)

        return Ask(
            self._url,
            await self._fresh_token(),
            self._http(),
            cursor,
            chats,
            heartbeat,
            self._patience,
        )

    async def _fresh_token(self) -> str:
        return self._token if isinstance(self._token, str) else await self._token()

    def _http(self) -> httpx.AsyncClient:
        import httpx  # noqa: PLC0415 (importing quartchat.client stays light)

        if self._opened is None:
            # No limit on reading: a stream may be silent, and its reader has a limit of its own.
            timeout = httpx.Timeout(self._patience, read=None)
            self._opened = httpx.AsyncClient(timeout=timeout)
        return self._opened
