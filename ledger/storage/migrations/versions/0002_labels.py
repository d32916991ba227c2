"""What cohorts were brought up to date from, so that a day takes in only the labels that are new."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table; the first day after it takes in all labels once more."""
    op.create_table(
        "taken_in",
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("frame", sa.String(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("model", "frame", "as_of"),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("taken_in")
