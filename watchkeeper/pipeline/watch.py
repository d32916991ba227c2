"""The one place where a model's watch is put together, step by step.

arrive -> check -> measure -> conclude -> decide -> publish -> notify. Each step reads what it needs from the
warehouse or the ledger, writes its result in one transaction under a key that makes a second run replace instead
of add, and returns a summary in words. The command line, the DAGs and the tests all call these functions.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, date, datetime, time, timedelta

import warehouse
from alerting.incidents.conclude import conclude_incidents
from alerting.retraining.decision import decide_retraining, retraining_window
from checks.arrival import measure_arrival
from checks.suite import run_checks
from ledger.records.incidents import Incident, Status
from ledger.records.measurements import Verdict
from ledger.records.retraining import Decision
from ledger.records.runs import Run, StreamedDay
from ledger.store import Ledger
from models.errors import WatchkeeperError
from models.load import load_model_files
from models.spec import HISTORY_DAYS, LATE_DAYS, Spec
from monitors.coverage import Gap, find_gaps
from profiles.schema import ProfileSchema
from warehouse.protocol import Partition
from watchkeeper import audit, incident_actions
from watchkeeper.context import (
    Context,
    ensure_baseline_days,
    partition_or_streamed,
    profile_schema_of,
    scan_day,
    scan_missing_days,
)
from watchkeeper.pipeline import heartbeat, labels, late, notifying, restating
from watchkeeper.pipeline.costs import with_cost_accounting
from watchkeeper.pipeline.run_monitors import MONITORS_RUN, cohort_horizon_days, measure_top_cards, run_monitors
from watchkeeper.settings import Settings


def open_context(settings: Settings, *, live: bool = True) -> Context:
    """Open the warehouse and the ledger that the settings name; raise WatchkeeperError where one can't be opened."""
    reader = warehouse.open_warehouse(settings.warehouse, _parse_moment(settings.read_at))
    return Context(settings, reader, Ledger.open(settings.ledger), current_time(settings), live)


def current_time(settings: Settings) -> datetime:
    """Return the time in UTC, or the one at which the settings stop the clock."""
    return _parse_moment(settings.now) or datetime.now(UTC)


def _parse_moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None


def load_specs(settings: Settings, names: Sequence[str] = ()) -> list[Spec]:
    """Return the model files asked for by name, or all; raise WatchkeeperError for a name without a file."""
    specs = load_model_files(settings.models)
    unknown = sorted(set(names) - {spec.model for spec in specs})
    if unknown:
        have = ", ".join(spec.model for spec in specs)
        raise WatchkeeperError(f"{settings.models}: no model file '{unknown[0]}.yaml'; there are {have}")
    return [spec for spec in specs if not names or spec.model in names]


def watch_day(
    ctx: Context, spec: Spec, day: date, report_progress: Callable[[str, str], None] = lambda step, summary: None
) -> Run:
    """Run every step of one model's day but publishing and notifying, and return what was recorded.

    The partition is looked at once, before anything is read from it: data that is rewritten meanwhile has another
    version than the one recorded, and the day is watched again. A streamed day is watched without its partition,
    which may come later.
    """
    partition = partition_or_streamed(ctx, spec, profile_schema_of(ctx, spec), day)
    report_progress("arrive", check_arrival(ctx, spec, day, partition))
    report_progress("check", run_expectations(ctx, spec, day, partition))
    report_progress("measure", measure_day(ctx, spec, day))
    run = conclude_day(ctx, spec, day, partition)
    report_progress("conclude", run.steps["conclude"])
    if ctx.live:
        report_progress("decide", f"retraining {decide_and_record(ctx, spec, day).verdict}")
    return run


@with_cost_accounting
def check_arrival(ctx: Context, spec: Spec, day: date, partition: Partition | StreamedDay | None) -> str:
    """Note whether the day's partition is there, in time, whole, and of the known columns.

    Of a streamed day only its rows are known, and the deadline, where the model file sets one, is its partition's.

    Days before it that were never scanned are scanned first: a model that is first watched today has a past.
    """
    schema = profile_schema_of(ctx, spec)
    normal = ensure_baseline_days(ctx, spec, schema, day)
    known = ctx.warehouse.partition(spec, normal[0])
    yesterday = day - timedelta(days=1)
    scan_missing_days(ctx, spec, schema, day - timedelta(days=cohort_horizon_days(spec)), yesterday)
    history = ctx.ledger.row_counts(spec.model, schema.id, day - timedelta(days=HISTORY_DAYS), yesterday)
    # The wait ends at a fixed time, so that a day watched again much later says the same.
    now = min(ctx.now, datetime.combine(day + timedelta(days=2), time(), UTC))
    found = measure_arrival(spec, day, partition, history, known.columns if known else None, now)
    ctx.ledger.save_measurements(spec.model, day, ("arrival", "schema"), found)
    return f"{partition.rows:,} rows" if partition else "no partition"


@with_cost_accounting
def run_expectations(ctx: Context, spec: Spec, day: date, partition: Partition | StreamedDay | None) -> str:
    """Run the model's expectations in the warehouse; what isn't there, is empty or was streamed can't be checked."""
    there = isinstance(partition, Partition) and partition.rows
    found = run_checks(spec, day, ctx.warehouse) if there and spec.checks else []
    ctx.ledger.save_measurements(spec.model, day, ("check",), found)
    failed = sum(m.verdict is Verdict.BREACH for m in found)
    errored = sum(m.verdict is Verdict.ERRORED for m in found)
    return f"{len(found)} expectations, {failed} failed, {errored} errored"


@with_cost_accounting
def measure_day(ctx: Context, spec: Spec, day: date, *, only_what_alerts: bool = False) -> str:
    """Scan the day's partition once (or take what was streamed), and the labels known by now; run every monitor.

    ``only_what_alerts`` leaves out figures that open no incident.
    """
    schema = profile_schema_of(ctx, spec)
    profile = scan_day(ctx, spec, schema, day)
    changed = _update_recent_cohorts(ctx, spec, schema, day) if schema.score is not None else set()
    found = run_monitors(ctx, spec, schema, day, profile, changed, only_what_alerts=only_what_alerts)
    found += measure_top_cards(ctx, spec, schema, day)
    ctx.ledger.save_measurements(spec.model, day, MONITORS_RUN, found)
    return f"{len(found)} measurements, {sum(m.verdict is Verdict.BREACH for m in found)} over their limit"


def conclude_day(ctx: Context, spec: Spec, day: date, partition: Partition | StreamedDay | None) -> Run:
    """Turn the day's measurements into incidents, and again those of later days that were already concluded.

    Incidents, what the log says of them, the messages about them and the record of the run are one transaction.
    """
    with ctx.ledger.transaction():
        touched = _conclude_one_day(ctx, spec, day)
        for later in ctx.ledger.concluded_days(spec.model, day):
            _conclude_one_day(ctx, spec, later)
        firing = sum(incident.status is Status.FIRING for incident in touched)
        run = Run(
            model=spec.model,
            day=day,
            source_version=_source_version(partition),
            rows=partition.rows if partition else 0,
            live=ctx.live,
            steps={"conclude": f"{firing} firing incident{'s' * (firing != 1)}"},
        )
        ctx.ledger.save_run(run)
        late.notify_completed_late(ctx, spec, day)
        audit.log_configuration(ctx, spec)
        incident_actions.log_status_changes(ctx, spec)
        if ctx.ledger.newest_day(spec.model) == day:
            restating.log_restatements(ctx, spec, day)
        if ctx.live:
            notifying.enqueue_news(ctx, spec, day)
    return run


def decide_and_record(ctx: Context, spec: Spec, day: date) -> Decision:
    """Decide whether retraining would help, and record the decision with its reasons; an answered request stands."""
    found = ctx.ledger.measurements(spec.model, as_of=day)
    incidents = ctx.ledger.incidents(spec.model, as_of=day)
    earlier = [decision for decision in ctx.ledger.decisions(spec.model) if decision.day < day]
    outcomes = ctx.ledger.retraining_outcomes(spec.model)
    span = retraining_window(spec, day, incidents, found)
    window = ctx.ledger.measurements(
        spec.model, day_from=span[0], day_to=span[1], as_of_to=day, monitors=("arrival", "performance"), newest=True
    ) if span else []  # fmt: skip
    decision = decide_retraining(spec, day, incidents, found, earlier, outcomes, window)
    if any(outcome.request == decision.request for outcome in outcomes):
        return next(stands for stands in ctx.ledger.decisions(spec.model) if stands.day == day)
    ctx.ledger.save_decision(decision)
    return decision


def publish_site(
    ctx: Context,
    specs: Sequence[Spec],
    touched: Collection[tuple[str, date]] | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> str:
    """Rebuild the pages that the touched model-days change, with a drill-down for each new drift.

    None rebuilds all, on every core; ``progress`` is told as ``reports.site.build_site`` tells it.
    Where the settings name a place to publish to, the site is copied there, and only what changed is sent.
    """
    import reports.export.publish  # noqa: PLC0415  jinja is only needed here
    import reports.site  # noqa: PLC0415

    _write_drilldown_reports(
        ctx, [spec for spec in specs if touched is None or spec.model in {model for model, _ in touched}]
    )
    cores = 1 if touched is not None else os.cpu_count() or 1
    index = reports.site.build_site(
        ctx.ledger,
        specs,
        ctx.settings.site,
        touched=touched,
        progress=progress,
        processes=cores,
        runbook=ctx.settings.links.runbook,
    )
    if ctx.settings.publish_to:
        reports.export.publish.publish_site(ctx.settings.site, ctx.settings.publish_to)
    return str(index)


def deliver_and_write_heartbeat(ctx: Context, specs: Sequence[Spec]) -> str:
    """Deliver what waits in the outbox, and leave a sign of life: the watch came to its end."""
    outcome = deliver_messages(ctx, specs)
    heartbeat.write_heartbeat(ctx.settings.heartbeat, ctx.ledger, specs, ctx.now)
    return outcome


def deliver_messages(ctx: Context, specs: Sequence[Spec]) -> str:
    """Deliver what waits in the outbox; a dead channel delays a message and never drops it."""
    return notifying.deliver_waiting_messages(ctx, specs)


def notify_late_day(ctx: Context, spec: Spec, day: date) -> str:
    """Tell, once, that a day's watch didn't come to its end in time; a day that was watched is not late."""
    if not late.notify_late_day(ctx, spec, day, notifying.owner_channel_name(ctx, spec)):
        return "nothing to tell"
    return deliver_messages(ctx, [spec])


def find_coverage_gaps(ctx: Context, spec: Spec) -> list[Gap]:
    """Return what isn't watched of a model, by its file, its table's columns and its newest watched day."""
    watched = [run.day for run in ctx.ledger.runs(spec.model)]
    newest = max(watched, default=spec.baseline.end)
    partition = ctx.warehouse.partition(spec, newest)
    figures = ctx.ledger.measurements(spec.model, as_of=newest)
    return find_gaps(spec, tuple(partition.columns) if partition else (), watched, figures)


def stale_days(ctx: Context, spec: Spec, day: date, lookback_days: int = LATE_DAYS) -> list[date]:
    """Return recent watched days whose partition or a batch came, or was rewritten, after they were watched."""
    schema = profile_schema_of(ctx, spec)
    runs = ctx.ledger.runs(spec.model, day - timedelta(days=lookback_days), day - timedelta(days=1))
    return [
        run.day
        for run in runs
        if _source_version(partition_or_streamed(ctx, spec, schema, run.day)) != run.source_version
    ]


def _source_version(partition: Partition | StreamedDay | None) -> str:
    return partition.version if partition else ""


def _conclude_one_day(ctx: Context, spec: Spec, day: date) -> list[Incident]:
    found = ctx.ledger.measurements(spec.model, as_of=day)
    live = ctx.ledger.live_incidents(spec.model, day)
    recent = ctx.ledger.incidents(spec.model, as_of=day - timedelta(days=1))
    concluded = conclude_incidents(spec, day, found, live, recent)
    incidents = incident_actions.reapply_closures(ctx.ledger, spec.model, day, concluded)
    ctx.ledger.save_incidents(spec.model, day, incidents)
    return incidents


def _update_recent_cohorts(ctx: Context, spec: Spec, schema: ProfileSchema, as_of: date) -> set[date]:
    """Take in the labels of the cohorts that may still change; the first watch reads the whole baseline's."""
    start = as_of - timedelta(days=cohort_horizon_days(spec))
    if not ctx.ledger.runs(spec.model, end=as_of - timedelta(days=1)):
        start = min(*ensure_baseline_days(ctx, spec, schema, as_of), start)
    return _update_cohorts(ctx, spec, schema, start, as_of)


def _update_cohorts(ctx: Context, spec: Spec, schema: ProfileSchema, start: date, as_of: date) -> set[date]:
    """Store what the labels say of each cohort day, and return the days whose figures may differ from yesterday's.

    The first watch reads the whole baseline's labels; from then on a cohort older than the horizon is final.
    """
    if spec.labels is None:
        return set()
    changed = labels.update_cohorts(ctx, spec, schema, start, as_of)
    negative = spec.labels.negative
    if negative == "explicit":
        return changed
    return changed | {as_of - timedelta(days=negative.after_days)}  # its unlabelled payments turn legitimate today


def _write_drilldown_reports(ctx: Context, specs: Sequence[Spec]) -> None:
    """Write the Evidently report of each firing drift incident that has none yet."""
    import reports.export.evidently_report  # noqa: PLC0415  evidently takes seconds to import

    for spec in specs:
        for incident in ctx.ledger.incidents(spec.model):
            if incident.fired and incident.cause_entry.drilldown:
                reports.export.evidently_report.write_drilldown(
                    ctx.warehouse, spec, incident, ctx.ledger.baseline(spec, incident.last_bad), ctx.settings.site
                )
