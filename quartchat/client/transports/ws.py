"""WebSocket: an array of events per frame; the token in the handshake's headers."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from urllib.parse import urlencode

from quartchat.client.errors import from_answer, from_close
from quartchat.client.position import Event
from quartchat.client.transports.base import Ask, decode

LARGEST_FRAME = 64 * 2**20


async def ws(ask: Ask) -> AsyncGenerator[Event, None]:
    # Imported when first used: who only sends does not pay for it.
    from websockets.asyncio.client import connect  # noqa: PLC0415
    from websockets.exceptions import ConnectionClosed, InvalidStatus  # noqa: PLC0415

    url = "ws" + ask.url.removeprefix("http") + "/t/w?" + urlencode(ask.query(batch=1))
    try:
        async with connect(
            url,
            additional_headers={"Authorization": f"Bearer {ask.token}"},
            compression=None,
            # The protocol's heartbeats tell of a dead connection; see the loop that reads this.
            ping_interval=None,
            open_timeout=ask.patience,
            close_timeout=1,
            max_size=LARGEST_FRAME,
        ) as socket:
            while True:
                for event in decode(await socket.recv()):
                    yield event
    except InvalidStatus as error:
        answer = error.response
        kind = answer.headers.get("content-type", "")
        raise from_answer(answer.status_code, kind, bytes(answer.body or b"")) from error
    except ConnectionClosed as error:
        closed = error.rcvd
        raise from_close(*((closed.code, closed.reason) if closed else (1006, ""))) from error
