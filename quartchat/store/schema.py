"""The tables, once, for SQLite and PostgreSQL. Times are Unix seconds, ids are text but for
event ids, which are integers below 2^53 (see docs/protocol.md)."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

HEAD_REVISION = "0001"

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

events = Table(
    "events",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("topic", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("data", Text, nullable=False),
    Index("ix_events_topic_id", "topic", "id"),
)

# One row: the newest id given out, and the newest id that retention has taken away.
log_state = Table(
    "log_state",
    metadata,
    Column("one", Integer, primary_key=True),
    Column("head", BigInteger, nullable=False),
    Column("floor", BigInteger, nullable=False),
)

users = Table(
    "users",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False, unique=True),
    Column("email", Text),
    Column("password_hash", Text),
    Column("is_admin", Boolean, nullable=False),
    Column("created_at", Float, nullable=False),
)

# A login: one family of refresh tokens. `generation` is the number of the token in use.
login_sessions = Table(
    "login_sessions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("generation", Integer, nullable=False),
    Column("rotated_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("revoked", Boolean, nullable=False),
)

tickets = Table(
    "tickets",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("session_id", Text),
    Column("token_expires_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False, index=True),
)

chats = Table(
    "chats",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("public", Boolean, nullable=False, index=True),
    Column("history", Text, nullable=False),
    # The two user ids of a direct chat, sorted: one chat per pair.
    Column("pair", Text, unique=True),
    Column("created_at", Float, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("client_id", Text),
    UniqueConstraint("created_by", "client_id"),
)

members = Table(
    "members",
    metadata,
    Column("chat_id", Text, ForeignKey("chats.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", Text, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("role", Text, nullable=False),
    # The id of the event of joining: the first event of the chat that this member may see.
    Column("since", BigInteger, nullable=False),
    Column("read_upto", BigInteger, nullable=False),
    Index("ix_members_user_id", "user_id"),
)

messages = Table(
    "messages",
    metadata,
    Column("event_id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("chat_id", Text, ForeignKey("chats.id", ondelete="CASCADE"), nullable=False),
    Column("sender_id", Text, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("client_id", Text),
    Column("content", Text, nullable=False),
    Column("timestamp", Text, nullable=False),
    # JSON: the quoted message {message_id, sender_name, excerpt}, and the ids of those mentioned.
    Column("quote", Text),
    Column("mentions", Text, nullable=False),
    # Holds what counting the unread needs, so that it reads no rows.
    Index("ix_messages_chat_id_event_id", "chat_id", "event_id", "sender_id"),
    UniqueConstraint("sender_id", "client_id"),
)
