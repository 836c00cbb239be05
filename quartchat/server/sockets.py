"""Listening sockets whose connections cost little, even when the other end has died."""

from __future__ import annotations

import errno
import socket

USER_TIMEOUT_MS = 20_000
SEND_BUFFER = 64 * 2**10


class ServerStartError(Exception):
    """The server cannot start; the text is a sentence for people that says what to do."""


def open_socket(host: str, port: int) -> socket.socket:
    """A bound socket, not yet listening; port 0 takes a free one. Raises ServerStartError.

    Connections inherit its options: the kernel throws out a reader that takes nothing for
    USER_TIMEOUT_MS, and holds no more than SEND_BUFFER for it.
    """
    family, where = _resolve(host, port)
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        _set_options(sock)
        sock.bind(where)
    except OSError as error:
        sock.close()
        raise ServerStartError(_reason(error, host, port)) from error
    sock.setblocking(False)
    return sock


def address(sock: socket.socket, scheme: str = "http") -> str:
    """Where a browser on this machine finds the server: `http://127.0.0.1:8000`."""
    host, port = sock.getsockname()[:2]
    if host in ("0.0.0.0", "::"):  # noqa: S104 - shown as the loopback address
        host = "127.0.0.1" if host == "0.0.0.0" else "::1"  # noqa: S104
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def _resolve(host: str, port: int) -> tuple[int, tuple[object, ...]]:
    try:
        found = socket.getaddrinfo(
            host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except (OSError, UnicodeError) as error:
        raise ServerStartError(
            f"The host {host!r} is unknown; use an address of this machine, such as 127.0.0.1."
        ) from error
    best = min(found, key=lambda entry: entry[0] != socket.AF_INET)
    return best[0], best[4]


def _set_options(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT_MS)


def _reason(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} on {host} is in use by another program, perhaps this server itself; "
            "stop it, or choose another port with --port (0 takes a free one)."
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return (
            f"Port {port} on {host} may not be used by this user; choose one from 1024 up "
            "with --port, and let a proxy serve port 80 or 443."
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return (
            f"{host} is not an address of this machine; use 127.0.0.1 for this machine only, "
            "or 0.0.0.0 for every network."
        )
    return f"The server cannot listen on {host} port {port}: {error.strerror}."
