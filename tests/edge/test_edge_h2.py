from __future__ import annotations

from typing import Any

import h2.config
import h2.connection
import h2.events
from edge_support import Raw, make_app, serving

from quartchat.server.limits import Limits


class Client:
    """HTTP/2 with prior knowledge, one frame at a time."""

    def __init__(self, raw: Raw) -> None:
        self.raw = raw
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
        self.h2.initiate_connection()
        self.events: list[Any] = []

    def headers(self, path: str, *, method: str = "GET", end: bool = True, **more: str) -> int:
        stream = self.h2.get_next_available_stream_id()
        head = {":method": method, ":path": path, ":authority": "x", ":scheme": "http"}
        more = {name.replace("_", "-"): value for name, value in more.items()}
        self.h2.send_headers(stream, list((head | more).items()), end_stream=end)
        self.flush()
        return stream

    def flush(self) -> None:
        self.raw.write(self.h2.data_to_send())

    async def next(self, kind: type, stream: int) -> Any:
        """The next event of this kind on this stream."""
        while True:
            for event in self.events:
                if isinstance(event, kind) and event.stream_id == stream:
                    self.events.remove(event)
                    return event
            data = await self.raw.reader.read(65536)
            assert data, "the server ended the connection"
            self.events += self.h2.receive_data(data)
            self.flush()


async def test_a_stream_lives_on_beside_more_than_a_thousand_requests() -> None:
    app = make_app()
    async with serving(app) as site, await site.connect() as raw:
        client = Client(raw)
        stream = client.headers("/events")
        await client.next(h2.events.DataReceived, stream)
        for _ in range(1100):
            await client.next(h2.events.StreamEnded, client.headers("/hello"))
        app.extensions["streams"].draining.set()
        last = await client.next(h2.events.DataReceived, stream)
        assert b"retry" in last.data


async def test_data_after_an_early_refusal_does_not_end_the_other_streams() -> None:
    app = make_app()
    async with serving(app, limits=Limits(max_body=1000)) as site, await site.connect() as raw:
        client = Client(raw)
        stream = client.headers("/events")
        post = client.headers("/echo", method="POST", end=False, content_length="2000")
        refusal = await client.next(h2.events.ResponseReceived, post)
        assert dict(refusal.headers)[b":status"] == b"413"
        client.h2.send_data(post, b"x" * 1500)
        client.flush()
        await client.next(h2.events.StreamEnded, client.headers("/hello"))
        app.extensions["streams"].draining.set()
        await client.next(h2.events.StreamEnded, stream)
