"""The one place where a model's watch is put together, step by step.

arrive -> check -> measure -> conclude -> decide -> publish -> notify. What the warehouse says is taken in
(``take_in``), what monitors need is loaded once (``load_day``), monitors are pure, and the day's figures are saved
together. Each step writes its result in one transaction under a key that makes a second run replace instead of add.
The command line, the DAGs and the tests all call these functions.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, date, datetime, time, timedelta

import warehouse
from alerting.incidents.conclude import conclude_incidents
from alerting.retraining.decision import decide_retraining, retraining_window
from catalogue import Step, monitors_of_step
from checks.arrival import measure_arrival
from checks.suite import run_checks
from ledger.records.incidents import Incident, Status
from ledger.records.measurements import Measurement, Verdict
from ledger.records.retraining import Decision
from ledger.records.runs import Run, StreamedDay
from ledger.store import Ledger
from models.errors import WatchkeeperError
from models.extras import is_installed
from models.load import load_model_files
from models.spec import LATE_DAYS, Spec
from monitors.coverage import Gap, find_gaps
from warehouse.protocol import Partition
from watchkeeper import audit, incident_actions
from watchkeeper.context import Context
from watchkeeper.pipeline import heartbeat, late, lineage, notifying, restating
from watchkeeper.pipeline.costs import cost_accounting
from watchkeeper.pipeline.custom_metrics import add_metrics_folder
from watchkeeper.pipeline.day_cache import DayCache
from watchkeeper.pipeline.load_day import load_card_ranking, load_day
from watchkeeper.pipeline.run_monitors import run_monitors
from watchkeeper.pipeline.take_in import AvailableDay, take_in_day, take_in_past
from watchkeeper.settings import Settings


def open_context(settings: Settings, *, live: bool = True) -> Context:
    """Open the warehouse and the ledger that the settings name; raise WatchkeeperError where one can't be opened.

    The bank's own metrics can be imported from then on, wherever ``WATCHKEEPER_METRICS`` says they are.
    """
    add_metrics_folder(settings.metrics)
    reader = warehouse.open_warehouse(settings.warehouse, _parse_moment(settings.read_at))
    return Context(settings, reader, Ledger.open(settings.ledger), current_time(settings), live)


def current_time(settings: Settings) -> datetime:
    """Return the time in UTC, or the one at which the settings stop the clock."""
    return _parse_moment(settings.now) or datetime.now(UTC)


def _parse_moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None


def load_specs(settings: Settings, names: Sequence[str] = ()) -> list[Spec]:
    """Return the model files asked for by name, or all; raise WatchkeeperError for a name without a file."""
    folder = settings.models_folder()
    specs = load_model_files(folder)
    unknown = sorted(set(names) - {spec.model for spec in specs})
    if unknown:
        have = ", ".join(spec.model for spec in specs)
        raise WatchkeeperError(f"{folder}: no model file '{unknown[0]}.yaml'; there are {have}")
    return [spec for spec in specs if not names or spec.model in names]


def run_day(
    ctx: Context, spec: Spec, day: date, report_progress: Callable[[str, str], None] = lambda step, summary: None
) -> Run:
    """Watch a day, after those recent days that came or were rewritten since they were watched.

    What sends events to lineage stands around each of them. Return what was recorded of the day.
    """
    cache = DayCache()
    for stale in stale_days(ctx, spec, day):
        report_progress("again", f"{stale} came or was rewritten after it was watched")
        with lineage.emit_lineage(ctx, spec, stale):
            watch_day(ctx, spec, stale, cache=cache)
    with lineage.emit_lineage(ctx, spec, day):
        return watch_day(ctx, spec, day, report_progress, cache)


def watch_day(
    ctx: Context,
    spec: Spec,
    day: date,
    report_progress: Callable[[str, str], None] = lambda step, summary: None,
    cache: DayCache | None = None,
) -> Run:
    """Run every step of one model's day but publishing and notifying, and return what was recorded.

    ``cache`` is what the days before left in memory: whoever watches one day after the other hands on the same.
    """
    cache = cache or DayCache()
    with cost_accounting(ctx, spec, day):
        taken = take_in_past(ctx, spec, day, cache)
        report_progress("arrive", f"{taken.partition.rows:,} rows" if taken.partition else "no partition")
        checked = run_expectations(ctx, spec, day, taken.partition)
        report_progress("check", _describe_checks(checked))
        taken = take_in_day(ctx, spec, day, taken, cache)
        found = measure_day(ctx, spec, day, taken, cache, checked=checked)
        breaches = sum(m.verdict is Verdict.BREACH for m in found)
        report_progress("measure", f"{len(found)} measurements, {breaches} over their limit")
    run, figures = conclude_day(ctx, spec, day, taken, cache)
    report_progress("conclude", run.steps["conclude"])
    if ctx.live:
        report_progress("decide", f"retraining {decide_and_record(ctx, spec, day, figures).verdict}")
    return run


def monitors_of_day() -> tuple[str, ...]:
    """Return the monitors whose figures a day's watch replaces, all together."""
    return tuple(key for step in (Step.ARRIVAL, Step.CHECKS, Step.MONITORS) for key in monitors_of_step(step))


def run_expectations(
    ctx: Context, spec: Spec, day: date, partition: Partition | StreamedDay | None
) -> list[Measurement]:
    """Run the model's expectations in the warehouse; what isn't there, is empty or was streamed can't be checked."""
    there = isinstance(partition, Partition) and partition.rows
    return run_checks(spec, day, ctx.warehouse) if there and spec.checks else []


def _describe_checks(found: Sequence[Measurement]) -> str:
    failed = sum(m.verdict is Verdict.BREACH for m in found)
    errored = sum(m.verdict is Verdict.ERRORED for m in found)
    return f"{len(found)} expectations, {failed} failed, {errored} errored"


def measure_day(
    ctx: Context,
    spec: Spec,
    day: date,
    taken: AvailableDay,
    cache: DayCache,
    *,
    checked: Sequence[Measurement] = (),
    only_what_alerts: bool = False,
) -> list[Measurement]:
    """Load what monitors need of a day that was taken in, run them, and save all of the day's figures at once.

    ``checked`` are the figures of its expectations, saved with the others. Whether the day arrived in time, whole and
    with the known columns is judged here too: of a streamed day only its rows are known, and the deadline, where the
    model file sets one, is its partition's. ``only_what_alerts`` leaves out figures that no incident needs. Return
    what the monitors measured.
    """
    inputs = load_day(ctx.ledger, cache, spec, taken.stored, day, taken.changed)
    if not only_what_alerts:
        inputs = load_card_ranking(ctx.warehouse, inputs)
    # The wait ends at a fixed time, so that a day watched again much later says the same.
    now = min(ctx.now, datetime.combine(day + timedelta(days=2), time(), UTC))
    arrived = measure_arrival(spec, day, taken.partition, taken.stored.before(day), taken.known_columns, now)
    found = run_monitors(inputs, only_what_alerts=only_what_alerts)
    ctx.ledger.save_measurements(spec.model, day, monitors_of_day(), [*arrived, *checked, *found])
    return found


def conclude_day(
    ctx: Context, spec: Spec, day: date, taken: AvailableDay | None, cache: DayCache
) -> tuple[Run, list[Measurement]]:
    """Turn the day's measurements into incidents, and again those of later days that were already concluded.

    Incidents, what the log says of them, the messages about them and the record of the run are one transaction.
    Return that record, and the figures that the day was concluded from. ``taken`` is None where nothing was taken in.
    """
    partition = taken.partition if taken else None
    with ctx.ledger.transaction():
        figures = ctx.ledger.measurements(spec.model, as_of=day)
        touched = _conclude_one_day(ctx, spec, day, figures)
        for later in ctx.ledger.concluded_days(spec.model, day):
            _conclude_one_day(ctx, spec, later, ctx.ledger.measurements(spec.model, as_of=later))
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
        if taken and ctx.ledger.newest_day(spec.model) == day:
            restating.log_restatements(ctx, spec, taken.stored, day, cache)
        if ctx.live:
            notifying.enqueue_news(ctx, spec, day)
    return run, figures


def decide_and_record(ctx: Context, spec: Spec, day: date, figures: Sequence[Measurement]) -> Decision:
    """Decide by a day's figures whether retraining would help, and record that with its reasons.

    A request that was answered stands.
    """
    incidents = ctx.ledger.incidents(spec.model, as_of=day)
    decisions = ctx.ledger.decisions(spec.model)
    earlier = [decision for decision in decisions if decision.day < day]
    outcomes = ctx.ledger.retraining_outcomes(spec.model)
    span = retraining_window(spec, day, incidents, figures)
    window = ctx.ledger.measurements(
        spec.model, day_from=span[0], day_to=span[1], as_of_to=day, monitors=("arrival", "performance"), newest=True
    ) if span else []  # fmt: skip
    decision = decide_retraining(spec, day, incidents, figures, earlier, outcomes, window)
    if any(outcome.request == decision.request for outcome in outcomes):
        return next(stands for stands in decisions if stands.day == day)
    ctx.ledger.save_decision(decision)
    return decision


def publish_site(
    ctx: Context,
    specs: Sequence[Spec],
    touched: Collection[tuple[str, date]] | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> str:
    """Rebuild the pages that the touched model-days change, with a drill-down for each new drift.

    None rebuilds all, on every core; ``progress`` is called as ``reports.site.build_site`` calls it.
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
    """Deliver what waits in the outbox, and leave a sign of life: the watch was completed."""
    outcome = deliver_messages(ctx, specs)
    heartbeat.write_heartbeat(ctx.settings.heartbeat, ctx.ledger, specs, ctx.now)
    return outcome


def deliver_messages(ctx: Context, specs: Sequence[Spec]) -> str:
    """Deliver what waits in the outbox; a dead channel delays a message and never drops it."""
    return notifying.deliver_waiting_messages(ctx, specs)


def notify_late_day(ctx: Context, spec: Spec, day: date) -> str:
    """Notify, once, that a day's watch wasn't completed in time; a day that was watched is not late."""
    if not late.notify_late_day(ctx, spec, day, notifying.owner_channel_name(ctx.settings, spec)):
        return "nothing to notify"
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
    first, last = day - timedelta(days=lookback_days), day - timedelta(days=1)
    runs = ctx.ledger.runs(spec.model, first, last)
    there: dict[date, Partition | StreamedDay | None] = {
        run.day: ctx.warehouse.partition(spec, run.day) for run in runs
    }
    schema = None if all(there.values()) else ctx.ledger.profile_schema(spec.model)
    if schema is not None:
        streamed = ctx.ledger.streamed_days(spec.model, schema.id, first, last)
        there = {each: found or streamed.get(each) for each, found in there.items()}
    return [run.day for run in runs if _source_version(there[run.day]) != run.source_version]


def _source_version(partition: Partition | StreamedDay | None) -> str:
    return partition.version if partition else ""


def _conclude_one_day(ctx: Context, spec: Spec, day: date, figures: Sequence[Measurement]) -> list[Incident]:
    recent = ctx.ledger.incidents(spec.model, as_of=day - timedelta(days=1))
    live = sorted((incident for incident in recent if incident.live), key=lambda incident: incident.id)
    concluded = conclude_incidents(spec, day, figures, live, recent)
    incidents = incident_actions.reapply_closures(ctx.ledger, spec.model, day, concluded)
    ctx.ledger.save_incidents(spec.model, day, incidents)
    return incidents


def _write_drilldown_reports(ctx: Context, specs: Sequence[Spec]) -> None:
    """Write the Evidently report of each firing drift incident that has none yet; nothing without Evidently."""
    if not is_installed("evidently"):
        return
    import reports.export.evidently_report  # noqa: PLC0415  evidently takes seconds to import

    for spec in specs:
        for incident in ctx.ledger.incidents(spec.model):
            if incident.fired and incident.cause_entry.drilldown:
                reports.export.evidently_report.write_drilldown(
                    ctx.warehouse, spec, incident, ctx.ledger.baseline(spec, incident.last_bad), ctx.settings.site
                )
