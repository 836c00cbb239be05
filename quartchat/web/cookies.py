"""The two cookies of a login: short access, long refresh."""

from __future__ import annotations

from quart import Response, request

from quartchat.access import REFRESH_COOKIE, SESSION_COOKIE
from quartchat.chat.logins import DAY, Grant
from quartchat.transports import base


def set_cookies(response: Response, grant: Grant) -> Response:
    """Both live as long as the login: a page whose access token has expired renews itself."""
    for name, value in (
        (SESSION_COOKIE, grant.access_token),
        (REFRESH_COOKIE, grant.refresh_token),
    ):
        response.set_cookie(
            name,
            value,
            max_age=base.services().settings.refresh_token_days * DAY,
            path="/",
            httponly=True,
            secure=request.scheme == "https",
            samesite="Lax",
        )
    return response


def clear_cookies(response: Response) -> Response:
    for name in (SESSION_COOKIE, REFRESH_COOKIE):
        response.delete_cookie(name, path="/")
    return response
