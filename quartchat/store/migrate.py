"""Bringing a database to the schema of this version: in a process of its own, because what
Alembic loads (12 MB) would stay in the server's memory."""

from __future__ import annotations

import asyncio
import sys

from sqlalchemy import inspect, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from quartchat.store.engine import Database
from quartchat.store.schema import HEAD_REVISION


class MigrationError(Exception):
    """The database cannot be used by this version; the text says why."""


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
        "quartchat.store.upgrade",
        url,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()
    if process.returncode:
        last = said.decode(errors="replace").strip().splitlines()[-1:] or ["no message"]
        raise MigrationError(f"the database could not be migrated: {last[0]}")
