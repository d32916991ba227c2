"""`python -m benchmarks.incidents`: put faults into quiet data and write who notices, when, and what else they say."""

from __future__ import annotations

import argparse
import multiprocessing
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.incidents import report
from benchmarks.incidents.kinds import KINDS
from benchmarks.incidents.peers import PEERS, SLOW
from benchmarks.incidents.plan import DEFAULTS, Asked, Unit, units
from benchmarks.incidents.run import SOURCES, Outcome, run
from benchmarks.measure import REPOSITORY

SCRATCH = REPOSITORY / ".bench"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what was asked for, and write it."""
    asked = _parser().parse_args(arguments)
    seeds, quiet = DEFAULTS[asked.seeds]
    plan = Asked(
        asked.seeds,
        asked.data,
        asked.rows,
        [] if asked.per_kind == 0 else asked.kinds,
        seeds if asked.per_kind is None else asked.per_kind,
        quiet if asked.quiet is None else asked.quiet,
        tuple(asked.peers),
        SLOW,
        asked.slow_seeds,
    )
    began = time.monotonic()
    found: list[Outcome] = []
    kept = SCRATCH / "incidents"  # what was found so far, should the run be stopped
    SCRATCH.mkdir(exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix="incidents-", dir=SCRATCH))
    try:
        for outcomes in _run(list(units(plan)), scratch, asked.jobs):
            found += outcomes
            report.write(kept, _whole(asked.seeds, began, found))
    finally:
        shutil.rmtree(scratch)
    whole = _whole(asked.seeds, began, found)
    report.write(asked.to or (REPOSITORY / "docs" if asked.seeds == "report" else kept), whole)
    print(report.summary(whole))
    if asked.explain:
        print(report.explained(whole))


def _whole(seeds: str, began: float, found: list[Outcome]) -> dict[str, Any]:
    minutes = round((time.monotonic() - began) / 60, 1)
    return {"date": datetime.now(UTC).date().isoformat(), "seeds": seeds, "minutes": minutes, "outcomes": found}


def _run(plan: Sequence[Unit], scratch: Path, jobs: int) -> Iterator[list[Outcome]]:
    """Yield what comes of each unit, as many at a time as there are ``jobs``."""
    if jobs == 1:
        for unit in plan:
            began = time.monotonic()
            yield run(unit, scratch)
            print(f"{unit.name}: {time.monotonic() - began:.0f} s", flush=True)
        return
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        waiting = {pool.submit(run, unit, scratch): unit for unit in plan}
        for done in as_completed(waiting):
            yield done.result()
            print(waiting[done].name, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.incidents", description=__doc__)
    parser.add_argument("--seeds", choices=("tune", "report"), default="tune", help="tuning or reported seeds (tune)")
    parser.add_argument("--data", nargs="+", choices=list(SOURCES), default=["bank"], help="data sets (bank)")
    parser.add_argument("--rows", nargs="+", type=int, default=[2_000], help="rows a day, one or more (2000)")
    parser.add_argument("--kinds", nargs="+", choices=list(KINDS), default=list(KINDS), help="kinds of incident (all)")
    parser.add_argument("--per-kind", type=int, metavar="N", help="seeds of each kind; 0: quiet quarters only")
    parser.add_argument("--quiet", type=int, metavar="N", help="quiet quarters over all data sets and sizes")
    parser.add_argument("--peers", nargs="+", choices=list(PEERS), default=list(PEERS), help="beside Watchkeeper (all)")
    parser.add_argument("--no-peers", dest="peers", action="store_const", const=[], help="Watchkeeper alone")
    parser.add_argument(
        "--slow-seeds", type=int, default=1, metavar="N", help=f"seeds that {' and '.join(SLOW)} look at (1)"
    )
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="processes (1)")
    parser.add_argument("--explain", action="store_true", help="say of each miss and false page what was behind it")
    parser.add_argument("--to", type=Path, metavar="FOLDER", help="where to write (report: docs; tune: .bench)")
    return parser


if __name__ == "__main__":
    main()
