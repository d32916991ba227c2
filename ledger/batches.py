"""Micro-batches in their table, and the profiles of streamed days that they add up to.

A day is streamed while its stored profile is the sum of the batches taken of it. A scan of the day's partition puts
its own profile in that one's place and marks the batches as replaced: they are still known, so that one sent again is
no error, but the day takes no more, since a scan has seen all of its rows. Nor does a day that was scanned first, or
one of whose profile the retention policy dropped something: a sum without it would pass for the whole.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from enum import StrEnum

import sqlalchemy as sa

from ledger.records.runs import StreamedDay
from ledger.storage.database import Database
from ledger.storage.tables import batches, profiles
from profiles import codec
from profiles.profile import Profile


class BatchOutcome(StrEnum):
    """What became of a batch's rows of one day."""

    COUNTED = "counted"
    KNOWN = "counted before"
    REFUSED = "refused"


def add_batch(database: Database, model: str, batch: str, found: Mapping[date, Profile]) -> dict[date, BatchOutcome]:
    """Add a batch's profiles to those of their days, each once however often the batch is sent, in one transaction."""
    with database.transaction():
        return {day: _add_batch_to_day(database, model, batch, day, profile) for day, profile in found.items()}


def _add_batch_to_day(database: Database, model: str, batch: str, day: date, profile: Profile) -> BatchOutcome:
    key = {"model": model, "frame": profile.schema_id, "day": day}
    of_day = [batches.c[name] == value for name, value in key.items()]
    query = sa.select(batches.c.batch, batches.c.replaced)
    if database.rows(query.where(*of_day, batches.c.batch == batch)):
        return BatchOutcome.KNOWN
    same = [profiles.c[name] == value for name, value in key.items()]
    stored = database.rows(sa.select(profiles.c.content, profiles.c.whole).where(*same))
    taken = database.rows(query.where(*of_day).order_by(batches.c.replaced.desc()).limit(1))
    streamed_so_far = taken and not taken[0].replaced and stored and stored[0].whole
    if (taken or stored) and not streamed_so_far:
        return BatchOutcome.REFUSED
    whole = codec.profile_from_bytes(stored[0].content) + profile if stored else profile
    database.write(sa.insert(batches), [key | {"batch": batch, "rows": profile.rows, "replaced": False}])
    database.replace(profiles, [key | {"rows": whole.rows, "whole": True, "content": codec.profile_to_bytes(whole)}])
    return BatchOutcome.COUNTED


def days_of_batch(database: Database, model: str, schema_id: str, batch: str) -> list[date]:
    """Return the days of which a batch's rows are counted, in order."""
    c = batches.c
    where = (c.model == model, c.frame == schema_id, c.batch == batch)
    return database.values(sa.select(c.day).where(*where).order_by(c.day))


def streamed_days(database: Database, model: str, schema_id: str, start: date, end: date) -> dict[date, StreamedDay]:
    """Return the streamed days of a span whose profile is there, in order."""
    c, p = batches.c, profiles.c
    there = sa.exists().where(p.model == c.model, p.frame == c.frame, p.day == c.day)
    where = (c.model == model, c.frame == schema_id, c.day.between(start, end), c.replaced.is_(False), there)
    sums = (sa.func.sum(c.rows), sa.func.count())
    found = database.rows(sa.select(c.day, *sums).where(*where).group_by(c.day).order_by(c.day))
    return {day: StreamedDay(int(rows), f"batches: {count}") for day, rows, count in found}


def mark_batches_replaced(database: Database, model: str, schema_id: str, of_days: Collection[date]) -> None:
    """Mark what was taken of days as replaced by a scan."""
    c = batches.c
    where = (c.model == model, c.frame == schema_id, c.day.in_(of_days))
    database.write(sa.update(batches).where(*where).values(replaced=True))
