"""`python -m simulator --to FOLDER`: build the miniature bank."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from models.errors import WatchkeeperError
from simulator.bank import build_bank
from simulator.batch import BANK_OPENED
from simulator.recipes import RECIPES
from simulator.script import SCRIPTS


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the bank; return 0, or 2 for the user's mistake."""
    asked = _argument_parser().parse_args(arguments)
    incidents = [scripted.incident for scripted in SCRIPTS[asked.script]]
    models = asked.model or list(RECIPES)
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    try:
        with Progress(*columns, console=console) as progress:
            task = progress.add_task("Days of the miniature bank", total=asked.days * len(models))
            end = asked.start + timedelta(days=asked.days - 1)
            build_bank(
                asked.to, models, asked.start, end, asked.seed, incidents, lambda done: progress.advance(task, done)
            )
    except WatchkeeperError as error:
        console.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        return 2
    return 0


def _argument_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulator", description="Build the miniature bank.")
    parser.add_argument("--to", type=Path, required=True, metavar="FOLDER", help="warehouse folder to write to")
    parser.add_argument("--from", dest="start", type=date.fromisoformat, default=BANK_OPENED, metavar="DAY")
    parser.add_argument("--days", type=int, default=120, metavar="N", help="how many days (120)")
    parser.add_argument("--seed", type=int, default=7, metavar="N", help="whole number from 0 on (7)")
    parser.add_argument("--script", choices=sorted(SCRIPTS), default="demo", help="what goes wrong (demo)")
    parser.add_argument("--model", action="append", choices=list(RECIPES), help="only this one; may be repeated")
    return parser


if __name__ == "__main__":
    sys.exit(main())
