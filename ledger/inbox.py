"""What was announced to the ledger from outside: partitions that are ready, and requests of Slack's, each once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import sqlalchemy as sa

from ledger.storage.database import Database
from ledger.storage.tables import announced as partitions
from ledger.storage.tables import slack_requests

REQUEST_MEMORY = timedelta(hours=1)
"""How long a request of Slack's is remembered; after five minutes it is refused for its age alone."""


@dataclass(frozen=True)
class PartitionAnnouncement:
    """Somebody said that a partition is ready: when first (UTC), and who. Natural key: model, day."""

    model: str
    day: date
    at: datetime
    by: str


def record_announcement(
    database: Database, model: str, day: date, at: datetime, by: str
) -> tuple[PartitionAnnouncement, bool]:
    """Keep that a partition is ready, and whether this was news; what was said first stands."""
    with database.transaction():
        known = find_announcement(database, model, day)
        if known is not None:
            return known, False
        database.write(sa.insert(partitions), [{"model": model, "day": day, "at": _utc_text(at), "by": by}])
    return PartitionAnnouncement(model, day, at.astimezone(UTC), by), True


def find_announcement(database: Database, model: str, day: date) -> PartitionAnnouncement | None:
    """Return who said first that a partition is ready; None where nobody did."""
    c = partitions.c
    found = database.rows(sa.select(c.at, c.by).where(c.model == model, c.day == day))
    return PartitionAnnouncement(model, day, datetime.fromisoformat(found[0].at), found[0].by) if found else None


def record_request(database: Database, request: str, at: datetime) -> bool:
    """Remember a request of Slack's by its signature or id, and return whether it is new."""
    c = slack_requests.c
    with database.transaction():
        database.write(sa.delete(slack_requests).where(c.at < _utc_text(at - REQUEST_MEMORY)))
        if database.rows(sa.select(c.id).where(c.id == request)):
            return False
        database.write(sa.insert(slack_requests), [{"id": request, "at": _utc_text(at)}])
    return True


def _utc_text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")
