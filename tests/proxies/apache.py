"""Apache before the site, and as a proxy that browsers are set to use."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable

from proxies.case import Door, Table
from proxies.place import Place

TABLE = Table()
MODULES = "/usr/lib/apache2/modules"
BASE = "mpm_event authz_core proxy proxy_http headers setenvif filter"
CONFIG = """
ServerRoot {folder}
ServerName localhost
PidFile {folder}/apache.pid
DefaultRuntimeDir {folder}
ErrorLog {folder}/error.log
Listen 127.0.0.1:{port}
{user}
StartServers 1
ThreadsPerChild 60
MaxRequestWorkers 60
ServerLimit 1
{modules}
{main}
<VirtualHost *:{port}>
{host}
{passing}
</VirtualHost>
"""


def apache(
    host: str = "",
    *,
    modules: str = "",
    main: str = "",
    pass_: str = "",
    forward: bool = False,
    scheme: str = "http",
) -> Callable[[Place], Awaitable[Door]]:
    async def start(place: Place) -> Door:
        port = place.port()
        load = [
            f"LoadModule {name}_module {MODULES}/mod_{name}.so"
            for name in f"{BASE} {modules}".split()
        ]
        passing = f"ProxyPreserveHost On\nProxyPass / http://127.0.0.1:{place.up}/ {pass_}"
        text = CONFIG.format(
            folder=place.folder,
            port=port,
            user="User www-data\nGroup www-data" if os.geteuid() == 0 else "",
            modules="\n".join(load),
            main=main,
            host=host.replace("<crt>", str(place.certificate)).replace("<up>", str(place.up)),
            passing="ProxyRequests On" if forward else passing,
        )
        config = place.write("apache.conf", text)
        await place.run("apache", "-DFOREGROUND", "-f", config, port=port)
        if forward:
            return Door(f"http://127.0.0.1:{place.up}", proxy=f"http://127.0.0.1:{port}")
        return Door(f"{scheme}://127.0.0.1:{port}")

    return start


def add(name: str, start: Callable[[Place], Awaitable[Door]], **more: object) -> None:
    TABLE.add(f"Apache, {name}", start, needs=("apache",), **more)


add("no WebSocket, deflate", apache("SetOutputFilter DEFLATE", modules="deflate"))
add("WebSocket passed", apache(modules="proxy_wstunnel", pass_="upgrade=websocket"))
add(
    "ProxyTimeout 4",
    apache("ProxyTimeout 4", modules="proxy_wstunnel", pass_="upgrade=websocket timeout=4"),
)
add("mod_buffer", apache("SetOutputFilter BUFFER\nSetInputFilter BUFFER", modules="buffer"))
add(
    "mod_ratelimit 1 KB per second",
    apache(
        "<LocationMatch ^/t/>\nSetOutputFilter RATE_LIMIT\nSetEnv rate-limit 1\n</LocationMatch>",
        modules="ratelimit env",
    ),
    stall=30,
)
add(
    "HTTP/2 and TLS",
    apache(
        "SSLEngine on\nSSLCertificateFile <crt>\nProtocols h2 http/1.1",
        modules="ssl http2",
        scheme="https",
    ),
)
add(
    "as the browser's proxy", apache(forward=True, modules="proxy_connect", main="AllowCONNECT 443")
)
