"""Which Chromium the tests use, and what every one of them is started with."""

from __future__ import annotations

import shutil

# The first one that is there. The shell is the same browser without its own windows and menus,
# whose contexts and starts cost a third.
WHOLE = "chromium"
COMMANDS = ("chromium-headless-shell", WHOLE)
INSTALL = f"apt-get install {WHOLE}"

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


def path(*, whole: bool = False) -> str | None:
    """`whole`: the browser itself, where something is tried that the shell has not."""
    commands = (WHOLE,) if whole else COMMANDS
    return next((found for command in commands if (found := shutil.which(command))), None)
