"""What can go wrong between a client and its server."""

from __future__ import annotations

import json
from typing import Any

PROBLEM = "application/problem+json"
# Refusals that may be gone at the next try.
AGAIN = frozenset({408, 425, 429})
# Close codes by which the server itself says no for good.
FINAL_CLOSES = {4400: 400, 4401: 401, 4403: 403}
SENTENCES = {401: "The token is not (or no longer) valid.", 403: "This is not allowed."}


class ClientError(Exception):
    """The text is for people."""


class Broken(ClientError):
    """A connection that did not work, or ended; another try may work."""


class Unreachable(ClientError):
    """Nothing was confirmed, after every retry: the message may have been stored or not."""


class Refused(ClientError):
    """The server said no; the same request will be refused again.

    `status` is the HTTP status, `code` the server's name for the reason (empty if it gave
    none), `by_server` whether it was surely the server itself, not something on the way.
    """

    def __init__(self, status: int, message: str, *, code: str = "", by_server: bool) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.by_server = by_server


def from_answer(status: int, content_type: str, body: bytes) -> Broken | Refused:
    """The error of an HTTP answer that is none of success.

    Refused for 401, 403 and every 4xx that the server itself signed with a problem document;
    Broken for what may go well another time.
    """
    problem = _problem(content_type, body)
    message = problem.get("detail") or problem.get("message") or problem.get("title")
    message = str(message or SENTENCES.get(status, f"The server answered with status {status}."))
    signed = bool(problem) and 400 <= status < 500 and status not in AGAIN
    if status not in SENTENCES and not signed:
        return Broken(message)
    code = str(problem.get("code", ""))
    return Refused(status, message, code=code, by_server=signed)


def from_close(code: int, reason: str) -> Broken | Refused:
    """The error of a WebSocket's close code: Refused for those of FINAL_CLOSES. The server
    gives its name for the reason as the close's reason."""
    status = FINAL_CLOSES.get(code)
    if status is not None:
        sentence = SENTENCES.get(status, f"The server refused this: {reason or code}.")
        return Refused(status, sentence, code=reason, by_server=True)
    return Broken(f"The connection was closed ({code}{': ' if reason else ''}{reason}).")


def _problem(content_type: str, body: bytes) -> dict[str, Any]:
    if content_type.partition(";")[0].strip().lower() != PROBLEM:
        return {}
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
