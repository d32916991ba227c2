"""Which micro-batches a day's profile is made of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "batches",
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("frame", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("batch", sa.String(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("replaced", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("model", "frame", "day", "batch"),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("batches")
