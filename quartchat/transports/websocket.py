"""`/ws`: events and commands on one WebSocket.

One task reads frames and hands in commands; the other sends what the subscriber gives.
Whoever ends first, the connection closes with a code that says why.
"""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import aclosing
from typing import Any, cast

from quart import Blueprint, Response, Websocket, websocket

from quartchat.access import Caller, Way, check_request_rate, check_same_origin, find_caller
from quartchat.delivery.session import Ending, Goodbye, Session
from quartchat.delivery.subscriber import Wish
from quartchat.errors import (
    AuthTimeout,
    ChatError,
    Forbidden,
    Unauthenticated,
)
from quartchat.events import Page
from quartchat.locale.texts import gettext
from quartchat.protocol import error_frame, read_frame
from quartchat.transports import base, forms
from quartchat.transports.inbox import Inbox, consumed, receive_text

blueprint = Blueprint("websocket", __name__)
GOING_AWAY = 1001
HEAR_OUT_SECONDS = 2.0


@blueprint.websocket("/ws")
@blueprint.websocket("/t/w")
async def ws() -> None:
    await _serve(None)


@blueprint.websocket("/websocket/ws/<user_id>")
async def ws_of_user(user_id: str) -> None:
    await _serve(user_id)


@blueprint.before_websocket
async def refuse_other_sites() -> Response | None:
    """Before the handshake is answered: browsers send cookies along with any page's request."""
    try:
        check_same_origin(base.services(), base.knock(websocket), websocket=True)
    except ChatError as error:
        return Response(error.text(gettext), error.status, content_type="text/plain; charset=utf-8")
    return None


async def _serve(user_id: str | None) -> None:
    socket = cast(Any, websocket)._get_current_object()
    await socket.accept()
    try:
        check_request_rate(base.services(), _address(socket))
        who = await _known(socket)
        if user_id is not None and user_id != who.user_id:
            raise Forbidden("This address is another user's.")
        wanted = await base.streaming_wish(socket, who.user_id)
        with base.services().sessions.open(who.identity, "websocket", _address(socket)) as session:
            await _converse(socket, session, wanted)
            ending: Ending | None = session.ending
    except ChatError as error:
        base.log_refusal(error, transport="websocket", path=socket.path)
        await socket.send(error_frame(error, translate=gettext))
        ending = error
    except Exception as error:  # Quart would close with 1000, as if all were well
        base.log_fault("websocket_failed", error)
        ending = ChatError()
    await socket.close(*_close(ending))
    if isinstance(ending, ChatError):
        await _hear_out(socket)


async def _hear_out(socket: Websocket) -> None:
    """Let go of what was sent before the close was heard: the client's own close is behind it.
    Ends with the connection, by cancellation, or after a moment."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(HEAR_OUT_SECONDS):
            while True:
                await socket.receive()
                consumed(socket)


def _address(socket: Websocket) -> str:
    return socket.remote_addr or ""


async def _known(socket: Websocket) -> Caller:
    """By the handshake, else by the first frame. Raises Unauthenticated, AuthTimeout."""
    found = await find_caller(base.services(), base.knock(socket))
    if found is not None:
        return found
    try:
        async with asyncio.timeout(base.services().settings.auth_frame_seconds):
            frame = read_frame(await receive_text(socket))
            consumed(socket)
    except TimeoutError:
        raise AuthTimeout from None
    token = frame.data.get("token")
    if frame.type != "auth" or not isinstance(token, str):
        raise Unauthenticated('The first frame must be {"type":"auth","data":{"token":"…"}}.')
    return Caller(await base.services().logins.identify(token), Way.FRAME)


async def _converse(socket: Websocket, session: Session, wanted: Wish) -> None:
    inbox = asyncio.create_task(Inbox(socket, session).run())
    try:
        async with aclosing(base.subscribe(session, wanted).pages()) as pages:
            async for page in pages:
                await _send(socket, page)
    finally:
        inbox.cancel()
        await asyncio.gather(inbox, return_exceptions=True)


async def _send(socket: Websocket, page: Page) -> None:
    fragment = base.html_wanted(socket)
    if socket.args.get("batch") == "1":
        await socket.send(forms.array(fragment).page(page).decode())
        return
    form = forms.text(fragment)
    for event in [page.lead, *page.events] if page.lead else page.events:
        await socket.send(event.form(form.name, form.event).decode())


def _close(ending: Ending | None) -> tuple[int, str]:
    if isinstance(ending, Goodbye):
        return GOING_AWAY, "The server is going down; come back in a moment."
    if isinstance(ending, ChatError):
        return ending.close, ending.code
    return 1000, ""
