"""Past days concluded again from what the ledger holds, under rules or with faults that are only tried out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import NoReturn

import alerting.conclude
import checks.arrival
from ledger.records import Baselined, Incident, Measurement, Status, Streamed, Verdict
from ledger.scratch import scratch
from models.errors import WatchkeeperError
from models.spec import HISTORY_DAYS, Spec
from warehouse.budget import Account
from warehouse.grid import Frame
from warehouse.protocol import Partition
from watchkeeper.measuring import measured
from watchkeeper.stored import Context, profiles_of

Conclusions = dict[date, list[Incident]]
"""Every incident touched or carried on at each day."""


@dataclass(frozen=True)
class History:
    """One model's stored days in memory. ``ctx`` holds a scratch ledger and a warehouse that can't be read.

    ``told`` are the day's stored measurements that rest on rows or on the clock: arrival, schema and check, by the
    rules of ``spec``.
    """

    ctx: Context
    spec: Spec
    frame: Frame
    told: dict[date, list[Measurement]]

    @property
    def days(self) -> list[date]:
        """Return the watched days, in order."""
        return sorted(self.told)

    def under(self, spec: Spec, *, new_baseline: bool) -> History:
        """Return the same history for other rules: no more than their columns and, if new, their baseline all along.

        Raises WatchkeeperError where no day of a new baseline has a whole profile.
        """
        fresh = replace(self.ctx, sums={}, vectors={}, usual={})  # learned of all columns
        narrowed = replace(self, ctx=fresh, frame=_narrowed(spec, self.frame))
        if not new_baseline:
            return narrowed
        start, end = spec.baseline.start, spec.baseline.end
        stored = self.ctx.ledger.row_counts(spec.model, self.frame.id, start, end, whole=True)
        if not stored.keys() & set(spec.baseline.days()):
            raise WatchkeeperError(
                f"{spec.model}: baseline: the ledger holds no profile of {start} to {end}; accepted are days that were "
                "scanned before"
            )
        ledger = scratch(self.ctx.ledger, spec.model, date.min, date.max)
        for known in [*ledger.baselines(spec.model), Baselined(spec.model, date.min, start, end, "")]:
            ledger.save_baseline(replace(known, start=start, end=end, reason="rules that are tried out"))
        return replace(narrowed, ctx=replace(narrowed.ctx, ledger=ledger))

    def measured(
        self, spec: Spec, day: date, changed: Collection[date] = (), *, only_what_pages: bool = False
    ) -> list[Measurement]:
        """Return what the watch measured on a day, with every figure judged anew by a model file's rules.

        ``changed`` are the cohort days whose own figures are wanted too. Schema and checks stay as they were told.
        """
        profile = profiles_of(self.ctx, spec, self.frame, day, day).get(day)
        found = measured(self.ctx, spec, self.frame, day, profile, set(changed), only_what_pages=only_what_pages)
        rows = self.ctx.ledger.row_counts(
            spec.model, self.frame.id, day - timedelta(days=HISTORY_DAYS), day - timedelta(days=1)
        )
        due = checks.arrival.deadline(self.spec, day)
        return [*arrival(spec, day, self.told[day], rows, due), *found]


class Unread:
    """The warehouse of past days: nothing of it is read, and no day waits to be scanned."""

    account = Account()

    def days(self, _spec: Spec, _start: date, _end: date) -> list[date]:
        """Return no day."""
        return []

    def __getattr__(self, name: str) -> NoReturn:
        raise WatchkeeperError(f"a replay reads stored profiles only, and something asked the warehouse for '{name}'")


def history(ctx: Context, spec: Spec, start: date, end: date) -> History:
    """Return what is stored of a model's watched days from ``start`` to ``end``; nothing is written to its ledger.

    Raises WatchkeeperError where none of these days was watched.
    """
    frame = ctx.ledger.frame(spec.model)
    days = [run.day for run in ctx.ledger.runs(spec.model, start, end)]
    if frame is None or not days:
        raise WatchkeeperError(
            f"{spec.model}: no day from {start} to {end} was watched; watch them first (watchkeeper backfill)"
        )
    stored = ctx.ledger.measurements(
        spec.model, as_of_from=start, as_of_to=end, monitors=("arrival", "schema", "check")
    )
    told: dict[date, list[Measurement]] = {day: [] for day in days}
    for m in stored:
        if m.as_of in told:
            told[m.as_of].append(m)
    # Days before the first are cohorts, row counts and the baseline, however old.
    copy = scratch(ctx.ledger, spec.model, date.min, end)
    quiet = Context(ctx.settings, Unread(), copy, ctx.now, live=False)
    return History(quiet, spec, frame, told)


def arrival(
    spec: Spec, day: date, told: Sequence[Measurement], rows: dict[date, int], due: datetime | None
) -> list[Measurement]:
    """Return what was told of a day's arrival, judged anew, and its schema and checks as they were told.

    ``rows`` are those of earlier days, ``due`` is the deadline (UTC) that stored delays are counted from. A day that
    had no partition stays missing.
    """
    figures = {m.metric: m for m in told if m.monitor == "arrival"}
    count = figures.get("row_count")
    kept = [m for m in told if m.monitor != "arrival"]
    if count is None or count.value is None:
        return list(told)
    now = datetime.combine(day + timedelta(days=2), time(), UTC)
    found = checks.arrival.measure(spec, day, _partition(spec, day, figures, due), rows, None, now)
    return [*(m for m in found if m.monitor == "arrival"), *kept]


def _partition(spec: Spec, day: date, figures: dict[str, Measurement], due: datetime | None) -> Partition | Streamed:
    """Return what arrived as far as its stored figures tell; what came without a deadline came in time."""
    rows, repeated = figures["row_count"].n, figures.get("duplicate_share")
    if repeated is None:
        return Streamed(rows, "")
    delay = figures.get("arrival_delay_minutes")
    minutes = delay.value if delay is not None and delay.value is not None else 0.0
    arrived_at = (due or datetime.combine(day, time(), UTC)) + timedelta(minutes=minutes)
    columns = {} if repeated.verdict is Verdict.ERRORED else {spec.features.id: ""}
    return Partition(rows, rows - round(rows * (repeated.value or 0.0)), arrived_at, "", columns)


def conclude(
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
        result[day] = alerting.conclude.conclude(spec, day, measured(day), live, recent)
        states |= {incident.id: incident for incident in result[day]}
        if until(result[day]):
            break
    return result


def fired(conclusions: Conclusions) -> list[Incident]:
    """Return the newest state of each incident that fired, in the order in which they did."""
    states = {incident.id: incident for day in sorted(conclusions) for incident in conclusions[day]}
    return sorted((i for i in states.values() if i.fired is not None), key=lambda i: (i.fired or date.max, i.id))


def _narrowed(spec: Spec, frame: Frame) -> Frame:
    """Return a frame of no more columns than a model file lists, and of its slices."""
    listed = spec.features.columns.keys() or {*frame.numbers, *frame.categories, *frame.embeddings}
    return replace(
        frame,
        numbers={name: grid for name, grid in frame.numbers.items() if name in listed},
        categories={name: levels for name, levels in frame.categories.items() if name in listed},
        embeddings={name: embedding for name, embedding in frame.embeddings.items() if name in listed},
        slices=tuple(spec.slices),
    )
