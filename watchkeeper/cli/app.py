"""The command line: the same steps as the DAGs, for a person or a script.

Exit status: 0 done, 1 findings at or above --fail-on, 2 the user's mistake, 3 errored.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from alerting.incidents.state import UNTOUCHED, IncidentState
from alerting.wording import pluralise
from catalogue import causes
from checks import expectation_types
from ledger.records.incidents import Incident, Status
from ledger.records.measurements import Measurement, Verdict
from ledger.records.runs import Run
from ledger.store import Ledger
from models.errors import WatchkeeperError
from models.load import SpecError, list_model_files, load_model_file
from models.spec import Spec
from monitors import limits
from watchkeeper import incident_actions  # fmt: skip
from watchkeeper import prune as pruning
from watchkeeper.cli import alerts, audit, export, onboarding, retraining, show, whatif
from watchkeeper.cli.incidents import incident_app, silence_app
from watchkeeper.cli.terminal import err, out, progress_bar
from watchkeeper.context import Context
from watchkeeper.pipeline import heartbeat as beats
from watchkeeper.pipeline import watch  # fmt: skip
from watchkeeper.pipeline.day_cache import DayCache
from watchkeeper.retraining import promotion, retrain  # fmt: skip
from watchkeeper.settings import read_settings

app = typer.Typer(
    name="watchkeeper",
    help="Stands watch over a bank's production fraud models.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
)
app.add_typer(alerts.app, name="alerts")
app.add_typer(incident_app, name="incident")
app.add_typer(silence_app, name="silence")
app.add_typer(audit.app, name="audit")
app.add_typer(export.app, name="export")
for command in (
    onboarding.init, onboarding.suggest, onboarding.doctor,
    whatif.replay, whatif.drill, retraining.rollback, retraining.answer,
):  # fmt: skip
    app.command()(command)


class FailOn(StrEnum):
    """What makes the exit status 1: a data fault, any firing incident, any measurement over its limit, or nothing."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"
    NEVER = "never"


ModelsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        "-m",
        help="Model to watch; may be given again. Default: all.",
        autocompletion=onboarding.complete_model_name,
    ),
]
DayOption = Annotated[datetime, typer.Option("--day", "-d", formats=["%Y-%m-%d"], help="Partition day, YYYY-MM-DD.")]
FromOption = Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day, YYYY-MM-DD.")]
ToOption = Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day, YYYY-MM-DD.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Answer as JSON.")]
FailOption = Annotated[
    FailOn, typer.Option(help="Exit with 1 on: critical (a data fault), warning (any incident), info (any breach).")
]
SiteOption = Annotated[bool, typer.Option(help="Publish the pages.")]


@app.command()
def validate(
    files: Annotated[list[Path] | None, typer.Argument(help="Model files; default: all of WATCHKEEPER_MODELS.")] = None,
) -> None:
    """Check model files; say file, line, key, what is wrong, what is accepted."""
    problems: list[str] = []
    for path in files or list_model_files(read_settings().models_folder()):
        try:
            spec = load_model_file(path)
        except SpecError as error:
            problems += error.problems
            continue
        found = [
            f"{path}: {problem}"
            for problem in (*expectation_types.describe_spec_problems(spec), *limits.limit_problems(spec))
        ]
        problems += found
        if not found:
            features, checks = len(spec.features.columns), len(spec.checks)
            summary = f"{path}: {spec.name}, {pluralise(features, 'feature')}, {pluralise(checks, 'check')}"
            out.print(summary, markup=False, highlight=False, soft_wrap=True)
    if problems:
        raise WatchkeeperError("\n".join(problems))


@app.command()
def run(
    day: DayOption,
    model: ModelsOption = None,
    json: JsonOption = False,
    fail_on: FailOption = FailOn.NEVER,
    site: SiteOption = True,
) -> None:
    """Watch one day: conclude, publish the pages it touches, and notify people."""
    ctx = watch.open_context(read_settings())
    specs = watch.load_specs(ctx.settings, model or [])
    runs: list[Run] = []
    problems: list[str] = []
    for spec in specs:
        try:
            runs.append(_watch_day(ctx, spec, day.date(), quiet=json))
        except WatchkeeperError as error:  # the other models are watched all the same
            problems.append(str(error))
    if site and runs:
        page = watch.publish_site(ctx, watch.load_specs(ctx.settings), {(done.model, done.day) for done in runs})
        err.print(f"report: {page}", highlight=False, soft_wrap=True)
    if runs:
        err.print(f"messages: {watch.deliver_and_write_heartbeat(ctx, specs)}", highlight=False)
    if problems:
        raise WatchkeeperError("\n".join(problems))
    _report_and_exit(ctx, runs, machine=json, fail_on=fail_on)


@app.command()
def backfill(
    start: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First day, YYYY-MM-DD.")],
    end: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day, YYYY-MM-DD.")],
    model: ModelsOption = None,
    json: JsonOption = False,
    fail_on: FailOption = FailOn.NEVER,
    site: SiteOption = True,
) -> None:
    """Watch a span of past days: conclude and publish, but notify nobody and ask for no retraining."""
    ctx = watch.open_context(read_settings(), live=False)
    specs = watch.load_specs(ctx.settings, model or [])
    if end < start:
        raise WatchkeeperError(f"--to {end:%Y-%m-%d} is before --from {start:%Y-%m-%d}")
    days = [start.date() + timedelta(days=i) for i in range((end - start).days + 1)]
    runs = []
    with progress_bar() as bar:
        for spec in specs:
            task, cache = bar.add_task(spec.model, total=len(days)), DayCache()
            for each in days:
                runs.append(watch.watch_day(ctx, spec, each, cache=cache))
                bar.advance(task)
    if site:
        err.print(f"report: {watch.publish_site(ctx, watch.load_specs(ctx.settings))}", highlight=False, soft_wrap=True)
    _report_and_exit(ctx, runs, machine=json, fail_on=fail_on)


@app.command()
def ingest(
    path: Annotated[str, typer.Argument(help="File (.arrow, .arrows, .parquet, .jsonl, .ndjson), directory, or -.")],
    model: Annotated[str, typer.Option("--model", "-m", help="Model whose rows these are.")],
    batch_id: Annotated[
        str | None, typer.Option(help="Name under which rows count once. Default: by file name and content.")
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", help="Look at the directory again until interrupted.")] = False,
) -> None:
    """Take micro-batches into the profiles of their days, each exactly once."""
    from watchkeeper.ingest import ingest as batches  # noqa: PLC0415  the other commands start without DuckDB

    ctx = watch.open_context(read_settings(), live=False)
    (spec,) = watch.load_specs(ctx.settings, [model])

    def report_progress(what: str) -> None:
        err.print(what, markup=False, highlight=False, soft_wrap=True)

    batches.ingest_batches(ctx, spec, path, sys.stdin.buffer, report_progress, batch_id=batch_id, follow=follow)


@app.command()
def measurements(
    model: ModelsOption = None,
    start: FromOption = None,
    end: ToOption = None,
    as_of: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only what was concluded on this day.")
    ] = None,
    monitor: Annotated[
        list[str] | None, typer.Option(help="arrival, schema, check, drift, score, performance, ...")
    ] = None,
    metric: Annotated[str | None, typer.Option(help="e.g. psi, recall, row_count")] = None,
    verdict: Annotated[Verdict | None, typer.Option(help="Only this verdict.")] = None,
    json: JsonOption = False,
) -> None:
    """Show what was measured: the newest figure of each day, or all as of a day."""
    ledger = Ledger.open(read_settings().ledger)
    found: list[Measurement] = []
    for name in model or (None,):
        found += ledger.measurements(
            name,
            day_from=_as_date(start),
            day_to=_as_date(end),
            as_of=_as_date(as_of),
            monitors=tuple(monitor or ()),
            metric=metric,
            newest=as_of is None,
        )
    found = [m for m in found if verdict in (None, m.verdict)]
    show.print_answer(out, [show.measurement_row(m) for m in found], show.measurement_table(found), machine=json)


@app.command()
def incidents(
    model: ModelsOption = None,
    status: Annotated[Status | None, typer.Option(help="Only this status.")] = None,
    json: JsonOption = False,
) -> None:
    """Show the incidents, the newest first."""
    ctx = watch.open_context(read_settings(), live=False)
    found = [i for name in model or (None,) for i in ctx.ledger.incidents(name) if status in (None, i.status)]
    handlings = incident_actions.handlings_by_incident(ctx.ledger)
    now: dict[str, IncidentState] = {}
    for spec in watch.load_specs(ctx.settings):
        now |= incident_actions.current_incident_states(ctx, spec)
    rows = [show.incident_row(i, handlings.get(i.id), now.get(i.id, UNTOUCHED)) for i in found]
    show.print_answer(out, rows, show.incident_table(found, rows), machine=json)


@app.command()
def prune(
    model: ModelsOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be freed.")] = False,
    json: JsonOption = False,
) -> None:
    """Drop from the ledger what each model file's retention keeps no longer; never what was concluded."""
    settings = read_settings()
    ledger = Ledger.open(settings.ledger)
    specs = watch.load_specs(settings, model or [])
    rows = [asdict(each) for spec in specs for each in pruning.prune_ledger(ledger, spec, dry_run=dry_run)]
    show.print_answer(out, rows, show.pruned_table(rows), machine=json)


@app.command()
def heartbeat(
    max_age: Annotated[str, typer.Option(help="Oldest that is well, such as 90m, 26h or 2d.")] = "26h",
    json: JsonOption = False,
) -> None:
    """Look when each model's watch was last completed; exit with 3 where that is too long ago, or never."""
    most, settings = beats.parse_age(max_age), read_settings()
    known = beats.read_heartbeat(settings.heartbeat) if settings.heartbeat.exists() else {}
    models = [spec.model for spec in watch.load_specs(settings)]
    late = beats.late_models(known, models, watch.current_time(settings), most)
    if json:
        rows = [{"model": name, **asdict(each)} for name, each in known.items()]
        out.file.write(show.to_json([{"well": not late, "late": late, "models": rows}]) + "\n")
    else:
        sentence = "\n".join(late) or f"well: the watch of {len(models)} models was completed in time"
        out.print(sentence, markup=False, highlight=False, soft_wrap=True)
    if late:
        raise typer.Exit(3)


@app.command()
def coverage(model: ModelsOption = None, json: JsonOption = False) -> None:
    """List what is not watched: models without labels, columns left out, skipped days, figures without a verdict."""
    ctx = watch.open_context(read_settings(), live=False)
    found = [gap for spec in watch.load_specs(ctx.settings, model or []) for gap in watch.find_coverage_gaps(ctx, spec)]
    show.print_answer(out, [asdict(gap) for gap in found], show.coverage_table(found), machine=json)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 lets other machines in.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8090,
    socket_mode: Annotated[
        bool, typer.Option("--socket-mode", help="Only answer Slack's buttons, over a connection opened to Slack.")
    ] = False,
) -> None:
    """Serve the HTTP API and Slack's buttons until interrupted; Airflow does so too, under /watchkeeper."""
    from service import serve as service  # noqa: PLC0415  the other commands start without it

    settings = read_settings()
    settings.models_folder()  # without one every answer would be an error
    if socket_mode:
        service.serve_socket_mode(settings)
    else:
        service.serve_http(settings, host, port)


@app.command()
def site() -> None:
    """Rebuild every page of the report from the ledger."""
    ctx = watch.open_context(read_settings(), live=False)
    with progress_bar("page") as bar:
        task = bar.add_task("")

        def report_progress(name: str, done: int, total: int) -> None:
            bar.update(task, description=name.split("/")[1], completed=done, total=total)

        page = watch.publish_site(ctx, watch.load_specs(ctx.settings), progress=report_progress)
    out.print(page, highlight=False, soft_wrap=True)


def _watch_day(ctx: Context, spec: Spec, day: date, *, quiet: bool) -> Run:
    def report_progress(step: str, summary: str) -> None:
        if not quiet:
            err.print(f"{spec.model} {day}  [bold]{step:<9}[/bold] {summary}", highlight=False)

    done = watch.run_day(ctx, spec, day, report_progress)
    if spec.retraining.shadow_days and (ended := retrain.end_shadow(ctx, spec, day)):
        promotion.settle_registry_stages(ctx, spec)
        report_progress("shadow", ended.outcome)
    return done


def _report_and_exit(ctx: Context, runs: Sequence[Run], *, machine: bool, fail_on: FailOn) -> None:
    rows, findings, errored = [], False, False
    for done in runs:
        concluded = [i for i in ctx.ledger.incidents(done.model, as_of=done.day) if i.status is Status.FIRING]
        rows.append(show.run_row(done, concluded))
        verdicts = {m.verdict for m in ctx.ledger.measurements(done.model, as_of=done.day)}
        errored |= any(incident.cause == causes.WATCH_ERRORED for incident in concluded)
        findings |= _reaches_fail_level(fail_on, concluded, breached=Verdict.BREACH in verdicts)
    if machine:
        out.file.write(show.to_json(rows) + "\n")
    else:
        firing = sorted({incident_id for row in rows for incident_id in row["firing"]})
        watched = pluralise(len(rows), "day")
        out.print(f"{watched} watched; firing on them: {', '.join(firing) or 'none'}", highlight=False, soft_wrap=True)
    if errored or findings:
        raise typer.Exit(3 if errored else 1)


def _reaches_fail_level(fail_on: FailOn, firing: Sequence[Incident], *, breached: bool) -> bool:
    if fail_on is FailOn.CRITICAL:
        return any(incident.data_fault for incident in firing)
    if fail_on is FailOn.WARNING:
        return bool(firing)
    return fail_on is FailOn.INFO and breached


def _as_date(given: datetime | None) -> date | None:
    return given.date() if given else None


def main() -> None:
    """Run the command line; a user's mistake is a sentence and exit status 2, anything unforeseen is 3."""
    try:
        app()
    except WatchkeeperError as error:
        err.print(str(error), style="red", highlight=False, markup=False, soft_wrap=True)
        sys.exit(2)
    except KeyboardInterrupt:
        err.print("stopped; what was concluded is kept, run it again to go on")
        sys.exit(3)
    except Exception:  # noqa: BLE001  the last line: Python's own status, 1, would read as findings
        traceback.print_exc()
        sys.exit(3)
