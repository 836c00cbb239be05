"""Server-Sent Events, read by httpx-sse."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from quartchat.client.position import Event
from quartchat.client.transports.base import Ask, decode, goodbye, opened


async def sse(ask: Ask) -> AsyncGenerator[Event, None]:
    # Imported when first used: who only sends does not pay for it.
    from httpx_sse import EventSource  # noqa: PLC0415

    retry: int | None = None
    async with opened(ask, "/t/e") as response:
        async for received in EventSource(response).aiter_sse():
            retry = retry if received.retry is None else received.retry
            for event in decode(received.data) if received.data else ():
                yield event
    # Said at any moment, `retry:` counts when the stream has ended.
    if retry is not None:
        yield goodbye(retry)
