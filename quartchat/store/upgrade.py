"""Alembic as a program: `python -m quartchat.store.upgrade URL`. Imports no more than it needs,
for the first start waits for it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, event

HERE = Path(__file__).parent / "migrations"


def upgrade(url: str) -> None:
    """Apply what is missing, all or nothing. `url` names a synchronous driver."""
    config = Config()
    config.set_main_option("script_location", str(HERE))
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        _whole(engine)
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        engine.dispose()


def _whole(engine: Engine) -> None:
    """Tables too are made and changed inside the transaction: sqlite3 by itself begins one only
    before it changes rows, and a kill in between would leave half a schema."""

    @event.listens_for(engine, "connect")
    def _connected(dbapi: Any, _record: Any) -> None:
        dbapi.isolation_level = None

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


if __name__ == "__main__":
    upgrade(sys.argv[1])
