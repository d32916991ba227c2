"""Asks NannyML, in its own environment: drift, missing and unseen values, rows, and realised performance."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import peers as environments
from benchmarks.incidents.source import LABELS, Branch, Source, columns, file_of
from benchmarks.incidents.verdicts import Page
from benchmarks.measure import QUIET, REPOSITORY

PLACE = REPOSITORY / ".bench" / "peers"
Alert = tuple[str, str, int]
"""The day, the column (or, in brackets, rows or a metric of performance), and how many calculators alert on it."""


def find(source: Source, branches: Mapping[str, Branch]) -> Iterator[tuple[str, list[Page]]]:
    """Yield the pages about each branch; columns with most alerts are on top, as in NannyML's own ranking.

    A day's performance is known, and paged about, when nine in ten of its labels are; a payment without one is taken
    for legitimate then, and blocked ones are left out. Raises OSError where NannyML can't be installed or fails.
    """
    python = environments.install("nannyml", PLACE)
    kinds, normal, delay = columns(source), source.spec.baseline, timedelta(days=source.label_days)
    ask = {
        "numbers": [name for name, kind in kinds.items() if kind == "number"],
        "categories": [name for name, kind in kinds.items() if kind == "category"],
        "branches": list(branches),
    }
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        root = next(iter(branches.values())).root
        _write_rows(source, root, normal.start, normal.end, place / "baseline.parquet")
        _labelled(source, root, normal.start, normal.end - delay).to_parquet(place / "baseline.labels.parquet")
        for kind, branch in branches.items():
            _write_rows(source, branch.root, branch.start, branch.end, place / f"{kind}.parquet")
            cohorts = _labelled(source, branch.root, branch.start - delay, branch.end - delay)
            cohorts.to_parquet(place / f"{kind}.labels.parquet")
        (place / "ask.json").write_text(json.dumps(ask), encoding="utf-8")
        answer = _answer(python, place)
    for kind in branches:
        yield kind, list(_pages(answer[kind], delay))


def _answer(python: Path, place: Path) -> dict[str, list[Alert]]:
    done = subprocess.run(
        [str(python), "-m", "benchmarks.incidents.nannyml_days", str(place)],
        cwd=REPOSITORY,
        env={**os.environ, **QUIET},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise OSError(f"NannyML failed: {(done.stderr.strip().splitlines() or ['without a word'])[-1][:300]}")
    answer: dict[str, list[Alert]] = json.loads((place / "answer.json").read_text(encoding="utf-8"))
    return answer


def _pages(alerts: list[Alert], delay: timedelta) -> Iterator[Page]:
    told = [
        (date.fromisoformat(text) + (delay if subject.startswith("(performance") else timedelta()), -count, subject)
        for text, subject, count in alerts
    ]
    for day, count, subject in sorted(told):
        yield Page(day, subject, "" if subject.startswith("(") else subject, words=f"{subject}: {-count} alerts")


def _write_rows(source: Source, root: Path, first: date, last: date, file: Path) -> None:
    """Write the watched columns and the score of a span of days into one file, a day at a time."""
    kinds = columns(source)
    types = {"number": pa.float64(), "category": pa.string()}
    schema = pa.schema([*((name, types[kind]) for name, kind in kinds.items()), ("timestamp", pa.timestamp("us"))])
    with pq.ParquetWriter(file, schema) as writer:
        for day in _days(first, last):
            table = pq.read_table(file_of(root, day), columns=list(kinds), partitioning=None)
            values: dict[str, Any] = {name: table[name].cast(types[kind], safe=False) for name, kind in kinds.items()}
            stamps = pa.repeat(pa.scalar(pd.Timestamp(day), pa.timestamp("us")), len(table))
            writer.write_table(pa.table({**values, "timestamp": stamps}, schema=schema))


def _labelled(source: Source, root: Path, first: date, last: date) -> pd.DataFrame:
    """Return score, whether it raised an alert, and the label as known when it is due, of what wasn't blocked."""
    threshold = source.spec.score.threshold or 0.0
    parts = []
    for day in _days(first, last):
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


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]
