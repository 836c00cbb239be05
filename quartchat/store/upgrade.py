"""Alembic as a program: `python -m quartchat.store.upgrade URL`. Imports no more than it needs,
for the first start waits for it."""

from __future__ import annotations

import sys
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

HERE = Path(__file__).parent / "migrations"


def upgrade(url: str) -> None:
    """Apply what is missing, all or nothing. `url` names a synchronous driver."""
    config = Config()
    config.set_main_option("script_location", str(HERE))
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        engine.dispose()


if __name__ == "__main__":
    upgrade(sys.argv[1])
