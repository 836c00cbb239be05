"""Tokens of the operator's own issuer: by a shared secret, a PEM public key or a JWKS file.

Every key knows the one algorithm that it verifies, and no token can choose another: a
public key never serves as an HMAC secret.
"""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from quartchat.auth.tokens import verified_claims
from quartchat.config import Settings, SettingsError
from quartchat.errors import Unauthenticated

log = logging.getLogger(__name__)


class Key(NamedTuple):
    """`material` is bytes or a public key of `cryptography`; `kid` None matches every kid."""

    algorithm: str
    material: Any
    kid: str | None


class Keys(Protocol):
    """Where the issuer's keys come from."""

    def current(self) -> Sequence[Key]: ...


class SharedKey:
    """One HS256 secret."""

    def __init__(self, secret: str) -> None:
        self._keys = (Key("HS256", secret.encode(), None),)

    def current(self) -> Sequence[Key]:
        return self._keys


class KeyFile:
    """The public keys of a PEM or JWKS file, read anew when the file changes.

    A change that cannot be read is warned of once, and the keys before it stay.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._version = self._look()
        except OSError as error:
            raise SettingsError(f"issuer_keys_file {path}: {error.strerror}") from error
        self._keys = _read(path)

    def current(self) -> Sequence[Key]:
        try:
            version = self._look()
        except OSError:
            return self._keys
        if version != self._version:
            self._version = version
            self._reload()
        return self._keys

    def _look(self) -> tuple[int, int, int]:
        stat = self._path.stat()
        return stat.st_mtime_ns, stat.st_size, stat.st_ino

    def _reload(self) -> None:
        try:
            self._keys = _read(self._path)
        except SettingsError as error:
            log.warning("the keys from before stay in use: %s", error)


def _read(path: Path) -> tuple[Key, ...]:
    if importlib.util.find_spec("cryptography") is None:
        raise SettingsError(
            "issuer_keys_file needs one more package; run: pip install 'quartchat[issuer]'"
        )
    from quartchat.auth.publickeys import read_keys  # noqa: PLC0415 (an optional dependency)

    return read_keys(path)


class Issuer:
    """Verifies the issuer's tokens; `name` and `audience` are checked where they are set."""

    def __init__(self, sources: Sequence[Keys], *, name: str = "", audience: str = "") -> None:
        self._sources = sources
        self._name = name
        self._audience = audience

    def claims(self, token: str, header: Mapping[str, Any]) -> dict[str, Any]:
        """The token's claims, but for their times. Raises Unauthenticated."""
        claims = self._verified(token, self._candidates(header))
        if self._name and claims.get("iss") != self._name:
            raise Unauthenticated("The access token is from another issuer ('iss').")
        audience = claims.get("aud")
        meant = audience if isinstance(audience, list) else [audience]
        if self._audience and self._audience not in meant:
            raise Unauthenticated("The access token is for another audience ('aud').")
        return claims

    def _candidates(self, header: Mapping[str, Any]) -> list[Key]:
        algorithm, kid = header.get("alg"), header.get("kid")
        keys = [key for source in self._sources for key in source.current()]
        keys = [key for key in keys if key.algorithm == algorithm]
        if not keys:
            raise Unauthenticated("The access token is signed in a way that is not accepted here.")
        keys = [key for key in keys if None in (key.kid, kid) or key.kid == kid]
        if not keys:
            raise Unauthenticated("The access token was signed by a key that is not known ('kid').")
        return keys

    @staticmethod
    def _verified(token: str, keys: Sequence[Key]) -> dict[str, Any]:
        *others, last = keys
        for key in others:
            try:
                return verified_claims(token, key.material, key.algorithm)
            except Unauthenticated:
                continue
        return verified_claims(token, last.material, last.algorithm)


def issuer_from(settings: Settings) -> Issuer | None:
    """The operator's issuer, or None where none is set. Raises SettingsError."""
    sources: list[Keys] = []
    if settings.issuer_key:
        sources.append(SharedKey(settings.issuer_key))
    if settings.issuer_keys_file:
        sources.append(KeyFile(Path(settings.issuer_keys_file)))
    if not sources:
        return None
    return Issuer(sources, name=settings.issuer_name, audience=settings.issuer_audience)
