"""What a WebSocket's client sends: commands, `ping`, `auth`."""

from __future__ import annotations

import asyncio
from typing import Any

from quart import Websocket

from quartchat.delivery.session import Session
from quartchat.errors import BadRequest, ChatError, Forbidden, RateLimited
from quartchat.locale.texts import gettext
from quartchat.protocol import Frame, error_frame, read_frame, reply
from quartchat.services import Services
from quartchat.transports import base

MOST_BAD = 20  # bad frames in a row before the connection is closed
MOST_LIMITED = 200  # commands in a row that came too fast
MOST_SENDING = 64  # messages of one connection that wait for their commit at once


async def receive_text(socket: Websocket) -> str:
    """The next frame. Raises BadRequest for a binary one."""
    raw = await socket.receive()
    if not isinstance(raw, str):
        raise BadRequest("Send text frames; this one was binary.")
    return raw


def consumed(socket: Websocket) -> None:
    """Tell the edge that a frame is dealt with, and there is room for one more (see
    server/window.py)."""
    window: Any = socket.scope.get("quartchat.window")
    if window is not None:
        window.consumed()


class Inbox:
    """Commands take effect in the order in which they came. Messages need not wait for each
    other's commit: the writer keeps their order, and one commit serves many."""

    def __init__(self, socket: Websocket, session: Session) -> None:
        self._socket, self._session = socket, session
        self._services: Services = base.services()
        self._sending: set[asyncio.Task[None]] = set()
        self._bad = self._limited = 0

    async def run(self) -> None:
        """Until cancelled, or until the client was bad too often (the session then ends)."""
        try:
            while self._session.ending is None:
                await self._take_one()
        finally:
            await asyncio.gather(*self._sending, return_exceptions=True)

    async def _take_one(self) -> None:
        frame: Frame | None = None
        try:
            frame = read_frame(await receive_text(self._socket))
            if frame.type == "send_message":
                await self._send_soon(frame)
                return
            await self._handle(frame)
        except ChatError as error:
            await self._refuse(error, frame)
        consumed(self._socket)

    async def _handle(self, frame: Frame) -> None:
        await asyncio.gather(*self._sending)
        if frame.type == "ping":
            self._bad = 0
            await self._socket.send(reply("pong", frame.data, frame.request_id))
        elif frame.type == "auth":
            await self._renew(frame)
        else:
            await self._run(frame)

    async def _run(self, frame: Frame) -> None:
        try:
            answer = await self._services.commands.run(
                self._session.user_id, frame.type, frame.data
            )
        except ChatError as error:
            await self._refuse(error, frame)
            return
        except Exception as error:  # a fault of ours must not cost the client its connection
            base.log_fault("websocket_command_failed", error, command=frame.type)
            await self._refuse(ChatError(), frame)
            return
        self._bad = self._limited = 0
        if answer is not None:
            await self._socket.send(reply(*answer, frame.request_id))

    async def _send_soon(self, frame: Frame) -> None:
        if len(self._sending) >= MOST_SENDING:
            await asyncio.wait(self._sending, return_when=asyncio.FIRST_COMPLETED)
        task = asyncio.create_task(self._run(frame))
        self._sending.add(task)
        task.add_done_callback(self._sent)

    def _sent(self, task: asyncio.Task[None]) -> None:
        self._sending.discard(task)
        consumed(self._socket)

    async def _renew(self, frame: Frame) -> None:
        token = frame.data.get("token")
        if not isinstance(token, str):
            raise BadRequest('An auth frame is {"type":"auth","data":{"token":"…"}}.')
        identity = await self._services.logins.identify(token)
        if identity.user_id != self._session.user_id:
            raise Forbidden("This token is another user's.")
        self._bad = 0
        self._session.identity = identity
        self._session.renew(identity.expires_at)
        left = max(0, int(identity.expires_at - self._services.clock()))
        await self._socket.send(reply("ack", {"expires_in": left}, frame.request_id))

    async def _refuse(self, error: ChatError, frame: Frame | None) -> None:
        """A bad frame gets an error; a connection that sends nothing else is closed."""
        base.log_refusal(error, transport="websocket", user_id=self._session.user_id)
        await self._socket.send(error_frame(error, frame.request_id if frame else None, gettext))
        self._bad += isinstance(error, BadRequest)
        self._limited += isinstance(error, RateLimited)
        if self._bad >= MOST_BAD:
            self._session.end(BadRequest("Too many bad frames in a row."))
        elif self._limited >= MOST_LIMITED:
            self._session.end(RateLimited("Commands kept coming too fast."))
