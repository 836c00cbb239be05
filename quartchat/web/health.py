"""Whether the process is up, and whether it can serve."""

from __future__ import annotations

from quart import Blueprint, Response, request

from quartchat.errors import Unavailable
from quartchat.store import log
from quartchat.transports import base
from quartchat.web.api import answer

blueprint = Blueprint("health", __name__, url_prefix="/health")


@blueprint.get("/live")
async def alive() -> Response:
    response = answer({"status": "ok"})
    response.headers.update(base.ending(request))
    return response


@blueprint.get("/ready")
async def ready() -> Response:
    """200 when the database answers and the server is not stopping; else 503."""
    if base.services().sessions.draining:
        raise Unavailable
    await base.services().database.read(log.state)
    return answer({"status": "ready"})
