"""The command ``watchkeeper export evidently``."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from watchkeeper.cli.terminal import print_plain
from watchkeeper.pipeline import watch
from watchkeeper.settings import read_settings

app = typer.Typer(no_args_is_help=True, help="Copy what was watched into other tools.")


@app.callback()
def export() -> None:
    """Copy what was watched into other tools."""


@app.command()
def evidently(
    model: Annotated[str, typer.Option("--model", "-m", help="Model whose days are wanted.")],
    start: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First day, YYYY-MM-DD.")],
    end: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day, YYYY-MM-DD.")],
    folder: Annotated[Path, typer.Option("--to-folder", help="An Evidently workspace, or a new folder.")],
) -> None:
    """Add a run for each watched day to an Evidently workspace, from bounded samples; see them with `evidently ui`."""
    import reports.export.evidently_workspace  # noqa: PLC0415  evidently takes seconds to import

    ctx = watch.open_context(read_settings(), live=False)
    (spec,) = watch.load_specs(ctx.settings, [model])
    days = [run.day for run in ctx.ledger.runs(model, start.date(), end.date())]
    for day, said in reports.export.evidently_workspace.export_days(
        ctx.warehouse, spec, ctx.ledger.baseline(spec), days, folder
    ):
        print_plain(f"{model} {day}: {said}")
    print_plain(f"evidently ui --workspace {folder}" if days else f"{model}: no watched day from {start:%Y-%m-%d} on")
