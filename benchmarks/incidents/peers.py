"""What the peers say of the same days, from the same files, at their defaults."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.incidents import nannyml_peer
from benchmarks.incidents.kept import QUIET
from benchmarks.incidents.rules import Rules
from benchmarks.incidents.source import Branch, Source, columns, file_of
from benchmarks.incidents.verdicts import Page

Found = Iterator[tuple[str, list[Page]]]
"""The pages about the quiet days, and then about the days of each incident, as soon as they are known."""
Judge = Callable[[str, "pd.Series[Any]"], float | None]
"""How far a column's day is beyond its limit against the baseline, of which the greatest is worst; None if it isn't."""
Answers = dict[str, float | None]


def find(name: str, source: Source, quiet: Branch, branches: Mapping[str, Branch]) -> Found:
    """Yield the pages of a peer about quiet days, and about the days of incidents, by kind.

    Raises OSError where a peer can't be installed or fails.
    """
    for branch in (quiet, *branches.values()):
        branch.lay(source, branch.end)
    if name == "nannyml":
        yield from nannyml_peer.find(source, {QUIET: quiet, **branches})
    else:
        normal = source.spec.baseline
        judge = JUDGES[name](source, frame(source, quiet.root, normal.start, normal.end))
        yield from each_day(source, quiet, branches, judge)


def frame(source: Source, root: Path, first: date, last: date) -> pd.DataFrame:
    """Read days as the peers are given them: the watched columns and the score, categories as text."""
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    tables = [_table(source, root, day) for day in days]
    return pd.DataFrame(
        {name: pd.concat([_values(t[name]) for t in tables], ignore_index=True) for name in columns(source)}
    )


def _table(source: Source, root: Path, day: date) -> pa.Table:
    kinds = columns(source)
    read = pq.read_table(file_of(root, day), columns=list(kinds), partitioning=None)
    types = {"number": pa.float64(), "category": pa.string()}
    return pa.table({name: read[name].cast(types[kind], safe=False).combine_chunks() for name, kind in kinds.items()})


def _values(column: pa.ChunkedArray) -> pd.Series[Any]:
    values = column.to_pandas()
    return values if pa.types.is_floating(column.type) else values.astype(object)


def each_day(source: Source, quiet: Branch, branches: Mapping[str, Branch], judge: Judge) -> Found:
    """Hold every day alone against the baseline, and page about each column that is beyond its limit.

    A column that an incident leaves as it is on the quiet day isn't judged again.
    """
    usual = {day: _table(source, quiet.root, day) for day in quiet.days()} if branches else {}
    known: dict[date, Answers] = {}

    def pages(branch: Branch) -> Iterator[Page]:
        for day in branch.days():
            table, before = _table(source, branch.root, day), known.get(day, {})
            answers = {
                str(name): before[name]
                if name in before and table[name].equals(usual[day][name])
                else judge(name, _values(table[name]))
                for name in table.column_names
            }
            known.setdefault(day, answers)
            beyond = [(name, figure) for name, figure in answers.items() if figure is not None]
            for name, figure in sorted(beyond, key=lambda item: -item[1]):
                yield Page(day, name, name, words=f"{name}: {figure}")

    yield QUIET, list(pages(quiet))
    for kind, branch in branches.items():
        yield kind, list(pages(branch))


def _psi(source: Source, baseline: pd.DataFrame) -> Judge:
    return Rules(baseline, columns(source)).psi


def _ks(source: Source, baseline: pd.DataFrame) -> Judge:
    return Rules(baseline, columns(source)).ks


def _evidently(source: Source, baseline: pd.DataFrame) -> Judge:
    """Take the test that Evidently's DataDriftPreset chooses for each column, with its limit, but not its drawings.

    A missing or empty column, on which the preset raises an error, is taken for an alert. Numbers are given in order,
    which changes no test and halves its time.
    """
    from evidently.legacy.calculations.stattests import get_stattest  # noqa: PLC0415  takes seconds

    def usable(column: pd.Series[Any]) -> pd.Series[Any]:
        return column.replace([-np.inf, np.inf], np.nan).dropna().sort_values(ignore_index=True)

    usual = {str(name): usable(column) for name, column in baseline.items()}
    kinds = {name: {"number": "num", "category": "cat"}[kind] for name, kind in columns(source).items()}

    def judge(name: str, values: pd.Series[Any]) -> float | None:
        before, now, kind = usual[name], usable(values), kinds[name]
        if now.empty:
            return float("inf")
        tested = get_stattest(before, now, kind, None)(before, now, kind, None)
        return float(tested.drift_score) / float(tested.actual_threshold) if tested.drifted else None

    return judge


JUDGES: dict[str, Callable[[Source, pd.DataFrame], Judge]] = {"evidently": _evidently, "psi": _psi, "ks": _ks}
