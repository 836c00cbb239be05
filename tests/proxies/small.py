"""Caddy, lighttpd, Hitch, stunnel and socat before the site."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable

from proxies.case import Door, Table
from proxies.place import Place

TABLE = Table()
Start = Callable[[Place], Awaitable[Door]]
CADDY = """{{
 admin off
 auto_https off
 skip_install_trust
 {options}
}}
{scheme}://127.0.0.1:{port} {{
 {site}
 {tls}
 reverse_proxy 127.0.0.1:{up} {{
  {proxy}
 }}
}}
"""


def caddy(site: str = "", proxy: str = "", options: str = "", tls: bool = False) -> Start:
    async def start(place: Place) -> Door:
        port, folder = place.port(), place.certificate.parent
        text = CADDY.format(
            options=options,
            scheme="https" if tls else "http",
            port=port,
            site=site,
            tls=f"tls {folder}/site.crt {folder}/site.key" if tls else "",
            up=place.up,
            proxy=proxy,
        )
        config = place.write("Caddyfile", text)
        env = {"HOME": str(place.folder), "XDG_DATA_HOME": str(place.folder)}
        command = ("run", "--config", config, "--adapter", "caddyfile")
        await place.run("caddy", *command, port=port, env=env)
        return Door(f"{'https' if tls else 'http'}://127.0.0.1:{port}")

    return start


def lighttpd(*lines: str) -> Start:
    async def start(place: Place) -> Door:
        port = place.port()
        text = f"""
server.modules = ("mod_proxy")
server.document-root = "{place.folder}"
server.bind = "127.0.0.1"
server.port = {port}
server.upload-dirs = ("{place.folder}")
proxy.server = ("" => (("host" => "127.0.0.1", "port" => {place.up})))
"""
        config = place.write("lighttpd.conf", text + "\n".join(lines) + "\n")
        await place.run("lighttpd", "-D", "-f", config, port=port)
        return Door(f"http://127.0.0.1:{port}")

    return start


async def hitch(place: Place) -> Door:
    port = place.port()
    front = f"--frontend=[127.0.0.1]:{port}"
    back = f"--backend=[127.0.0.1]:{place.up}"
    less = ("--user=nobody", "--group=nogroup") if os.geteuid() == 0 else ()
    await place.run("hitch", front, back, "--workers=1", *less, place.certificate, port=port)
    return Door(f"https://127.0.0.1:{port}")


def stunnel(*lines: str) -> Start:
    async def start(place: Place) -> Door:
        port = place.port()
        head = f"foreground = yes\npid =\nsyslog = no\n[site]\naccept = 127.0.0.1:{port}\n"
        body = f"connect = 127.0.0.1:{place.up}\ncert = {place.certificate}\n"
        config = place.write("stunnel.conf", head + body + "\n".join(lines) + "\n")
        await place.run("stunnel", config, port=port)
        return Door(f"https://127.0.0.1:{port}")

    return start


def socat(*flags: str, nodelay: bool = False) -> Start:
    async def start(place: Place) -> Door:
        port, more = place.port(), ",nodelay" if nodelay else ""
        listen = f"TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr,fork,backlog=100{more}"
        await place.run("socat", *flags, listen, f"TCP:127.0.0.1:{place.up}{more}", port=port)
        return Door(f"http://127.0.0.1:{port}")

    return start


def add(need: str, name: str, start: Start, **more: object) -> None:
    TABLE.add(name, start, needs=(need,), **more)


add("caddy", "Caddy", caddy())
add("caddy", "Caddy, encode", caddy(site="encode gzip zstd"))
add(
    "caddy",
    "Caddy, buffering answers",
    caddy(proxy="buffer_responses\n  buffer_requests\n  flush_interval 5s"),
)
add("caddy", "Caddy, HTTP/2 and TLS", caddy(tls=True))
add(
    "caddy",
    "Caddy, all ends at 5 s",
    caddy(options="servers {\n timeouts {\n write 5s\n idle 5s\n }\n }"),
)
add("caddy", "Caddy, removing Upgrade", caddy(proxy="header_up -Upgrade\n  header_up -Connection"))
add("lighttpd", "lighttpd, buffering", lighttpd())
add(
    "lighttpd",
    "lighttpd, streaming, Upgrade",
    lighttpd("server.stream-response-body = 2", 'proxy.header = ("upgrade" => "enable")'),
)
add(
    "lighttpd",
    "lighttpd, 4 s idle",
    lighttpd(
        "server.stream-response-body = 1",
        "server.max-write-idle = 4",
        "server.max-read-idle = 4",
        "server.max-keep-alive-idle = 2",
    ),
)
add("hitch", "Hitch", hitch)
add("stunnel", "stunnel", stunnel())
add("stunnel", "stunnel, 5 s idle", stunnel("TIMEOUTidle = 5", "TIMEOUTclose = 0"))
add("socat", "socat, 4 s idle", socat("-T", "4"))
add("socat", "socat, byte by byte", socat("-b", "1", nodelay=True))
