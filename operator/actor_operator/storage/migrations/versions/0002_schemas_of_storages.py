"""Storages have schemas."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for them."""
    op.create_table(
        "storage_schemas",
        sa.Column("account", sa.Integer(), nullable=False),
        sa.Column("storage", sa.String(length=17), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("account", "storage", name=op.f("pk_storage_schemas")),
    )
    op.add_column("storages", sa.Column("schema_digest", sa.String(length=64), nullable=True))
