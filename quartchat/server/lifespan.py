"""The application's start and stop, as ASGI's lifespan protocol has it."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from quartchat.server.asgi import App, Message
from quartchat.server.sockets import ServerStartError

START_SECONDS = 60.0
STOP_SECONDS = 10.0

logger = logging.getLogger(__name__)


class Lifespan:
    def __init__(self, app: App) -> None:
        self._app = app
        self.state: dict[str, Any] = {}
        self._inbox: asyncio.Queue[Message] = asyncio.Queue()
        self._answer: asyncio.Future[str | None] | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Returns when the application is ready; ServerStartError if it cannot start."""
        scope = {"type": "lifespan", "asgi": {"spec_version": "2.0", "version": "3.0"}}
        coroutine = self._app({**scope, "state": self.state}, self._inbox.get, self._send)
        self._task = asyncio.ensure_future(coroutine)
        problem = await self._ask("startup", START_SECONDS)
        if problem is not None:
            await self._end()
            raise ServerStartError(f"The application could not start: {problem}")

    async def stop(self) -> str | None:
        """Returns when the application has closed all it holds, or what went wrong with that."""
        problem = await self._ask("shutdown", STOP_SECONDS)
        await self._end()
        return problem

    async def _ask(self, what: str, seconds: float) -> str | None:
        assert self._task is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._inbox.put_nowait({"type": f"lifespan.{what}"})
        await asyncio.wait(
            (self._answer, self._task), timeout=seconds, return_when=asyncio.FIRST_COMPLETED
        )
        if self._answer.done():
            return self._answer.result()
        if not self._task.done():
            return f"its {what} took more than {seconds:g} seconds"
        return f"it ended before its {what}"

    async def _send(self, message: Message) -> None:
        if self._answer is not None and not self._answer.done():
            failed = message["type"].endswith(".failed")
            self._answer.set_result(message.get("message") or "no reason given" if failed else None)

    async def _end(self) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.wait((self._task,), timeout=1.0)
        if self._task.done() and not self._task.cancelled() and self._task.exception():
            logger.error("the application's lifespan failed", exc_info=self._task.exception())
