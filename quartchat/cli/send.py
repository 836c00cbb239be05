"""`quartchat send`."""

from __future__ import annotations

import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from quartchat.cli.remote import connect, remote_options, run

if TYPE_CHECKING:
    from quartchat.client import Client


@click.command()
@click.argument("chat")
@click.argument("text", required=False)
@click.option(
    "--file",
    "files",
    type=click.Path(path_type=Path, dir_okay=False),
    multiple=True,
    help="A file to send with it; may be given several times.",
)
@click.option("--client-id", default=None, help="Repeating it with the same id sends it once.")
@remote_options
def command(
    chat: str, text: str | None, files: tuple[Path, ...], client_id: str | None, **options: Any
) -> None:
    """Send TEXT (or standard input, if there is no file) to CHAT: an id, a title of your chats, or
    @NAME.

    Prints the id of the event once the message is stored.
    """
    content = _content(text, files)

    async def work() -> None:
        async with connect(**options) as client:
            chat_id = await client.find_chat(chat)
            sent = [
                await _send(client, chat_id, path, _id_of(client_id, number))
                for number, path in enumerate(files)
            ]
            ack = await client.send(chat_id, content, client_id=client_id, attachments=sent)
            click.echo(ack["event_id"])

    run(work())


def _content(text: str | None, files: tuple[Path, ...]) -> str:
    if text is not None:
        return text
    return "" if files else sys.stdin.read().rstrip("\n")


def _id_of(client_id: str | None, number: int) -> str | None:
    """Of a file: the same whenever the command is repeated."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{client_id} {number}")) if client_id else None


async def _send(client: Client, chat_id: str, path: Path, client_id: str | None) -> str:
    """The id of the attachment; meanwhile a bar on the terminal."""
    with click.progressbar(length=1, label=path.name, file=sys.stderr) as bar:

        def progress(sent: int, size: int) -> None:
            bar.length = size
            bar.update(sent - bar.pos)

        made = await client.send_file(chat_id, path, client_id=client_id, progress=progress)
    return str(made["attachment_id"])
