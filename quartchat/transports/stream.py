"""`/stream`: a line of JSON per event, in a body that stays open, for `fetch`."""

from __future__ import annotations

from quart import Blueprint, Response, request

from quartchat.transports import base, forms

blueprint = Blueprint("stream", __name__)


@blueprint.get("/stream")
@blueprint.get("/t/s")
async def stream() -> Response:
    who = await base.caller()
    wanted = await base.streaming_wish(request, who.user_id)
    form = forms.lines(base.html_wanted(request))
    return base.streamed(who, "stream", wanted, form, base.STREAM_TYPE)
