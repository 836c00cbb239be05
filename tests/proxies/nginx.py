"""nginx before the site."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from functools import partial

from proxies.case import NAME, Door, Table
from proxies.place import Place

TABLE = Table()
UPGRADE = """proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade;
  proxy_set_header Connection $joined;"""
HOST = "proxy_set_header Host $http_host;"
CONFIG = """
{user}
worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
{main}
events {{ worker_connections 500; }}
http {{
 include /etc/nginx/mime.types;
 access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
 fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
 map $http_upgrade $joined {{ default upgrade; '' ''; }}
 {http}
 server {{
  listen 127.0.0.1:{port} {listen};
  {server}
  location / {{ proxy_pass http://127.0.0.1:{up}; {all} }}
  {more}
 }}
}}
"""
# What a rule is about that would not let a page come at all: only what a connection uses.
OURS = "location ~ ^/(t|api)/ {{ proxy_pass http://127.0.0.1:{up}; {rule} }}"


def nginx(
    all_: str = HOST,
    *,
    http: str = "",
    server: str = "",
    ours: str = "",
    listen: str = "",
    main: str = "",
    host: str = "127.0.0.1",
    each: Callable[[Place, asyncio.subprocess.Process], Coroutine[None, None, None]] | None = None,
) -> Callable[[Place], Awaitable[Door]]:
    """`all_`: what every location says; `ours`: only that of the transports and the API."""

    async def start(place: Place) -> Door:
        port = place.port()
        words = {"folder": place.folder, "up": place.up, "crt": place.certificate}
        rule = OURS.format(up=place.up, rule=all_ + fill(ours, words)) if ours else ""
        user = "user root;" if os.geteuid() == 0 else ""
        text = CONFIG.format(
            user=user,
            main=main,
            http=fill(http, words),
            server=fill(server, words),
            all=all_,
            listen=listen,
            more=rule,
            port=port,
            folder=place.folder,
            up=place.up,
        )
        config = place.write("nginx.conf", text)
        process = await place.run(
            "nginx", "-p", place.folder, "-c", config, "-g", "daemon off;", port=port
        )
        if each:
            doing = asyncio.create_task(each(place, process))
            place.stack.callback(doing.cancel)
        return Door(f"{'https' if 'ssl' in listen else 'http'}://{host}:{port}")

    return start


def fill(text: str, words: dict[str, object]) -> str:
    for word, value in words.items():
        text = text.replace(f"<{word}>", str(value))
    return text


async def reload(place: Place, process: asyncio.subprocess.Process, every: float) -> None:
    while process.returncode is None:
        await asyncio.sleep(every)
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGHUP)


TLS = "ssl_certificate <crt>; ssl_certificate_key <crt>;"
CACHE = "proxy_cache_path <folder>/cache keys_zone=c:1m;"
KEEP = """proxy_cache c; proxy_ignore_headers Cache-Control Expires Set-Cookie Vary;
  proxy_cache_valid any 10s; proxy_cache_lock on;"""
LIMIT = """limit_conn_zone $binary_remote_addr zone=one:1m;
 limit_req_zone $binary_remote_addr zone=two:1m rate=2r/s;"""
SORRY = """proxy_read_timeout 3s; proxy_intercept_errors on;
 error_page 400 403 404 502 503 504 =200 /sorry;"""
SMALL = "large_client_header_buffers 2 2k; client_header_buffer_size 1k;"
GZIP = "gzip on; gzip_types *; gzip_proxied any; gzip_min_length 0;"
BUFFERS = "proxy_ignore_headers X-Accel-Buffering; proxy_buffers 16 1m; proxy_read_timeout 8s;"
QUEUED = "limit_req zone=two burst=8; limit_req_status 429;"
NGINX = ("nginx",)


def add(name: str, start: Callable[[Place], Awaitable[Door]], **more: object) -> None:
    TABLE.add(f"nginx, {name}", start, needs=NGINX, **more)


add(
    "plain proxy_pass",
    nginx(""),
    ci=True,
    firefox=True,
    note="HTTP/1.0 to the site, Host rewritten",
)
add("passing Upgrade", nginx(HOST + UPGRADE))
add("plain, a host name", nginx(host=NAME), note="no secure context")
add("proxy_read_timeout 5s", nginx(HOST + UPGRADE, ours="proxy_read_timeout 5s;"))
add("proxy_read_timeout 2s", nginx(HOST + UPGRADE, ours="proxy_read_timeout 2s;"))
add("proxy_read_timeout 1s", nginx(HOST + UPGRADE, ours="proxy_read_timeout 1s;"))
add("ignoring X-Accel-Buffering", nginx(HOST + "proxy_ignore_headers X-Accel-Buffering;"), ci=True)
add(
    "ignoring X-Accel-Buffering, large buffers, 8 s",
    nginx(HOST + BUFFERS),
)
add("limit_conn 1", nginx(http=LIMIT, ours="limit_conn one 1;"), own=True, ci=True)
add(
    "limit_conn 1, passing Upgrade",
    nginx(HOST + UPGRADE, http=LIMIT, ours="limit_conn one 1;"),
    own=True,
)
add(
    "limit_req 2 a second",
    nginx(http=LIMIT, ours="limit_req zone=two burst=2 nodelay;"),
    own=True,
    stall=20,
)
add(
    "limit_req with 429, queued",
    nginx(http=LIMIT, ours="limit_req zone=two burst=8; limit_req_status 429;"),
    own=True,
    stall=20,
)
add(
    "reloaded every 4 s",
    nginx(HOST + UPGRADE, main="worker_shutdown_timeout 100ms;", each=partial(reload, every=4)),
)
add(
    "stripping Authorization, Last-Event-ID, Origin",
    nginx(
        HOST
        + "proxy_set_header Authorization ''; proxy_set_header Last-Event-ID '';"
        + "proxy_set_header Origin ''; proxy_set_header Accept '';"
    ),
)
add(
    "gzip for all types",
    nginx(HOST + GZIP),
)
add("caching whatever it says", nginx(http=CACHE, ours=KEEP), own=True)
add(
    "caching, blind to the query",
    nginx(http=CACHE, ours=KEEP + "proxy_cache_key $uri;"),
    own=True,
    note="only POST is not answered from the cache",
)
add("512 bytes per second", nginx(ours="limit_rate 512;"), calm=True, stall=30, settle=60)
add("bodies of 600 bytes at most", nginx(server="client_max_body_size 600;"))
add("no keep-alive", nginx(HOST, server="keepalive_timeout 0;"))
add("HTTP/2 and TLS", nginx(HOST, listen="ssl http2", http=TLS))
add(
    "HTTP/2 and TLS, passing Upgrade",
    nginx(HOST + UPGRADE, listen="ssl http2", http=TLS),
    firefox=True,
)
add(
    "its own page instead of errors",
    nginx(
        HOST,
        ours=SORRY,
        server="location = /sorry { default_type text/html; return 200 '<h1>Sorry</h1>'; }",
    ),
    note="a gateway that answers 200 when it fails",
)
add("GET, HEAD and POST only", nginx(HOST + "limit_except GET POST { deny all; }"))
add(
    "chunks of the request refused, small headers",
    nginx(server="large_client_header_buffers 2 2k; client_header_buffer_size 1k;"),
)
