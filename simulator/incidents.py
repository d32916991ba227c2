"""Incidents on demand. Each returns an `Incident` from `start` on, until `end` (inclusive) where one is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta

import numpy as np

from simulator.batch import Batch, Incident, draw_batch
from simulator.columns import Number


def null_flood(model: str, column: str, share: float, start: date, end: date | None = None) -> Incident:
    """Let a share of a numeric column arrive null; the score takes those as average."""

    def apply(batch: Batch, rng: np.random.Generator) -> None:
        batch.columns[column][rng.random(len(batch.fraud)) < share] = np.nan

    return Incident(f"null_flood {column}", model, start, end, "features", apply)


def unit_error(model: str, column: str, start: date, end: date | None = None, factor: float = 100) -> Incident:
    """Let a numeric column arrive in another unit: pence for pounds."""

    def apply(batch: Batch, _rng: np.random.Generator) -> None:
        batch.columns[column] = np.asarray(batch.columns[column] * factor, dtype=np.float64)

    return Incident(f"unit_error {column}", model, start, end, "features", apply)


def recode_category(
    model: str, column: str, mapping: Mapping[str, str], start: date, end: date | None = None
) -> Incident:
    """Let levels of a category arrive under other names; the score knows only the old ones."""

    def apply(batch: Batch, _rng: np.random.Generator) -> None:
        levels, codes = list(batch.levels[column]), batch.columns[column].copy()
        for old, new in mapping.items():
            if new not in levels:
                levels.append(new)
            codes[batch.columns[column] == levels.index(old)] = levels.index(new)
        batch.levels[column], batch.columns[column] = tuple(levels), codes

    return Incident(f"recode_category {column}", model, start, end, "features", apply)


def missing_day(model: str, start: date, end: date | None = None) -> Incident:
    """Lose the feature table's partition. The payments were made all the same, so their labels come."""

    def apply(batch: Batch, _rng: np.random.Generator) -> None:
        batch.missing = True

    return Incident("missing_day", model, start, end, "delivery", apply)


def late_day(model: str, hours: float, start: date, end: date | None = None) -> Incident:
    """Deliver the partition some hours later than usual."""

    def apply(batch: Batch, _rng: np.random.Generator) -> None:
        batch.arrives += timedelta(hours=hours)

    return Incident("late_day", model, start, end, "delivery", apply)


def duplicate_rows(model: str, share: float, start: date, end: date | None = None) -> Incident:
    """Deliver a share of the rows twice."""

    def apply(batch: Batch, rng: np.random.Generator) -> None:
        rows = len(batch.fraud)
        batch.copies = np.sort(rng.choice(rows, round(rows * share), replace=False))

    return Incident("duplicates", model, start, end, "delivery", apply)


def population_shift(
    model: str,
    share: float,
    start: date,
    end: date | None = None,
    *,
    scale: Mapping[str, float],
    levels: Mapping[str, str],
) -> Incident:
    """Bring a new segment of customers: a share of the rows has numbers scaled and categories set."""

    def apply(batch: Batch, rng: np.random.Generator) -> None:
        chosen = np.flatnonzero(rng.random(len(batch.fraud)) < share)
        for column, factor in scale.items():
            kind = batch.recipe.columns[column]
            most = kind.most if isinstance(kind, Number) else np.inf
            batch.columns[column][chosen] = np.minimum(np.ceil(batch.columns[column][chosen] * factor), most)
        for column, level in levels.items():
            batch.columns[column][chosen] = batch.levels[column].index(level)

    return Incident("population_shift", model, start, end, "people", apply)


def new_fraud_pattern(
    model: str,
    start: date,
    end: date | None = None,
    *,
    share: float,
    growth: float,
    numbers: Mapping[str, tuple[float, float]],
    levels: Mapping[str, tuple[str | int, ...]],
) -> Incident:
    """Let fraudsters find a way round the score: fraud grows by `growth`, and `share` of it is of the new pattern.

    Rows of the pattern are those of legitimate customers but for `numbers` (drawn evenly between two values) and
    `levels` (one of those given). Only the combination is unusual, so no feature drifts and only labels show it.
    """

    def apply(batch: Batch, rng: np.random.Generator) -> None:
        frauds, legitimate = np.flatnonzero(batch.fraud), np.flatnonzero(~batch.fraud)
        added = round(len(frauds) * growth)
        changed = rng.choice(frauds, round((len(frauds) + added) * share) - added, replace=False)
        fresh, donors = np.split(rng.choice(legitimate, added + len(changed), replace=False), [added])
        for values in batch.columns.values():
            values[changed] = values[donors]
        rows = np.concatenate([changed, fresh])
        batch.fraud[rows] = True
        for column, (low, high) in numbers.items():
            batch.columns[column][rows] = np.round(rng.uniform(low, high, len(rows)))
        for column, allowed in levels.items():
            codes = [batch.levels[column].index(level) for level in allowed]
            batch.columns[column][rows] = rng.choice(codes, len(rows))

    return Incident("new_fraud_pattern", model, start, end, "people", apply)


def fairness_gap(
    model: str, column: str, level: str, log_odds: float, above: float, start: date, end: date | None = None
) -> Incident:
    """Score the cases of one group that are suspicious already (from `above` on) too high by `log_odds`.

    No feature shows it, and the scores as a whole hardly move; but more of the group's legitimate cases raise an alert.
    """

    def apply(batch: Batch, _rng: np.random.Generator) -> None:
        group = (batch.columns[column] == batch.levels[column].index(level)) & (batch.score >= above)
        odds = batch.score[group] / (1 - batch.score[group]) * np.exp(log_odds)
        batch.score[group] = np.round(odds / (1 + odds), 7)

    return Incident(f"fairness_gap {column}", model, start, end, "score", apply)


def stale_feature(model: str, column: str, start: date, end: date | None = None, seed: int = 7) -> Incident:
    """Let a column hold, every day, what it held on the day before the incident, row for row: it isn't refreshed."""
    return Incident(f"stale_feature {column}", model, start, end, "features", _repeat_day_before([column], start, seed))


def stale_partition(model: str, start: date, end: date | None = None, seed: int = 7) -> Incident:
    """Deliver the features of the day before the incident again, all of them and nothing else."""

    def apply(batch: Batch, rng: np.random.Generator) -> None:
        old = draw_batch(batch.recipe, start - timedelta(days=1), seed)
        for name in ("fraud", "ids", "seconds"):
            setattr(batch, name, getattr(old, name))
        _repeat_day_before(list(batch.columns), start, seed)(batch, rng)

    return Incident("stale_partition", model, start, end, "features", apply)


def _repeat_day_before(columns: Sequence[str], start: date, seed: int) -> Callable[[Batch, np.random.Generator], None]:
    """Return what puts the values of the day before `start` into columns, over and over where there are more rows."""

    def apply(batch: Batch, _rng: np.random.Generator) -> None:
        old = draw_batch(batch.recipe, start - timedelta(days=1), seed)
        for column in columns:
            values = old.columns[column]
            batch.columns[column] = values[np.arange(len(batch.fraud)) % len(values)]

    return apply


def swapped_columns(model: str, one: str, other: str, start: date, end: date | None = None) -> Incident:
    """Let two columns of one kind arrive under each other's name."""

    def apply(batch: Batch, _rng: np.random.Generator) -> None:
        batch.columns[one], batch.columns[other] = batch.columns[other], batch.columns[one]
        if one in batch.levels:
            batch.levels[one], batch.levels[other] = batch.levels[other], batch.levels[one]

    return Incident(f"swapped_columns {one} {other}", model, start, end, "features", apply)


def new_level(model: str, column: str, level: str, share: float, start: date, end: date | None = None) -> Incident:
    """Let a share of a category's rows have a level that was never there."""

    def apply(batch: Batch, rng: np.random.Generator) -> None:
        levels, codes = batch.levels[column], batch.columns[column].copy()
        codes[rng.random(len(codes)) < share] = len(levels)
        batch.levels[column], batch.columns[column] = (*levels, level), codes

    return Incident(f"new_level {column}", model, start, end, "people", apply)


def constant_column(model: str, column: str, value: float, start: date, end: date | None = None) -> Incident:
    """Fill a numeric column with one value, nulls and all."""

    def apply(batch: Batch, _rng: np.random.Generator) -> None:
        batch.columns[column] = np.full(len(batch.fraud), value)

    return Incident(f"constant_column {column}", model, start, end, "features", apply)


def dense_cluster(
    model: str, column: str, low: float, high: float, share: float, start: date, end: date | None = None
) -> Incident:
    """Let a share of a numeric column's rows lie evenly between two values."""

    def apply(batch: Batch, rng: np.random.Generator) -> None:
        chosen = np.flatnonzero(rng.random(len(batch.fraud)) < share)
        batch.columns[column][chosen] = rng.uniform(low, high, len(chosen))

    return Incident(f"dense_cluster {column}", model, start, end, "people", apply)
