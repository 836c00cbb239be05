"""`quartchat tail`."""

from __future__ import annotations

import json
from contextlib import aclosing
from typing import Any

import click

from quartchat.cli.remote import connect, remote_options, run

TRANSPORTS = ("best", "ws", "stream", "sse", "poll")


@click.command()
@click.argument("chats", nargs=-1)
@click.option("--transport", type=click.Choice(TRANSPORTS), default="best", show_default=True)
@click.option("--since", type=click.IntRange(0), default=None, help="After this event id; 0: all.")
@click.option("--json", "as_json", is_flag=True, help="A line of JSON per event, of every type.")
@click.option("--count", type=click.IntRange(1), default=None, help="End after so many events.")
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
    """
    position: list[int] = []

    async def work() -> None:
        left = count
        async with connect(**options) as client:
            ids = [await client.find_chat(chat) for chat in chats]
            wanted: Any = {"chats": ids or None, "cursor": since, "transport": transport}
            async with aclosing(client.follow(**wanted)) as events:
                async for event in events:
                    _show(event, as_json)
                    position[:] = [event.get("id") or (position or [0])[0]]
                    left = left - 1 if left is not None else None
                    if left == 0:
                        return

    try:
        run(work())
    except SystemExit:
        if position and position[0]:
            click.echo(f"To go on from here: --since {position[0]}", err=True)
        raise


def _show(event: dict[str, Any], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(event, ensure_ascii=False, separators=(",", ":")))
        return
    data = event["data"]
    if event["type"] == "new_message":
        who = (data.get("sender") or {}).get("name", data["sender_id"])
        click.echo(f"{data['timestamp'][:16].replace('T', ' ')} <{who}> {data['content']}")
    elif event["type"] in ("user_joined", "user_left"):
        verb = event["type"].removeprefix("user_")
        click.echo(f"{data.get('timestamp', '')[:16].replace('T', ' ')} * {data['name']} {verb}")
    elif event["type"] == "reset":
        click.echo("Some events are not kept any more; going on with the newest.", err=True)
