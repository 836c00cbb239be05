"""The transports that are served. Streamed HTML is a page, and stands in web/live.py."""

from __future__ import annotations

from quartchat.transports import poll, sse, stream, websocket

ALL = (websocket.blueprint, stream.blueprint, sse.blueprint, poll.blueprint)
