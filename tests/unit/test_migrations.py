from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from quartchat.store import migrate, upgrade
from quartchat.store.engine import Database
from quartchat.store.schema import HEAD_REVISION, metadata

Folder = Callable[..., Path]


def test_the_migrated_schema_and_the_tables_of_the_code_agree(migrated: Path) -> None:
    engine = create_engine(f"sqlite:///{migrated}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_indexes_and_constraints_are_those_of_the_code(migrated: Path, tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'made.db'}")
    metadata.create_all(engine)
    engine.dispose()
    assert indexes(tmp_path / "made.db") == indexes(migrated)


def indexes(path: Path) -> dict[str, set[tuple[object, ...]]]:
    """Table -> the columns of its indexes, and whether they are unique."""
    found: dict[str, set[tuple[object, ...]]] = {}
    connection = sqlite3.connect(path)
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    for (table,) in tables:
        for row in connection.execute(f"PRAGMA index_list('{table}')").fetchall():
            columns = connection.execute(f"PRAGMA index_info('{row[1]}')").fetchall()
            key = (bool(row[2]), *(column[2] for column in columns))
            found.setdefault(table, set()).add(key)
    connection.close()
    found.pop("alembic_version", None)
    return found


def test_the_revision_that_the_code_names_is_the_newest_and_the_only_head() -> None:
    config = Config()
    config.set_main_option("script_location", str(upgrade.HERE))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD_REVISION]


async def test_a_database_that_is_not_there_is_made_and_left_alone_from_then_on(
    tmp_path: Path,
) -> None:
    database = Database.sqlite(tmp_path / "quartchat.db")
    try:
        assert await migrate.revision(database) is None
        await migrate.ensure(database)
        assert await migrate.revision(database) == HEAD_REVISION
        await migrate.ensure(database)
        mode = await database.read(lambda c: c.execute(text("PRAGMA journal_mode")))
        assert mode.scalar_one() == "wal"
    finally:
        await database.close()


async def test_a_database_of_a_newer_version_is_refused_and_not_touched(
    new_folder: Folder,
) -> None:
    path = new_folder() / "quartchat.db"
    connection = sqlite3.connect(path)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    database = Database.sqlite(path)
    try:
        with pytest.raises(migrate.MigrationError, match="newer"):
            await migrate.ensure(database)
        assert await migrate.revision(database) == "9999"
    finally:
        await database.close()


async def test_what_is_no_database_is_refused_with_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "quartchat.db"
    path.write_bytes(b"this is no database" * 400)
    database = Database.sqlite(path)
    try:
        with pytest.raises(migrate.MigrationError, match="cannot be read"):
            await migrate.ensure(database)
    finally:
        await database.close()
