"""Columns, or a whole partition, broken in a way that the distribution alone gives away.

Each rule holds today against every day of the baseline, and those days against each other: what they did among
themselves is usual. So a column that is constant within each day, a weekday, a heap on round values is never a fault.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from catalogue.metrics.faults import (
    CLUSTER_SHARE,
    FAULT_MONITOR,
    RENAMED_SHARE,
    REPEATED_SHARE,
    SCALED_SHARE,
    SPIKE_SHARE,
)
from ledger.records.measurements import Measurement
from models.spec import Spec
from monitors import limits
from monitors.faults import baseline_behaviour, column_swap, spikes, stale_data
from monitors.faults.baseline_behaviour import BaselineBehaviour, ColumnOfDay, DayVectors
from monitors.inputs import DayInputs
from monitors.registry import monitor
from profiles.schema import ProfileSchema


def measure_column_faults(
    spec: Spec,
    schema: ProfileSchema,
    day: date,
    today: DayVectors,
    recent: Mapping[date, DayVectors],
    behaviour: BaselineBehaviour,
) -> list[Measurement]:
    """Return every figure of monitor 'fault' for a day.

    For the partition ``repeated_share``; for each column ``repeated_column`` and ``constant_share``; for a number also
    ``spike_share`` (unless it has few values), ``cluster_share``, ``scaled_share`` and ``swapped_column``; for a
    category ``renamed_share``. For the score only the first two.

    Args:
        spec: the model file.
        schema: how partitions are profiled.
        day: the day.
        today: its rows by column.
        recent: those of days before.
        behaviour: the columns on the baseline's days.
    Returns:
        Measurements. Too few values or baseline days: insufficient. A column that isn't in the partition has none:
        drift says that it is missing.
    """
    names = baseline_behaviour.binned_columns(spec, schema)
    chance = limits.alpha_per_fault_rule(spec, len(names))
    every = [ColumnOfDay(behaviour.columns[name], today[name], chance) for name in names if name in today]
    columns = [column for column in every if schema.score is None or column.name != spec.score.column]
    blank = Measurement(spec.model, day, day, FAULT_MONITOR, "")
    found = stale_data.measure_stale_data(blank, every, recent, limits.minimum_effect(spec, REPEATED_SHARE))
    found += [spikes.measure_constant_share(blank, column) for column in every]
    found += column_swap.measure_column_swaps(blank, columns)
    for column in columns:
        judged = (
            spikes.measure_spike(blank, column, limits.minimum_effect(spec, SPIKE_SHARE)),
            spikes.measure_cluster(blank, column, limits.minimum_effect(spec, CLUSTER_SHARE)),
            column_swap.measure_scaled_share(blank, column, limits.minimum_effect(spec, SCALED_SHARE)),
            column_swap.measure_renamed_levels(blank, column, limits.minimum_effect(spec, RENAMED_SHARE)),
        )
        found += [one for one in judged if one is not None]
    return found


@monitor(FAULT_MONITOR)
def measure_column_faults_of_day(inputs: DayInputs) -> list[Measurement]:
    """Return a day's column faults; nothing of a day without rows."""
    own = inputs.own
    if own is None:
        return []
    return measure_column_faults(inputs.spec, inputs.schema, inputs.day, own.vectors, own.recent, own.behaviour)
