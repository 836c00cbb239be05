"""Everything but POSTs to the address of polls is refused, as a strict allow list would."""

from mitmproxy import http


def request(flow: http.HTTPFlow) -> None:
    path = flow.request.path
    if path.startswith(("/t/", "/api/")) and not (
        path.startswith("/t/p") and flow.request.method == "POST"
    ):
        flow.response = http.Response.make(
            403, b"Blocked by policy", {"Content-Type": "text/plain"}
        )
