"""A server in a process of its own, for signals and memory: prints its address, then serves.

`stubborn` as an argument: it drains for ever. `plain`: on the loop of asyncio.
"""

from __future__ import annotations

import asyncio
import sys

import quart
from edge_support import make_app

from quartchat.server import run as running
from quartchat.server.sockets import address, open_socket


async def main(stop: asyncio.Event) -> int:
    app, sock = make_app(), open_socket("127.0.0.1", 0)

    @app.websocket("/slow")
    async def slow() -> None:
        await quart.websocket.accept()
        window = quart.websocket.scope["quartchat.window"]
        count = 0
        while True:
            await quart.websocket.receive()
            await asyncio.sleep(0.0005)
            window.consumed()
            count += 1
            await quart.websocket.send(str(count))

    @app.websocket("/deaf")
    async def deaf() -> None:
        await quart.websocket.accept()
        await app.extensions["streams"].draining.wait()

    drain = asyncio.Event().wait if "stubborn" in sys.argv else app.extensions["streams"].drain
    await running.serve(
        app, sock, stop=stop, drain=drain, ready=lambda: print(address(sock), flush=True)
    )
    print("stopped in order", flush=True)
    return 7


if __name__ == "__main__":
    if "plain" in sys.argv:
        running._loop_factory = lambda: None
    sys.exit(running.run(main))
