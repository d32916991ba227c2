"""The ledger's tables. A record's key is in columns, so that the database holds it; the rest of it is JSON."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

metadata = sa.MetaData()

# Names come from data too (columns, values of slices), so no length is set: PostgreSQL would refuse longer ones.
NAME = sa.String()


def _key_column(name: str, kind: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, primary_key=True)


frames = sa.Table(
    "frames",
    metadata,
    _key_column("model", NAME),
    _key_column("frame", NAME),
    sa.Column("made", sa.Integer, nullable=False),
    sa.Column("content", sa.Text, nullable=False),
)
baselines = sa.Table(
    "baselines",
    metadata,
    _key_column("model", NAME),
    _key_column("day", sa.Date),
    sa.Column("content", sa.Text, nullable=False),
)
profiles = sa.Table(
    "profiles",
    metadata,
    _key_column("model", NAME),
    _key_column("frame", NAME),
    _key_column("day", sa.Date),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("whole", sa.Boolean, server_default=sa.true(), nullable=False),  # False once without its slices' counts
    sa.Column("content", sa.LargeBinary, nullable=False),
)
batches = sa.Table(
    "batches",
    metadata,
    _key_column("model", NAME),
    _key_column("frame", NAME),
    _key_column("day", sa.Date),
    _key_column("batch", NAME),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("replaced", sa.Boolean, nullable=False),
)
cohorts = sa.Table(
    "cohorts",
    metadata,
    _key_column("model", NAME),
    _key_column("frame", NAME),
    _key_column("day", sa.Date),
    _key_column("as_of", sa.Date),
    sa.Column("content", sa.LargeBinary, nullable=False),
)
taken_in = sa.Table(
    "taken_in",
    metadata,
    _key_column("model", NAME),
    _key_column("frame", NAME),
    _key_column("as_of", sa.Date),
    sa.Column("content", sa.Text, nullable=False),
)
measurements = sa.Table(
    "measurements",
    metadata,
    _key_column("model", NAME),
    _key_column("as_of", sa.Date),
    _key_column("day", sa.Date),
    _key_column("monitor", NAME),
    _key_column("metric", NAME),
    _key_column("feature", NAME),
    _key_column("slice", NAME),
    sa.Column("value", sa.Float),
    sa.Column("low", sa.Float),
    sa.Column("high", sa.Float),
    sa.Column("n", sa.BigInteger, nullable=False),
    sa.Column("limit", sa.Float),
    sa.Column("verdict", NAME, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Index("measurements_by_day", "model", "day", "monitor", "metric", "as_of"),
)
incidents = sa.Table(
    "incidents",
    metadata,
    _key_column("id", NAME),
    _key_column("concluded", sa.Date),
    sa.Column("model", NAME, nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.Index("incidents_by_day", "model", "concluded"),
)
runs = sa.Table(
    "runs",
    metadata,
    _key_column("model", NAME),
    _key_column("day", sa.Date),
    sa.Column("content", sa.Text, nullable=False),
)
decisions = sa.Table(
    "decisions",
    metadata,
    _key_column("model", NAME),
    _key_column("day", sa.Date),
    sa.Column("content", sa.Text, nullable=False),
)
retrained = sa.Table(
    "retrained",
    metadata,
    _key_column("model", NAME),
    _key_column("request", NAME),
    sa.Column("content", sa.Text, nullable=False),
)
messages = sa.Table(
    "messages",
    metadata,
    _key_column("incident", NAME),
    _key_column("day", sa.Date),
    _key_column("kind", NAME),
    _key_column("channel", NAME),
    sa.Column("sent", sa.Boolean, nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.Index("messages_unsent", "channel", "sent"),
)
threads = sa.Table(
    "threads",
    metadata,
    _key_column("incident", NAME),
    _key_column("channel", NAME),
    sa.Column("ts", NAME, nullable=False),
)
events = sa.Table(
    "events",
    metadata,
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", NAME, nullable=False),
    *(sa.Column(name, NAME, nullable=False) for name in ("model", "incident", "actor", "kind")),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
    sa.Column("previous", NAME, nullable=False),
    sa.Column("hash", NAME, nullable=False),
    sa.Index("events_by_model", "model", "incident"),
    sa.Index("events_by_kind", "kind"),
)
announced = sa.Table(
    "announced",
    metadata,
    _key_column("model", NAME),
    _key_column("day", sa.Date),
    sa.Column("at", NAME, nullable=False),
    sa.Column("by", NAME, nullable=False),
)
slack_requests = sa.Table("slack_requests", metadata, _key_column("id", NAME), sa.Column("at", NAME, nullable=False))
