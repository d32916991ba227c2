"""Measurements in their table: one row each, found by model and day or as-of day."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import date
from typing import Any

import sqlalchemy as sa

from ledger.records.measurements import Measurement, Verdict
from ledger.storage.database import Database
from ledger.storage.tables import measurements as table

NATURAL_KEY = ("model", "as_of", "day", "monitor", "metric", "feature", "slice")
"""The natural key, in the order in which measurements are returned."""
VerdictTally = dict[str, dict[str, int]]
"""How many figures had which verdict, by monitor."""
MEASUREMENT_COLUMNS = tuple(field.name for field in fields(Measurement))


def replace_measurements(
    database: Database, model: str, as_of: date, monitors: Sequence[str], measurements: Sequence[Measurement]
) -> None:
    """Write measurements in place of all that these monitors measured of a model as of a day."""
    for m in measurements:
        if (m.model, m.as_of) != (model, as_of) or m.monitor not in monitors:
            raise ValueError(f"{m} is not what {', '.join(monitors)} measured of {model} as of {as_of}")
    c = table.c
    with database.transaction():
        database.write(sa.delete(table).where(c.model == model, c.as_of == as_of, c.monitor.in_(monitors)))
        database.write(sa.insert(table), [_measurement_to_row(m) for m in measurements])


def find_measurements(
    database: Database,
    *,
    same: dict[str, object],
    day: tuple[date | None, date | None],
    as_of: tuple[date | None, date | None],
    monitors: Sequence[str],
    newest: bool,
    verdicts: Sequence[Verdict] = (),
) -> list[Measurement]:
    """Return measurements in the order of their natural key.

    ``same`` are columns that must equal a value, ``day`` and ``as_of`` first and last days; None asks nothing, and so
    does no monitor and no verdict.
    """
    c = table.c
    where = [c[name] == value for name, value in same.items() if value is not None]
    for column, (first, last) in ((c.day, day), (c.as_of, as_of)):
        where += [column >= first] if first is not None else []
        where += [column <= last] if last is not None else []
    where += [c.monitor.in_(monitors)] if monitors else []
    where += [c.verdict.in_([verdict.value for verdict in verdicts])] if verdicts else []
    query = _newest_only(where) if newest else sa.select(*(c[name] for name in MEASUREMENT_COLUMNS)).where(*where)
    found = [_measurement_from_row(*row) for row in database.rows(query)]
    # Sorted here, because databases don't agree on the order of texts.
    return sorted(found, key=lambda m: m.natural_key)


def tally_verdicts(
    database: Database, model: str, first: date, last: date, monitors: Sequence[str]
) -> dict[date, VerdictTally]:
    """Return how many figures of each monitor had which verdict, by the as-of days of a span, in order of day."""
    c = table.c
    key = (c.as_of, c.monitor, c.verdict)
    where = (c.model == model, c.as_of.between(first, last), c.monitor.in_(monitors))
    found: dict[date, VerdictTally] = {}
    for day, monitor, verdict, number in database.rows(
        sa.select(*key, sa.func.count()).where(*where).group_by(*key).order_by(*key)
    ):
        found.setdefault(day, {}).setdefault(monitor, {})[verdict] = number
    return found


def find_measurements_after(
    database: Database,
    where: Mapping[str, object],
    *,
    day: tuple[date | None, date | None] = (None, None),
    newest: bool = False,
    after: Sequence[object] = (),
    limit: int = 100,
) -> list[Measurement]:
    """Return at most ``limit`` measurements that come after a ``NATURAL_KEY`` (empty: the first ones).

    ``where`` are columns that must equal a value, None asks nothing. The database orders them, by its own order of
    texts, so that it needn't send more than are asked for.
    """
    c = table.c
    asked = [c[name] == value for name, value in where.items() if value is not None]
    asked += [c.day >= day[0]] if day[0] is not None else []
    asked += [c.day <= day[1]] if day[1] is not None else []
    query = _newest_only(asked) if newest else sa.select(*(c[name] for name in MEASUREMENT_COLUMNS)).where(*asked)
    found = query.subquery()
    key = [found.c[name] for name in NATURAL_KEY]
    ordered = sa.select(*(found.c[name] for name in MEASUREMENT_COLUMNS)).order_by(*key).limit(limit)
    if after:
        ordered = ordered.where(sa.tuple_(*key) > sa.tuple_(*map(sa.literal, after, (column.type for column in key))))
    return [_measurement_from_row(*row) for row in database.rows(ordered)]


def _newest_only(where: list[sa.ColumnElement[bool]]) -> sa.Select[Any]:
    """Keep, of the figures that differ in their as-of day only, the latest of those asked for."""
    c = table.c
    group = [c[name] for name in NATURAL_KEY if name != "as_of"]
    rank = sa.func.row_number().over(partition_by=group, order_by=c.as_of.desc()).label("rank")
    ranked = sa.select(table, rank).where(*where).subquery()
    return sa.select(*(ranked.c[name] for name in MEASUREMENT_COLUMNS)).where(ranked.c.rank == 1)


def _measurement_from_row(*columns: Any) -> Measurement:
    named = dict(zip(MEASUREMENT_COLUMNS, columns, strict=True))
    return Measurement(**named | {"verdict": Verdict(named["verdict"])})


def _measurement_to_row(m: Measurement) -> dict[str, object]:
    """Return a measurement as both databases keep it: plain numbers, no NaN (nothing was measured), no NUL in texts."""
    numbers = {name: _finite_or_none(getattr(m, name)) for name in ("value", "low", "high", "limit")}
    texts = {name: getattr(m, name).replace("\0", "\ufffd") for name in ("metric", "feature", "slice", "reason")}
    return {**vars(m), **numbers, **texts, "n": int(m.n), "verdict": m.verdict.value}


def _finite_or_none(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else float(value)
