"""The commands of a model-risk review: ``watchkeeper audit verify`` and ``watchkeeper audit export``."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ledger.store import Ledger
from watchkeeper import audit
from watchkeeper.cli import show
from watchkeeper.pipeline import watch
from watchkeeper.settings import read_settings

app = typer.Typer(no_args_is_help=True, help="Check the log, and export evidence for a review.")
out = Console()


@app.command()
def verify(
    head: Annotated[
        list[str] | None, typer.Option(help="A hash noted earlier, as in an evidence pack; it must still be there.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Answer as JSON.")] = False,
) -> None:
    """Recompute the log's chain of hashes; exit with 3 and name the first broken event where it doesn't hold."""
    broken, newest = audit.verify_log(Ledger.open(read_settings().ledger), head or [])
    number, digest = (newest.number, newest.hash) if newest else (0, "")
    if json:
        out.file.write(show.to_json([{"whole": not broken, "broken": broken, "events": number, "head": digest}]) + "\n")
    else:
        whole = f"{number:,} events, each follows the one before it; the newest hash is {digest}"
        out.print(broken or whole, markup=False, highlight=False, soft_wrap=True)
    if broken:
        raise typer.Exit(3)


@app.command()
def export(
    model: Annotated[str, typer.Option("--model", "-m", help="Model whose evidence is wanted.")],
    start: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First day, YYYY-MM-DD.")],
    end: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day, YYYY-MM-DD.")],
    folder: Annotated[Path, typer.Option("--to-folder", help="An empty or new folder.")],
    by: Annotated[str, typer.Option("--by", help="Who asks for it; named in the pack.")] = "",
) -> None:
    """Write incidents, events, figures with their data's version, queries, baselines and decisions of one model."""
    ctx = watch.open_context(read_settings(), live=False)
    (spec,) = watch.load_specs(ctx.settings, [model])
    files = audit.export_evidence(ctx, spec, start.date(), end.date(), folder, by or "the command line")
    sentence = f"{folder / 'summary.html'}: {len(files)} files, their SHA-256 in manifest.json"
    out.print(sentence, markup=False, highlight=False, soft_wrap=True)
