"""How a figure becomes a measurement, and how measurements name groups."""

from __future__ import annotations

import math
from datetime import date

from ledger.records.measurements import Measurement, Verdict
from models.spec import Spec
from monitors.stats.intervals import Estimate
from profiles.profile import EVERYONE, Group


def slice_name(group: Group) -> str:
    """Return how a measurement names a group.

    Args:
        group: a column and its value (None: null), or EVERYONE.
    Returns:
        'column=value', or '' for everyone. Null reads '(null)'; a bank's own word of that spelling is quoted, so that
        no two groups share a name.
    Example:
        >>> slice_name(("channel", "web")), slice_name(("channel", None)), slice_name(EVERYONE)
        ('channel=web', 'channel=(null)', '')
    """
    column, value = group
    if not column:
        return ""
    shown = "(null)" if value is None else value
    return f"{column}='{shown}'" if value == "(null)" else f"{column}={shown}"


def build_measurement(
    spec: Spec,
    day: date,
    as_of: date,
    monitor: str,
    metric: str,
    found: Estimate | None,
    verdict: Verdict,
    reason: str,
    *,
    group: Group = EVERYONE,
    limit: float | None = None,
) -> Measurement:
    """Return the record of a figure.

    Args:
        spec: the model file.
        day: the cohort day, or ``as_of`` for a window.
        as_of: day at whose end the labels were read.
        monitor: key of the monitor.
        metric: key of the metric.
        found: the figure; None for none. Parts that are not finite are left out of the record.
        verdict: the verdict on it.
        reason: why, in words.
        group: whose figure it is.
        limit: on the metric's own scale; None where none was judged.
    Returns:
        The measurement.
    """
    value, low, high = (x if math.isfinite(x) else None for x in found[:3]) if found else (None, None, None)
    return Measurement(
        model=spec.model,
        day=day,
        as_of=as_of,
        monitor=monitor,
        metric=metric,
        slice=slice_name(group),
        value=value,
        low=low,
        high=high,
        n=found.n if found else 0,
        limit=limit,
        verdict=verdict,
        reason=reason,
    )
