"""HAProxy before the site."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from proxies.case import Door, Table
from proxies.place import Place

TABLE = Table()
CONFIG = """
global
  maxconn 500
  {main}
defaults
  mode http
  timeout connect 5000
  timeout client 50000
  timeout server 50000
  {defaults}
frontend front
  bind 127.0.0.1:{port} {bind}
  {front}
  default_backend back
backend back
  {back}
  server site 127.0.0.1:{up} {server}
"""


def haproxy(
    *,
    main: str = "",
    defaults: str = "",
    front: str = "",
    back: str = "",
    server: str = "",
    bind: str = "",
) -> Callable[[Place], Awaitable[Door]]:
    async def start(place: Place) -> Door:
        port = place.port()
        text = CONFIG.format(
            main=main,
            defaults=defaults,
            front=front,
            back=back,
            server=server,
            bind=bind.replace("<crt>", str(place.certificate)),
            port=port,
            up=place.up,
        )
        await place.run("haproxy", "-f", place.write("haproxy.cfg", text), "-db", port=port)
        return Door(f"{'https' if bind else 'http'}://127.0.0.1:{port}")

    return start


def add(name: str, start: Callable[[Place], Awaitable[Door]], **more: object) -> None:
    TABLE.add(f"HAProxy, {name}", start, needs=("haproxy",), **more)


IS_WS = "{ hdr(Upgrade) -i websocket }"
OURS = "acl ours path_beg /t/ /api/\n  "
COUNT = (
    OURS + "stick-table type ip size 1k expire 10s store http_req_rate(5s)\n"
    "  http-request track-sc0 src if ours\n"
    "  http-request deny deny_status 429 if ours { sc_http_req_rate(0) gt 15 }"
)
POST_OF = "http-request deny if { method POST } "
TYPE = "{ req.hdr(Content-Type) -m beg %s }"
FORMS = f"!{TYPE % 'application/x-www-form-urlencoded'} !{TYPE % 'multipart/form-data'}"
RETRY = "option redispatch\n  retries 3\n  retry-on all-retryable-errors\n  timeout server 2000"
add("as in Debian", haproxy(), ci=True, firefox=True)
add("http-no-delay", haproxy(defaults="option http-no-delay"))
add("refusing Upgrade", haproxy(front=f"http-request deny if {IS_WS}"))
add("stripping Upgrade", haproxy(front="http-request del-header Upgrade"))
add("retrying after 2 s", haproxy(back=RETRY), note="repeats a POST")
add("timeout tunnel 3 s", haproxy(defaults="timeout tunnel 3000"))
add("timeout client 4 s", haproxy(defaults="timeout client 4000"))
add("timeout server 1 s", haproxy(back=OURS + "http-request set-timeout server 1000 if ours"))
add("compressing all", haproxy(defaults="compression algo gzip"))
add("a request buffered whole", haproxy(defaults="option http-buffer-request"))
add("two connections to the site", haproxy(server="maxconn 2", back="timeout queue 4000"), own=True)
add(
    "429 over 3 requests a second",
    haproxy(front=COUNT),
    own=True,
    stall=25,
)
add("HTTP/2 and TLS", haproxy(bind="ssl crt <crt> alpn h2,http/1.1"))
add("closing after each answer", haproxy(defaults="option httpclose"))
add(
    "refusing text/plain",
    haproxy(front=POST_OF + TYPE % "text/plain"),
)
add(
    "refusing text/plain and JSON",
    haproxy(front=POST_OF + FORMS),
)
add(
    "refusing GET of data",
    haproxy(front=OURS + "http-request deny if { method GET } { path_beg /t/ }"),
    note="only POST gets through",
)
