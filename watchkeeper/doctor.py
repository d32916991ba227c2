"""Looks for what is wrong with settings, model files, tables, ledger, site and Slack, and says what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ledger.store import Ledger
from models.errors import WatchkeeperError
from models.load import load, paths
from models.spec import Spec
from watchkeeper.custom import function_of
from watchkeeper.heartbeat import late, read
from watchkeeper.settings import Settings
from watchkeeper.stored import Context

MOST = timedelta(hours=26)
"""A heartbeat of a daily watch is at most so old."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: ``well`` or not, and what was found or is to be done."""

    looked_at: str
    well: bool
    told: str


def examine(settings: Settings, opened: Callable[[Settings], Context]) -> list[Finding]:
    """Return one finding for each thing looked at; nothing is changed but the ledger's tables, if they were missing."""
    findings = [_finding("ledger", lambda: _ledger(settings))]
    specs: list[Spec] = []
    for path in _found_paths(settings, findings):
        try:
            specs.append(load(path))
        except WatchkeeperError as error:
            findings.append(Finding(path.name, well=False, told=str(error)))
    try:
        ctx = opened(settings)
    except WatchkeeperError as error:
        findings.append(Finding("warehouse", well=False, told=str(error)))
    else:
        findings += [finding for spec in specs for finding in _tables(ctx, spec)]
    findings.append(_finding("site", lambda: _writable(settings.site)))
    findings.append(_finding("heartbeat", lambda: _heartbeat(settings, specs)))
    findings.append(_finding("Slack", lambda: _slack(settings)))
    return findings


def _finding(looked_at: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(looked_at, well=True, told=look())
    except WatchkeeperError as error:
        return Finding(looked_at, well=False, told=str(error))


def _found_paths(settings: Settings, findings: list[Finding]) -> list[Path]:
    try:
        return paths(settings.models)
    except WatchkeeperError as error:
        findings.append(Finding("model files", well=False, told=str(error)))
        return []


def _ledger(settings: Settings) -> str:
    runs = Ledger.open(settings.ledger).runs()
    newest = max((run.day for run in runs), default=None)
    return f"{len(runs):,} watched days, the newest {newest}" if newest else "opens; no day was watched yet"


def _tables(ctx: Context, spec: Spec) -> Iterator[Finding]:
    looked_at = f"{spec.model}: {spec.features.table}"

    def look() -> str:
        days = ctx.warehouse.days(spec, spec.baseline.start, spec.baseline.end)
        wanted = len(spec.baseline.days())
        if not days:
            raise WatchkeeperError("no partition on the baseline's days; name other days under 'baseline'")
        partition = ctx.warehouse.partition(spec, days[-1])
        absent = sorted({*spec.features.columns, *spec.groups} - set(partition.columns if partition else ()))
        if absent:
            raise WatchkeeperError(f"column '{absent[0]}' of the model file is not in the table")
        return f"{len(days)} of {wanted} baseline days are there"

    yield _finding(looked_at, look)
    for metric in spec.metrics:
        found = function_of(metric)
        yield Finding(
            f"{spec.model}: metrics.{metric.name}",
            well=not isinstance(found, str),
            told=found if isinstance(found, str) else f"{metric.function} can be imported",
        )
    if spec.labels is None:
        yield Finding(f"{spec.model}: labels", well=False, told="no labels: performance and fairness aren't watched")


def _writable(folder: Path) -> str:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".probe"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise WatchkeeperError(f"{folder}: can't be written ({error.strerror}); set WATCHKEEPER_SITE") from error
    return f"{folder} can be written"


def _heartbeat(settings: Settings, specs: Sequence[Spec]) -> str:
    """Return what the heartbeat says; where no watch ever came to its end there is none, which is no fault yet."""
    if not settings.heartbeat.exists():
        return f"none yet; {settings.heartbeat} is written when a watch has come to its end"
    now = datetime.fromisoformat(settings.now).replace(tzinfo=UTC) if settings.now else datetime.now(UTC)
    if found := late(read(settings.heartbeat), [spec.model for spec in specs], now, MOST):
        raise WatchkeeperError("; ".join(found))
    return f"each model's watch came to its end in the last {MOST.total_seconds() / 3600:.0f} hours"


def _slack(settings: Settings) -> str:
    if not settings.slack_token:
        return f"no WATCHKEEPER_SLACK_TOKEN: messages go to the terminal and to {settings.messages}"
    from slack_sdk import WebClient  # noqa: PLC0415
    from slack_sdk.errors import SlackApiError  # noqa: PLC0415

    try:
        answer = WebClient(token=settings.slack_token, base_url=settings.slack_base_url, timeout=10).auth_test()
    except (SlackApiError, OSError) as error:
        reason = error.response["error"] if isinstance(error, SlackApiError) else error.__class__.__name__
        raise WatchkeeperError(f"Slack refuses the token or can't be reached ({reason})") from error
    return f"signed in to {answer['team']}"
