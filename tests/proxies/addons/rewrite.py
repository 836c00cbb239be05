"""Answers are changed on the way: QC_REWRITE says how.

type: everything is text/html, as from a gateway that guesses. truncated: each fifth JSON
ends in its middle. script: HTML gets a line more, and every body is read whole.
login: one answer in ten is the 401 of somebody else. redirect: each tenth leads elsewhere.
"""

import itertools
import os

from mitmproxy import http

HOW = os.environ["QC_REWRITE"]
numbers = itertools.count(1)


def response(flow: http.HTTPFlow) -> None:
    assert flow.response
    if flow.response.status_code == 101:
        return
    ours = flow.request.path.startswith(("/t/", "/api/"))
    count = next(numbers) if ours else 0
    if HOW == "type" and ours:
        flow.response.headers["Content-Type"] = "text/html; charset=utf-8"
    elif HOW == "truncated" and ours and count % 5 == 0 and flow.response.content:
        flow.response.content = flow.response.content[: len(flow.response.content) // 2]
    elif HOW == "script" and "html" in flow.response.headers.get("Content-Type", ""):
        flow.response.content = (flow.response.content or b"") + b"<!-- looked at by a scanner -->"
    elif HOW == "redirect" and ours and count % 10 == 5:
        flow.response = http.Response.make(302, b"", {"Location": "/login"})
