"""The command line: each command in a file of its own, loaded when it is asked for."""

from __future__ import annotations

import importlib

import click

from quartchat import __version__

COMMANDS = {
    "serve": ("serve", "Run the server."),
    "user": ("user", "Make, list, change and remove users."),
    "token": ("token", "Print an access token of a user."),
    "send": ("send", "Send a message."),
    "tail": ("tail", "Follow chats as they happen."),
    "import": ("importing", "Take in logs of other systems."),
    "doctor": ("doctor", "Say what gets through to a server, and what breaks the rest."),
    "bench": ("bench", "Measure on this machine."),
}


class Lazy(click.Group):
    """Imports a command only when it runs: `--help` and the server load nothing else."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"quartchat.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="quartchat")
def main() -> None:
    """Web messaging that arrives, in order and exactly once."""
