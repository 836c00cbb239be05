"""What a request gets that failed: a problem document, or a page for people."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from quart import Quart, Response, has_websocket_context, request, websocket
from werkzeug.exceptions import HTTPException

from quartchat.addresses import chats_url, shortened
from quartchat.errors import (
    BadRequest,
    ChatError,
    MethodNotAllowed,
    NotFound,
    RateLimited,
    TooLarge,
    Unauthenticated,
    Unavailable,
)
from quartchat.locale.language import current
from quartchat.locale.texts import gettext
from quartchat.protocol import problem
from quartchat.transports import base
from quartchat.web import views
from quartchat.web.account import see

MACHINE_PATHS = ("/api/", "/poll", "/events", "/stream", "/t/", "/ws", "/health")
HTTP_ERRORS: dict[int, type[ChatError]] = {
    400: BadRequest,
    404: NotFound,
    405: MethodNotAllowed,
    413: TooLarge,
}


def install(app: Quart) -> None:
    app.register_error_handler(ChatError, refused)
    app.register_error_handler(HTTPException, refused_by_framework)
    app.register_error_handler(Exception, failed)


async def refused(error: ChatError) -> Response:
    if has_websocket_context():
        return Response(error.text(gettext), error.status, content_type="text/plain; charset=utf-8")
    comes_back = error.retryable and request.path in base.STREAMS
    status = 200 if comes_back else error.status
    base.log_refusal(error, method=request.method, path=request.path, status=status)
    if comes_back:
        return base.come_back(error)
    if is_for_machines():
        return _problem(error)
    if isinstance(error, Unauthenticated):
        return _log_in_again()
    return await views.error_page(error)


async def refused_by_framework(error: Any) -> Response:
    code = error.code or 500
    kind = HTTP_ERRORS.get(code, BadRequest if code < 500 else ChatError)
    known = kind()
    known.status = code
    return await refused(known)


async def failed(error: Exception) -> Response:
    asked = websocket if has_websocket_context() else request
    base.log_fault("request_failed", error, path=asked.path)
    return await refused(ChatError())


def is_for_machines() -> bool:
    return request.path.startswith(MACHINE_PATHS)


def _problem(error: ChatError) -> Response:
    headers = {
        "Content-Type": "application/problem+json",
        "Content-Language": current(),
        "Cache-Control": "no-store",
    }
    if isinstance(error, RateLimited):
        headers["Retry-After"] = str(max(1, round(error.retry_after)))
    elif isinstance(error, Unavailable):
        headers["Retry-After"] = str(base.OVERLOAD_RETRY_MS // 1000)
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(problem(error, gettext), error.status, headers=headers)


def _log_in_again() -> Response:
    query = request.query_string.decode("ascii", "replace")
    here = shortened(request.path) + (f"?{query}" if query else "")
    back = here if request.method == "GET" else chats_url()
    return see(f"/login?next={quote(back, safe='')}")
