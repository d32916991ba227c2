"""`python -m benchmarks.incidents`: put faults into quiet data and write who notices, when, and what else they say.

What was found is kept in .bench: a run that was stopped goes on where it was, and a finished one is written anew. Where
nothing is kept, it goes on from what the page was written from; ``--again`` forgets what a detector found.
"""

from __future__ import annotations

import argparse
import multiprocessing
import shutil
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from benchmarks.incidents import handbook, report
from benchmarks.incidents.kept import Kept, Outcome
from benchmarks.incidents.kinds import KINDS
from benchmarks.incidents.plan import FAST, SEEDS, SETS, SLOW, Asked, Unit, units
from benchmarks.incidents.run import run
from benchmarks.measure import REPOSITORY
from models.errors import WatchkeeperError

SCRATCH = REPOSITORY / ".bench"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what was asked for and isn't known yet, and write it."""
    asked = _parser().parse_args(arguments)
    plan = Asked(asked.seeds, asked.sets, asked.kinds, asked.tools, asked.most_seeds, asked.most_quarters)
    SCRATCH.mkdir(exist_ok=True)
    kept = Kept(SCRATCH / f"incidents-{asked.seeds}.jsonl")
    folder = asked.to or (REPOSITORY / "docs" if asked.seeds == "report" else SCRATCH / "incidents")
    kept.go_on_from(folder / report.RUN)
    if asked.again:
        kept.forget(asked.again)
    if not asked.write_only:
        todo = [unit for unit in units(plan) if kept.missing(unit)]
        try:
            if any(unit.data == "handbook" for unit in todo):
                handbook.place()
            _run(todo, kept, asked.jobs)
        except WatchkeeperError as error:
            raise SystemExit(str(error)) from None
    found = wanted(plan, kept.outcomes())
    report.write(folder, asked.seeds, found)
    print(report.summary(found))
    if asked.explain:
        print(report.explained(found))


def wanted(plan: Asked, found: Sequence[Outcome]) -> list[Outcome]:
    """Return the outcomes that a plan asks for, in its order."""
    places = {name: place for place, name in enumerate([*KINDS, *FAST, *SLOW])}
    asked = {
        (unit.data, unit.rows, unit.seed, kind, tool)
        for unit in units(plan)
        for kind in unit.kinds or ("quiet",)
        for tool in unit.tools
    }
    sizes = [SETS[name] for name in plan.sets]
    mine = [o for o in found if (o["data"], o["rows"], o["seed"], o["kind"], o["tool"]) in asked]
    return sorted(
        mine,
        key=lambda o: (sizes.index((o["data"], o["rows"])), o["seed"], places[o["tool"]], places.get(o["kind"], 0)),
    )


def _run(plan: Sequence[Unit], kept: Kept, jobs: int) -> None:
    """Run units, as many at a time as there are ``jobs``."""
    scratch = Path(tempfile.mkdtemp(prefix="incidents-", dir=SCRATCH))
    try:
        if jobs == 1:
            for unit in plan:
                began = time.monotonic()
                run(unit, scratch, kept)
                print(f"{unit.name}: {time.monotonic() - began:.0f} s", flush=True)
            return
        with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
            waiting = {pool.submit(run, unit, scratch, kept): unit for unit in plan}
            for done in as_completed(waiting):
                done.result()
                print(waiting[done].name, flush=True)
    finally:
        shutil.rmtree(scratch)


def _parser() -> argparse.ArgumentParser:
    tools = [*FAST, *SLOW]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.incidents", description=__doc__)
    parser.add_argument("--seeds", choices=list(SEEDS), default="tune", help="tuning or reported seeds (tune)")
    parser.add_argument("--sets", nargs="+", choices=list(SETS), default=list(SETS), help="data and rows a day (all)")
    parser.add_argument("--kinds", nargs="+", choices=list(KINDS), default=list(KINDS), help="kinds of incident (all)")
    parser.add_argument("--tools", nargs="+", choices=tools, default=tools, help="detectors (all)")
    parser.add_argument("--most-seeds", type=int, metavar="N", help="at most so many seeds of incidents; 0: none")
    parser.add_argument("--most-quarters", type=int, metavar="N", help="at most so many quiet quarters; 0: none")
    parser.add_argument("--again", nargs="+", choices=tools, default=[], help="forget what these found before")
    parser.add_argument("--write-only", action="store_true", help="run nothing: write what is known")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="processes (1)")
    parser.add_argument("--explain", action="store_true", help="say of each miss and false page what was behind it")
    parser.add_argument("--to", type=Path, metavar="FOLDER", help="where to write (report: docs; tune: .bench)")
    return parser


if __name__ == "__main__":
    main()
