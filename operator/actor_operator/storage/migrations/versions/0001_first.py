"""The first form of the database."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table."""
    op.create_table(
        "accounts",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("namespace", sa.String(length=63), nullable=False),
        sa.Column("namespace_uid", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("unreachable_at", sa.BigInteger(), nullable=True),
        sa.Column("purged_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("namespace_uid", name=op.f("uq_accounts_namespace_uid")),
    )
    op.create_index("ix_accounts_namespace_live", "accounts", ["namespace"], unique=False)
    op.create_table(
        "actor_ids",
        sa.Column("account", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=253), nullable=False),
        sa.Column("id", sa.String(length=17), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account", "name", name=op.f("pk_actor_ids")),
        sa.UniqueConstraint("id", name=op.f("uq_actor_ids_id")),
    )
    op.create_table(
        "blocks",
        sa.Column("account", sa.Integer(), nullable=False),
        sa.Column("storage", sa.String(length=17), nullable=False),
        sa.Column("first_index", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("object_key", sa.String(length=128), nullable=True),
        sa.PrimaryKeyConstraint("account", "storage", "first_index", name=op.f("pk_blocks")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "counters",
        sa.Column("account", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account", "kind", "status", name=op.f("pk_counters")),
    )
    op.create_table(
        "deletions",
        sa.Column("object_key", sa.String(length=128), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("object_key", name=op.f("pk_deletions")),
    )
    op.create_index(op.f("ix_deletions_due_at"), "deletions", ["due_at"], unique=False)
    op.create_table(
        "log_owners",
        sa.Column("account", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.String(length=17), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account", "run_id", name=op.f("pk_log_owners")),
    )
    op.create_table(
        "log_segments",
        sa.Column("account", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.String(length=17), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("first_character", sa.BigInteger(), nullable=False),
        sa.Column("characters", sa.Integer(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("object_key", sa.String(length=128), nullable=True),
        sa.PrimaryKeyConstraint(
            "account", "run_id", "attempt", "number", name=op.f("pk_log_segments")
        ),
    )
    op.create_table(
        "logs",
        sa.Column("account", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.String(length=17), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("characters", sa.BigInteger(), nullable=False),
        sa.Column("segments", sa.Integer(), nullable=False),
        sa.Column("pod", sa.String(length=63), nullable=True),
        sa.Column("position", sa.String(length=80), nullable=True),
        sa.Column("pod_done", sa.Boolean(), nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("account", "run_id", "attempt", name=op.f("pk_logs")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "records",
        sa.Column("account", sa.Integer(), nullable=False),
        sa.Column("storage", sa.String(length=17), nullable=False),
        sa.Column(
            "key",
            sa.String(length=256).with_variant(sa.String(length=256, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("content_type", sa.String(length=256), nullable=False),
        sa.Column("content_encoding", sa.String(length=32), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("modified_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("object_key", sa.String(length=128), nullable=True),
        sa.PrimaryKeyConstraint("account", "storage", "key", name=op.f("pk_records")),
    )
    op.create_table(
        "removals",
        sa.Column("account", sa.Integer(), nullable=False),
        sa.Column("storage", sa.String(length=17), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("removed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account", "storage", name=op.f("pk_removals")),
    )
    op.create_index(op.f("ix_removals_removed_at"), "removals", ["removed_at"], unique=False)
    op.create_table(
        "requests",
        sa.Column("account", sa.Integer(), nullable=False),
        sa.Column("storage", sa.String(length=17), nullable=False),
        sa.Column("id", sa.String(length=15), nullable=False),
        sa.Column("order_no", sa.BigInteger(), nullable=False),
        sa.Column("handled_at", sa.BigInteger(), nullable=True),
        sa.Column("locked_until", sa.BigInteger(), nullable=True),
        sa.Column("lock_client", sa.String(length=32), nullable=True),
        sa.Column("lock_run", sa.String(length=64), nullable=True),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("account", "storage", "id", name=op.f("pk_requests")),
    )
    op.create_index(
        "ix_requests_free",
        "requests",
        ["account", "storage", "order_no"],
        unique=False,
        sqlite_where=sa.text("handled_at IS NULL AND locked_until IS NULL"),
        postgresql_where=sa.text("handled_at IS NULL AND locked_until IS NULL"),
    )
    op.create_index(
        "ix_requests_locked",
        "requests",
        ["account", "storage", "locked_until"],
        unique=False,
        sqlite_where=sa.text("locked_until IS NOT NULL"),
        postgresql_where=sa.text("locked_until IS NOT NULL"),
    )
    op.create_index(
        "ix_requests_locks_of_runs",
        "requests",
        ["account", "lock_run"],
        unique=False,
        sqlite_where=sa.text("lock_run IS NOT NULL"),
        postgresql_where=sa.text("lock_run IS NOT NULL"),
    )
    op.create_table(
        "runs",
        sa.Column("account", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(length=17), nullable=False),
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.Column("uid", sa.String(length=36), nullable=True),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("actor_id", sa.String(length=17), nullable=False),
        sa.Column("actor", sa.String(length=320), nullable=False),
        sa.Column("origin", sa.String(length=16), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("phase_rank", sa.SmallInteger(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("build_number", sa.String(length=64), nullable=True),
        sa.Column("build_id", sa.String(length=17), nullable=True),
        sa.Column("micro_units", sa.BigInteger(), nullable=False),
        sa.Column("mirror", sa.LargeBinary(), nullable=True),
        sa.Column("status_message", sa.Text(), nullable=True),
        sa.Column("status_message_terminal", sa.Boolean(), nullable=True),
        sa.Column("general_access", sa.String(length=32), nullable=False),
        sa.Column("meta", sa.LargeBinary(), nullable=False),
        sa.Column("input_body_len", sa.BigInteger(), nullable=False),
        sa.Column("gone_at", sa.BigInteger(), nullable=True),
        sa.Column("archived_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("account", "id", name=op.f("pk_runs")),
    )
    op.create_index(
        "ix_runs_account_actor_started",
        "runs",
        ["account", "state", "actor_id", "started_at", "id"],
        unique=False,
    )
    op.create_index("ix_runs_account_name", "runs", ["account", "name"], unique=False)
    op.create_index(
        "ix_runs_account_started", "runs", ["account", "state", "started_at", "id"], unique=False
    )
    op.create_index(
        "ix_runs_account_status_started",
        "runs",
        ["account", "state", "status", "started_at", "id"],
        unique=False,
    )
    op.create_index("ix_runs_id", "runs", ["id"], unique=False)
    op.create_table(
        "storages",
        sa.Column("account", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(length=17), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=63), nullable=True),
        sa.Column("name_key", sa.String(length=63), nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("run_id", sa.String(length=17), nullable=True),
        sa.Column("actor_id", sa.String(length=17), nullable=True),
        sa.Column("creator_run", sa.String(length=17), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("modified_at", sa.BigInteger(), nullable=False),
        sa.Column("accessed_at", sa.BigInteger(), nullable=False),
        sa.Column("general_access", sa.String(length=32), nullable=False),
        sa.Column("signing_key", sa.String(length=64), nullable=False),
        sa.Column("item_count", sa.BigInteger(), nullable=False),
        sa.Column("clean_item_count", sa.BigInteger(), nullable=False),
        sa.Column("handled_count", sa.BigInteger(), nullable=False),
        sa.Column("fields", sa.LargeBinary(), nullable=True),
        sa.Column("storage_bytes", sa.BigInteger(), nullable=False),
        sa.Column("inflated_bytes", sa.BigInteger(), nullable=False),
        sa.Column("first_order", sa.BigInteger(), nullable=False),
        sa.Column("last_order", sa.BigInteger(), nullable=False),
        sa.Column("client_key", sa.String(length=32), nullable=True),
        sa.Column("had_multiple_clients", sa.Boolean(), nullable=False),
        sa.Column("read_count", sa.BigInteger(), nullable=False),
        sa.Column("write_count", sa.BigInteger(), nullable=False),
        sa.Column("delete_count", sa.BigInteger(), nullable=False),
        sa.Column("list_count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account", "id", name=op.f("pk_storages")),
        sa.UniqueConstraint(
            "account", "kind", "name_key", name=op.f("uq_storages_account_kind_name_key")
        ),
    )
    op.create_index(
        "ix_storages_account_kind_created",
        "storages",
        ["account", "kind", "created_at", "id"],
        unique=False,
    )
    op.create_index("ix_storages_account_run", "storages", ["account", "run_id"], unique=False)
    op.create_index("ix_storages_id", "storages", ["id"], unique=False)
    op.create_index(
        "ix_storages_named",
        "storages",
        ["account", "kind", "created_at", "id"],
        unique=False,
        sqlite_where=sa.text("name_key IS NOT NULL"),
        postgresql_where=sa.text("name_key IS NOT NULL"),
    )
    op.create_index(
        "ix_storages_unkept",
        "storages",
        ["created_at", "id"],
        unique=False,
        sqlite_where=sa.text("name_key IS NULL AND run_id IS NULL"),
        postgresql_where=sa.text("name_key IS NULL AND run_id IS NULL"),
    )
    op.create_table(
        "uploads",
        sa.Column("object_key", sa.String(length=128), nullable=False),
        sa.Column("account", sa.Integer(), nullable=False),
        sa.Column("begun_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("object_key", name=op.f("pk_uploads")),
    )
    op.create_index(op.f("ix_uploads_begun_at"), "uploads", ["begun_at"], unique=False)
