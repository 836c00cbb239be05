"""Privoxy and Tinyproxy, which browsers are set to use."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable

from proxies.case import Door, Table
from proxies.place import Place

TABLE = Table()
Start = Callable[[Place], Awaitable[Door]]
PRIVOXY = """
confdir /etc/privoxy
templdir /etc/privoxy/templates
logdir {folder}
{actions}
filterfile default.filter
filterfile {folder}/own.filter
logfile privoxy.log
listen-address 127.0.0.1:{port}
toggle 1
enable-remote-toggle 0
max-client-connections 256
{more}
"""
DEFAULT = "actionsfile match-all.action\nactionsfile default.action"
ALL = "{+filter{own} +force-text-mode +deanimate-gifs{last}}\n/\n"


def privoxy(*more: str, own: str = "") -> Start:
    """`own`: actions after Debian's own."""

    async def start(place: Place) -> Door:
        port = place.port()
        place.write(
            "own.filter", "FILTER: own A filter that changes nothing\ns@zq-never@zq-never@\n"
        )
        actions = f"{DEFAULT}\nactionsfile {place.write('own.action', own)}" if own else DEFAULT
        text = PRIVOXY.format(folder=place.folder, actions=actions, port=port, more="\n".join(more))
        await place.run("privoxy", "--no-daemon", place.write("config", text), port=port)
        return Door(f"http://127.0.0.1:{place.up}", proxy=f"http://127.0.0.1:{port}")

    return start


def tinyproxy(*more: str, tls: bool = False) -> Start:
    async def start(place: Place) -> Door:
        port = place.port()
        user = "User nobody\nGroup nogroup\n" if os.geteuid() == 0 else ""
        head = f"{user}Port {port}\nListen 127.0.0.1\nMaxClients 100\nAllow 127.0.0.1\n"
        config = place.write("tinyproxy.conf", head + "\n".join(more) + "\n")
        await place.run("tinyproxy", "-d", "-c", config, port=port)
        url = f"https://127.0.0.1:{place.tls}" if tls else f"http://127.0.0.1:{place.up}"
        return Door(url, proxy=f"http://127.0.0.1:{port}")

    return start


def add(need: str, name: str, start: Start, **more: object) -> None:
    TABLE.add(name, start, needs=(need,), **more)


NAMES = ("Host", "Cookie", "Content-Type", "Content-Length", "Sec-Fetch-Site", "Origin")
KEPT = tuple(f'Anonymous "{name}"' for name in NAMES)
add("privoxy", "Privoxy, as in Debian", privoxy(), ci=True, firefox=True)
add("privoxy", "Privoxy, filtering all, 5 s", privoxy("socket-timeout 5", own=ALL))
add("privoxy", "Privoxy, filtering all", privoxy(own=ALL))
add("privoxy", "Privoxy, CONNECT refused", privoxy(own="{+limit-connect{443}}\n/\n"))
add(
    "privoxy",
    "Privoxy, keep-alive off, compression off",
    privoxy("keep-alive-timeout 0", own="{+prevent-compression +downgrade-http-version}\n/\n"),
)
add("tinyproxy", "Tinyproxy", tinyproxy("Timeout 600"))
add("tinyproxy", "Tinyproxy, strict, 5 s", tinyproxy("Timeout 5", "ConnectPort 443"))
add(
    "tinyproxy",
    "Tinyproxy, six headers allowed",
    tinyproxy("Timeout 60", *KEPT),
)
add("tinyproxy", "Tinyproxy, TLS, 3 s", tinyproxy("Timeout 3", tls=True))
