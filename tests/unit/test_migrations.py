from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, text
from support.log import open_log

from quartchat.chat import search
from quartchat.store import migrate, upgrade
from quartchat.store.engine import Database
from quartchat.store.schema import HEAD_REVISION, metadata

Folder = Callable[..., Path]


def test_the_migrated_schema_and_the_tables_of_the_code_agree(migrated: Path) -> None:
    engine = create_engine(f"sqlite:///{migrated}")
    with engine.connect() as connection:
        options = {"compare_type": True, "include_name": is_of_the_code}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def is_of_the_code(name: str | None, kind: str, _parent: object) -> bool:
    """All but the index of search, which each database has its own kind of."""
    return kind != "table" or not str(name).startswith("search_")


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
        if not is_of_the_code(table, "table", None):
            continue
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


FIRST = """
INSERT INTO users (id, name, name_key, is_admin, created_at) VALUES
    ('ada', 'Ada', 'ada', 1, 1), ('ben', 'Ben', 'ben', 0, 2);
INSERT INTO chats (id, kind, title, public, history, created_at, created_by) VALUES
    ('choir', 'group', 'Choir', 0, 'all', 3, 'ada');
INSERT INTO members (chat_id, user_id, role, since, read_upto) VALUES
    ('choir', 'ada', 'owner', 10, 20), ('choir', 'ben', 'member', 10, 10);
INSERT INTO messages (event_id, chat_id, sender_id, client_id, content, timestamp, quote, mentions)
VALUES
    (20, 'choir', 'ada', 'one', 'Where is the Kettle?', '2026-01-02T03:04:05.000Z', NULL, '[]'),
    (21, 'choir', 'ben', NULL, 'Чайник там', '2026-01-02T03:05:05.000Z',
     '{"message_id": "20", "sender_name": "Ada", "excerpt": "Where is the Kettle?"}', '["ada"]');
INSERT INTO events (id, topic, type, data) VALUES (20, 'chat:choir', 'new_message', '{}');
UPDATE log_state SET head = 21;
"""


KILLED = """
import os, signal, sys
from sqlalchemy import Engine, event
from quartchat.store.upgrade import upgrade
count = 0
@event.listens_for(Engine, "before_cursor_execute")
def _count(*_):
    global count
    count += 1
    if count == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
upgrade(sys.argv[1])
"""


def of_the_first_revision(path: Path) -> None:
    config = Config()
    config.set_main_option("script_location", str(upgrade.HERE))
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    engine.dispose()
    plain = sqlite3.connect(path)
    plain.executescript(FIRST)
    plain.close()


def rows_of(path: Path, query: str) -> list[dict[str, object]]:
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    found = [dict(row) for row in connection.execute(query).fetchall()]
    connection.close()
    return found


async def test_a_database_of_the_first_revision_keeps_all_and_can_be_searched(
    tmp_path: Path,
) -> None:
    path = tmp_path / "quartchat.db"
    of_the_first_revision(path)
    tables = ("users", "chats", "members", "messages", "events", "log_state")
    before = {table: rows_of(path, f"SELECT * FROM {table}") for table in tables}
    async with open_log(tmp_path) as log:
        await migrate.ensure(log.database)
        assert await migrate.revision(log.database) == HEAD_REVISION
        for q, author in (("kettle", "ada"), ("чайник", "ben")):
            found = await search.find(log.core, "ben", search.Query(q))
            assert [message["sender_id"] for message in found["messages"]] == [author]
        [answer] = (await search.find(log.core, "ada", search.Query("чайник")))["messages"]
        assert (answer["reply_to"], answer["mentions"]) == ("20", ["ada"])
    for table, rows in before.items():
        after = rows_of(path, f"SELECT * FROM {table}")
        assert [
            {name: row[name] for name in old} for old, row in zip(rows, after, strict=True)
        ] == rows
    assert [row["reply_to"] for row in rows_of(path, "SELECT * FROM messages")] == [None, 20]


@pytest.mark.parametrize("statement", [1, 5, 15, 30, 45, 60, 75])
def test_a_migration_that_is_killed_leaves_the_database_as_it_was(
    tmp_path: Path, statement: int
) -> None:
    path = tmp_path / "quartchat.db"
    of_the_first_revision(path)
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, f"sqlite:///{path}", str(statement)], check=False
    )
    assert killed.returncode == -signal.SIGKILL
    assert rows_of(path, "SELECT version_num FROM alembic_version") == [{"version_num": "0001"}]
    upgrade.upgrade(f"sqlite:///{path}")
    assert [row["content"] for row in rows_of(path, "SELECT * FROM messages")] == [
        "Where is the Kettle?",
        "Чайник там",
    ]


async def test_a_reply_of_the_first_revision_is_redacted_with_what_it_quotes(
    tmp_path: Path,
) -> None:
    path = tmp_path / "quartchat.db"
    of_the_first_revision(path)
    upgrade.upgrade(f"sqlite:///{path}")
    traces = rows_of(path, "SELECT * FROM traces")
    assert traces == [{"message_id": 20, "event_id": 21}]


async def test_what_another_program_writes_into_the_file_is_found(new_folder: Folder) -> None:
    """The triggers need nothing that only this program has."""
    folder = new_folder()
    plain = sqlite3.connect(folder / "quartchat.db")
    plain.executescript(FIRST)
    plain.execute("UPDATE messages SET content = 'Where is the Teapot?' WHERE event_id = 20")
    plain.execute("DELETE FROM messages WHERE event_id = 21")
    plain.commit()
    plain.close()
    async with open_log(folder) as log:
        for q, number in (("teapot", 1), ("kettle", 0), ("чайник", 0)):
            found = await search.find(log.core, "ada", search.Query(q))
            assert len(found["messages"]) == number


def test_the_index_of_search_goes_and_comes_again_with_its_revision(tmp_path: Path) -> None:
    path = tmp_path / "quartchat.db"
    of_the_first_revision(path)
    config = Config()
    config.set_main_option("script_location", str(upgrade.HERE))
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")
        command.downgrade(config, "0002")
        assert not [name for name in inspect(connection).get_table_names() if "search" in name]
        command.upgrade(config, "0003")
    engine.dispose()
    [found] = rows_of(path, "SELECT rowid FROM search_index WHERE search_index MATCH '\"ket\"'")
    assert found == {"rowid": 1}
