"""What the peers say of the same days, from the same files, at their defaults."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Protocol

import pandas as pd
import pyarrow.parquet as pq

from benchmarks.incidents.rules import Rules
from benchmarks.incidents.source import Source, file_of
from benchmarks.incidents.verdicts import Page


class Days(Protocol):
    """Days laid out under a folder, from the first that is watched to the last."""

    @property
    def root(self) -> Path:
        """Return the folder."""

    @property
    def start(self) -> date:
        """Return the first day."""

    @property
    def end(self) -> date:
        """Return the last day."""


Branches = Mapping[str, Days]
Found = dict[str, list[Page]]
"""The pages about the days of each branch."""
Judge = Callable[[pd.DataFrame], Iterator[tuple[str, Any]]]


def find(name: str, source: Source, start: date, branches: Branches) -> Found:
    """Return the pages of a peer about each branch; the baseline is the days of the model file, the same in all."""
    return PEERS[name](source, start, branches)


def days(first: date, last: date) -> list[date]:
    """Return the days of a span."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def frame(source: Source, root: Path, first: date, last: date) -> pd.DataFrame:
    """Read days as the peers are given them: the watched columns and the score, categories as text."""
    return pd.concat([_day(source, root, day) for day in days(first, last)], ignore_index=True)


def columns(source: Source) -> dict[str, str]:
    """Return the watched columns and the score with their kinds."""
    return {**source.columns, source.spec.score.column: "number"}


def _day(source: Source, root: Path, day: date) -> pd.DataFrame:
    wanted = columns(source)
    table = pq.read_table(file_of(root, day), columns=list(wanted), partitioning=None)
    values = {
        name: table[name].to_pandas() if kind == "number" else table[name].cast("string").to_pandas().astype(object)
        for name, kind in wanted.items()
    }
    return pd.DataFrame({name: v.astype(float) if wanted[name] == "number" else v for name, v in values.items()})


def _each_day(source: Source, branches: Branches, judge: Judge) -> Found:
    """Hold every day alone against the baseline, and page about each column that is found."""
    return {
        kind: [
            Page(day, column, column, words=f"{column}: {figure}")
            for day in days(branch.start, branch.end)
            for column, figure in judge(_day(source, branch.root, day))
        ]
        for kind, branch in branches.items()
    }


def _baseline(source: Source, branches: Branches) -> pd.DataFrame:
    normal = source.spec.baseline
    return frame(source, next(iter(branches.values())).root, normal.start, normal.end)


def _psi(source: Source, _: date, branches: Branches) -> Found:
    return _each_day(source, branches, Rules(_baseline(source, branches), columns(source)).psi)


def _ks(source: Source, _: date, branches: Branches) -> Found:
    return _each_day(source, branches, Rules(_baseline(source, branches), columns(source)).ks)


PEERS: dict[str, Callable[[Source, date, Branches], Found]] = {"psi": _psi, "ks": _ks}
