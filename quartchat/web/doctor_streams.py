"""The other end of `quartchat doctor`, where it stays open: streams and a WebSocket that anybody
may ask for, for a bounded time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, cast

from quart import Blueprint, Response, websocket

from quartchat.doctor import schedule
from quartchat.errors import ChatError, Invalid
from quartchat.transports import base
from quartchat.transports.inbox import consumed, receive_text
from quartchat.web.doctor_guard import Guard
from quartchat.web.doctor_probes import (
    BYTES_EACH,
    LONGEST,
    TYPES,
    address,
    guard,
    kind_asked_for,
    limit,
    number,
)

blueprint = Blueprint("doctor_streams", __name__, url_prefix="/t/d")
blueprint.before_request(limit)
blueprint.before_websocket(limit)
MOST_FRAMES = 200


@blueprint.get("/s")
async def stream() -> Response:
    guard().take(address(), schedule.SUMS[-1] // BYTES_EACH)
    return _streamed(_scheduled(kind_asked_for()))


@blueprint.get("/i")
async def idle() -> Response:
    """A stream that is silent for `seconds`, or says something `every` so many."""
    return _streamed(_waiting(number("seconds", 20, LONGEST), number("every", 0, LONGEST)))


def _streamed(body: AsyncGenerator[bytes]) -> Response:
    guard().check_room(address())
    headers = {**base.HEADERS, "Content-Type": TYPES[kind_asked_for()]}
    response = Response(_counted(guard(), address(), body), headers=headers)
    response.timeout = None
    return response


async def _counted(keeper: Guard, peer: str, body: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    with keeper.staying(peer):
        async with aclosing(body):
            async for piece in body:
                yield piece


async def _scheduled(kind: str) -> AsyncGenerator[bytes]:
    loop, sent = asyncio.get_running_loop(), 0
    began = loop.time()
    plan = list(schedule.moments())
    for k, (at, size) in enumerate(plan):
        await asyncio.sleep(max(0.0, began + at - loop.time()))
        head = schedule.HEADS[kind].encode() if k == 0 else b""
        late = (loop.time() - began) * 1000
        is_last = k == len(plan) - 1
        piece = head + schedule.event(kind, k, late, size - sent, is_last=is_last)
        sent += len(piece)
        yield piece


async def _waiting(seconds: float, every: float) -> AsyncGenerator[bytes]:
    loop, k = asyncio.get_running_loop(), 0
    began = loop.time()
    yield schedule.event("octet", k, 0)
    while (left := began + seconds - loop.time()) > 0:
        await asyncio.sleep(min(left, every) if every >= 0.5 else left)
        k += 1
        yield schedule.event("octet", k, (loop.time() - began) * 1000)
    yield schedule.event("octet", k + 1, seconds * 1000, is_last=True)


@blueprint.websocket("/w")
async def echo() -> None:
    """Gives numbers back, for as long as a probe may last."""
    socket = cast(Any, websocket)._get_current_object()
    guard().check_room(address())
    await socket.accept()
    with guard().staying(address()):
        try:
            async with asyncio.timeout(LONGEST):
                for _number_of_frame in range(MOST_FRAMES):
                    await socket.send(_echoed(await receive_text(socket)))
                    consumed(socket)
        except (TimeoutError, ChatError):
            pass
    await socket.close(1000)


def _echoed(text: str) -> str:
    """Raises Invalid for what is no small number."""
    try:
        return json.dumps({"k": int(text[:9])})
    except ValueError as error:
        raise Invalid from error
