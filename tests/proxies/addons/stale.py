"""A third of the polls are answered with what was answered before, whatever was asked."""

import itertools

from mitmproxy import http

kept: dict[str, bytes] = {}
numbers = itertools.count(1)


def request(flow: http.HTTPFlow) -> None:
    poll = flow.request.method == "GET" and flow.request.path.startswith("/t/p")
    if poll and next(numbers) % 3 == 0 and kept:
        json = {"Content-Type": "application/json"}
        flow.response = http.Response.make(200, kept["answer"], json)


def response(flow: http.HTTPFlow) -> None:
    if flow.request.path.startswith("/t/p") and flow.response and flow.response.status_code == 200:
        kept["answer"] = flow.response.content or b""
