"""Each POST reaches the site twice, as gateways do that were not sure of the first one."""

import contextlib
import urllib.request
from concurrent.futures import ThreadPoolExecutor

from mitmproxy import http

pool = ThreadPoolExecutor(4)


def again(url: str, headers: dict[str, str], body: bytes) -> None:
    with contextlib.suppress(OSError):
        urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=20).read()


def request(flow: http.HTTPFlow) -> None:
    if flow.request.method == "POST":
        headers = {k: v for k, v in flow.request.headers.items() if k.lower() != "content-length"}
        pool.submit(again, flow.request.url, headers, flow.request.content or b"")
