"""The one place where a model's watch is put together, step by step.

arrive -> check -> measure -> conclude -> decide -> publish -> notify. Each step reads what it needs from the
warehouse or the ledger, writes its result in one transaction under a key that makes a second run replace instead
of add, and returns a summary in words. The command line, the DAGs and the tests all call these functions.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, date, datetime, time, timedelta

import alerting.conclude
import alerting.retraining
import checks.arrival
import checks.suite
import monitors.coverage
import warehouse
from ledger.records import Cause, Decision, Incident, Run, Status, Streamed, Verdict
from ledger.store import Ledger
from models.errors import WatchkeeperError
from models.load import load_all
from models.spec import HISTORY_DAYS, LATE_DAYS, Spec
from monitors.coverage import Gap
from warehouse.grid import Frame
from warehouse.protocol import Partition
from watchkeeper import acts, audit, heartbeat, labels, late, restating, telling
from watchkeeper.costs import counted
from watchkeeper.measuring import MEASURED, horizon_days, measured, top_cards
from watchkeeper.settings import Settings
from watchkeeper.stored import (
    Context,
    arrived,
    baseline_days,
    frame_of,
    scan,
    scan_missing,
)

DRILLED = (Cause.FEED_FAULT, Cause.COLUMN_FAULT, Cause.POPULATION_SHIFT, Cause.MODEL_RELEASE, Cause.SCORE_SHIFT)
"""Causes whose incident links to an Evidently report on a bounded sample."""


def context(settings: Settings, *, live: bool = True) -> Context:
    """Open the warehouse and the ledger that the settings name; raise WatchkeeperError where one can't be opened."""
    reader = warehouse.open(settings.warehouse, _moment(settings.read_at))
    return Context(settings, reader, Ledger.open(settings.ledger), clock(settings), live)


def clock(settings: Settings) -> datetime:
    """Return the time in UTC, or the one at which the settings stop the clock."""
    return _moment(settings.now) or datetime.now(UTC)


def _moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None


def known_specs(settings: Settings, names: Sequence[str] = ()) -> list[Spec]:
    """Return the model files asked for by name, or all; raise WatchkeeperError for a name without a file."""
    specs = load_all(settings.models)
    unknown = sorted(set(names) - {spec.model for spec in specs})
    if unknown:
        have = ", ".join(spec.model for spec in specs)
        raise WatchkeeperError(f"{settings.models}: no model file '{unknown[0]}.yaml'; there are {have}")
    return [spec for spec in specs if not names or spec.model in names]


def watch(ctx: Context, spec: Spec, day: date, told: Callable[[str, str], None] = lambda step, summary: None) -> Run:
    """Run every step of one model's day but publishing and notifying, and return what was recorded.

    The partition is looked at once, before anything is read from it: data that is rewritten meanwhile has another
    version than the one recorded, and the day is watched again. A streamed day is watched without its partition,
    which may come later.
    """
    partition = arrived(ctx, spec, frame_of(ctx, spec), day)
    told("arrive", arrive(ctx, spec, day, partition))
    told("check", check(ctx, spec, day, partition))
    told("measure", measure(ctx, spec, day))
    run = conclude(ctx, spec, day, partition)
    told("conclude", run.steps["conclude"])
    if ctx.live:
        told("decide", f"retraining {decide(ctx, spec, day).verdict}")
    return run


@counted
def arrive(ctx: Context, spec: Spec, day: date, partition: Partition | Streamed | None) -> str:
    """Note whether the day's partition is there, in time, whole, and of the known columns.

    Of a streamed day only its rows are known, and the deadline, where the model file sets one, is its partition's.

    Days before it that were never scanned are scanned first: a model that is first watched today has a past.
    """
    frame = frame_of(ctx, spec)
    normal = baseline_days(ctx, spec, frame, day)
    known = ctx.warehouse.partition(spec, normal[0])
    yesterday = day - timedelta(days=1)
    scan_missing(ctx, spec, frame, day - timedelta(days=horizon_days(spec)), yesterday)
    history = ctx.ledger.row_counts(spec.model, frame.id, day - timedelta(days=HISTORY_DAYS), yesterday)
    # The wait ends at a fixed time, so that a day watched again much later says the same.
    now = min(ctx.now, datetime.combine(day + timedelta(days=2), time(), UTC))
    found = checks.arrival.measure(spec, day, partition, history, known.columns if known else None, now)
    ctx.ledger.save_measurements(spec.model, day, ("arrival", "schema"), found)
    return f"{partition.rows:,} rows" if partition else "no partition"


@counted
def check(ctx: Context, spec: Spec, day: date, partition: Partition | Streamed | None) -> str:
    """Run the model's expectations in the warehouse; what isn't there, is empty or was streamed can't be checked."""
    there = isinstance(partition, Partition) and partition.rows
    found = checks.suite.run(spec, day, ctx.warehouse) if there and spec.checks else []
    ctx.ledger.save_measurements(spec.model, day, ("check",), found)
    failed = sum(m.verdict is Verdict.BREACH for m in found)
    errored = sum(m.verdict is Verdict.ERRORED for m in found)
    return f"{len(found)} expectations, {failed} failed, {errored} errored"


@counted
def measure(ctx: Context, spec: Spec, day: date, *, only_what_pages: bool = False) -> str:
    """Scan the day's partition once (or take what was streamed), and the labels known by now; run every monitor.

    ``only_what_pages`` leaves out figures that open no incident.
    """
    frame = frame_of(ctx, spec)
    profile = scan(ctx, spec, frame, day)
    changed = _new_labels(ctx, spec, frame, day) if frame.score is not None else set()
    found = measured(ctx, spec, frame, day, profile, changed, only_what_pages=only_what_pages)
    found += top_cards(ctx, spec, frame, day)
    ctx.ledger.save_measurements(spec.model, day, MEASURED, found)
    return f"{len(found)} measurements, {sum(m.verdict is Verdict.BREACH for m in found)} over their limit"


def conclude(ctx: Context, spec: Spec, day: date, partition: Partition | Streamed | None) -> Run:
    """Turn the day's measurements into incidents, and again those of later days that were already concluded.

    Incidents, what the log says of them, the messages about them and the record of the run are one transaction.
    """
    with ctx.ledger.transaction():
        touched = _conclude_day(ctx, spec, day)
        for later in ctx.ledger.concluded_days(spec.model, day):
            _conclude_day(ctx, spec, later)
        firing = sum(incident.status is Status.FIRING for incident in touched)
        run = Run(
            model=spec.model,
            day=day,
            source_version=_version(partition),
            rows=partition.rows if partition else 0,
            live=ctx.live,
            steps={"conclude": f"{firing} firing incident{'s' * (firing != 1)}"},
        )
        ctx.ledger.save_run(run)
        late.over(ctx, spec, day)
        audit.log_configuration(ctx, spec)
        acts.log_changes(ctx, spec)
        if ctx.ledger.newest_day(spec.model) == day:
            restating.log_restated(ctx, spec, day)
        if ctx.live:
            telling.enqueue(ctx, spec, day)
    return run


def decide(ctx: Context, spec: Spec, day: date) -> Decision:
    """Decide whether retraining would help, and record the decision with its reasons; an answered request stands."""
    found = ctx.ledger.measurements(spec.model, as_of=day)
    incidents = ctx.ledger.incidents(spec.model, as_of=day)
    earlier = [decision for decision in ctx.ledger.decisions(spec.model) if decision.day < day]
    outcomes = ctx.ledger.retrained(spec.model)
    span = alerting.retraining.span(spec, day, incidents, found)
    window = ctx.ledger.measurements(
        spec.model, day_from=span[0], day_to=span[1], as_of_to=day, monitors=("arrival", "performance"), newest=True
    ) if span else []  # fmt: skip
    decision = alerting.retraining.decide(spec, day, incidents, found, earlier, outcomes, window)
    if any(outcome.request == decision.request for outcome in outcomes):
        return next(stands for stands in ctx.ledger.decisions(spec.model) if stands.day == day)
    ctx.ledger.save_decision(decision)
    return decision


def publish(
    ctx: Context,
    specs: Sequence[Spec],
    touched: Collection[tuple[str, date]] | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> str:
    """Rebuild the pages that the touched model-days change, with a drill-down for each new drift.

    None rebuilds all, on every core; ``progress`` is told as ``reports.site.build`` tells it.
    Where the settings name a place to publish to, the site is copied there, and only what changed is sent.
    """
    import reports.publish  # noqa: PLC0415  jinja is only needed here
    import reports.site  # noqa: PLC0415

    _drill_down(ctx, [spec for spec in specs if touched is None or spec.model in {model for model, _ in touched}])
    cores = 1 if touched is not None else os.cpu_count() or 1
    index = reports.site.build(
        ctx.ledger,
        specs,
        ctx.settings.site,
        touched=touched,
        progress=progress,
        processes=cores,
        runbook=ctx.settings.links.runbook,
    )
    if ctx.settings.publish_to:
        reports.publish.publish(ctx.settings.site, ctx.settings.publish_to)
    return str(index)


def notify(ctx: Context, specs: Sequence[Spec]) -> str:
    """Deliver what waits in the outbox, and leave a sign of life: the watch came to its end."""
    told = deliver(ctx, specs)
    heartbeat.beat(ctx.settings.heartbeat, ctx.ledger, specs, ctx.now)
    return told


def deliver(ctx: Context, specs: Sequence[Spec]) -> str:
    """Deliver what waits in the outbox; a dead channel delays a message and never drops it."""
    return telling.deliver(ctx, specs)


def tell_late(ctx: Context, spec: Spec, day: date) -> str:
    """Tell, once, that a day's watch didn't come to its end in time; a day that was watched is not late."""
    if not late.tell(ctx, spec, day, telling.channel_name(ctx, spec)):
        return "nothing to tell"
    return deliver(ctx, [spec])


def coverage(ctx: Context, spec: Spec) -> list[Gap]:
    """Return what isn't watched of a model, by its file, its table's columns and its newest watched day."""
    watched = [run.day for run in ctx.ledger.runs(spec.model)]
    newest = max(watched, default=spec.baseline.end)
    partition = ctx.warehouse.partition(spec, newest)
    figures = ctx.ledger.measurements(spec.model, as_of=newest)
    return monitors.coverage.gaps(spec, tuple(partition.columns) if partition else (), watched, figures)


def stale_days(ctx: Context, spec: Spec, day: date, lookback_days: int = LATE_DAYS) -> list[date]:
    """Return recent watched days whose partition or a batch came, or was rewritten, after they were watched."""
    frame = frame_of(ctx, spec)
    runs = ctx.ledger.runs(spec.model, day - timedelta(days=lookback_days), day - timedelta(days=1))
    return [run.day for run in runs if _version(arrived(ctx, spec, frame, run.day)) != run.source_version]


def _version(partition: Partition | Streamed | None) -> str:
    return partition.version if partition else ""


def _conclude_day(ctx: Context, spec: Spec, day: date) -> list[Incident]:
    found = ctx.ledger.measurements(spec.model, as_of=day)
    live = ctx.ledger.live_incidents(spec.model, day)
    recent = ctx.ledger.incidents(spec.model, as_of=day - timedelta(days=1))
    concluded = alerting.conclude.conclude(spec, day, found, live, recent)
    incidents = acts.close_again(ctx.ledger, spec.model, day, concluded)
    ctx.ledger.save_incidents(spec.model, day, incidents)
    return incidents


def _new_labels(ctx: Context, spec: Spec, frame: Frame, as_of: date) -> set[date]:
    """Take in the labels of the cohorts that may still change; the first watch reads the whole baseline's."""
    start = as_of - timedelta(days=horizon_days(spec))
    if not ctx.ledger.runs(spec.model, end=as_of - timedelta(days=1)):
        start = min(*baseline_days(ctx, spec, frame, as_of), start)
    return _take_in_labels(ctx, spec, frame, start, as_of)


def _take_in_labels(ctx: Context, spec: Spec, frame: Frame, start: date, as_of: date) -> set[date]:
    """Store what the labels say of each cohort day, and return the days whose figures may differ from yesterday's.

    The first watch reads the whole baseline's labels; from then on a cohort older than the horizon is final.
    """
    if spec.labels is None:
        return set()
    changed = labels.take_in(ctx, spec, frame, start, as_of)
    negative = spec.labels.negative
    if negative == "explicit":
        return changed
    return changed | {as_of - timedelta(days=negative.after_days)}  # its unlabelled payments turn legitimate today


def _drill_down(ctx: Context, specs: Sequence[Spec]) -> None:
    """Write the Evidently report of each firing drift incident that has none yet."""
    import reports.drilldown  # noqa: PLC0415  evidently takes seconds to import

    for spec in specs:
        for incident in ctx.ledger.incidents(spec.model):
            if incident.fired and incident.cause in DRILLED:
                reports.drilldown.write(
                    ctx.warehouse, spec, incident, ctx.ledger.baseline(spec, incident.last_bad), ctx.settings.site
                )
