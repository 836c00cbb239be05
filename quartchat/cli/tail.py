"""`quartchat tail`."""

from __future__ import annotations

import json
import os
from contextlib import aclosing
from typing import Any

import click

from quartchat.cli.remote import connect, remote_options, run

TRANSPORTS = ("best", "ws", "stream", "sse", "poll")


@click.command()
@click.argument("chats", nargs=-1)
@click.option(
    "--transport",
    type=click.Choice(TRANSPORTS),
    default="best",
    show_default=True,
    help="How to get events; best: the first of ws, stream and poll that works.",
)
@click.option("--since", type=click.IntRange(0), default=None, help="After this event id; 0: all.")
@click.option("--json", "as_json", is_flag=True, help="A line of JSON per event.")
@click.option("--count", type=click.IntRange(1), default=None, help="End after so many lines.")
@remote_options
def command(
    chats: tuple[str, ...],
    transport: str,
    since: int | None,
    as_json: bool,
    count: int | None,
    **options: Any,
) -> None:
    """Follow CHATS (ids, titles or @NAME; all of yours without) as things happen.

    Comes back by itself after a break, where it was: nothing is missed or shown twice.
    Times are UTC. Ctrl+C ends it, and says how to go on from there.
    """
    position = [since or 0]

    async def work() -> None:
        left = count
        async with connect(**options) as client:
            ids = [await client.find_chat(chat) for chat in chats]
            titles = {} if as_json or len(ids) == 1 else await client.chat_titles()
            click.echo("Following; Ctrl+C ends.", err=True)
            wanted: Any = {"chats": ids or None, "cursor": since, "transport": transport}
            async with aclosing(client.follow(**wanted)) as events:
                async for event in events:
                    line = json_line(event) if as_json else text_line(event, titles)
                    position[0] = event.get("id") or position[0]
                    if line is None:
                        continue
                    _say(line)
                    left = left - 1 if left is not None else None
                    if left == 0:
                        return

    try:
        run(work())
    except SystemExit:
        if position[0]:
            click.echo(f"To go on from here: --since {position[0]}", err=True)
        raise


def _say(line: str) -> None:
    try:
        click.echo(line)
    except BrokenPipeError:
        # As in `tail | head`: nobody reads any more, and saying goodbye to the server first
        # would wait for the network.
        os._exit(1)


def json_line(event: dict[str, Any]) -> str:
    return json.dumps(event, ensure_ascii=False, separators=(",", ":"))


def text_line(event: dict[str, Any], titles: dict[str, str]) -> str | None:
    """The event for people, or None for what is nothing to read."""
    data = event["data"]
    when = str(data.get("timestamp", ""))[:16].replace("T", " ")
    chat = data.get("chat_id")
    where = f" [{titles.get(chat, chat)}]" if titles and chat else ""
    if event["type"] in ("new_message", "message_edited"):
        who = (data.get("sender") or {}).get("name", data["sender_id"])
        text = "(deleted)" if data["content"] is None else data["content"]
        changed = " (changed)" if event["type"] == "message_edited" else ""
        return f"{when}{where} <{who}>{changed} {text}"
    if event["type"] in ("user_joined", "user_left"):
        verb = event["type"].removeprefix("user_")
        return f"{when}{where} * {data.get('name', data['user_id'])} {verb}"
    if event["type"] in ("system_message", "global_notification"):
        told = (data.get("title"), data.get("message") or data.get("content"))
        return f"{when}{where} -- {' '.join(str(part) for part in told if part)}"
    if event["type"] == "reset":
        return "-- Some events are not kept any more; going on with the newest. --"
    return None
