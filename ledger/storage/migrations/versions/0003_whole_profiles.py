"""Note which profiles still have the counts of their slices."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the column; every profile stored so far is whole."""
    op.add_column("profiles", sa.Column("whole", sa.Boolean(), server_default=sa.true(), nullable=False))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("profiles", "whole")
