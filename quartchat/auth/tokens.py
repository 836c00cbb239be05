"""Access tokens: JWTs that this server signed, or that the operator's own issuer did.

Its own carry a `kid` made from the key, so each token is checked against one signer only:
the header chooses which, the signer says which algorithm. Times are checked here, because
PyJWT would read the clock by itself.
"""

from __future__ import annotations

import base64
import math
import secrets
import time
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jwt

from quartchat.auth.keys import SHORTEST, derive
from quartchat.errors import TokenExpired, Unauthenticated

if TYPE_CHECKING:
    from quartchat.auth.issuer import Issuer

ISSUER = "quartchat"
LEEWAY = 10.0
LONGEST_TOKEN = 8192
LONGEST_SUB = 128
LONGEST_NAME = 100
END_OF_TIME = 253_402_300_799.0
# The signature and the claims that must be there; everything about time is done in `_times`.
CHECKS: dict[str, Any] = {
    "require": ["exp", "sub"],
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_aud": False,
    "verify_iss": False,
    "verify_sub": False,
    "verify_jti": False,
}


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a valid token says that the caller is.

    `expires_at` is in Unix seconds; `session_id` is None and `is_own` False for a token of
    the operator's issuer.
    """

    user_id: str
    name: str | None
    expires_at: float
    session_id: str | None
    is_own: bool


class Tokens:
    """Makes own access tokens, and reads those and the issuer's.

    `key` is 32 bytes or more; `issuer` is None where the operator has none.
    """

    def __init__(
        self, key: bytes, *, issuer: Issuer | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        if len(key) < SHORTEST:
            raise ValueError(f"the key needs {SHORTEST} bytes or more")
        self._key = key
        self._kid = base64.urlsafe_b64encode(derive(key, "kid")[:9]).decode()
        self._issuer = issuer
        self._clock = clock

    def issue(self, user_id: str, name: str | None, session_id: str | None, seconds: int) -> str:
        """An own token that is valid for so many seconds from now."""
        now = int(self._clock())
        claims = {
            "iss": ISSUER,
            "sub": user_id,
            "name": name,
            "sid": session_id,
            "iat": now,
            "exp": now + seconds,
            "jti": secrets.token_urlsafe(12),
        }
        present = {claim: value for claim, value in claims.items() if value is not None}
        return jwt.encode(present, self._key, algorithm="HS256", headers={"kid": self._kid})

    def verify(self, token: str) -> Identity:
        """Whose token it is. Raises TokenExpired, or Unauthenticated with what is wrong."""
        header = read_header(token)
        own = self._issuer is None or header.get("kid") == self._kid
        claims = self._own_claims(token) if own else self._issuer_claims(token, header)
        return Identity(
            user_id=_subject(claims),
            name=_name(claims.get("name")),
            expires_at=self._times(claims),
            session_id=_session(claims.get("sid")) if own else None,
            is_own=own,
        )

    def _own_claims(self, token: str) -> dict[str, Any]:
        claims = verified_claims(token, self._key, "HS256")
        if claims.get("iss") != ISSUER:
            raise Unauthenticated("The access token was not made by this server.")
        return claims

    def _issuer_claims(self, token: str, header: Mapping[str, Any]) -> dict[str, Any]:
        assert self._issuer is not None
        return self._issuer.claims(token, header)

    def _times(self, claims: Mapping[str, Any]) -> float:
        now, expires = self._clock(), _moment(claims, "exp")
        if now >= expires + LEEWAY:
            raise TokenExpired
        if "nbf" in claims and now < _moment(claims, "nbf") - LEEWAY:
            raise Unauthenticated("The access token is not valid yet; check the clocks.")
        return min(expires, END_OF_TIME)


def read_header(token: str) -> dict[str, Any]:
    """The header, not verified: good for choosing a signer. Raises Unauthenticated."""
    if len(token) > LONGEST_TOKEN:
        raise Unauthenticated(
            "The access token is longer than {most} characters.", most=LONGEST_TOKEN
        )
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise Unauthenticated("This is not an access token (a JWT is expected).") from error
    if "crit" in header:
        raise Unauthenticated("The access token asks for extensions that are not known here.")
    return header


def verified_claims(token: str, key: Any, algorithm: str) -> dict[str, Any]:
    """The claims, if this key signed them by this algorithm. Raises Unauthenticated."""
    try:
        claims = jwt.decode(token, key, algorithms=[algorithm], options=CHECKS)  # type: ignore[arg-type]
    except jwt.MissingRequiredClaimError as error:
        raise Unauthenticated(
            "The access token lacks the claim {claim!r}.", claim=error.claim
        ) from error
    except jwt.InvalidAlgorithmError as error:
        raise Unauthenticated(
            "The access token must be signed by {algorithm}.", algorithm=algorithm
        ) from error
    except jwt.InvalidSignatureError as error:
        raise Unauthenticated("The access token was signed by another key.") from error
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
        raise Unauthenticated("The access token could not be read.") from error
    return claims


def _subject(claims: Mapping[str, Any]) -> str:
    sub = claims["sub"]
    if not isinstance(sub, str) or not 1 <= len(sub) <= LONGEST_SUB or not _is_plain(sub):
        raise Unauthenticated(
            "The claim 'sub' of the access token must be text of 1 to {most} characters, "
            "without control characters.",
            most=LONGEST_SUB,
        )
    return sub


def _name(name: object) -> str | None:
    """A name fit to be shown, or None: a bad name is no reason to turn somebody away."""
    if not isinstance(name, str) or not _is_plain(name):
        return None
    return name.strip()[:LONGEST_NAME] or None


def _session(sid: object) -> str | None:
    return sid if isinstance(sid, str) else None


def _is_plain(text: str) -> bool:
    return not any(unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") for letter in text)


def _moment(claims: Mapping[str, Any], claim: str) -> float:
    value = claims[claim]
    try:
        moment = math.nan if isinstance(value, (bool, str)) else float(value)
    except (TypeError, ValueError, OverflowError):
        moment = math.nan
    if not math.isfinite(moment):
        raise Unauthenticated(
            "The claim {claim!r} of the access token must be Unix seconds.", claim=claim
        )
    return moment
