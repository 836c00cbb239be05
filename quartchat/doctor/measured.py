"""What a round of probes measured: plain facts, of one shape whether the command line or a page
measured them. A page's come from outside: they are bounded here and believed nowhere."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct, field

Ms = Annotated[float, Meta(ge=0, le=600_000)]
Seconds = Annotated[float, Meta(ge=0, le=600)]
Status = Annotated[int, Meta(ge=0, le=999)]
Bytes = Annotated[int, Meta(ge=0, le=1_000_000)]
Short = Annotated[str, Meta(max_length=120)]
Count = Annotated[int, Meta(ge=0, le=10_000)]
Names = Annotated[list[Annotated[str, Meta(max_length=40)]], Meta(max_length=20)]

Why = Literal[
    "",  # went well
    "untried",
    "unreachable",  # no connection
    "silent",  # no answer in time
    "cut",  # ended in the middle
    "refused",  # an error status that is not the server's own
    "html",  # a page in place of the answer
    "changed",  # an answer, but not what was sent
    "denied",  # a forward proxy lets no CONNECT through
    "busy",  # the server itself allows no more probes for now
]


Kind = Literal["octet", "sse", "html"]
Sending = Literal["json", "text", "form"]


class Plain(Struct, omit_defaults=True):
    """One request; `ms` to its whole answer."""

    why: Why = "untried"
    status: Status = 0
    ms: Ms = 0


class Stream(Struct, omit_defaults=True):
    """One streamed body. `first`: ms to its first event; `delay`: ms that are added to each event;
    `held`: bytes that came in one go, after some were held back; `whole`: they came at its end."""

    why: Why = "untried"
    status: Status = 0
    first: Ms = 0
    delay: Ms = 0
    held: Bytes = 0
    whole: bool = False
    encoding: Short = ""


class Socket(Struct, omit_defaults=True):
    """One WebSocket. `is_open`: its handshake went well, whatever came after; `first`: ms to the
    first echo; `rtt`: ms of the later ones."""

    why: Why = "untried"
    status: Status = 0
    is_open: bool = False
    first: Ms = 0
    rtt: Ms = 0


class Idle(Struct, omit_defaults=True):
    """A connection that was kept: `lasted` seconds, to its cut or to the end of the trial."""

    why: Why = "untried"
    status: Status = 0
    lasted: Seconds = 0


class Limit(Struct, omit_defaults=True):
    """Bytes that passed, and the least that did not (0: all that was tried passed)."""

    passed: Bytes = 0
    failed: Bytes = 0


class Seen(Struct, omit_defaults=True):
    """What the server saw of a request. `forwarded`: a proxy named the client's address, and
    `believed`: it is one that the settings trust; `near`: whoever asked stands on the server's own
    machine or network."""

    http: Short = ""
    scheme: Short = ""
    host: Short = ""
    via: Short = ""
    forwarded: bool = False
    believed: bool = False
    near: bool = False


class Measured(Struct, omit_defaults=True):
    """A whole round. `seconds`: how long silence was tried, 0: not at all; `asked`, `failed`: small
    requests at the beginning; `throttled`: the status with which something on the way denied
    requests until they came slower; `lost`: headers that did not reach the server; `own`: whether
    what a page sends counts as this site's own; `repeated`: how often one POST arrived. The keys
    of dicts: see `probe/`."""

    url: Annotated[str, Meta(max_length=300)] = ""
    by: Literal["command", "browser"] = "command"
    seconds: Seconds = 0
    is_whole: bool = False
    http: Short = ""
    issuer: Short = ""
    trusted: bool = True
    proxy: Short = ""
    ping: Plain = field(default_factory=Plain)
    rtt: Ms = 0
    seen: Seen | None = None
    asked: Count = 0
    failed: Count = 0
    throttled: Status = 0
    lost: Names = field(default_factory=list)
    own: bool = True
    posts: dict[Sending, Plain] = field(default_factory=dict)
    poll: Plain = field(default_factory=Plain)
    parallel: Plain = field(default_factory=Plain)
    streams: dict[Kind, Stream] = field(default_factory=dict)
    socket: Socket = field(default_factory=Socket)
    cached: Literal["", "same", "always"] = ""
    words: Names = field(default_factory=list)
    changed: Names = field(default_factory=list)
    limits: dict[Literal["up", "down", "url", "header"], Limit] = field(default_factory=dict)
    idle: dict[Literal["stream", "beats", "socket", "pings", "hold"], Idle] = field(
        default_factory=dict
    )
    repeated: Count = 0


_decoder = msgspec.json.Decoder(Measured)


def read(raw: bytes | str) -> Measured:
    """What a page measured. Raises msgspec.DecodeError (ValidationError too is one)."""
    return _decoder.decode(raw)
