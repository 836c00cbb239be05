"""The certificate with which the server speaks TLS: read, looked at again, taken anew."""

from __future__ import annotations

import asyncio
import logging
import ssl
from pathlib import Path

from quartchat.server.sockets import ServerStartError

LOOK_SECONDS = 60.0
PROTOCOLS = ("h2", "http/1.1")

logger = logging.getLogger(__name__)


class Certificate:
    """`context` is for the listening socket: each handshake takes the newest certificate."""

    def __init__(self, certfile: Path, keyfile: Path) -> None:
        """Raises ServerStartError, which names the file that cannot be used, and why."""
        self._files = (certfile, keyfile)
        self._seen = self._look()
        self._newest = self.context = _load(*self._files)
        self.context.sni_callback = self._choose

    def renew(self) -> bool:
        """Takes what the files hold now; whether it could. Else the one before stays."""
        self._seen = self._look()
        try:
            self._newest = _load(*self._files)
        except ServerStartError as error:
            logger.warning("the certificate stays as it was: %s", error)
            return False
        logger.info("the certificate was read anew")
        return True

    def renew_if_changed(self) -> None:
        if self._look() != self._seen:
            self.renew()

    async def watch(self, seconds: float = LOOK_SECONDS) -> None:
        """Looks at the files now and then, until cancelled."""
        while True:
            await asyncio.sleep(seconds)
            self.renew_if_changed()

    def _choose(self, handshake: ssl.SSLObject, _name: object, _context: object) -> None:
        handshake.context = self._newest

    def _look(self) -> list[tuple[int, int, int] | None]:
        """What differs when a file was written anew, or another was put in its place."""
        found: list[tuple[int, int, int] | None] = []
        for path in self._files:
            try:
                stat = path.stat()
            except OSError:
                found.append(None)
            else:
                found.append((stat.st_mtime_ns, stat.st_size, stat.st_ino))
        return found


def _load(certfile: Path, keyfile: Path) -> ssl.SSLContext:
    for what, path in (("certificate", certfile), ("key", keyfile)):
        _check_readable(what, path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(PROTOCOLS)
    try:
        context.load_cert_chain(certfile, keyfile, password=_no_password)
    except ssl.SSLError as error:
        raise ServerStartError(_reason(error, certfile, keyfile)) from error
    return context


def _check_readable(what: str, path: Path) -> None:
    try:
        with path.open("rb") as file:
            file.read(1)
    except OSError as error:
        raise ServerStartError(
            f"The {what} file {path} cannot be read: {error.strerror}. "
            f"Give --certfile and --keyfile files that this user may read."
        ) from error


def _no_password() -> str:
    raise ServerStartError(
        "The key file is protected by a password; write it without one, as in "
        "`openssl pkey -in old.pem -out key.pem`, for this user's eyes only."
    )


def _reason(error: ssl.SSLError, certfile: Path, keyfile: Path) -> str:
    if error.reason == "KEY_VALUES_MISMATCH":
        return (
            f"The key {keyfile} does not belong to the certificate {certfile}; "
            "give the pair that was made together (the server's own certificate first)."
        )
    if b"-----BEGIN CERTIFICATE-----" not in certfile.read_bytes():
        return f"{certfile} holds no certificate in PEM form, which begins with -----BEGIN."
    if b"PRIVATE KEY-----" not in keyfile.read_bytes():
        return f"{keyfile} holds no private key in PEM form, which begins with -----BEGIN."
    return f"{certfile} and {keyfile} cannot be used: {error.reason or error}."
