"""Every table of the first version."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "baselines",
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("model", "day"),
    )
    op.create_table(
        "cohorts",
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("frame", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("model", "frame", "day", "as_of"),
    )
    op.create_table(
        "decisions",
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("model", "day"),
    )
    op.create_table(
        "frames",
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("frame", sa.String(), nullable=False),
        sa.Column("made", sa.Integer(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("model", "frame"),
    )
    op.create_table(
        "incidents",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("concluded", sa.Date(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", "concluded"),
    )
    op.create_index("incidents_by_day", "incidents", ["model", "concluded"], unique=False)
    op.create_table(
        "measurements",
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("monitor", sa.String(), nullable=False),
        sa.Column("metric", sa.String(), nullable=False),
        sa.Column("feature", sa.String(), nullable=False),
        sa.Column("slice", sa.String(), nullable=False),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("low", sa.Float(), nullable=True),
        sa.Column("high", sa.Float(), nullable=True),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("limit", sa.Float(), nullable=True),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("model", "as_of", "day", "monitor", "metric", "feature", "slice"),
    )
    op.create_index("measurements_by_day", "measurements", ["model", "day", "monitor", "metric", "as_of"], unique=False)
    op.create_table(
        "messages",
        sa.Column("incident", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("sent", sa.Boolean(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("incident", "day", "kind", "channel"),
    )
    op.create_index("messages_unsent", "messages", ["channel", "sent"], unique=False)
    op.create_table(
        "profiles",
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("frame", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("model", "frame", "day"),
    )
    op.create_table(
        "retrained",
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("request", sa.String(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("model", "request"),
    )
    op.create_table(
        "runs",
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("model", "day"),
    )
    op.create_table(
        "threads",
        sa.Column("incident", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("ts", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("incident", "channel"),
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("threads")
    op.drop_table("runs")
    op.drop_table("retrained")
    op.drop_table("profiles")
    op.drop_index("messages_unsent", table_name="messages")
    op.drop_table("messages")
    op.drop_index("measurements_by_day", table_name="measurements")
    op.drop_table("measurements")
    op.drop_index("incidents_by_day", table_name="incidents")
    op.drop_table("incidents")
    op.drop_table("frames")
    op.drop_table("decisions")
    op.drop_table("cohorts")
    op.drop_table("baselines")
