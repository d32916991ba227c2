"""What the peers say of the same days, from the same files, at their defaults."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Protocol

import pandas as pd
import pyarrow.parquet as pq

from benchmarks import peers as environments
from benchmarks.incidents.rules import Rules
from benchmarks.incidents.source import LABELS, Source, file_of
from benchmarks.incidents.verdicts import Page
from benchmarks.measure import QUIET, REPOSITORY

PLACE = REPOSITORY / ".bench" / "peers"


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


def find(name: str, source: Source, branches: Branches) -> Found:
    """Return the pages of a peer about each branch; the baseline is the days of the model file, the same in all.

    Raises OSError where a peer can't be installed or fails.
    """
    return PEERS[name](source, branches)


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


def _psi(source: Source, branches: Branches) -> Found:
    return _each_day(source, branches, Rules(_baseline(source, branches), columns(source)).psi)


def _ks(source: Source, branches: Branches) -> Found:
    return _each_day(source, branches, Rules(_baseline(source, branches), columns(source)).ks)


def _evidently(source: Source, branches: Branches) -> Found:
    """Take the test that Evidently's DataDriftPreset chooses for each column, with its limit, but not its drawings.

    A missing or empty column, on which the preset raises an error, is taken for an alert.
    """
    from evidently.legacy.calculations.stattests import get_stattest  # noqa: PLC0415  takes seconds

    baseline = {name: _values(column) for name, column in _baseline(source, branches).items()}
    kinds = {name: {"number": "num", "category": "cat"}[kind] for name, kind in columns(source).items()}

    def judge(day: pd.DataFrame) -> Iterator[tuple[str, float]]:
        found = []
        for name, kind in kinds.items():
            before, now = baseline[str(name)], _values(day[name])
            if now.empty:
                found.append((name, float("inf")))
                continue
            tested = get_stattest(before, now, kind, None)(before, now, kind, None)
            if tested.drifted:
                found.append((name, float(tested.drift_score) / float(tested.actual_threshold)))
        yield from sorted(found, key=lambda item: -item[1])

    return _each_day(source, branches, judge)


def _values(column: pd.Series[Any]) -> pd.Series[Any]:
    return column.replace([float("-inf"), float("inf")], float("nan")).dropna()


def _nannyml(source: Source, branches: Branches) -> Found:
    """Ask NannyML in its own environment: drift, missing and unseen values, rows, and realised performance.

    A day's performance is known, and paged about, when nine in ten of its labels are; a payment without one is taken
    for legitimate then, and blocked ones are left out. Columns with most alerts are on top, as in its own ranking.
    """
    python = environments.install("nannyml", PLACE)
    kinds, names = columns(source), {kind: f"b{n}" for n, kind in enumerate(branches)}
    ask = {
        "numbers": [name for name, kind in kinds.items() if kind == "number"],
        "categories": [name for name, kind in kinds.items() if kind == "category"],
        "branches": list(names.values()),
    }
    normal, delay = source.spec.baseline, timedelta(days=source.label_days)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        root = next(iter(branches.values())).root
        _timed(source, root, normal.start, normal.end).to_parquet(place / "baseline.parquet")
        _labelled(source, root, normal.start, normal.end - delay).to_parquet(place / "baseline.labels.parquet")
        for kind, branch in branches.items():
            _timed(source, branch.root, branch.start, branch.end).to_parquet(place / f"{names[kind]}.parquet")
            cohorts = _labelled(source, branch.root, branch.start - delay, branch.end - delay)
            cohorts.to_parquet(place / f"{names[kind]}.labels.parquet")
        (place / "ask.json").write_text(json.dumps(ask), encoding="utf-8")
        command = [str(python), "-m", "benchmarks.incidents.nannyml_days", folder]
        done = subprocess.run(
            command, cwd=REPOSITORY, env={**os.environ, **QUIET}, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise OSError(f"NannyML failed: {done.stderr.strip().splitlines()[-1][:300]}")
        answer = json.loads((place / "answer.json").read_text(encoding="utf-8"))
    return {kind: list(_nannyml_pages(answer[name], delay)) for kind, name in names.items()}


def _nannyml_pages(alerts: list[tuple[str, str, int]], delay: timedelta) -> Iterator[Page]:
    told = [
        (date.fromisoformat(text) + (delay if subject == "(performance)" else timedelta()), -count, subject)
        for text, subject, count in alerts
    ]
    for day, count, subject in sorted(told):
        yield Page(day, subject, "" if subject.startswith("(") else subject, words=f"{subject}: {-count} alerts")


def _timed(source: Source, root: Path, first: date, last: date) -> pd.DataFrame:
    parts = [_day(source, root, day).assign(timestamp=pd.Timestamp(day)) for day in days(first, last)]
    return pd.concat(parts, ignore_index=True)


def _labelled(source: Source, root: Path, first: date, last: date) -> pd.DataFrame:
    """Return score, whether it raised an alert, and the label as known when it is due, of what wasn't blocked."""
    threshold = source.spec.score.threshold or 0.0
    parts = []
    for day in days(first, last):
        scored = pq.read_table(file_of(root, day), columns=["payment_id", "score", "action"], partitioning=None)
        frame = scored.to_pandas().query("action != 'block'")
        files = [file_of(root, day + timedelta(days=n), LABELS) for n in range(source.label_days + 1)]
        known = pd.concat([pq.read_table(f, partitioning=None).to_pandas() for f in files]).sort_values("known_at")
        frauds = known.drop_duplicates("payment_id", keep="last").query("is_fraud")["payment_id"]
        parts.append(
            pd.DataFrame(
                {
                    "timestamp": pd.Timestamp(day),
                    "score": frame["score"].astype(float),
                    "predicted": (frame["score"] >= threshold).astype(int),
                    "is_fraud": frame["payment_id"].isin(frauds).astype(int),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


PEERS: dict[str, Callable[[Source, Branches], Found]] = {
    "nannyml": _nannyml,
    "evidently": _evidently,
    "psi": _psi,
    "ks": _ks,
}
SLOW = ("nannyml", "evidently")
"""Those that are too slow to look at every seed."""
