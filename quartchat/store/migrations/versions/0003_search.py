"""Search: an index of trigrams over the messages, kept in step by triggers"""

import re

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# The plain SQL of this file needs nothing but SQLite: other programs may write the tables, too.
# How the signs are read again stands in quartchat/store/search_sqlite.py.


def _code(id_: str) -> str:
    """SQL: the last four characters of an id as two signs."""

    def bits(place: int) -> str:
        return f"unicode(substr('0000' || {id_}, {place}, 1)) % 64"

    return ", ".join(f"0xE100 + {bits(at)} * 64 + {bits(at + 1)}" for at in (-4, -2))


def _columns(row: str) -> str:
    """SQL: what is indexed of a row of messages, whose place in the index is `id`."""
    day = f"substr({row}.timestamp, 1, 4) % 4096, 0xE100 + substr({row}.timestamp, 6, 2)"
    return f"""
        char(0xE002, 0xE100 + (id >> 27) % 4096, 0xE100 + (id >> 15) % 4096),
        char(0xE000, {_code(f"{row}.chat_id")}),
        char(0xE001, {_code(f"{row}.sender_id")}),
        char(0xE003, 0xE100 + {day}, 0xE100 + substr({row}.timestamp, 9, 2)),
        {row}.content || '  '
    """


SQLITE = (
    "CREATE TABLE search_docs (id INTEGER PRIMARY KEY, event_id INTEGER NOT NULL UNIQUE)",
    """
    CREATE VIRTUAL TABLE search_index USING fts5(
        block, chat, sender, day, body,
        content='', detail='none', columnsize=0, tokenize='trigram'
    )
    """,
    "CREATE VIRTUAL TABLE search_terms USING fts5vocab('search_index', 'instance')",
    "INSERT INTO search_docs (event_id) SELECT event_id FROM messages ORDER BY event_id",
    """
    INSERT INTO search_index (rowid, block, chat, sender, day, body)
        SELECT id, COLUMNS OF m
        FROM search_docs JOIN messages AS m USING (event_id) WHERE NOT m.deleted ORDER BY id
    """,
    """
    CREATE TRIGGER search_inserted AFTER INSERT ON messages BEGIN
        INSERT INTO search_docs (event_id) VALUES (NEW.event_id);
        INSERT INTO search_index (rowid, block, chat, sender, day, body)
            SELECT id, COLUMNS OF NEW
            FROM search_docs WHERE event_id = NEW.event_id AND NOT NEW.deleted;
    END
    """,
    """
    CREATE TRIGGER search_updated
    AFTER UPDATE OF chat_id, sender_id, content, timestamp, deleted ON messages BEGIN
        INSERT INTO search_index (search_index, rowid, block, chat, sender, day, body)
            SELECT 'delete', id, COLUMNS OF OLD
            FROM search_docs WHERE event_id = OLD.event_id AND NOT OLD.deleted;
        INSERT INTO search_index (rowid, block, chat, sender, day, body)
            SELECT id, COLUMNS OF NEW
            FROM search_docs WHERE event_id = NEW.event_id AND NOT NEW.deleted;
    END
    """,
    """
    CREATE TRIGGER search_deleted AFTER DELETE ON messages BEGIN
        INSERT INTO search_index (search_index, rowid, block, chat, sender, day, body)
            SELECT 'delete', id, COLUMNS OF OLD
            FROM search_docs WHERE event_id = OLD.event_id AND NOT OLD.deleted;
        DELETE FROM search_docs WHERE event_id = OLD.event_id;
    END
    """,
)
TRIGGERS = ("search_inserted", "search_updated", "search_deleted")
TABLES = ("search_terms", "search_index", "search_docs")


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for statement in SQLITE:
            whole = re.sub(r"COLUMNS OF (\w+)", lambda row: _columns(row[1]), statement)
            op.get_bind().exec_driver_sql(whole)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for name in TRIGGERS:
            op.get_bind().exec_driver_sql(f"DROP TRIGGER {name}")
        for name in TABLES:
            op.get_bind().exec_driver_sql(f"DROP TABLE {name}")
