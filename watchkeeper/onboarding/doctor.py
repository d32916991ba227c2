"""Looks for what is wrong with settings, versions, clock, tables, labels, ledger, site, Airflow and channels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from alerting.notifications.channels.registry import examine_channel
from alerting.notifications.channels.secrets import secret_variable
from alerting.notifications.routes.loading import load_routes
from alerting.wording import pluralise
from ledger.store import Ledger
from models.errors import WatchkeeperError
from models.load import list_model_files, load_model_file
from models.spec import Spec
from profiles.profile import EVERYONE, FRAUD, LEGITIMATE, Cohort
from watchkeeper.context import Context
from watchkeeper.onboarding import installed
from watchkeeper.pipeline.custom_metrics import load_metric_function
from watchkeeper.pipeline.heartbeat import late_models, read_heartbeat
from watchkeeper.pipeline.notifying import owner_slack_settings
from watchkeeper.pipeline.take_in import ensure_profile_schema
from watchkeeper.settings import Settings

OK, LOOK, BROKEN = "ok", "look", "broken"
COLOURS = {OK: "green", LOOK: "yellow", BROKEN: "red"}
MAX_SKEW_SECONDS = 60.0
LABEL_DAYS = 7
"""The last days of the baseline whose labels are looked at: enough to judge by, and never a large bill."""
MIN_LABELLED_SHARE = 0.5
"""Share of payments with a label below which somebody should look, where labels are explicit."""

MAX_HEARTBEAT_AGE = timedelta(hours=26)
"""A heartbeat of a daily watch is at most so old."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: ok, to be looked at, or broken; what was found, and what to do about it."""

    looked_at: str
    state: str
    told: str
    todo: str = ""


def examine_installation(settings: Settings, opened: Callable[[Settings], Context]) -> list[Finding]:
    """Return one finding for each thing looked at.

    Nothing is changed but the ledger's tables and the models' profile schemas, if they were missing.
    """
    findings = [Finding("versions", *found) for found in installed.check_versions()]
    findings += [Finding("extras", *found) for found in installed.check_extras()]
    findings.append(_finding_from("ledger", lambda: _check_ledger(settings)))
    specs: list[Spec] = []
    for path in _model_file_paths(settings, findings):
        try:
            specs.append(load_model_file(path))
        except WatchkeeperError as error:
            findings.append(
                Finding(path.name, BROKEN, str(error), "correct the file; 'watchkeeper validate' checks it")
            )
    try:
        ctx = opened(settings)
    except WatchkeeperError as error:
        if str(error) not in {finding.told for finding in findings}:  # a ledger that can't be opened was told of above
            findings.append(Finding("warehouse", BROKEN, str(error)))
    else:
        findings += [finding for spec in specs for finding in (*_check_tables(ctx, spec), *_check_labels(ctx, spec))]
        findings += _check_clock(ctx, specs)
    findings.append(_finding_from("site", lambda: _check_writable(settings.site, "WATCHKEEPER_SITE")))
    findings.append(_finding_from("heartbeat", lambda: _check_heartbeat(settings, specs)))
    findings.append(
        _finding_from("messages", lambda: _check_writable(settings.messages.parent, "WATCHKEEPER_MESSAGES"))
    )
    findings += [Finding("Airflow", *found) for found in installed.check_airflow(settings.home)]
    return [*findings, *_check_channels(settings, datetime.now(UTC))]


def _finding_from(looked_at: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(looked_at, OK, look())
    except WatchkeeperError as error:
        return Finding(looked_at, BROKEN, str(error))


def _model_file_paths(settings: Settings, findings: list[Finding]) -> list[Path]:
    try:
        return list_model_files(settings.models_folder())
    except WatchkeeperError as error:
        findings.append(Finding("model files", BROKEN, str(error), "then run doctor again: it looks at their tables"))
        return []


def _check_ledger(settings: Settings) -> str:
    ledger = Ledger.open(settings.ledger)
    with ledger.transaction():  # asks for the lock that every step asks for
        runs = ledger.runs()
    newest = max((run.day for run in runs), default=None)
    return f"{len(runs):,} watched days, the newest {newest}" if newest else "opens; no day was watched yet"


def _check_tables(ctx: Context, spec: Spec) -> Iterator[Finding]:
    looked_at = f"{spec.model}: {spec.features.table}"

    def look() -> str:
        days = ctx.warehouse.days(spec, spec.baseline.start, spec.baseline.end)
        wanted = set(spec.baseline.days())
        if not days:
            raise WatchkeeperError("no partition on the baseline's days; name other days under 'baseline'")
        partition = ctx.warehouse.partition(spec, days[-1])
        absent = sorted({*spec.features.columns, *spec.groups} - set(partition.columns if partition else ()))
        if absent:
            raise WatchkeeperError(f"column '{absent[0]}' of the model file is not in the table")
        return f"{len(wanted.intersection(days))} of {len(wanted)} baseline days are there"

    yield _finding_from(looked_at, look)
    for metric in spec.metrics:
        found = load_metric_function(metric)
        about = f"{spec.model}: metrics.{metric.name}"
        if isinstance(found, str):
            yield Finding(about, BROKEN, found, "set WATCHKEEPER_METRICS to its folder, or correct 'function'")
        else:
            yield Finding(about, OK, f"{metric.function} can be imported")


def _check_labels(ctx: Context, spec: Spec) -> Iterator[Finding]:
    about = f"{spec.model}: labels"
    if spec.labels is None:
        todo = "name the table of labels under 'labels'"
        yield Finding(about, LOOK, "no labels: performance and fairness aren't watched", todo)
        return
    today = ctx.now.date()
    try:
        schema = ensure_profile_schema(ctx, spec)
        (version,) = ctx.warehouse.label_versions(spec, [today])
        days = ctx.warehouse.days(spec, spec.baseline.start, spec.baseline.end)[-LABEL_DAYS:]
        cohorts = ctx.warehouse.label_changes(spec, schema, days[0], days[-1], None, today) if days else {}
        partitions = [ctx.warehouse.partition(spec, day) for day in days]
    except WatchkeeperError as error:
        yield Finding(about, BROKEN, str(error))
        return
    known = sum(cohorts.values(), Cohort())
    cube = known.labels.bins.get(EVERYONE)
    labelled = 0 if cube is None else int(cube[:, (FRAUD, LEGITIMATE), 0].sum())
    rows = sum(partition.rows for partition in partitions if partition)
    events = version.partition(",")[0]
    if not labelled:
        found_text = f"{events or 'no events'}, and none of an id of the last baseline days' payments"
        todo = f"see whether labels.id '{spec.labels.id}' holds the ids of features.id '{spec.features.id}'"
        yield Finding(about, BROKEN, found_text, todo)
        return
    share = labelled / rows if rows else 0.0
    found_text = (
        f"{events}; of {rows:,} payments of the last {len(days)} baseline days {share:.1%} have a label"
        f"{_describe_label_delay(known)}"
    )
    few = spec.labels.negative == "explicit" and share < MIN_LABELLED_SHARE
    todo = "labels are said to be explicit: set 'negative: {after_days: 45}' if silence means legitimate" if few else ""
    yield Finding(about, LOOK if few else OK, found_text, todo)


def _describe_label_delay(known: Cohort) -> str:
    """Return the days after which half and nine in ten of the baseline's frauds were known, in words."""
    days = sorted(Counter(dict(known.delays)).elements())
    if not days:
        return ", and no fraud is among them"
    return f", half of the frauds after {days[len(days) // 2]} days, nine in ten after {days[len(days) * 9 // 10]}"


def _check_clock(ctx: Context, specs: list[Spec]) -> Iterator[Finding]:
    if ctx.settings.now:
        todo = "unset WATCHKEEPER_NOW outside demonstrations"
        yield Finding("clock", LOOK, f"it stands still at {ctx.settings.now}", todo)
        return
    for spec in specs:
        try:
            days = ctx.warehouse.days(spec, ctx.now.date() - timedelta(days=3), ctx.now.date() + timedelta(days=1))
            partition = ctx.warehouse.partition(spec, days[-1]) if days else None
        except WatchkeeperError:
            continue  # reported above
        if partition and partition.arrived_at > ctx.now + timedelta(seconds=MAX_SKEW_SECONDS):
            found_text = (
                f"{spec.features.table} was written at {partition.arrived_at:%Y-%m-%d %H:%M} UTC, which is to come"
            )
            yield Finding("clock", BROKEN, found_text, "set this machine's clock, or that of the warehouse, by NTP")
            return
    yield Finding("clock", OK, f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, and no table was written later than that")


def _check_writable(folder: Path, setting: str) -> str:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".probe"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise WatchkeeperError(f"{folder}: can't be written ({error.strerror}); set {setting}") from error
    return f"{folder} can be written"


def _check_heartbeat(settings: Settings, specs: Sequence[Spec]) -> str:
    """Return what the heartbeat says; where no watch was ever completed there is none, which is no fault yet."""
    if not settings.heartbeat.exists():
        return f"none yet; {settings.heartbeat} is written when a watch is completed"
    now = datetime.fromisoformat(settings.now).replace(tzinfo=UTC) if settings.now else datetime.now(UTC)
    if found := late_models(read_heartbeat(settings.heartbeat), [spec.model for spec in specs], now, MAX_HEARTBEAT_AGE):
        raise WatchkeeperError("; ".join(found))
    return f"each model's watch was completed in the last {MAX_HEARTBEAT_AGE.total_seconds() / 3600:.0f} hours"


def _check_channels(settings: Settings, now: datetime) -> Iterator[Finding]:
    """Yield what is found of the routes file, of Slack, where owners read, and of each further channel."""
    try:
        routes = load_routes(settings.routes)
    except WatchkeeperError as error:
        yield Finding("routes", BROKEN, str(error), "correct the file, or unset WATCHKEEPER_ROUTES")
        return
    if settings.routes is None:
        yield Finding("routes", OK, "no WATCHKEEPER_ROUTES: everything goes to the owners' channel")
    else:
        yield Finding("routes", OK, f"{settings.routes}: {pluralise(len(routes.channels), 'further channel')}")
    if settings.slack_token:
        slack = owner_slack_settings(settings, routes.default)
        yield from (Finding("Slack", *found) for found in slack.examine(settings.slack_token, now))
    else:
        found_text = f"no WATCHKEEPER_SLACK_TOKEN: messages go to the terminal and to {settings.messages}"
        yield Finding("Slack", OK, found_text)
    for name, channel in routes.channels.items():
        secret = settings.secrets.get(secret_variable(name), "")
        yield from (Finding(f"channel {name}", *found) for found in examine_channel(name, channel, secret, now))
