"""A watched day: what it was watched from, and what its cohorts were brought up to date from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class LabelSnapshot:
    """What a model's cohorts were brought up to date from, as of a day. Natural key: model, frame, as_of.

    ``rules`` is a digest of what the model file says of scores and labels, ``events`` the version of the label events
    known by then, ``partitions`` that of each cohort day's partition.
    """

    model: str
    frame: str
    as_of: date
    rules: str
    events: str
    partitions: dict[date, str]


@dataclass(frozen=True)
class StreamedDay:
    """A day whose profile is the sum of micro-batches: its rows, and what changes with every batch.

    Nobody looked at its ids or columns, and its rows are gone.
    """

    rows: int
    version: str


@dataclass(frozen=True)
class Run:
    """One watch of one model and day. Natural key: model, day.

    ``source_version`` is the version that was watched, of the partition or of a streamed day; ``steps`` maps each
    step to its summary.
    """

    model: str
    day: date
    source_version: str
    rows: int
    live: bool
    steps: dict[str, str]
