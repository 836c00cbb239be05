"""A page to log in at answers everything, for QC_SECONDS from the first request for data."""

import os
from time import monotonic

from mitmproxy import http

SECONDS = float(os.environ["QC_SECONDS"])
FROM = float(os.environ.get("QC_FROM", "4"))
PAGE = b"<!doctype html><title>Welcome</title><h1>Welcome to our network</h1><form>Accept?</form>"


began: list[float] = []


def closed() -> bool:
    return bool(began) and FROM <= monotonic() - began[0] < FROM + SECONDS


def request(flow: http.HTTPFlow) -> None:
    if flow.request.path.startswith("/t/"):
        began.append(monotonic())
    if closed():
        flow.response = http.Response.make(200, PAGE, {"Content-Type": "text/html"})


def websocket_message(flow: http.HTTPFlow) -> None:
    assert flow.websocket
    if closed():
        flow.websocket.messages[-1].drop()
