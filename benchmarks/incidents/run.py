"""Runs one unit: lays its days out, watches them with every detector, and says what came of it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from benchmarks.incidents import bank, handbook, ours, peers
from benchmarks.incidents.kinds import KINDS, Injected
from benchmarks.incidents.ours import Watched
from benchmarks.incidents.plan import Unit
from benchmarks.incidents.source import BASELINE_DAYS, Laid, Source, begin
from benchmarks.incidents.verdicts import Page, false_pages, judge
from models.errors import WatchkeeperError

SOURCES: dict[str, Callable[[int, int], Source]] = {"bank": bank.source, "handbook": handbook.source}
WARM_DAYS = 7
"""Days that are watched before an incident begins."""
QUARTER_DAYS = 91

Outcome = dict[str, Any]
"""What one detector made of one incident or quiet quarter, as it is kept in JSON."""


@dataclass(frozen=True)
class Branch:
    """The days of one incident, laid out under a folder; or, without one, the same days left quiet."""

    root: Path
    start: date
    end: date
    injected: Injected | None = None


def run(unit: Unit, scratch: Path, quarter_days: int = QUARTER_DAYS) -> list[Outcome]:
    """Run a unit in a folder of its own under ``scratch``, which is gone afterwards, and return its outcomes."""
    source = SOURCES[unit.data](unit.rows, unit.seed)
    with tempfile.TemporaryDirectory(prefix="unit-", dir=scratch) as folder:
        place = Path(folder)
        found = _incidents(unit, source, place) if unit.kinds else _quiet(unit, source, place, quarter_days)
    same = {"data": unit.data, "rows": unit.rows, "seed": unit.seed}
    return [same | outcome for outcome in found]


def _quiet(unit: Unit, source: Source, root: Path, quarter_days: int) -> list[Outcome]:
    start, end = source.day(BASELINE_DAYS), source.day(BASELINE_DAYS + quarter_days - 1)
    laid = begin(source, root / "quiet")
    laid.lay(source, end)
    watched = Watched.open(source, laid.root)
    for number in range(quarter_days):
        watched.watch(start + timedelta(days=number))
    watched.close()
    told = {ours.NAME: false_pages(watched.pages, merged=False)}
    branch = Branch(laid.root, start, end)
    for name in unit.peers:
        if (found := _ask(name, source, {"": branch})) is not None:
            told[name] = false_pages(found[""], merged=True)
    kept = {"kind": "quiet", "days": quarter_days}
    return [kept | {"tool": name, "pages": _told(pages)} for name, pages in told.items()]


def _incidents(unit: Unit, source: Source, root: Path) -> list[Outcome]:
    """Watch a week, then the same days once without and once with each incident.

    What was scanned and concluded up to the incident is the same for all, and done once.
    """
    start = source.day(BASELINE_DAYS + WARM_DAYS)
    injected = {kind: KINDS[kind](source, start) for kind in unit.kinds}
    longest = max(each.truth.deadline_days for each in injected.values())
    laid = begin(source, root / "before")
    laid.lay(source, start - timedelta(days=1))
    before = Watched.open(source, laid.root)
    for number in range(BASELINE_DAYS, BASELINE_DAYS + WARM_DAYS):
        before.watch(source.day(number))
    branches = {"": _branch(source, laid, root / "quiet", start, longest)}
    quiet = before.branch(branches[""].root)
    for number in range(longest):
        quiet.watch(start + timedelta(days=number))
    for kind, each in injected.items():
        branches[kind] = _branch(source, laid, root / kind, start, each.truth.deadline_days, each)
    found = [_ours(kind, branches[kind], before, quiet) for kind in unit.kinds]
    for name in unit.peers:
        found += _peer(name, source, branches)
    quiet.close()
    before.close()
    return found


def _branch(source: Source, laid: Laid, root: Path, start: date, days: int, injected: Injected | None = None) -> Branch:
    end = start + timedelta(days=days - 1)
    again = laid.branch(root)
    if injected is None:
        again.lay(source, end)
    else:
        again.lay(source, end, injected.incidents, injected.extra)
    return Branch(root, start, end, injected)


def _ours(kind: str, branch: Branch, before: Watched, quiet: Watched) -> Outcome:
    """Watch the days of an incident until it is caught or its time is over."""
    assert branch.injected
    truth, watched = branch.injected.truth, before.branch(branch.root)
    verdict = judge(truth, [], quiet.pages)
    failed = []
    for number in range(truth.deadline_days):
        try:
            watched.watch(truth.start + timedelta(days=number))
        except WatchkeeperError as error:
            failed.append(f"failed {truth.start + timedelta(days=number)}: {error}")
        verdict = judge(truth, watched.pages, quiet.pages)
        if verdict.caught:
            break
    good = verdict.caught and verdict.right_column is not False and verdict.right_cause
    explained = [] if good else [*failed, *watched.explain(truth, quiet)]
    watched.close()
    return _outcome(kind, ours.NAME, branch, asdict(verdict), verdict.pages, explained)


def _peer(name: str, source: Source, branches: dict[str, Branch]) -> list[Outcome]:
    found = _ask(name, source, branches)
    outcomes = []
    for kind, branch in branches.items():
        if branch.injected and found is not None:
            verdict = judge(branch.injected.truth, found[kind], found[""])
            named = asdict(verdict) | {"right_cause": None}  # none of them names a cause
            outcomes.append(_outcome(kind, name, branch, named, verdict.pages, []))
    return outcomes


def _ask(name: str, source: Source, branches: dict[str, Branch]) -> dict[str, list[Page]] | None:
    """Ask a peer; one that can't be installed or fails says why, and counts as not having looked."""
    try:
        return peers.find(name, source, branches)
    except OSError as error:
        print(f"{name}, {source.data}, {source.rows:,} rows, seed {source.seed}: {error}", flush=True)
        return None


def _outcome(
    kind: str, tool: str, branch: Branch, verdict: dict[str, Any], pages: list[Page], explained: list[str]
) -> Outcome:
    assert branch.injected
    truth = branch.injected.truth
    about = {"kind": kind, "called": truth.kind, "tool": tool, "columns": list(truth.columns)}
    return about | verdict | {"deadline_days": truth.deadline_days, "pages": _told(pages), "explained": explained}


def _told(pages: list[Page]) -> list[dict[str, str]]:
    return [{"day": str(page.day), "key": page.key, "column": page.column, "words": page.words} for page in pages]
