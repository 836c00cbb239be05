"""A share of all requests for data gets an answer that is not the site's: QC_SHARE, QC_STATUS.

QC_WHEN=after: the site has done what was asked; the browser is not told.
"""

import os
from random import Random

from mitmproxy import http

HTML = {"Content-Type": "text/html"}
random = Random(4)
SHARE, STATUS = float(os.environ["QC_SHARE"]), int(os.environ["QC_STATUS"])
AFTER = os.environ.get("QC_WHEN") == "after"


def ours(flow: http.HTTPFlow) -> bool:
    return flow.request.path.startswith(("/t/", "/api/")) and random.random() < SHARE


def request(flow: http.HTTPFlow) -> None:
    if not AFTER and ours(flow):
        flow.response = http.Response.make(
            STATUS, b"<h1>Bad gateway</h1>", {"Content-Type": "text/html"}
        )


def response(flow: http.HTTPFlow) -> None:
    if AFTER and flow.request.method == "POST" and ours(flow):
        flow.response = http.Response.make(
            STATUS, b"<h1>Bad gateway</h1>", {"Content-Type": "text/html"}
        )
