"""`/poll`: long polling. GET for any HTTP client; POST is the strictly serial form, where one
request at a time carries the cursor and the commands, and the answer what came of both."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import msgspec
from quart import Blueprint, Response, request

from quartchat.access import Caller
from quartchat.delivery.session import Session
from quartchat.delivery.subscriber import Wish
from quartchat.errors import ChatError, Invalid, TokenExpired
from quartchat.events import Page
from quartchat.locale.texts import gettext
from quartchat.protocol import as_frame, error_frame, read_list, reply, shape
from quartchat.transports import base, forms
from quartchat.transports.body import read_fields

blueprint = Blueprint("poll", __name__)
MOST_COMMANDS = 100
GREETINGS = frozenset({"hello", "caught_up"})


class Serial(msgspec.Struct):
    last_event_id: int | str | None = None
    timeout: float | str | None = None
    commands: list[dict[str, Any]] = []


@blueprint.get("/poll")
@blueprint.get("/t/p")
async def poll() -> Response:
    who = await base.caller()
    wanted = await base.wish(request, who.user_id)
    hold = base.hold_seconds(request.args.get("timeout"))
    return await _answer(who, replace(wanted, hold=hold))


@blueprint.post("/poll")
@blueprint.post("/t/p")
async def serial() -> Response:
    fields, lenient = await read_fields()
    if isinstance(commands := fields.get("commands"), str):  # a form has no lists of objects
        fields["commands"] = read_list(commands)
    who = await base.caller()
    body = shape(fields, Serial, lenient=lenient)
    cursor = None if body.last_event_id is None else str(body.last_event_id)
    wanted = await base.wish(request, who.user_id, cursor)
    hold = base.hold_seconds(None if body.timeout is None else str(body.timeout))
    if len(body.commands) > MOST_COMMANDS:
        raise Invalid("At most {most} commands at once.", field="commands", most=MOST_COMMANDS)
    return await _answer(who, replace(wanted, hold=hold), body.commands)


async def _run(who: Caller, command: dict[str, Any]) -> bytes | None:
    request_id = command.get("request_id")
    try:
        frame = as_frame(command)
        answer = await base.services().commands.run(who.user_id, frame.type, frame.data)
    except ChatError as error:
        return error_frame(error, request_id, gettext).encode()
    except Exception as error:  # the answers of the others must not be lost with it
        base.log_fault("poll_command_failed", error)
        return error_frame(ChatError(), request_id, gettext).encode()
    return None if answer is None else reply(*answer, request_id).encode()


async def _answer(who: Caller, wanted: Wish, commands: Sequence[dict[str, Any]] = ()) -> Response:
    address = request.remote_addr or ""
    with base.services().sessions.open(who.identity, "poll", address) as session:
        answers = [text for command in commands if (text := await _run(who, command))]
        if answers:
            wanted = replace(wanted, hold=0.0)
        events, cursor = await _collect(session, wanted)
    form = forms.array(base.html_wanted(request))
    parts = [*answers, *(event.form(form.name, form.event) for event in events)]
    body = b'{"events":%s,"last_event_id":%d}' % (form.join(parts), cursor)
    headers = {**base.HEADERS, "Content-Type": "application/json", **base.ending(request)}
    return Response(body, headers=headers)


async def _collect(session: Session, wanted: Wish) -> tuple[Sequence[Any], int]:
    """What waits; else what comes within the hold (the subscriber's silence), or nothing."""
    if session.expires_at <= base.services().clock():
        raise TokenExpired  # though clocks may differ: it would be asked for again at once
    session.warned = True  # the next poll brings its own token
    reader = base.subscribe(session, wanted)
    greeting: list[Any] = []
    async with aclosing(reader.pages()) as pages:
        async for page in pages:
            kinds = {event.type for event in page.events}
            if "heartbeat" in kinds:
                break
            if not kinds <= GREETINGS and (news := _news(page, wanted)):
                return [*greeting, *news], _cursor(page, reader.cursor)
            if wanted.cursor is None:
                greeting += page.events
                if "caught_up" in kinds:
                    break
    return greeting, reader.cursor


def _news(page: Page, wanted: Wish) -> list[Any]:
    """A page without the greeting that a poll with a cursor does not get."""
    if wanted.cursor is None:
        return list(page.events)
    ended = {"error"}  # the answer to the next poll tells it
    return [e for e in page.events if e.type not in GREETINGS and e.type not in ended]


def _cursor(page: Page, reached: int) -> int:
    return max(page.cursor, reached)
