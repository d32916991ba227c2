"""Which cases are run at which size, and in which company."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measure import Case

OURS = Path(sys.executable)
PEERS = ("evidently", "nannyml", "whylogs")
KINDS = {
    "slices-0": {"slices": 0, "moments": False},
    "slices-1": {"slices": 1, "moments": False},
    "slices-2": {"slices": 2, "moments": False},
    "moments": {"slices": 0, "moments": True},
}
"""What a model file asks of a profile."""
WHOLE = "slices-2"


@dataclass(frozen=True)
class Size:
    """How much is measured. ``rows`` are those of a day; ``spans`` are days that are profiled and compared at once."""

    rows: int
    spans: tuple[int, ...]
    most_days: int
    fit_rows: tuple[int, ...]
    fit_columns: tuple[int, ...]
    repeats: int
    site_days: int = 90
    fleet: tuple[int, int] = (200, 365)
    """Models and days of the fleet's site."""
    models: int = 200
    columns: int = 30


ROWS, COLUMNS = (250_000, 500_000, 1_000_000, 2_000_000, 4_000_000), (5, 10, 20, 30, 60)
MILLION = Size(1_000_000, (1,), 1, ROWS, COLUMNS, repeats=3, fleet=(20, 365))
SIZES = {
    "small": Size(20_000, (1,), 3, (10_000, 20_000), (5, 10), repeats=1, site_days=5, models=3, fleet=(2, 40)),
    "million": MILLION,
    "full": Size(MILLION.rows, (1, 10), 50, ROWS, COLUMNS, MILLION.repeats),
}


@dataclass(frozen=True)
class Group:
    """Cases that take turns; ``lays`` are run once before, and what they wrote may go when the group is done."""

    lays: list[Case]
    cases: list[Case]
    repeats: int


def groups(size: Size, root: Path, peers: Mapping[str, Path]) -> Iterator[Group]:
    """Yield the groups of a size in order; ``peers`` are the Pythons of those that could be installed."""
    days = max(2 * max(size.spans), size.most_days)
    table = {"root": str(root), "rows": size.rows, "days": days, "columns": size.columns}
    kept = [kind | {"baseline_days": span} for span in size.spans for kind in KINDS.values()]
    lays = [_case("lay", "lay", table | {"kept_for": kept})]
    for span in size.spans:
        rows, repeats = size.rows * span, size.repeats if span == 1 else 1
        yield Group(lays, list(_profiles(table | {"span": span}, rows)), repeats)
        lays = []
        of_peers = peers if span == min(size.spans) else {}  # they hold every row in memory
        yield Group([], list(_drifts(table | {"span": span}, rows, of_peers)), repeats)
    yield Group([], list(_others(size, root, table)), size.repeats)
    models, watched = size.fleet
    yield Group([], [_case("site.fleet", "fleet_site", {"root": str(root), "models": models, "days": watched})], 1)
    if size.most_days > max(size.spans):
        whole = table | {"span": size.most_days}
        yield Group([], list(_profiles(whole, size.rows * size.most_days, [WHOLE])), 1)
    for axis, tables in _fits(size, root).items():
        lays = [_case("lay", "lay", each | {"kept_for": [KINDS[WHOLE]]}) for each in tables.values()]
        cases = [case for n, each in tables.items() for case in _fit(axis, n, each | {"span": 1})]
        yield Group(lays, cases, size.repeats)


def _profiles(table: dict[str, Any], rows: int, kinds: Iterable[str] = KINDS) -> Iterator[Case]:
    times = 3 if table["span"] == 1 else 1
    yield _case(f"profile.{rows}.scan", "scan", table, times)
    for kind in kinds:
        yield _case(f"profile.{rows}.{kind}", "profile", table | KINDS[kind], times)


def _drifts(table: dict[str, Any], rows: int, peers: Mapping[str, Path]) -> Iterator[Case]:
    for first in (False, True):
        for slices in (0, 2):
            key = f"drift.{rows}.{'first' if first else 'daily'}-{slices}"
            times = 5 if table["span"] == 1 and not first else 1
            yield _case(key, "drift", table | {"slices": slices, "first": first}, times)
    for name, python in peers.items():
        yield Case(f"drift.{rows}.{name}", f"{name}_drift", python, table, most_cpu_s=180)


def _others(size: Size, root: Path, table: dict[str, Any]) -> Iterator[Case]:
    yield _case("suite", "suite", table)
    yield _case("window", "window", table)
    for name, whole in (("whole", True), ("day", False)):
        yield _case(f"site.{name}", "site", {"root": str(root), "days": size.site_days, "whole": whole})
    yield _case("dags", "dags", {"root": str(root), "models": size.models})


def _fits(size: Size, root: Path) -> dict[str, dict[int, dict[str, Any]]]:
    one = {"root": str(root), "rows": size.rows, "days": 1, "columns": size.columns}
    return {
        "rows": {rows: one | {"rows": rows} for rows in size.fit_rows},
        "columns": {columns: one | {"columns": columns} for columns in size.fit_columns},
    }


def _fit(axis: str, n: int, table: dict[str, Any]) -> Iterator[Case]:
    yield _case(f"{axis}.{n}.scan", "scan", table)
    yield _case(f"{axis}.{n}.{WHOLE}", "profile", table | KINDS[WHOLE])


def _case(key: str, module: str, arguments: dict[str, Any], times: int = 1) -> Case:
    return Case(key, module, OURS, arguments, times=times)
