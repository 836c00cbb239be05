"""A shop with pages of its own, and quartchat for all the rest.

SHOP_KEY=… python embed.py
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html import escape
from pathlib import Path
from urllib.parse import parse_qs

import jwt
from hypercorn.asyncio import serve
from hypercorn.config import Config
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route

from quartchat.app import create_app
from quartchat.config import Settings
from quartchat.errors import ChatError

KEY = os.environ["SHOP_KEY"]  # 32 random characters or more, known to nobody else
COOKIE, LIFE = "qc_session", 12 * 3600
messenger = create_app(Settings(data=Path("shop-data"), issuer_key=KEY, signup=False))
LOGIN = '<form method="post"><input name="name" aria-label="Name"><button>Log in</button></form>'


def visitor(request: Request) -> dict[str, str] | None:
    """Who looks at a page: the claims of the cookie that `log_in` has set."""
    try:
        return jwt.decode(request.cookies.get(COOKIE, ""), KEY, ["HS256"])
    except jwt.PyJWTError:
        return None


async def field(request: Request, name: str) -> str:
    return parse_qs((await request.body()).decode()).get(name, [""])[0].strip()


async def home(request: Request) -> Response:
    who = visitor(request)
    name = escape(who["name"]) if who else "stranger"
    return HTMLResponse(f'<h1>The shop</h1><p>Hello, {name}. <a href="/c">Chats</a></p>')


async def log_in(request: Request) -> Response:
    """The shop's own login (here without a password). quartchat sends people here, too."""
    name = await field(request, "name") if request.method == "POST" else ""
    if not name:
        return HTMLResponse(LOGIN)
    claims = {"sub": f"shop-{name}", "name": name, "exp": int(time.time()) + LIFE}
    response = RedirectResponse("/c", 303)
    secure = request.url.scheme == "https"
    token = jwt.encode(claims, KEY, "HS256")
    response.set_cookie(COOKIE, token, LIFE, httponly=True, secure=secure, samesite="lax")
    return response


async def order(request: Request) -> Response:
    """Tell one user, wherever in the site they are."""
    who = visitor(request)
    if who is None:
        return RedirectResponse("/login", 303)
    notice = {"title": "The shop", "message": "Your order is on its way.", "url": "/"}
    await messenger.chat.send_global_notification(who["sub"], notice)
    return RedirectResponse("/", 303)


async def announce(request: Request) -> Response:
    """Tell all members of a chat. (In a real shop: for the staff alone.)"""
    chat_id, message = request.path_params["chat_id"], await field(request, "message")
    if visitor(request) is None:
        return RedirectResponse("/login", 303)
    try:
        event_id = await messenger.chat.notify_chat_participants(chat_id, {"message": message})
    except ChatError as error:
        return JSONResponse({"code": error.code, "message": error.message}, error.status)
    return JSONResponse({"event_id": event_id})


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[None]:
    """Starlette tells what is mounted nothing of start and stop: this does."""
    await messenger.startup()
    try:
        yield
    finally:
        await messenger.shutdown()


site = Starlette(
    routes=[
        Route("/", home),
        Route("/login", log_in, methods=["GET", "POST"]),
        Route("/orders", order, methods=["POST"]),
        Route("/announce/{chat_id}", announce, methods=["POST"]),
        Mount("/", messenger),
    ],
    lifespan=lifespan,
)


async def main() -> None:
    """Hypercorn, which stops when the open streams have been told to come back later."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)

    async def stopped() -> None:
        await stop.wait()
        await messenger.drain()

    config = Config()
    config.bind = [os.environ.get("SHOP_BIND", "127.0.0.1:8000")]
    await serve(site, config, shutdown_trigger=stopped)


if __name__ == "__main__":
    asyncio.run(main())
