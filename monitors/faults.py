"""Columns, or a whole partition, broken in a way that the distribution alone gives away.

Each rule holds today against every day of the baseline, and those days against each other: what they did among
themselves is habit. So a column that is constant within each day, a weekday, a heap on round values is never a fault.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from ledger.records import Measurement
from models.spec import Spec
from monitors import habits, limits, repeats, spikes, swaps
from monitors.habits import Column
from warehouse.grid import Frame
from warehouse.profile import EVERYONE, Profile


def measure(
    spec: Spec,
    frame: Frame,
    day: date,
    profile: Profile,
    recent: Mapping[date, Profile],
    baseline: Mapping[date, Profile],
) -> list[Measurement]:
    """Return every figure of monitor 'fault' for a day's profile; ``recent`` and ``baseline`` are profiles by day.

    For the partition ``repeated_share``; for each column ``repeated_column`` and ``constant_share``; for a number also
    ``spike_share`` (unless it has few values), ``cluster_share``, ``scaled_share`` and ``swapped_column``; for a
    category ``renamed_share``. For the score only the first two. Too few values or baseline days: insufficient. A
    column that isn't in the partition has none of them: drift says that it is missing.
    """
    columns = habits.columns(frame, day, profile, baseline)
    score = _score(spec, frame, day, profile, baseline)
    blank = Measurement(spec.model, day, day, "fault", "")
    found = repeats.measure(blank, [*columns, *score], recent, limits.floor(spec, "repeated_share"))
    found += [spikes.constant(blank, column) for column in (*columns, *score)]
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


def _score(spec: Spec, frame: Frame, day: date, profile: Profile, baseline: Mapping[date, Profile]) -> Sequence[Column]:
    counts = profile.features.get(EVERYONE, {}).get(spec.score.column)
    if frame.score is None or counts is None:
        return ()
    name = spec.score.column
    before = [own.features.get(EVERYONE, {}) for other, own in sorted(baseline.items()) if other != day]
    return (habits.column(name, frame.score, counts, [own[name] for own in before if name in own]),)
