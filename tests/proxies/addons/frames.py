"""What happens to the frames of WebSockets: QC_FRAMES says which of these.

silent: all are dropped. late: after six, all are dropped. third: each third one to the browser.
up: all those to the site. twice: each is sent twice. swapped: two at a time in the wrong order.
close: the WebSocket ends with code 1000 as soon as something was said. garbage: something else
comes between. cut: one in four is cut in half.
"""

import os

from mitmproxy import ctx, http

HOW = os.environ["QC_FRAMES"]
held: dict[str, bytes] = {}


def websocket_message(flow: http.HTTPFlow) -> None:
    assert flow.websocket
    message = flow.websocket.messages[-1]
    if message.injected:
        return
    down = [m for m in flow.websocket.messages if not m.from_client and not m.injected]
    number = len(flow.websocket.messages)
    if (
        HOW == "silent"
        or (HOW == "late" and number > 6)
        or (HOW == "up" and message.from_client)
        or (HOW == "third" and not message.from_client and len(down) % 3 == 0)
    ):
        message.drop()
    elif HOW == "twice":
        say(flow, message.from_client, message.content)
    elif HOW == "swapped" and not message.from_client:
        swap(flow, message)
    elif HOW == "garbage" and not message.from_client:
        say(flow, False, b"<html>Your administrator says hello</html>")
    elif HOW == "cut" and not message.from_client and len(down) % 4 == 0:
        message.content = message.content[: len(message.content) // 2]
    elif HOW == "close":
        flow.kill()


def swap(flow: http.HTTPFlow, message) -> None:
    before = held.pop(flow.id, None)
    if before is None and len(message.content) > 150:
        held[flow.id] = message.content
        message.drop()
    elif before is not None:
        say(flow, False, before)


def say(flow: http.HTTPFlow, from_client: bool, content: bytes) -> None:
    ctx.master.commands.call("inject.websocket", flow, not from_client, content, True)
