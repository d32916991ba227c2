"""Picks measurements by their verdict, and turns them into JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ledger.records.measurements import Measurement, Verdict

MEASUREMENT_KEYS = (
    "model", "day", "as_of", "monitor", "metric", "feature", "slice",
    "value", "low", "high", "n", "limit", "verdict", "reason",
)  # fmt: skip
"""Keys of a measurement in a page's JSON, as the documentation promises them."""
URGENT = (Verdict.BREACH, Verdict.ERRORED, Verdict.MISSING)
"""Verdicts that ask for something."""
VERDICTS_WORST_FIRST = (
    Verdict.BREACH,
    Verdict.ERRORED,
    Verdict.MISSING,
    Verdict.OK,
    Verdict.INSUFFICIENT,
    Verdict.IMMATURE,
)


def with_verdict(measurements: Iterable[Measurement], *verdicts: Verdict) -> list[Measurement]:
    """Return the measurements that have one of some verdicts."""
    return [m for m in measurements if m.verdict in verdicts]


def measurement_as_json(m: Measurement) -> dict[str, Any]:
    """Return a measurement with the keys that the documentation promises."""
    return {key: getattr(m, key) for key in MEASUREMENT_KEYS}


def measurements_as_json(measurements: Sequence[Measurement]) -> list[dict[str, Any]]:
    """Return measurements for a page's JSON."""
    return [measurement_as_json(m) for m in measurements]
