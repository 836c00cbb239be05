"""Where the programs are, how they are installed, and which versions they have."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from support.chromium import INSTALL
from support.chromium import path as chromium_path

SBIN = "/usr/sbin:/usr/local/sbin:/sbin"


@dataclass(frozen=True)
class Program:
    """`env` names a variable that says where the program is, if it is not on the path."""

    command: str
    version: tuple[str, ...]
    install: str
    env: str = ""
    places: tuple[str, ...] = ()

    @property
    def path(self) -> str | None:
        named = os.environ.get(self.env) if self.env else None
        for place in (named, *self.places):
            if place and Path(place).is_file():
                return place
        return shutil.which(self.command, path=f"{os.environ.get('PATH', '')}:{SBIN}")


def _apt(command: str, *version: str, package: str = "") -> Program:
    return Program(command, version, f"apt-get install {package or command}")


MITM = "python3 -m venv .venv-test-mitm && .venv-test-mitm/bin/pip install mitmproxy"
SSL_BUMP = "apt-get download squid-openssl && dpkg-deb -x squid-openssl_*.deb /opt/squid-ssl"
ROOT = Path(__file__).parents[2]
PROGRAMS = {
    "nginx": _apt("nginx", "-v"),
    "haproxy": _apt("haproxy", "-v"),
    "apache": _apt("apache2", "-v"),
    "caddy": _apt("caddy", "version"),
    "squid": _apt("squid", "-v"),
    "squid-openssl": Program(
        "squid-openssl", ("-v",), SSL_BUMP, "SQUID_OPENSSL", ("/opt/squid-ssl/usr/sbin/squid",)
    ),
    "c-icap": _apt("c-icap", "-V"),
    "privoxy": _apt("privoxy", "--version"),
    "tinyproxy": _apt("tinyproxy", "-v", package="tinyproxy-bin"),
    "varnish": _apt("varnishd", "-V", package="varnish"),
    "trafficserver": _apt("traffic_server", "--version", package="trafficserver"),
    "lighttpd": _apt("lighttpd", "-v"),
    "hitch": _apt("hitch", "--version"),
    "stunnel": _apt("stunnel4", "-version"),
    "socat": _apt("socat", "-V"),
    "openssl": _apt("openssl", "version"),
    "mitmproxy": Program(
        "mitmdump",
        ("--version",),
        MITM,
        "MITMDUMP",
        (str(ROOT / ".venv-test-mitm/bin/mitmdump"),),
    ),
    "chromium": Program("chromium", ("--version",), INSTALL, places=(chromium_path() or "",)),
    "firefox": _apt("firefox-esr", "--version"),
}


def find(name: str) -> str:
    path = PROGRAMS[name].path
    if path is None:
        raise FileNotFoundError(PROGRAMS[name].install)
    return path


def missing(names: tuple[str, ...]) -> list[str]:
    """How to install what is not here."""
    return [PROGRAMS[name].install for name in names if PROGRAMS[name].path is None]


def version(name: str) -> str:
    """As `1.22.1`, or nothing where the program does not say."""
    program = PROGRAMS[name]
    if program.path is None:
        return ""
    done = subprocess.run(
        [program.path, *program.version], capture_output=True, text=True, check=False, timeout=30
    )
    number = re.search(
        r"\d+(?:\.\d+)+", "\n".join(re.findall(r".*\d\.\d.*", done.stdout + done.stderr))
    )
    return number.group() if number else ""
