"""Bringing a database to the schema of this version, by Alembic.

Run as a program (`python -m quartchat.store.migrate URL`) it keeps what Alembic loads
(12 MB) out of the server's memory; that is how the server calls it, when it is needed.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from sqlalchemy import create_engine, inspect, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from quartchat.store.engine import Database
from quartchat.store.schema import HEAD_REVISION

HERE = Path(__file__).parent / "migrations"


class MigrationError(Exception):
    """The database cannot be used by this version; the text says why."""


def upgrade(url: str) -> None:
    """Apply what is missing, in one transaction a step. `url` names a synchronous driver."""
    from alembic import command  # noqa: PLC0415  (loaded only where it is run)
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(HERE))
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        engine.dispose()


async def revision(database: Database) -> str | None:
    """The schema's revision; None for an empty database."""

    async def work(connection: AsyncConnection) -> str | None:
        names = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
        if "alembic_version" not in names:
            return None
        found = await connection.execute(text("SELECT version_num FROM alembic_version"))
        return found.scalar_one_or_none()

    return await database.read(work)


async def ensure(database: Database) -> None:
    """Migrate if need be. Raises MigrationError."""
    try:
        found = await revision(database)
    except SQLAlchemyError as error:
        raise MigrationError(f"the database cannot be read: {error}".splitlines()[0]) from error
    if found == HEAD_REVISION:
        return
    if found is not None and found > HEAD_REVISION:
        raise MigrationError(
            f"the database is of a newer quartchat (schema {found}); install that version"
        )
    url = database.url.replace("+aiosqlite", "")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "quartchat.store.migrate",
        url,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()
    if process.returncode:
        last = said.decode(errors="replace").strip().splitlines()[-1:] or ["no message"]
        raise MigrationError(f"the database could not be migrated: {last[0]}")


if __name__ == "__main__":
    upgrade(sys.argv[1])
