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
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    false,
)

HEAD_REVISION = "0005"

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
    Column("about", Text, nullable=False, server_default=""),
    Column("picture", Text, index=True),
    Column("last_seen", Float),
    # Whoever was removed keeps a row without name, email and password: others' logs refer to it.
    Column("removed_at", Float),
    # JSON: {"notify": {type of notification: false, …}}; what is not there is on.
    Column("preferences", Text, nullable=False, server_default="{}"),
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
    Column("description", Text, nullable=False, server_default=""),
    Column("picture", Text, index=True),
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
    # Of what the member is notified: "all", "mentions" (a muted chat) or "none".
    Column("notify", Text, nullable=False, server_default="all"),
    Column("archived", Boolean, nullable=False, server_default=false()),
    Index("ix_members_user_id", "user_id"),
)

bans = Table(
    "bans",
    metadata,
    Column("chat_id", Text, ForeignKey("chats.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", Text, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("banned_by", Text, nullable=False),
    Column("banned_at", Float, nullable=False),
    Index("ix_bans_user_id", "user_id"),
)

# `id` is the secret of the link. `max_uses` NULL: any number.
invites = Table(
    "invites",
    metadata,
    Column("id", Text, primary_key=True),
    Column("chat_id", Text, ForeignKey("chats.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("created_by", Text, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("max_uses", Integer),
    Column("uses", Integer, nullable=False),
    Index("ix_invites_created_by", "created_by"),
)

# Small pictures of chats and people, by the SHA-256 of their bytes (hexadecimal, 32 digits).
pictures = Table(
    "pictures",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("mime_type", Text, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("created_at", Float, nullable=False),
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
    # JSON: what `new_message.data.attachments` holds.
    Column("attachments", Text, nullable=False, server_default="[]"),
    # The id of the quoted message: what is deleted is taken out of the replies to it, too.
    Column("reply_to", BigInteger, index=True),
    Column("edited_at", Text),
    # A deleted message keeps its place: the row without its content.
    Column("deleted", Boolean, nullable=False, server_default=false()),
    # Holds what counting the unread needs, so that it reads no rows.
    Index("ix_messages_chat_id_event_id", "chat_id", "event_id", "sender_id", "deleted"),
    Index("ix_messages_chat_id_timestamp", "chat_id", "timestamp"),
    UniqueConstraint("sender_id", "client_id"),
)

# Which events carry something of a message beside the one that brought it (edits,
# notifications): they are redacted with it.
traces = Table(
    "traces",
    metadata,
    Column("message_id", BigInteger, primary_key=True),
    Column("event_id", BigInteger, primary_key=True),
)

reactions = Table(
    "reactions",
    metadata,
    Column(
        "message_id",
        BigInteger,
        ForeignKey("messages.event_id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("emoji", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("reacted_at", Float, nullable=False),
    Index("ix_reactions_user_id", "user_id"),
    # In the order in which they are counted and named.
    Index(
        "ix_reactions_message_id_emoji_reacted_at_user_id",
        "message_id",
        "emoji",
        "reacted_at",
        "user_id",
    ),
)

pins = Table(
    "pins",
    metadata,
    Column("chat_id", Text, ForeignKey("chats.id", ondelete="CASCADE"), primary_key=True),
    Column(
        "message_id",
        BigInteger,
        ForeignKey("messages.event_id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("pinned_by", Text, nullable=False),
    Column("pinned_at", Float, nullable=False),
    Index("ix_pins_message_id", "message_id"),
)

# One row per notification; `event_id` is its event, `data` its further fields as JSON.
notifications = Table(
    "notifications",
    metadata,
    Column("event_id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("user_id", Text, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("type", Text, nullable=False),
    Column("actor_id", Text),
    Column("chat_id", Text),
    Column("message_id", BigInteger, index=True),
    Column("data", Text, nullable=False),
    Column("is_read", Boolean, nullable=False),
    Index("ix_notifications_user_id_event_id", "user_id", "event_id"),
    Index("ix_notifications_user_id_is_read_chat_id", "user_id", "is_read", "chat_id"),
)

# One row per pair, `first_id` < `second_id`; `accepted_at` NULL: asked for, no answer yet.
friendships = Table(
    "friendships",
    metadata,
    Column("first_id", Text, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("second_id", Text, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("asked_by", Text, nullable=False),
    Column("asked_at", Float, nullable=False),
    Column("accepted_at", Float),
    # Set: the one who was asked does not want to hear of it; the asker is not told.
    Column("declined_at", Float),
    Index("ix_friendships_second_id", "second_id"),
)

follows = Table(
    "follows",
    metadata,
    Column("follower_id", Text, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("followed_id", Text, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("followed_at", Float, nullable=False),
    Index("ix_follows_followed_id", "followed_id"),
)

# What programs published with a client_id, to know a repeat; kept for some days.
publications = Table(
    "publications",
    metadata,
    Column("publisher", Text, primary_key=True),
    Column("client_id", Text, primary_key=True),
    Column("event_id", BigInteger, nullable=False),
    Column("topic", Text, nullable=False),
    Column("published_at", Float, nullable=False, index=True),
)

# Files that are on their way. How much of one has come, its file in the folder `incoming` tells.
uploads = Table(
    "uploads",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("chat_id", Text, ForeignKey("chats.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("client_id", Text),
    Column("name", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    # Set: all has come, and this has become of it.
    Column("attachment_id", Text, index=True),
    Column("expires_at", Float, nullable=False, index=True),
    UniqueConstraint("user_id", "client_id"),
    # Holds what quotas need, so that they read no rows.
    Index("ix_uploads_user_id_attachment_id_size", "user_id", "attachment_id", "size"),
)

# `digest`, `small` and `large` name what the storage holds, by the SHA-256 of its bytes; several
# rows may name the same. `message_id` NULL: not sent yet.
attachments = Table(
    "attachments",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("chat_id", Text, ForeignKey("chats.id", ondelete="CASCADE"), nullable=False),
    Column("message_id", BigInteger, index=True),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("mime_type", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    # In bytes, with its thumbnails: what quotas count.
    Column("size_stored", BigInteger, nullable=False),
    Column("width", Integer),
    Column("height", Integer),
    Column("duration", Float),
    Column("animated", Boolean, nullable=False, server_default=false()),
    Column("blur", Text),
    Column("digest", Text, nullable=False, index=True),
    Column("small", Text, index=True),
    Column("large", Text, index=True),
    Column("created_at", Float, nullable=False),
    Index("ix_attachments_chat_id_message_id", "chat_id", "message_id"),
    Index("ix_attachments_user_id_size_stored", "user_id", "size_stored"),
)

# What the storage holds and perhaps nothing names any more: looked at soon after the commit.
loose = Table(
    "loose_files",
    metadata,
    Column("digest", Text, primary_key=True),
)

# What the storage holds and nothing names, and when that was first seen: perhaps the database is
# not the one that belongs to it.
orphans = Table(
    "orphan_files",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("seen_at", Float, nullable=False),
)
