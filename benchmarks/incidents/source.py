"""Where days come from, and how they are laid out as a bank's tables for everyone who looks at them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from models.spec import Spec
from simulator import labels
from simulator.bank import feature_table
from simulator.batch import Batch, Incident
from simulator.labels import LabelEvents

BASELINE_DAYS = 59
FEATURES, LABELS = "bank/features", "bank/labels"


@dataclass(frozen=True)
class Targets:
    """Which columns a kind of incident may befall; each seed takes another one of them.

    ``slice`` is a column and the level of a tenth of all rows; ``fraud_type`` tells the frauds of one type.
    """

    nullable: tuple[str, ...]
    unit: tuple[str, ...]
    stale: tuple[str, ...]
    constant: tuple[str, ...]
    renamed: tuple[str, ...]
    extended: tuple[str, ...]
    shifted: tuple[str, ...]
    swapped: tuple[tuple[str, str], ...]
    slice: tuple[str, str]
    fraud_type: Callable[[Batch], np.ndarray[Any, np.dtype[np.bool_]]]


@dataclass(frozen=True)
class Source:
    """Days of one data set under one seed, drawn anew at each call and always the same.

    ``label_days`` after a payment nine in ten frauds are known.
    """

    data: str
    rows: int
    seed: int
    start: date
    model: str
    targets: Targets
    label_days: int
    columns: Mapping[str, str]
    spec: Spec
    draw: Callable[[date, Sequence[Incident]], Batch] = field(repr=False)

    def day(self, number: int) -> date:
        """Return the n-th day, counted from the baseline's first."""
        return self.start + timedelta(days=number)


def columns(source: Source) -> dict[str, str]:
    """Return the watched columns and the score with their kinds, as peers are given them."""
    return {**source.columns, source.spec.score.column: "number"}


Extra = Callable[[date], LabelEvents]
"""Label events that become known on a day besides those that payments bring about."""


def nothing(_: date) -> LabelEvents:
    """Return no extra label events."""
    return labels.NO_EVENTS


@dataclass
class Laid:
    """A bank's tables under a folder, up to ``until``; ``waiting`` are labels that aren't known by then."""

    root: Path
    until: date
    waiting: LabelEvents = labels.NO_EVENTS

    def branch(self, root: Path) -> Laid:
        """Return the same tables under another folder, to go on from there in another way; no file is copied."""
        for file in self.root.rglob("*.parquet"):
            target = root / file.relative_to(self.root)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.hardlink_to(file)
        return Laid(root, self.until, self.waiting)

    def lay(self, source: Source, until: date, incidents: Sequence[Incident] = (), extra: Extra = nothing) -> None:
        """Write the days after ``self.until`` up to another one, with the labels that become known on them."""
        while self.until < until:
            day = self.until + timedelta(days=1)
            batch = source.draw(day, incidents)
            tomorrow = np.datetime64(day + timedelta(days=1), "us")
            waiting = labels.join_events([self.waiting, labels.events_of_batch(batch, source.seed), extra(day)])
            known = waiting.known_at < tomorrow
            _write(self.root, FEATURES, day, feature_table(batch))
            _write(self.root, LABELS, day, _label_table(waiting.on(known)))
            self.until, self.waiting = day, waiting.on(~known)


@dataclass
class Branch:
    """Days that go on from those before ``start``, quiet or with an incident; each is laid out once, when asked for."""

    laid: Laid
    start: date
    length_days: int
    incidents: Sequence[Incident] = ()
    extra: Extra = nothing

    @property
    def root(self) -> Path:
        """Return the folder."""
        return self.laid.root

    @property
    def end(self) -> date:
        """Return the last day."""
        return self.start + timedelta(days=self.length_days - 1)

    def days(self) -> list[date]:
        """Return the days, in order."""
        return [self.start + timedelta(days=number) for number in range(self.length_days)]

    def lay(self, source: Source, until: date) -> None:
        """Write the days up to one of them that aren't written so far."""
        self.laid.lay(source, until, self.incidents, self.extra)


def begin(source: Source, root: Path) -> Laid:
    """Return tables that are still empty."""
    return Laid(root, source.start - timedelta(days=1))


def file_of(root: Path, day: date, of: str = FEATURES) -> Path:
    """Return the file of a day."""
    return root / of / f"day={day}" / "part-0.parquet"


def rows_of(batch: Batch, rows: np.ndarray[Any, Any]) -> None:
    """Keep only some of a batch's rows."""
    batch.fraud, batch.ids, batch.seconds, batch.score = (
        values[rows] for values in (batch.fraud, batch.ids, batch.seconds, batch.score)
    )
    batch.columns = {name: values[rows] for name, values in batch.columns.items()}


def _label_table(known: LabelEvents) -> pa.Table:
    return pa.table(
        {"payment_id": known.ids, "is_fraud": pa.array(known.is_fraud), "known_at": pa.array(known.known_at)}
    )


def _write(root: Path, name: str, day: date, content: pa.Table) -> None:
    file = file_of(root, day, name)
    file.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(content, file, compression="snappy")
    stamp = datetime.combine(day + timedelta(days=1), time(5), UTC).timestamp()
    os.utime(file, (stamp, stamp))
