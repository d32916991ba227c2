"""Runs one unit: lays its days out, watches them with every detector, and keeps what came of each at once."""

from __future__ import annotations

import resource
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.incidents import bank, handbook, ours, peers
from benchmarks.incidents.kept import QUIET, Kept, Outcome
from benchmarks.incidents.kinds import KINDS, Injected
from benchmarks.incidents.ours import Watched
from benchmarks.incidents.plan import Unit
from benchmarks.incidents.source import BASELINE_DAYS, Branch, Source, begin
from benchmarks.incidents.verdicts import Page, false_pages, judge
from models.errors import WatchkeeperError

SOURCES: dict[str, Callable[[int, int], Source]] = {"bank": bank.source, "handbook": handbook.source}
WARM_DAYS = 7
"""Days that are watched before an incident begins."""
QUARTER_DAYS = 91

Tell = Callable[[Outcome], None]


def run(unit: Unit, scratch: Path, kept: Kept, quarter_days: int = QUARTER_DAYS) -> None:
    """Run what is missing of a unit, in a folder of its own under ``scratch`` which is gone afterwards."""
    missing = kept.missing(unit)
    if not missing:
        return
    source = SOURCES[unit.data](unit.rows, unit.seed)
    spent_s = _cpu_s()

    def tell(outcome: Outcome) -> None:
        nonlocal spent_s
        since, spent_s = spent_s, _cpu_s()
        same = {"data": unit.data, "rows": unit.rows, "seed": unit.seed}
        when = {"date": datetime.now(UTC).date().isoformat(), "cpu_s": round(spent_s - since, 2)}
        kept.add(same | outcome | when)

    with tempfile.TemporaryDirectory(prefix="unit-", dir=scratch) as folder:
        if unit.kinds:
            _incidents(source, missing, Path(folder), tell)
        else:
            _quiet(source, [*missing], Path(folder), quarter_days, tell)


def _quiet(source: Source, tools: Sequence[str], root: Path, quarter_days: int, tell: Tell) -> None:
    start = source.day(BASELINE_DAYS)
    laid = begin(source, root / "quiet")
    laid.lay(source, start - timedelta(days=1))
    quiet = Branch(laid, start, quarter_days)
    for name in tools:
        if name == ours.NAME:
            watched = Watched.open(source, laid.root)
            for day in quiet.days():
                quiet.lay(source, day)
                watched.watch(day)
            watched.close()
            told = false_pages(watched.pages, merged=False)
        else:
            found = dict(_ask(name, source, quiet, {}))
            if QUIET not in found:
                continue
            told = false_pages(found[QUIET], merged=True)
        tell({"kind": QUIET, "days": quarter_days, "tool": name, "pages": _told(told)})


def _incidents(source: Source, missing: dict[str, list[str]], root: Path, tell: Tell) -> None:
    """Lay out the days before, the same days without and with each incident, and let each detector look at them.

    The days before are written once, for all kinds; the others are laid out when somebody looks at them.
    """
    start = source.day(BASELINE_DAYS + WARM_DAYS)
    kinds = [kind for kind in KINDS if any(kind in of_tool for of_tool in missing.values())]
    injected = {kind: KINDS[kind](source, start) for kind in kinds}
    longest = max(each.truth.deadline_days for each in injected.values())
    laid = begin(source, root / "before")
    laid.lay(source, start - timedelta(days=1))
    quiet = Branch(laid.branch(root / QUIET), start, longest)
    branches = {
        kind: Branch(laid.branch(root / kind), start, each.truth.deadline_days, each.incidents, each.extra)
        for kind, each in injected.items()
    }
    for tool, of_tool in missing.items():
        those = {kind: branches[kind] for kind in of_tool}
        if tool == ours.NAME:
            _watch(source, laid.root, quiet, those, injected, tell)
            continue
        before: list[Page] = []
        for kind, pages in _ask(tool, source, quiet, those):
            if kind == QUIET:
                before = pages
                continue
            verdict = judge(injected[kind].truth, pages, before)
            named = asdict(verdict) | {"right_cause": None}  # none of them names a cause
            tell(_outcome(kind, tool, injected[kind], named, verdict.pages, []))


def _watch(
    source: Source, root: Path, quiet: Branch, branches: dict[str, Branch], injected: dict[str, Injected], tell: Tell
) -> None:
    """Let Watchkeeper watch a week, then the same days once without and once with each incident.

    What was scanned and concluded up to the incident is the same for all, and done once.
    """
    before = Watched.open(source, root)
    for number in range(BASELINE_DAYS, BASELINE_DAYS + WARM_DAYS):
        before.watch(source.day(number))
    usual = before.branch(quiet.root)
    for day in quiet.days():
        quiet.lay(source, day)
        usual.watch(day)
    for kind, branch in branches.items():
        tell(_ours(kind, branch, injected[kind], before, usual))
    usual.close()
    before.close()


def _ours(kind: str, branch: Branch, injected: Injected, before: Watched, quiet: Watched) -> Outcome:
    """Watch the days of an incident until it is caught or its time is over."""
    truth, watched = injected.truth, before.branch(branch.root)
    verdict = judge(truth, [], quiet.pages)
    failed = []
    for day in branch.days():
        branch.lay(before.source, day)
        try:
            watched.watch(day)
        except WatchkeeperError as error:
            failed.append(f"failed {day}: {error}")
        verdict = judge(truth, watched.pages, quiet.pages)
        if verdict.caught:
            break
    good = verdict.caught and verdict.right_column is not False and verdict.right_cause
    explained = [] if good else [*failed, *watched.explain(truth, quiet)]
    watched.close()
    return _outcome(kind, ours.NAME, injected, asdict(verdict), verdict.pages, explained)


def _ask(tool: str, source: Source, quiet: Branch, branches: dict[str, Branch]) -> peers.Found:
    """Ask a peer; one that can't be installed or fails says why, and counts as not having looked."""
    try:
        yield from peers.find(tool, source, quiet, branches)
    except OSError as error:
        print(f"{tool}, {source.data}, {source.rows:,} rows, seed {source.seed}: {error}", flush=True)


def _outcome(
    kind: str, tool: str, injected: Injected, verdict: dict[str, Any], pages: list[Page], explained: list[str]
) -> Outcome:
    truth = injected.truth
    about = {"kind": kind, "called": truth.kind, "tool": tool, "columns": list(truth.columns)}
    return about | verdict | {"deadline_days": truth.deadline_days, "pages": _told(pages), "explained": explained}


def _told(pages: list[Page]) -> list[dict[str, str]]:
    return [{"day": str(page.day), "key": page.key, "column": page.column, "words": page.words} for page in pages]


def _cpu_s() -> float:
    """Return the CPU time that this process and those it started have taken so far."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)
