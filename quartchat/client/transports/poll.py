"""Long polling: one answer after the other, each held until something is there."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any

from quartchat.client.errors import Broken
from quartchat.client.position import Event
from quartchat.client.transports.base import Ask, checked, opened

HELD_AT_LEAST = 0.5


async def poll(ask: Ask) -> AsyncGenerator[Event, None]:
    """Asks without waiting until nothing is left, which is `caught_up`; then waits each time."""
    caught_up = False
    while True:
        timeout = int(min(max(ask.heartbeat, 1), 55)) if caught_up else 0
        asked_at = time.monotonic()
        answer, last = await _answer(ask, timeout)
        if ask.cursor is None and not any(event["type"] == "hello" for event in answer):
            yield {"type": "hello", "data": {"cursor": last}}
        for event in answer:
            caught_up = caught_up or event["type"] == "caught_up"
            yield event
        if not answer and not caught_up:
            caught_up = True
            yield {"type": "caught_up", "data": {"last_event_id": last}}
        elif not answer:
            yield {"type": "heartbeat", "data": {}}
            # An empty answer that was not held, again and again, would make this a busy loop.
            if time.monotonic() - asked_at < min(timeout, HELD_AT_LEAST):
                raise Broken("The server does not hold its answers.")
        ask = replace(ask, cursor=last)


async def _answer(ask: Ask, timeout: int) -> tuple[list[Event], int]:
    async with opened(ask, "/t/p", timeout=timeout) as response:
        await response.aread()
    try:
        body: Any = response.json()
        events, last = body["events"], body["last_event_id"]
    except (ValueError, TypeError, KeyError) as error:
        raise Broken("Something on the way answered in place of the server.") from error
    if not isinstance(events, list) or type(last) is not int:
        raise Broken("The server sent something that is no answer to a poll.")
    return [checked(event) for event in events], last
