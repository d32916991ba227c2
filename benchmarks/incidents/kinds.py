"""The kinds of incident: what each does to the data, from its first day on, and what a good page says of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from benchmarks.incidents.source import Extra, Source, nothing, rows_of
from benchmarks.incidents.verdicts import Truth
from simulator import incidents as on_demand
from simulator import labels
from simulator.batch import Batch, Incident, Stage, random_stream
from simulator.columns import Floats, Number
from simulator.labels import LabelEvents

DAYS, GRADUAL_DAYS, LABEL_DAYS = 3, 14, 7
"""How long there is to catch an incident; those of labels must first wait for labels."""
GRADUAL_SD, SLICE_SD, SCORE_LOGIT, NEW_LEVEL, FLOOD = 0.3, 0.5, 0.3, 0.04, 0.02
FLOOD_DAYS, FLOOD_BACK_DAYS = 3, 30

FAULT = ("column_fault",)
STALE = ("stale_data", "stale_partition", "stale_feature", "column_fault")
"""Any of these says that data stands still; a column that does is also rightly called broken."""
LABELS = ("label_fault", "performance_decay")
"""A flood of wrong labels is either called that or, where no better name is known, decay of performance."""

Rng = np.random.Generator
T = TypeVar("T")


@dataclass(frozen=True)
class Injected:
    """An incident in the data of a source: what it does to days and labels, and the truth about it."""

    truth: Truth
    incidents: list[Incident] = field(default_factory=list)
    extra: Extra = nothing


Make = Callable[[Source, date], Injected]


def _one(
    kind: str,
    source: Source,
    start: date,
    columns: Sequence[str],
    causes: Sequence[str],
    incident: Incident,
    days: int = DAYS,
) -> Injected:
    return Injected(Truth(kind, start, days, tuple(columns), tuple(causes)), [incident])


def _pick(choices: Sequence[T], source: Source) -> T:
    return choices[source.seed % len(choices)]


def _own(source: Source, start: date, kind: str, stage: Stage, apply: Callable[[Batch, Rng], None]) -> Incident:
    return Incident(kind, source.model, start, None, stage, apply)


def _nulls(share: float, source: Source, start: date) -> Injected:
    column = _pick(source.targets.nullable, source)
    incident = on_demand.null_flood(source.model, column, share, start)
    return _one(f"nulls +{100 * share:g} %", source, start, [column], FAULT, incident)


def _unit(source: Source, start: date) -> Injected:
    column = _pick(source.targets.unit, source)
    return _one("unit x100", source, start, [column], FAULT, on_demand.unit_error(source.model, column, start))


def _stale_feature(source: Source, start: date) -> Injected:
    """Let a column hold, every day, the values of the day before the incident, row for row."""
    column = _pick(source.targets.stale, source)
    donor = _donor(source, start)

    def apply(batch: Batch, _: Rng) -> None:
        values = donor().columns[column]
        batch.columns[column] = values[np.arange(len(batch.fraud)) % len(values)]

    return _one("stale feature", source, start, [column], STALE, _own(source, start, "stale", "features", apply))


def _stale_partition(source: Source, start: date) -> Injected:
    """Let every day's partition hold the payments of the day before the incident again, ids and all."""
    donor = _donor(source, start)

    def apply(batch: Batch, _: Rng) -> None:
        again = donor()
        batch.columns = {name: values.copy() for name, values in again.columns.items()}
        batch.fraud, batch.ids, batch.seconds = again.fraud, again.ids, again.seconds

    return _one("stale partition", source, start, [], STALE, _own(source, start, "stale day", "features", apply))


def _constant(source: Source, start: date) -> Injected:
    column = _pick(source.targets.constant, source)
    donor = _donor(source, start)

    def apply(batch: Batch, _: Rng) -> None:
        batch.columns[column] = np.full(len(batch.fraud), np.nanmedian(donor().columns[column]))

    return _one("constant column", source, start, [column], FAULT, _own(source, start, "constant", "features", apply))


def _renamed(source: Source, start: date) -> Injected:
    """Rename every second level of a column, as when a feed turns to capitals halfway."""
    column = _pick(source.targets.renamed, source)
    levels = _donor(source, start)().levels[column]
    names = {str(level): f"{level}_V2" for level in levels[::2]}
    incident = on_demand.recode_category(source.model, column, names, start)
    return _one("renamed levels", source, start, [column], (*FAULT, "schema_change"), incident)


def _new_level(source: Source, start: date) -> Injected:
    column = _pick(source.targets.extended, source)

    def apply(batch: Batch, rng: Rng) -> None:
        levels, codes = batch.levels[column], batch.columns[column].copy()
        codes[rng.random(len(codes)) < NEW_LEVEL] = len(levels)
        batch.levels[column], batch.columns[column] = (*levels, "never_seen"), codes

    incident = _own(source, start, "new level", "people", apply)
    return _one("new level at 4 %", source, start, [column], (*FAULT, "population_shift"), incident)


def _duplicates(source: Source, start: date) -> Injected:
    incident = on_demand.duplicate_rows(source.model, 0.2, start)
    return _one("20 % duplicates", source, start, [], ("duplicate_rows",), incident)


def _half(source: Source, start: date) -> Injected:
    def apply(batch: Batch, rng: Rng) -> None:
        rows_of(batch, np.sort(rng.permutation(len(batch.fraud))[: len(batch.fraud) // 2]))

    incident = _own(source, start, "half", "delivery", apply)
    return _one("half the rows missing", source, start, [], ("incomplete_partition",), incident)


def _gradual(source: Source, start: date) -> Injected:
    column = _pick(source.targets.shifted, source)
    spread = _spread(source, start, column)

    def apply(batch: Batch, _: Rng) -> None:
        grown = min(1.0, ((batch.day - start).days + 1) / GRADUAL_DAYS)
        everyone = np.ones(len(batch.fraud), np.bool_)
        batch.columns[column] = shifted(batch, column, GRADUAL_SD * grown * spread, everyone)

    incident = _own(source, start, "gradual", "people", apply)
    return _one("0.3 sd over 14 days", source, start, [column], ("population_shift",), incident, GRADUAL_DAYS)


def _slice(source: Source, start: date) -> Injected:
    column = _pick(source.targets.shifted, source)
    spread = _spread(source, start, column)
    by, level = source.targets.slice

    def apply(batch: Batch, _: Rng) -> None:
        rows = batch.columns[by] == batch.levels[by].index(level)
        batch.columns[column] = shifted(batch, column, SLICE_SD * spread, rows)

    incident = _own(source, start, "slice", "people", apply)
    return _one("0.5 sd in a 10 % slice", source, start, [column], ("population_shift",), incident)


def _score(source: Source, start: date) -> Injected:
    def apply(batch: Batch, _: Rng) -> None:
        odds = batch.score / np.maximum(1 - batch.score, 1e-12) * np.exp(SCORE_LOGIT)
        batch.score = np.round(odds / (1 + odds), 7)

    columns = [source.spec.score.column]
    return _one(
        "score +0.3 logit", source, start, columns, ("score_shift",), _own(source, start, "logit", "score", apply)
    )


def _swapped(source: Source, start: date) -> Injected:
    one, other = _pick(source.targets.swapped, source)

    def apply(batch: Batch, _: Rng) -> None:
        batch.columns[one], batch.columns[other] = batch.columns[other], batch.columns[one]

    incident = _own(source, start, "swapped", "features", apply)
    return _one("swapped columns", source, start, [one, other], FAULT, incident)


def _label_flood(source: Source, start: date) -> Injected:
    """Let each of three days bring fraud labels for one in fifty of a month's legitimate payments, at once."""

    def extra(day: date) -> LabelEvents:
        if not start <= day < start + timedelta(days=FLOOD_DAYS):
            return labels.NO_EVENTS
        rng = random_stream(source.seed, source.model, day, "label flood")
        back = [day - timedelta(days=n) for n in range(1, FLOOD_BACK_DAYS + 1)]
        honest = [_honest_ids(source, each) for each in back if each >= source.start]
        ids = np.concatenate([each[rng.random(len(each)) < FLOOD] for each in honest])
        at = np.full(len(ids), np.datetime64(day, "us") + np.timedelta64(12, "h"))
        return LabelEvents(ids, np.ones(len(ids), np.bool_), at, np.ones(len(ids), np.int64))

    return Injected(Truth("label flood", start, source.label_days + LABEL_DAYS, (), LABELS), [], extra)


def _recall(source: Source, start: date) -> Injected:
    """Let frauds of one type look like legitimate payments in every column but those that make the type."""
    told_by = ("payment_reason", "_scenario")

    def apply(batch: Batch, rng: Rng) -> None:
        rows = np.flatnonzero(batch.fraud & source.targets.fraud_type(batch))
        donors = rng.choice(np.flatnonzero(~batch.fraud), len(rows))
        for name, values in batch.columns.items():
            if name not in told_by:
                values[rows] = values[donors]

    incident = _own(source, start, "recall", "people", apply)
    days = source.label_days + LABEL_DAYS
    return _one("recall decay of one fraud type", source, start, [], ("performance_decay",), incident, days)


KINDS: dict[str, Make] = {
    "nulls_3": lambda source, start: _nulls(0.03, source, start),
    "nulls_30": lambda source, start: _nulls(0.3, source, start),
    "unit": _unit,
    "stale_feature": _stale_feature,
    "stale_partition": _stale_partition,
    "constant": _constant,
    "renamed": _renamed,
    "new_level": _new_level,
    "duplicates": _duplicates,
    "half": _half,
    "gradual": _gradual,
    "slice": _slice,
    "score": _score,
    "swapped": _swapped,
    "label_flood": _label_flood,
    "recall": _recall,
}


def shifted(batch: Batch, column: str, by: float, rows: NDArray[np.bool_]) -> Floats:
    """Return a column of which some rows are moved by so much on the scale of log(1 + x); zeros stay zeros."""
    kind = batch.recipe.columns[column]
    values = np.asarray(batch.columns[column], np.float64).copy()
    chosen = rows & (values > 0)
    moved = np.expm1(np.log1p(values[chosen]) + by)
    if isinstance(kind, Number):
        moved = np.minimum(np.round(moved, 0 if kind.whole else kind.decimals), kind.most)
    values[chosen] = moved
    return values


def _spread(source: Source, start: date, column: str) -> float:
    """Return the standard deviation of log(1 + x) on the day before an incident."""
    values = np.asarray(_donor(source, start)().columns[column], np.float64)
    return float(np.nanstd(np.log1p(values[values >= 0])))


def _donor(source: Source, start: date) -> Callable[[], Batch]:
    """Return what gives the clean day before an incident, drawn once."""
    return cache(lambda: source.draw(start - timedelta(days=1), ()))


def _honest_ids(source: Source, day: date) -> NDArray[np.int64]:
    batch = source.draw(day, ())
    return batch.ids[~batch.fraud & ~batch.blocked]
