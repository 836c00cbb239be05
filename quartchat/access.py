"""Who makes a request: by bearer token, session cookie or single-use ticket, in this order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from quartchat.auth.origin import Headers, check_origin
from quartchat.auth.tokens import Identity
from quartchat.chat import tickets
from quartchat.chat.people import ensure
from quartchat.errors import RateLimited, Unauthenticated
from quartchat.services import Services

SESSION_COOKIE, REFRESH_COOKIE = "qc_session", "qc_refresh"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Way(Enum):
    BEARER = "bearer"
    COOKIE = "cookie"
    TICKET = "ticket"
    FRAME = "frame"


@dataclass(frozen=True, slots=True)
class Caller:
    identity: Identity
    way: Way

    @property
    def user_id(self) -> str:
        return self.identity.user_id


@dataclass(frozen=True, slots=True)
class Knock:
    """What of a request tells who makes it."""

    headers: Headers
    cookies: Mapping[str, str]
    query: Mapping[str, str]
    address: str
    host: str
    scheme: str


async def find_caller(services: Services, knock: Knock) -> Caller | None:
    """None when nothing was presented. Raises Unauthenticated for what is no good."""
    if knock.query.get("token") or knock.query.get("access_token"):
        raise Unauthenticated(
            "Tokens in an address end up in logs and histories, so they are refused: send "
            "an Authorization header, or ask POST /api/ticket for a single-use ticket."
        )
    scheme, _, token = (knock.headers.get("Authorization") or "").partition(" ")
    if scheme.lower() == "bearer":
        return Caller(await services.logins.identify(token.strip()), Way.BEARER)
    if cookie := knock.cookies.get(SESSION_COOKIE):
        return Caller(await services.logins.identify(cookie), Way.COOKIE)
    if ticket := knock.query.get("ticket"):
        identity = await tickets.use(services.core, ticket)
        await ensure(services.core, identity)
        await services.logins.check(identity)
        return Caller(identity, Way.TICKET)
    return None


def check_same_origin(services: Services, knock: Knock, *, websocket: bool = False) -> None:
    """Raises CrossOrigin for a request that another site made in the user's name."""
    check_origin(
        knock.headers,
        host=knock.host,
        scheme=knock.scheme,
        allowed=services.settings.allowed_origins,
        websocket=websocket,
    )


def check_request_rate(services: Services, address: str) -> None:
    """Raises RateLimited when an address asks too often."""
    if not services.settings.no_limits and (wait := services.requests.take(address)):
        raise RateLimited(retry_after=wait)
