"""Drops what a policy keeps no longer. Days of a baseline are left alone: everything is compared with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import sqlalchemy as sa

from ledger.storage import tables
from ledger.storage.database import Database
from profiles import codec
from profiles.profile import EVERYONE

DaySpans = Sequence[tuple[date, date]]
"""First and last days, both included."""


@dataclass(frozen=True)
class FreedSpace:
    """What one rule freed, or would free: rows of its table that were dropped or made smaller, and bytes of content."""

    rows: int
    bytes: int


def drop_profiles(database: Database, model: str, before: date, kept: DaySpans, *, dry_run: bool) -> FreedSpace:
    """Drop the profiles of days before a day, in every profile schema."""
    return _drop(database, tables.profiles, _older_than(tables.profiles, model, before, kept), dry_run=dry_run)


def drop_slice_counts(
    database: Database, model: str, start: date, before: date, kept: DaySpans, *, dry_run: bool
) -> FreedSpace:
    """Take the features' counts by slice out of the profiles of days from ``start`` until before a day.

    The score cube keeps its groups: a day that is watched again still needs them for performance and fairness.
    """
    t = tables.profiles
    where = [*_older_than(t, model, before, kept), t.c.day >= start, t.c.whole]
    rows = freed = 0
    for schema_id, day in database.rows(sa.select(t.c.frame, t.c.day).where(*where)):
        same = (t.c.model == model, t.c.frame == schema_id, t.c.day == day)
        (content,) = database.values(sa.select(t.c.content).where(*same))
        profile = codec.profile_from_bytes(content)
        of_everyone = {group: columns for group, columns in profile.features.items() if group == EVERYONE}
        if len(of_everyone) == len(profile.features):
            continue
        smaller = codec.profile_to_bytes(replace(profile, features=of_everyone))
        rows, freed = rows + 1, freed + len(content) - len(smaller)
        if not dry_run:
            database.write(sa.update(t).where(*same).values(content=smaller, whole=False))
    return FreedSpace(rows, freed)


def drop_restatements(database: Database, model: str, before: date, kept: DaySpans, *, dry_run: bool) -> FreedSpace:
    """Drop what was known of the cohorts of days before a day but for what was known last."""
    t, later = tables.cohorts, tables.cohorts.alias()
    same = (later.c.model == t.c.model, later.c.frame == t.c.frame, later.c.day == t.c.day)
    superseded = sa.exists().where(*same, later.c.as_of > t.c.as_of)
    return _drop(database, t, [*_older_than(t, model, before, kept), superseded], dry_run=dry_run)


def drop_label_snapshots(database: Database, model: str, before: date, *, dry_run: bool) -> FreedSpace:
    """Drop what cohorts were brought up to date from as of days before a day.

    A day watched again without it counts all labels anew, as it must where earlier restatements are gone.
    """
    c = tables.taken_in.c
    return _drop(database, tables.taken_in, [c.model == model, c.as_of < before], dry_run=dry_run)


def _older_than(table: sa.Table, model: str, before: date, kept: DaySpans) -> list[sa.ColumnElement[bool]]:
    spared = [~table.c.day.between(first, last) for first, last in kept]
    return [table.c.model == model, table.c.day < before, *spared]


def _drop(database: Database, table: sa.Table, where: Sequence[sa.ColumnElement[bool]], *, dry_run: bool) -> FreedSpace:
    size = sa.func.coalesce(sa.func.sum(sa.func.length(table.c.content)), 0)
    ((rows, freed),) = database.rows(sa.select(sa.func.count(), size).select_from(table).where(*where))
    if not dry_run:
        database.write(sa.delete(table).where(*where))
    return FreedSpace(int(rows), int(freed))
