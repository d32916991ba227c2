"""Past days concluded again from what the ledger holds, under rules or with faults that are only tried out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta

import catalogue
from alerting.incidents.conclude import conclude_incidents
from checks.arrival import arrival_deadline, measure_arrival
from ledger.records.incidents import Incident, Status
from ledger.records.measurements import Measurement, Verdict
from ledger.records.retraining import BaselineChange
from ledger.records.runs import StreamedDay
from ledger.scratch import copy_to_memory
from ledger.store import Ledger
from models.errors import WatchkeeperError
from models.spec import Spec
from profiles.schema import ProfileSchema
from warehouse.protocol import Partition
from watchkeeper.context import Context
from watchkeeper.pipeline.day_cache import DayCache
from watchkeeper.pipeline.load_day import StoredDays, load_day, load_stored_days
from watchkeeper.pipeline.run_monitors import run_monitors

Conclusions = dict[date, list[Incident]]
"""Every incident touched or carried on at each day."""


@dataclass(frozen=True)
class History:
    """One model's stored days, from a scratch ledger in memory; no warehouse is near.

    ``row_measurements`` are the day's stored measurements that rest on rows or on the clock: arrival, schema and
    check, by the rules of ``spec``. ``cache`` is what its days have in common.
    """

    ledger: Ledger
    spec: Spec
    stored: StoredDays
    row_measurements: dict[date, list[Measurement]]
    cache: DayCache = field(default_factory=DayCache)

    @property
    def schema(self) -> ProfileSchema:
        """Return the profile schema, of no more columns than the rules have."""
        return self.stored.schema

    @property
    def days(self) -> list[date]:
        """Return the watched days, in order."""
        return sorted(self.row_measurements)

    def under(self, spec: Spec, *, new_baseline: bool) -> History:
        """Return the same history for other rules: no more than their columns and, if new, their baseline all along.

        Raises WatchkeeperError where no day of a new baseline has a whole profile.
        """
        stored = replace(self.stored, schema=_narrow_schema(spec, self.schema))
        narrowed = replace(self, stored=stored, cache=self.cache.for_other_rules())
        if not new_baseline:
            return narrowed
        start, end = spec.baseline.start, spec.baseline.end
        whole = self.ledger.row_counts(spec.model, self.schema.id, start, end, whole=True)
        if not whole.keys() & set(spec.baseline.days()):
            raise WatchkeeperError(
                f"{spec.model}: baseline: the ledger holds no profile of {start} to {end}; accepted are days that were "
                "scanned before"
            )
        recorded = [BaselineChange(spec.model, date.min, start, end, ""), *stored.baselines]
        tried = [replace(each, start=start, end=end, reason="rules that are tried out") for each in recorded]
        return replace(narrowed, stored=replace(stored, baselines=tried))

    def measured(
        self, spec: Spec, day: date, changed: Collection[date] = (), *, only_what_alerts: bool = False
    ) -> list[Measurement]:
        """Return what the watch measured on a day, with every figure judged anew by a model file's rules.

        ``changed`` are the cohort days whose own figures are wanted too. Schema and checks stay as they were recorded.
        Measurements come in the order in which the ledger returns them to the watch.
        """
        inputs = load_day(self.ledger, self.cache, spec, self.stored, day, changed)
        found = run_monitors(inputs, only_what_alerts=only_what_alerts)
        rows, due = self.stored.before(day), arrival_deadline(self.spec, day)
        arrived = rejudge_arrival(spec, day, self.row_measurements[day], rows, due)
        return sorted([*arrived, *found], key=lambda m: m.natural_key)


def load_history(ctx: Context, spec: Spec, start: date, end: date) -> History:
    """Return what is stored of a model's watched days from ``start`` to ``end``; nothing is written to its ledger.

    Raises WatchkeeperError where none of these days was watched.
    """
    schema = ctx.ledger.profile_schema(spec.model)
    days = [run.day for run in ctx.ledger.runs(spec.model, start, end)]
    if schema is None or not days:
        raise WatchkeeperError(
            f"{spec.model}: no day from {start} to {end} was watched; watch them first (watchkeeper backfill)"
        )
    stored = ctx.ledger.measurements(spec.model, as_of_from=start, as_of_to=end, monitors=catalogue.table_monitors())
    row_measurements: dict[date, list[Measurement]] = {day: [] for day in days}
    for m in stored:
        if m.as_of in row_measurements:
            row_measurements[m.as_of].append(m)
    # Days before the first are cohorts, row counts and the baseline, however old.
    copy = copy_to_memory(ctx.ledger, spec.model, date.min, end)
    return History(copy, spec, load_stored_days(copy, spec, schema), row_measurements)


def rejudge_arrival(
    spec: Spec, day: date, row_measurements: Sequence[Measurement], rows: dict[date, int], due: datetime | None
) -> list[Measurement]:
    """Return what was recorded of a day's arrival, judged anew, and its schema and checks as they were.

    ``rows`` are those of earlier days, ``due`` is the deadline (UTC) that stored delays are counted from. A day that
    had no partition stays missing.
    """
    figures = {m.metric: m for m in row_measurements if m.monitor == "arrival"}
    count = figures.get("row_count")
    kept = [m for m in row_measurements if m.monitor != "arrival"]
    if count is None or count.value is None:
        return list(row_measurements)
    now = datetime.combine(day + timedelta(days=2), time(), UTC)
    found = measure_arrival(spec, day, _partition_from_figures(spec, day, figures, due), rows, None, now)
    return [*(m for m in found if m.monitor == "arrival"), *kept]


def _partition_from_figures(
    spec: Spec, day: date, figures: dict[str, Measurement], due: datetime | None
) -> Partition | StreamedDay:
    """Return what arrived as far as its stored figures show; what came without a deadline came in time."""
    rows, repeated = figures["row_count"].n, figures.get("duplicate_share")
    if repeated is None:
        return StreamedDay(rows, "")
    delay = figures.get("arrival_delay_minutes")
    minutes = delay.value if delay is not None and delay.value is not None else 0.0
    arrived_at = (due or datetime.combine(day, time(), UTC)) + timedelta(minutes=minutes)
    columns = {} if repeated.verdict is Verdict.ERRORED else {spec.features.id: ""}
    return Partition(rows, rows - round(rows * (repeated.value or 0.0)), arrived_at, "", columns)


def conclude_days(
    spec: Spec,
    days: Iterable[date],
    measured: Callable[[date], Sequence[Measurement]],
    *,
    until: Callable[[list[Incident]], bool] = lambda _: False,
) -> Conclusions:
    """Conclude one day after the other from a clean sheet; stop after the day of which ``until`` is true."""
    states: dict[str, Incident] = {}
    result: Conclusions = {}
    for day in days:
        live = sorted((i for i in states.values() if i.live), key=lambda i: i.id)
        recent = [i for i in states.values() if i.status is not Status.WITHDRAWN]
        result[day] = conclude_incidents(spec, day, measured(day), live, recent)
        states |= {incident.id: incident for incident in result[day]}
        if until(result[day]):
            break
    return result


def fired_incidents(conclusions: Conclusions) -> list[Incident]:
    """Return the newest state of each incident that fired, in the order in which they did."""
    states = {incident.id: incident for day in sorted(conclusions) for incident in conclusions[day]}
    return sorted((i for i in states.values() if i.fired is not None), key=lambda i: (i.fired or date.max, i.id))


def _narrow_schema(spec: Spec, schema: ProfileSchema) -> ProfileSchema:
    """Return a profile schema of no more columns than a model file lists, and of its slices."""
    listed = spec.features.columns.keys() or {*schema.numbers, *schema.categories, *schema.embeddings}
    return replace(
        schema,
        numbers={name: grid for name, grid in schema.numbers.items() if name in listed},
        categories={name: levels for name, levels in schema.categories.items() if name in listed},
        embeddings={name: embedding for name, embedding in schema.embeddings.items() if name in listed},
        slices=tuple(spec.slices),
    )
