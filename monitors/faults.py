"""Columns, or a whole partition, broken in a way that the distribution alone gives away.

Each rule holds today against every day of the baseline, and those days against each other: what they did among
themselves is habit. So a column that is constant within each day, a weekday, a heap on round values is never a fault.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from ledger.records import Measurement
from models.spec import Spec
from monitors import habits, limits, repeats, spikes, swaps
from monitors.habits import Column, Habits, Vectors
from warehouse.grid import Frame


def measure(
    spec: Spec, frame: Frame, day: date, today: Vectors, recent: Mapping[date, Vectors], usual: Habits
) -> list[Measurement]:
    """Return every figure of monitor 'fault' for a day; ``recent`` are days before, ``usual`` is of the baseline's.

    For the partition ``repeated_share``; for each column ``repeated_column`` and ``constant_share``; for a number also
    ``spike_share`` (unless it has few values), ``cluster_share``, ``scaled_share`` and ``swapped_column``; for a
    category ``renamed_share``. For the score only the first two. Too few values or baseline days: insufficient. A
    column that isn't in the partition has none of them: drift says that it is missing.
    """
    names = habits.columns(spec, frame)
    chance = limits.fault_chance(spec, len(names))
    every = [Column(usual.columns[name], today[name], chance) for name in names if name in today]
    columns = [column for column in every if frame.score is None or column.name != spec.score.column]
    blank = Measurement(spec.model, day, day, "fault", "")
    found = repeats.measure(blank, every, recent, limits.floor(spec, "repeated_share"))
    found += [spikes.constant(blank, column) for column in every]
    found += swaps.swapped(blank, columns)
    for column in columns:
        judged = (
            spikes.spike(blank, column, limits.floor(spec, "spike_share")),
            spikes.cluster(blank, column, limits.floor(spec, "cluster_share")),
            swaps.scaled(blank, column, limits.floor(spec, "scaled_share")),
            swaps.renamed(blank, column, limits.floor(spec, "renamed_share")),
        )
        found += [one for one in judged if one is not None]
    return found
