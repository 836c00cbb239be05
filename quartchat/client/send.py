"""Sending over HTTP, again and again until it is confirmed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

import httpx

from quartchat.client.backoff import Backoff
from quartchat.client.errors import AGAIN, Broken, ClientError, Refused, Unreachable, from_answer

# How long one try may take to be answered, in seconds.
ANSWER = 15.0
LONGEST_WAIT = 60.0


@dataclass(frozen=True, slots=True)
class Sending:
    http: httpx.AsyncClient
    backoff: Backoff
    sleep: Callable[[float], Awaitable[None]]
    retries: int

    def without_retries(self) -> Sending:
        return replace(self, retries=0)

    async def request(self, method: str, url: str, token: str, **more: Any) -> dict[str, Any]:
        """The server's answer; `more` is what httpx takes. Raises Refused, or Unreachable after all
        retries."""
        left = self.retries
        while True:
            try:
                return await self._once(method, url, token, **more)
            except _Again as again:
                if left <= 0:
                    raise Unreachable(f"What was sent was not confirmed: {again}") from again
                await self.sleep(max(again.wait, self.backoff.next()))
                left -= 1

    async def _once(self, method: str, url: str, token: str, **more: Any) -> dict[str, Any]:
        more["headers"] = {**more.get("headers", {}), "Authorization": f"Bearer {token}"}
        try:
            answer = await self.http.request(method, url, timeout=httpx.Timeout(ANSWER), **more)
        except httpx.TransportError as error:
            raise _Again(str(error) or type(error).__name__) from error
        if answer.status_code in AGAIN or answer.status_code >= 500:
            raise _Again(str(_error(answer)), _retry_after(answer))
        if not answer.is_success:
            raise _refused(answer)
        return _ack(answer)


class _Again(ClientError):
    """Worth another try, after `wait` seconds or more."""

    def __init__(self, message: str, wait: float = 0.0) -> None:
        super().__init__(message)
        self.wait = wait


def _ack(answer: httpx.Response) -> dict[str, Any]:
    try:
        ack = answer.json()
    except ValueError as error:
        raise _Again("something on the way answered in place of the server") from error
    if not isinstance(ack, dict):
        raise _Again("something on the way answered in place of the server")
    return ack


def _error(answer: httpx.Response) -> Broken | Refused:
    kind = answer.headers.get("content-type", "")
    return from_answer(answer.status_code, kind, answer.content)


def _refused(answer: httpx.Response) -> Refused:
    error = _error(answer)
    if isinstance(error, Broken):
        return Refused(answer.status_code, str(error), by_server=False)
    return error


def _retry_after(answer: httpx.Response) -> float:
    try:
        return min(max(float(answer.headers.get("retry-after", 0)), 0.0), LONGEST_WAIT)
    except ValueError:
        return 0.0
