"""The commands of a newcomer: init, suggest and doctor."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from alerting.wording import pluralise
from models.errors import WatchkeeperError, did_you_mean
from models.extras import install_hint, is_installed
from models.load import list_model_files
from watchkeeper.cli import show
from watchkeeper.cli.terminal import err, out, print_plain
from watchkeeper.onboarding import doctor as doctoring
from watchkeeper.onboarding import guess
from watchkeeper.onboarding import init as initialising
from watchkeeper.onboarding import suggest as suggestion
from watchkeeper.pipeline import watch
from watchkeeper.pipeline.day_cache import DayCache
from watchkeeper.pipeline.load_day import load_baseline
from watchkeeper.pipeline.take_in import ensure_profile_schema, scan_baseline
from watchkeeper.settings import read_settings


def complete_model_name(incomplete: str) -> list[str]:
    """Return the models whose name starts with a text, for the shell's completion."""
    try:
        return [
            path.stem for path in list_model_files(read_settings().models_folder()) if path.stem.startswith(incomplete)
        ]
    except WatchkeeperError:
        return []


def init(
    table: Annotated[Path, typer.Argument(help="Parquet or CSV file, or folder of Parquet.")],
    labels: Annotated[Path | None, typer.Option(help="The table of labels, where it is another one.")] = None,
    name: Annotated[str, typer.Option(help="Name of the model. Default: that of the table.")] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Take every guess without asking.")] = False,
    lay_out: Annotated[
        bool, typer.Option("--lay-out", help="Copy the table into the warehouse folder, a folder for each day.")
    ] = False,
    given: Annotated[
        list[str] | None,
        typer.Option("--set", help="An answer beforehand, e.g. label=repaid; may be given again; empty or -: none."),
    ] = None,
) -> None:
    """Write a first model file for a table, from guesses that are shown with their reason."""
    settings = read_settings()
    if settings.models is None:
        raise WatchkeeperError(
            "WATCHKEEPER_MODELS is not set: name the folder for your model files, such as my-models; init makes it"
        )
    folder = settings.models
    answers = _parse_answers(given or [])

    def choose(key: str, found: str, reason: str) -> str:
        if key in answers:
            return answers[key]
        if yes:
            err.print(f"{key:<10}", f"{found or '-'}  ({reason})", markup=False, highlight=False, soft_wrap=True)
            return found
        err.print(f"{key}: {reason}", style="dim", markup=False, highlight=False, soft_wrap=True)
        try:
            return str(typer.prompt(f"{key} (- for none)", default=found or "-", err=True))
        except typer.Abort as stop:
            raise WatchkeeperError(
                "the answers ended before the questions, and nothing was written; --yes takes every guess"
            ) from stop

    draft = initialising.write_first_model_file(
        table, labels, settings.warehouse, folder, name, choose, lay_out=lay_out
    )
    start, end = guess.first_days_to_watch(draft)
    features = pluralise(len(draft.columns), "feature")
    print_plain(f"wrote {folder / draft.model}.yaml: {features}. Read it, correct it, and then:")
    for command in (
        "watchkeeper validate",
        f"watchkeeper suggest --model {draft.model} --write",
        f"watchkeeper backfill --model {draft.model} --from {start} --to {end}",
    ):
        print_plain(f"  {command}")


def suggest(
    model: Annotated[
        str,
        typer.Option(
            "--model", "-m", help="A model file with at least table and baseline.", autocompletion=complete_model_name
        ),
    ],
    write: Annotated[
        bool, typer.Option("--write", help="Write checks and slices into the model file, where it has none.")
    ] = False,
) -> None:
    """Propose features, slices and checks for a model file from its baseline, each with its reason."""
    ctx = watch.open_context(read_settings(), live=False)
    (spec,) = watch.load_specs(ctx.settings, [model])
    schema, cache, today = ensure_profile_schema(ctx, spec), DayCache(), ctx.now.date()
    stored = scan_baseline(ctx, spec, schema, today, cache)
    baseline = load_baseline(ctx.ledger, cache, spec, stored, today)
    text = suggestion.suggest_yaml(spec, schema, list(baseline.values()))
    if not write:
        print_plain(text)
        return
    (file,) = (path for path in list_model_files(ctx.settings.models_folder()) if path.stem == model)
    written = suggestion.write_suggestions(file, spec, text)
    if "checks" in written and not is_installed("great_expectations"):
        print_plain(f"to run the checks: {install_hint('great_expectations')}")
    print_plain(
        f"wrote {' and '.join(written)} into {file}" if written else f"{file} has checks and slices: nothing written"
    )


def doctor(json: Annotated[bool, typer.Option("--json", help="Answer as JSON.")] = False) -> None:
    """Look for what is wrong with settings, versions, clock, tables, labels, ledger, site, Airflow and channels."""
    findings = doctoring.examine_installation(
        read_settings(), lambda settings: watch.open_context(settings, live=False)
    )
    if json:
        out.file.write(show.to_json([asdict(finding) for finding in findings]) + "\n")
    else:
        for finding in findings:
            todo = f"; {finding.todo}" if finding.todo else ""
            print_plain(
                f"{finding.state:<6} {finding.looked_at}: {finding.told}{todo}", doctoring.COLOURS.get(finding.state)
            )
    if any(finding.state == doctoring.BROKEN for finding in findings):
        raise typer.Exit(3)


def _parse_answers(given: list[str]) -> dict[str, str]:
    answers = {}
    for each in given:
        key, equals, value = each.partition("=")
        if not equals or key not in guess.QUESTIONS:
            raise WatchkeeperError(
                f"--set {each}: must be question=answer; questions are {', '.join(guess.QUESTIONS)}"
                f"{did_you_mean(key, guess.QUESTIONS)}"
            )
        answers[key] = value
    return answers
