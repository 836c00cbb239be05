"""How pages look to a reader: the language and the theme, by choice, else by the browser."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from quart import Blueprint, Response, request, websocket
from werkzeug.sansio.request import Request

from quartchat.access import check_same_origin
from quartchat.errors import Invalid
from quartchat.transports import base
from quartchat.web.account import safe_next, see
from quartchat.web.locale import DEFAULT, LOCALES, THEMES, Look, show, speak

blueprint = Blueprint("look", __name__)
LANGUAGE_COOKIE, THEME_COOKIE = "qc_lang", "qc_theme"
YEAR = 365 * 24 * 3600


def language_of(asked: Request) -> str:
    """By `lang` in the query, else the reader's choice, else the first of the browser's that
    there is."""
    named = asked.args.get("lang", ""), asked.cookies.get(LANGUAGE_COOKIE, "")
    accepted = (
        tag.partition("-")[0].lower() for tag, weight in asked.accept_languages if weight > 0
    )
    return next((code for code in (*named, *accepted) if code in LOCALES), DEFAULT)


@blueprint.before_app_request
async def look_of_request() -> None:
    language, theme = (request.cookies.get(name, "") for name in (LANGUAGE_COOKIE, THEME_COOKIE))
    speak(language_of(request))
    show(
        Look(
            language=language if language in LOCALES else "",
            theme=theme if theme in THEMES else "",
            here=_here(),
        )
    )


def _here() -> str:
    """This page with its query, but for the language there: it would win over the choice."""
    kept = [(name, value) for name, value in request.args.items(multi=True) if name != "lang"]
    is_page = request.method == "GET" and kept
    return f"{request.path}?{urlencode(kept)}" if is_page else request.path


@blueprint.before_app_websocket
async def language_of_handshake() -> None:
    speak(language_of(websocket))


@blueprint.post("/settings/look")
async def choose() -> Response:
    """Keep what was chosen, an empty value for nothing in particular; a field that is missing
    changes nothing. Needs no login."""
    check_same_origin(base.services(), base.knock(request))
    form = await request.form
    response = see(safe_next(form.get("next")))
    for name, cookie, known in (
        ("lang", LANGUAGE_COOKIE, LOCALES),
        ("theme", THEME_COOKIE, THEMES),
    ):
        if name in form:
            keep_choice(response, cookie, _one_of(form[name], known, name))
    return response


def _one_of(value: str, known: Any, field: str) -> str:
    if value and value not in known:
        raise Invalid("This is not one of the choices.", field=field)
    return value


def keep_choice(response: Response, cookie: str, value: str, seconds: int = YEAR) -> Response:
    """An empty value ends it."""
    response.set_cookie(
        cookie,
        value,
        max_age=seconds if value else 0,
        path="/",
        httponly=True,
        secure=request.scheme == "https",
        samesite="Lax",
    )
    return response
