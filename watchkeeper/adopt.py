"""The commands of a newcomer: init, suggest and doctor."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from alerting.words import counted
from models.errors import WatchkeeperError, did_you_mean
from models.load import paths
from watchkeeper import doctor as doctoring
from watchkeeper import guess, show, watch
from watchkeeper import init as initialising
from watchkeeper import suggest as suggestion
from watchkeeper.settings import read
from watchkeeper.stored import baseline_profiles, frame_of
from watchkeeper.terminal import err, out, plain


def model_names(incomplete: str) -> list[str]:
    """Return the models whose name starts with a text, for the shell's completion."""
    try:
        return [path.stem for path in paths(read().models) if path.stem.startswith(incomplete)]
    except WatchkeeperError:
        return []


def init(
    table: Annotated[Path, typer.Argument(help="Parquet or CSV file, or folder of Parquet.")],
    labels: Annotated[Path | None, typer.Option(help="The table of labels, where it is another one.")] = None,
    name: Annotated[str, typer.Option(help="Name of the model. Default: that of the table.")] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Take every guess without asking.")] = False,  # noqa: FBT002
    lay_out: Annotated[  # noqa: FBT002
        bool, typer.Option("--lay-out", help="Copy the table into the warehouse folder, a folder for each day.")
    ] = False,
    given: Annotated[
        list[str] | None,
        typer.Option("--set", help="An answer beforehand, e.g. label=repaid; may be given again; empty or -: none."),
    ] = None,
) -> None:
    """Write a first model file for a table, from guesses that are shown with their reason."""
    settings = read()
    answers = _answers(given or [])

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

    draft = initialising.prepare(table, labels, settings.warehouse, settings.models, name, choose, lay_out=lay_out)
    start, end = guess.later(draft)
    features = counted(len(draft.columns), "feature")
    plain(f"wrote {settings.models / draft.model}.yaml: {features}. Read it, correct it, and then:")
    for command in (
        "watchkeeper validate",
        f"watchkeeper suggest --model {draft.model} --write",
        f"watchkeeper backfill --model {draft.model} --from {start} --to {end}",
    ):
        plain(f"  {command}")


def suggest(
    model: Annotated[
        str,
        typer.Option(
            "--model", "-m", help="A model file with at least table and baseline.", autocompletion=model_names
        ),
    ],
    write: Annotated[  # noqa: FBT002
        bool, typer.Option("--write", help="Write checks and slices into the model file, where it has none.")
    ] = False,
) -> None:
    """Propose features, slices and checks for a model file from its baseline, each with its reason."""
    ctx = watch.context(read(), live=False)
    (spec,) = watch.known_specs(ctx.settings, [model])
    frame = frame_of(ctx, spec)
    text = suggestion.suggest(spec, frame, list(baseline_profiles(ctx, spec, frame, ctx.now.date()).values()))
    if not write:
        plain(text)
        return
    (file,) = (path for path in paths(ctx.settings.models) if path.stem == model)
    written = suggestion.write(file, spec, text)
    plain(f"wrote {' and '.join(written)} into {file}" if written else f"{file} has checks and slices: nothing written")


def doctor(json: Annotated[bool, typer.Option("--json", help="Answer as JSON.")] = False) -> None:  # noqa: FBT002
    """Look for what is wrong with settings, versions, clock, tables, labels, ledger, site, Airflow and Slack."""
    findings = doctoring.examine(read(), lambda settings: watch.context(settings, live=False))
    if json:
        out.file.write(show.as_json([asdict(finding) for finding in findings]) + "\n")
    else:
        for finding in findings:
            todo = f"; {finding.todo}" if finding.todo else ""
            plain(f"{finding.state:<6} {finding.looked_at}: {finding.told}{todo}", doctoring.COLOURS.get(finding.state))
    if any(finding.state == doctoring.BROKEN for finding in findings):
        raise typer.Exit(3)


def _answers(given: list[str]) -> dict[str, str]:
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
