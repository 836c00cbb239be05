"""`quartchat send`."""

from __future__ import annotations

import sys
from typing import Any

import click

from quartchat.cli.remote import connect, remote_options, run


@click.command()
@click.argument("chat")
@click.argument("text", required=False)
@click.option("--client-id", default=None, help="Repeating it with the same id sends it once.")
@remote_options
def command(chat: str, text: str | None, client_id: str | None, **options: Any) -> None:
    """Send TEXT (or standard input) to CHAT: an id, a title of your chats, or @NAME.

    Prints the id of the event once the message is stored.
    """
    content = text if text is not None else sys.stdin.read().rstrip("\n")

    async def work() -> None:
        async with connect(**options) as client:
            chat_id = await client.find_chat(chat)
            ack = await client.send(chat_id, content, client_id=client_id)
            click.echo(ack["event_id"])

    run(work())
