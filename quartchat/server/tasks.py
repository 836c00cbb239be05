"""The tasks of one connection: one per request or WebSocket, and Hypercorn's own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from quartchat.server.asgi import WINDOW, App, Message, Scope
from quartchat.server.window import Window

if TYPE_CHECKING:
    from quartchat.server.edge import Edge

BODY_MESSAGES = 16

logger = logging.getLogger("hypercorn.error")


class Tasks:
    """Has the face of Hypercorn's TaskGroup; a task that fails is told to `failed`."""

    def __init__(self, edge: Edge, failed: Callable[[BaseException], None]) -> None:
        self._edge, self._failed = edge, failed
        self._tasks: set[asyncio.Task[None]] = set()
        self._windows: dict[asyncio.Task[None], Window] = {}

    def spawn(self, func: Callable[..., Any], *args: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(func(*args))
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    async def spawn_app(
        self, app: Any, config: object, scope: Any, send: Callable[[Any], Awaitable[None]]
    ) -> Callable[[Any], Awaitable[None]]:
        """Starts a handler; returns what puts the client's messages before it."""
        window = self._window(scope)
        self._edge.handlers.began()
        task = self.spawn(_serve, app, scope, window, send)
        self._windows[task] = window
        task.add_done_callback(self._edge.handlers.ended)
        return window.put

    def end(self) -> None:
        """Every handler sees that its client has gone; other tasks are cancelled.

        A framework that is cancelled may leave the handler behind that it runs.
        """
        for task in self._tasks:
            if task in self._windows:
                self._windows[task].end()
            else:
                task.cancel()

    def cancel(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def join(self) -> None:
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def __aenter__(self) -> Tasks:
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.join()

    def _window(self, scope: Scope) -> Window:
        limits = self._edge.limits
        if scope["type"] != "websocket":
            return Window("http", BODY_MESSAGES, limits.window_bytes)
        window = Window("websocket", limits.window_frames, limits.window_bytes)
        scope[WINDOW] = window
        return window

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._windows.pop(task, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failed(error)


async def _serve(
    app: App, scope: Scope, window: Window, send: Callable[[Message | None], Awaitable[None]]
) -> None:
    try:
        await app(scope, window.get, send)
    except Exception:
        logger.exception("the application failed")
    finally:
        await send(None)
