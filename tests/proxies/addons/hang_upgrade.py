"""A handshake of a WebSocket is never answered."""

import asyncio

from mitmproxy import http


async def request(flow: http.HTTPFlow) -> None:
    if flow.request.headers.get("upgrade", "").lower() == "websocket":
        await asyncio.sleep(600)
