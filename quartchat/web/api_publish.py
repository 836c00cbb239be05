"""`POST /api/publish`: for the operator's other programs, known by a key and by nothing else."""

from __future__ import annotations

from quart import Blueprint, Response, request

from quartchat.chat import publish as publishing
from quartchat.errors import RateLimited
from quartchat.protocol import shape
from quartchat.transports import base
from quartchat.transports.body import read_fields
from quartchat.web.api import answer

blueprint = Blueprint("api_publish", __name__, url_prefix="/api")


@blueprint.post("/publish")
async def publish() -> Response:
    shared = base.services()
    key = publishing.publisher(request.headers.get("Authorization"), shared.settings.publish_keys)
    wait = shared.publishes.take(key)
    if wait and not shared.settings.no_limits:
        raise RateLimited(retry_after=wait)
    fields, lenient = await read_fields()
    wish = shape(fields, publishing.Publish, lenient=lenient)
    return answer(await publishing.publish(shared.core, wish, key))
