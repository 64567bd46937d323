"""Every table of the API server.

Times are whole milliseconds since 1970 (UTC), as Apify writes them. Every table that holds what
belongs to somebody begins its primary key with the account, and every statement names it.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
"""All of them, with names that are the same in every database."""

ID = String(17)
"""An id of Apify's form."""

SORTED_TEXT = String(256).with_variant(String(256, collation="C"), "postgresql")
"""Text in the order of its bytes, as SQLite has it, whatever the language of the database is."""

ACCOUNTS = Table(
    "accounts",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("namespace", String(63), nullable=False),
    Column("namespace_uid", String(36), nullable=False, unique=True),
    Column("created_at", BigInteger, nullable=False),
    Column("unreachable_at", BigInteger),
    Column("purged_at", BigInteger),
    Index(
        "ix_accounts_namespace_live",
        "namespace",
    ),
)
"""One row for each namespace that ever was an account. A namespace that was deleted and made anew
has another uid and is another account."""

COUNTERS = Table(
    "counters",
    METADATA,
    Column("account", Integer, primary_key=True),
    Column("kind", String(32), primary_key=True),
    Column("status", String(32), primary_key=True),
    Column("count", BigInteger, nullable=False),
)
"""How many of something an account has: totals of lists come from here, never from COUNT(*)."""

ACTOR_IDS = Table(
    "actor_ids",
    METADATA,
    Column("account", Integer, primary_key=True),
    Column("name", String(253), primary_key=True),
    Column("id", ID, nullable=False, unique=True),
    Column("created_at", BigInteger, nullable=False),
)
"""Ids of Actors by name; an Actor that is deleted and made anew keeps its id."""

RUNS = Table(
    "runs",
    METADATA,
    Column("account", Integer, primary_key=True),
    Column("id", ID, primary_key=True),
    Column("name", String(63), nullable=False),
    Column("uid", String(36)),
    Column("state", String(8), nullable=False),  # pending, visible, gone
    Column("actor_id", ID, nullable=False),
    Column("actor", String(320), nullable=False),
    Column("origin", String(16), nullable=False),
    Column("started_at", BigInteger, nullable=False),
    # Mirrored from the ActorRun, only forwards: by (attempt, rank of the phase).
    Column("attempt", Integer, nullable=False, default=1),
    Column("phase_rank", SmallInteger, nullable=False, default=0),
    Column("status", String(16), nullable=False, default="READY"),
    Column("finished_at", BigInteger),
    Column("build_number", String(64)),
    Column("build_id", ID),
    Column("micro_units", BigInteger, nullable=False, default=0),  # of compute, all attempts
    Column("mirror", LargeBinary),  # JSON: what the object last said, for GET once it is gone
    # The API's own.
    Column("status_message", Text),
    Column("status_message_terminal", Boolean),
    Column("general_access", String(32), nullable=False, default="FOLLOW_USER_SETTING"),
    Column("meta", LargeBinary, nullable=False),  # JSON: origin, clientIp, userAgent
    Column("input_body_len", BigInteger, nullable=False, default=0),
    Column("gone_at", BigInteger),
    Column("archived_at", BigInteger),
    Index("ix_runs_account_started", "account", "state", "started_at", "id"),
    Index("ix_runs_account_status_started", "account", "state", "status", "started_at", "id"),
    Index("ix_runs_account_actor_started", "account", "state", "actor_id", "started_at", "id"),
    Index("ix_runs_account_name", "account", "name"),
    Index("ix_runs_id", "id"),
)
"""A row for each run, from its POST or from when it was first seen."""

STORAGES = Table(
    "storages",
    METADATA,
    Column("account", Integer, primary_key=True),
    Column("id", ID, primary_key=True),
    Column("kind", String(16), nullable=False),  # keyValueStore, dataset, requestQueue
    Column("name", String(63)),
    Column("name_key", String(63)),  # the name in lower case
    Column("title", Text),
    Column("run_id", ID),
    Column("actor_id", ID),
    Column("creator_run", ID),  # the run whose token made it
    Column("created_at", BigInteger, nullable=False),
    Column("modified_at", BigInteger, nullable=False),
    Column("accessed_at", BigInteger, nullable=False),
    Column("general_access", String(32), nullable=False, default="FOLLOW_USER_SETTING"),
    Column("signing_key", String(64), nullable=False),
    # Of datasets: items; of queues: requests, how many of them are handled.
    Column("item_count", BigInteger, nullable=False, default=0),
    Column("clean_item_count", BigInteger, nullable=False, default=0),
    Column("handled_count", BigInteger, nullable=False, default=0),
    Column("fields", LargeBinary),  # of datasets: JSON, the names of the fields that items have
    Column("storage_bytes", BigInteger, nullable=False, default=0),
    Column("inflated_bytes", BigInteger, nullable=False, default=0),
    # Of queues: where the next request goes, in front and behind; who has used it.
    Column("first_order", BigInteger, nullable=False, default=0),
    Column("last_order", BigInteger, nullable=False, default=0),
    Column("client_key", String(32)),
    Column("had_multiple_clients", Boolean, nullable=False, default=False),
    # Statistics, written now and then: not durable.
    Column("read_count", BigInteger, nullable=False, default=0),
    Column("write_count", BigInteger, nullable=False, default=0),
    Column("delete_count", BigInteger, nullable=False, default=0),
    Column("list_count", BigInteger, nullable=False, default=0),
    Column("schema_digest", String(64)),  # of its schema, if it has one
    UniqueConstraint("account", "kind", "name_key"),
    Index("ix_storages_account_kind_created", "account", "kind", "created_at", "id"),
    Index("ix_storages_account_run", "account", "run_id"),
    Index("ix_storages_id", "id"),
)
"""Key-value stores, datasets and request queues."""

STORAGE_SCHEMAS = Table(
    "storage_schemas",
    METADATA,
    Column("account", Integer, primary_key=True),
    Column("storage", ID, primary_key=True),
    Column("body", LargeBinary, nullable=False),  # JSON
)
"""Schemas of storages. Not in the row of the storage, which every push writes anew."""

Index(
    "ix_storages_named",
    STORAGES.c.account,
    STORAGES.c.kind,
    STORAGES.c.created_at,
    STORAGES.c.id,
    sqlite_where=STORAGES.c.name_key.is_not(None),
    postgresql_where=STORAGES.c.name_key.is_not(None),
)

Index(
    "ix_storages_unkept",
    STORAGES.c.created_at,
    STORAGES.c.id,
    sqlite_where=STORAGES.c.name_key.is_(None) & STORAGES.c.run_id.is_(None),
    postgresql_where=STORAGES.c.name_key.is_(None) & STORAGES.c.run_id.is_(None),
)

REMOVALS = Table(
    "removals",
    METADATA,
    Column("account", Integer, primary_key=True),
    Column("storage", ID, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("removed_at", BigInteger, nullable=False, index=True),
)
"""Storages that are deleted, and whose content is removed in small pieces."""

RECORDS = Table(
    "records",
    METADATA,
    Column("account", Integer, primary_key=True),
    Column("storage", ID, primary_key=True),
    Column("key", SORTED_TEXT, primary_key=True),
    Column("content_type", String(256), nullable=False),
    Column("content_encoding", String(32)),
    Column("size", BigInteger, nullable=False),
    Column("modified_at", BigInteger, nullable=False),
    Column("body", LargeBinary),
    Column("object_key", String(128)),
)
"""Records of key-value stores. Small bodies are here, large ones in the object store."""

BLOCKS = Table(
    "blocks",
    METADATA,
    Column("account", Integer, primary_key=True),
    Column("storage", ID, primary_key=True),
    Column("first_index", BigInteger, primary_key=True),
    Column("count", Integer, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("body", LargeBinary),
    Column("object_key", String(128)),
    sqlite_with_rowid=False,
)
"""Items of datasets: compressed JSON lines, a block a push until the compactor joins them."""

REQUESTS = Table(
    "requests",
    METADATA,
    Column("account", Integer, primary_key=True),
    Column("storage", ID, primary_key=True),
    Column("id", String(15), primary_key=True),
    Column("order_no", BigInteger, nullable=False),
    Column("handled_at", BigInteger),
    Column("locked_until", BigInteger),
    Column("lock_client", String(32)),
    Column("lock_run", String(64)),  # uid.attempt
    Column("size", Integer, nullable=False),  # of the body
    # Two forms as clients get them, but without what other columns say. The large one is the last
    # column: SQLite reads a row from its beginning.
    Column("head", LargeBinary, nullable=False),  # JSON: what stands in the head of the queue
    Column("body", LargeBinary, nullable=False),  # JSON: all of it
    Index(
        "ix_requests_free",
        "account",
        "storage",
        "order_no",
        sqlite_where=text("handled_at IS NULL AND locked_until IS NULL"),
        postgresql_where=text("handled_at IS NULL AND locked_until IS NULL"),
    ),
    Index(
        "ix_requests_locked",
        "account",
        "storage",
        "locked_until",
        sqlite_where=text("locked_until IS NOT NULL"),
        postgresql_where=text("locked_until IS NOT NULL"),
    ),
    Index(
        "ix_requests_locks_of_runs",
        "account",
        "lock_run",
        sqlite_where=text("lock_run IS NOT NULL"),
        postgresql_where=text("lock_run IS NOT NULL"),
    ),
)
"""Requests of request queues: handled, locked or free. A lock that is over still stands
in its row until the next who wants requests removes it."""

UPLOADS = Table(
    "uploads",
    METADATA,
    Column("object_key", String(128), primary_key=True),
    Column("account", Integer, nullable=False),
    Column("begun_at", BigInteger, nullable=False, index=True),
)
"""Objects that are being uploaded: those that nothing refers to in the end are removed."""

DELETIONS = Table(
    "deletions",
    METADATA,
    Column("object_key", String(128), primary_key=True),
    Column("due_at", BigInteger, nullable=False, index=True),
)
"""Objects that nothing refers to any more, and when they may be removed."""

LOGS = Table(
    "logs",
    METADATA,
    Column("account", Integer, primary_key=True),
    Column("run_id", ID, primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("characters", BigInteger, nullable=False, default=0),
    Column("segments", Integer, nullable=False, default=0),
    Column("pod", String(63)),  # whose log is or was read last
    Column("position", String(80)),  # up to where in it
    Column("pod_done", Boolean, nullable=False, default=False),
    Column("complete", Boolean, nullable=False, default=False),
    sqlite_with_rowid=False,
)
"""One row for the log of each attempt of a run. Of a run that was resurrected the log before goes
when the new one has its first segment."""

LOG_SEGMENTS = Table(
    "log_segments",
    METADATA,
    Column("account", Integer, primary_key=True),
    Column("run_id", ID, primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("first_character", BigInteger, nullable=False),
    Column("characters", Integer, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("body", LargeBinary),
    Column("object_key", String(128)),
)
"""Logs of runs, in compressed pieces."""

LOG_OWNERS = Table(
    "log_owners",
    METADATA,
    Column("account", Integer, primary_key=True),
    Column("run_id", ID, primary_key=True),
    Column("owner", String(64), nullable=False),
    Column("until", BigInteger, nullable=False),
)
"""Which replica follows the log of which run, and how long nobody else may."""
