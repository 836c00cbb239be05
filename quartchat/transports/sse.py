"""`/events`: Server-Sent Events, for a plain EventSource, `curl -N`, htmx and Turbo."""

from __future__ import annotations

from quart import Blueprint, Response, request

from quartchat.locale.language import current
from quartchat.transports import base, forms

blueprint = Blueprint("sse", __name__)


@blueprint.get("/events")
@blueprint.get("/t/e")
async def events() -> Response:
    who = await base.caller()
    wanted = await base.streaming_wish(request, who.user_id)
    return base.streamed(who, "sse", wanted, _form(), base.SSE_TYPE)


def _form() -> forms.Form:
    named = request.args.get("named") == "1"
    if request.args.get("format") == "html":
        return forms.sse_html(base.services().fragments(current()), named=named)
    return forms.sse(base.html_wanted(request), named=named)
