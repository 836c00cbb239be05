"""Settings: one frozen object, read from flags, environment, one TOML file and defaults.

The order is flag over environment over file over default. Each field carries its help;
the README shows the same table, and a test holds them together.
No other module reads the environment.
"""

from __future__ import annotations

import dataclasses
import os
import tomllib
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from typing import Any

PREFIX = "QUARTCHAT_"
POSITIVE = (
    "access_token_seconds",
    "refresh_token_days",
    "ticket_seconds",
    "auth_frame_seconds",
    "page_size",
    "tail_bytes",
    "follow_seconds",
    "max_content",
    "max_frame",
    "messages_per_second",
    "messages_burst",
    "requests_per_second",
    "logins_per_minute",
    "publish_per_second",
    "max_upload",
    "max_attachments",
    "uploads_per_minute",
)
# Never shown: not in logs, not in what is printed of an object, not in refusals.
SECRET = frozenset({"issuer_key", "publish_keys", "s3_key", "s3_secret"})
SHORTEST_SECRET = 32


class SettingsError(ValueError):
    """A setting that cannot be used; the text names it, its source and what it takes."""


def _setting(default: Any, help_: str, *, shown: bool = True) -> Any:
    return field(default=default, metadata={"help": help_}, repr=shown)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    host: str = _setting("127.0.0.1", "address to listen on")
    port: int = _setting(8000, "port to listen on; 0 takes a free one")
    certfile: str = _setting("", "PEM file of the certificate chain, to serve https and HTTP/2")
    keyfile: str = _setting("", "PEM file of the private key that belongs to it")
    data: Path = _setting(Path("quartchat-data"), "folder of the database, the key and the files")
    site_name: str = _setting("quartchat", "name shown on the pages")
    allowed_origins: tuple[str, ...] = _setting(
        (), "other origins whose pages may use this server, as in https://example.org"
    )
    trusted_proxies: tuple[str, ...] = _setting(
        (), "addresses or networks of proxies whose X-Forwarded-For and -Proto are believed"
    )
    signup: bool = _setting(True, "whether people may sign up by themselves")
    access_token_seconds: int = _setting(900, "life of an access token")
    refresh_token_days: int = _setting(30, "life of a refresh token")
    ticket_seconds: int = _setting(30, "life of a single-use ticket")
    auth_frame_seconds: int = _setting(10, "how long a WebSocket may wait with its auth frame")
    issuer_key: str = _setting(
        "", "shared HS256 secret of your own token issuer (32 bytes up)", shown=False
    )
    issuer_keys_file: str = _setting("", "PEM public key or JWKS file of your own token issuer")
    issuer_name: str = _setting("", "iss that your issuer's tokens must carry, if any")
    issuer_audience: str = _setting("", "aud that your issuer's tokens must carry, if any")
    publish_keys: tuple[str, ...] = _setting(
        (), "secrets of your programs that may publish (each 32 letters or digits up)", shown=False
    )
    heartbeat: float = _setting(15.0, "seconds of silence before a heartbeat, 1 to 60")
    page_size: int = _setting(500, "most events read at once for one subscriber")
    tail_bytes: int = _setting(16 * 2**20, "memory for the newest events, in bytes")
    follow_seconds: float = _setting(0.5, "how often the log is checked for other writers")
    max_content: int = _setting(8000, "characters in one message")
    max_frame: int = _setting(64 * 2**10, "bytes in one frame or body of a command")
    messages_per_second: float = _setting(10.0, "messages per second and user")
    messages_burst: int = _setting(30, "messages that a user may send at once")
    requests_per_second: float = _setting(100.0, "requests per second and address")
    logins_per_minute: float = _setting(10.0, "failed logins per minute and address")
    max_upload: int = _setting(25 * 2**20, "bytes in one file that people send")
    max_attachments: int = _setting(10, "files in one message")
    quota_per_user: int = _setting(2**30, "bytes of all files that one user has sent; 0: no limit")
    quota_total: int = _setting(20 * 2**30, "bytes of all files; 0: as much as the disk takes")
    upload_types: tuple[str, ...] = _setting(
        (), "the only types of files taken, as in image/*, application/pdf; empty: all"
    )
    uploads_per_minute: float = _setting(60.0, "files that a user may send in a minute")
    s3_bucket: str = _setting("", "bucket of an S3-compatible store that keeps the files")
    s3_endpoint: str = _setting("", "its address, as in https://s3.example.org")
    s3_region: str = _setting("", "its region, if it has any")
    s3_prefix: str = _setting("", "what the names of files in the bucket begin with")
    s3_key: str = _setting("", "access key of the bucket", shown=False)
    s3_secret: str = _setting("", "secret that belongs to the access key", shown=False)
    publish_per_second: float = _setting(50.0, "events per second and publish key")
    connections_per_user: int = _setting(20, "open connections per user")
    drain_seconds: float = _setting(3.0, "how long open streams have to end when stopping")
    no_limits: bool = _setting(False, "lift rates and counts (not sizes): imports, tests, benches")
    log_format: str = _setting("auto", "console, json, or auto (json unless on a terminal)")
    log_level: str = _setting("info", "debug, info, warning or error")

    def __post_init__(self) -> None:
        _check(1 <= self.heartbeat <= 60, "heartbeat", "seconds from 1 to 60")
        _check(0 <= self.port <= 65535, "port", "a number from 0 to 65535")
        _check(self.log_format in ("auto", "console", "json"), "log_format", "auto, console, json")
        pair = ("certfile", "keyfile") if self.certfile else ("keyfile", "certfile")
        given, other = (getattr(self, name) for name in pair)
        _check(bool(given) == bool(other), pair[1], f"the file that belongs to {pair[0]}")
        levels = ("debug", "info", "warning", "error")
        _check(self.log_level in levels, "log_level", ", ".join(levels))
        short = 0 < len(self.issuer_key.encode()) < 32
        _check(not short, "issuer_key", "32 bytes or more")
        _check(
            all(map(_is_secret, self.publish_keys)),
            "publish_keys",
            f"secrets of {SHORTEST_SECRET} or more visible ASCII characters",
        )
        is_web = not self.s3_endpoint or self.s3_endpoint.startswith(("http://", "https://"))
        _check(is_web, "s3_endpoint", "an address as https://s3.example.org")
        for name in ("quota_per_user", "quota_total"):
            _check(getattr(self, name) >= 0, name, "a number of bytes, or 0")
        for name in POSITIVE:
            _check(getattr(self, name) > 0, name, "a number above 0")
        _check(
            all(map(_is_network, self.trusted_proxies)), "trusted_proxies", "addresses, networks"
        )

    @property
    def database(self) -> Path:
        return self.data / "quartchat.db"


def _check(good: bool, name: str, takes: str) -> None:
    if not good:
        raise SettingsError(f"setting {name}: takes {takes}")


def _is_secret(text: str) -> bool:
    """Whether it is long enough, and can travel in a header."""
    return len(text) >= SHORTEST_SECRET and all("!" <= char <= "~" for char in text)


def _is_network(text: str) -> bool:
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def env_name(name: str) -> str:
    return PREFIX + name.upper()


def load(
    flags: Mapping[str, Any] | None = None,
    *,
    file: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """Settings from all sources. Raises SettingsError with one line that says what to change."""
    environ = os.environ if environ is None else environ
    values = dict(_from_file(file)) if file else {}
    for spec in dataclasses.fields(Settings):
        raw = environ.get(env_name(spec.name))
        if raw is not None:
            values[spec.name] = _parse(spec.name, raw, f"environment {env_name(spec.name)}")
    values |= {name: value for name, value in (flags or {}).items() if value is not None}
    return Settings(**{name: coerce(name, value) for name, value in values.items()})


def _from_file(path: Path) -> dict[str, Any]:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"settings file {path}: {error}") from error
    known = {spec.name for spec in dataclasses.fields(Settings)}
    unknown = sorted(set(table) - known)
    if unknown:
        raise SettingsError(f"settings file {path}: unknown {', '.join(unknown)}")
    try:
        return {name: coerce(name, value) for name, value in table.items()}
    except SettingsError as error:
        raise SettingsError(f"settings file {path}: {error}") from error


def kind(name: str) -> type:
    """The plain type of a setting: str, int, float, bool, tuple or Path."""
    hint = typing.get_type_hints(Settings)[name]
    return tuple if isinstance(hint, types.GenericAlias) else hint


def _parse(name: str, raw: str, source: str) -> Any:
    if kind(name) is tuple:
        return tuple(part.strip() for part in raw.split(",") if part.strip())
    if kind(name) is bool:
        word = raw.strip().lower()
        if word not in ("1", "true", "yes", "on", "0", "false", "no", "off"):
            raise SettingsError(f"{source}: takes true or false, not {raw!r}")
        return word in ("1", "true", "yes", "on")
    if kind(name) is Path and not raw:
        raise SettingsError(f"{source}: takes the name of a folder")
    try:
        return kind(name)(raw)
    except ValueError as error:
        raise SettingsError(f"{source}: takes {kind(name).__name__}, not {raw!r}") from error


def coerce(name: str, value: Any) -> Any:
    """A value of a TOML file or a flag as the setting's type; SettingsError if it is none."""
    wanted = kind(name)
    if wanted is float and type(value) is int:
        return float(value)
    if wanted is Path and isinstance(value, str):
        return Path(value)
    if wanted is tuple and isinstance(value, (list, tuple)):
        return tuple(str(item) for item in value)
    if type(value) is wanted or isinstance(value, Path):
        return value
    given = "this" if name in SECRET else repr(value)
    raise SettingsError(f"setting {name}: takes {wanted.__name__}, not {given}")
