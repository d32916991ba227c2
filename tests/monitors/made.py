"""Profiles made from arrays, without a warehouse."""

from __future__ import annotations

from datetime import date

import numpy as np

from models.spec import Spec
from monitors.drift.calibration import Calibration, learn_calibration
from profiles.bins import REST, Grid, Levels
from profiles.profile import EVERYONE, Counts, Profile
from profiles.schema import ProfileSchema

DAY = date(2026, 3, 2)


def spec(**alerts: object) -> Spec:
    """Return a model file with a score, a slice column and the given alerts."""
    return Spec.model_validate(
        {
            "model": "card_payments",
            "features": {"table": "card_payments/features"},
            "score": {"threshold": 0.85},
            "slices": ["channel"],
            "baseline": {"from": date(2026, 1, 1), "to": date(2026, 2, 28)},
            "alerts": alerts,
        }
    )


def counted(grid: Grid, values: np.ndarray) -> Counts:
    """Count values (nan: null, inf: not finite) as the warehouse does."""
    finite = values[np.isfinite(values)]
    bins, rows = np.unique(grid.bin_of(finite), return_counts=True)
    total = int(np.rint(finite / grid.unit).sum())
    nulls = int(np.isnan(values).sum())
    cells_of = dict(zip(bins.tolist(), rows.tolist(), strict=True))
    return Counts(nulls, len(values) - len(finite) - nulls, total, cells_of)


def levels_counted(rows: np.ndarray, nulls: int = 0) -> Counts:
    """Count a category from the rows of its levels, the most frequent 500 by index and the others as REST."""
    bins = {index: int(count) for index, count in enumerate(rows[:500]) if count}
    rest = int(rows[500:].sum())
    return Counts(nulls=nulls, bins={REST: rest, **bins} if rest else bins)


def frame(
    numbers: dict[str, Grid] | None = None, categories: dict[str, Levels] | None = None, score: Grid | None = None
) -> ProfileSchema:
    """Return a frame with the slice column ``channel``."""
    return ProfileSchema("f", numbers or {}, categories or {}, score, ("channel",), {"channel": ("web", None)})


def profile(columns: dict[str, Counts], **groups: dict[str, Counts]) -> Profile:
    """Return a profile of everyone's columns, and of groups of ``channel`` by value (``null`` for none)."""
    features = {EVERYONE: columns}
    for value, counts in groups.items():
        features["channel", None if value == "null" else value] = counts
    return Profile("f", max((c.rows for c in columns.values()), default=0), features)


def of_one(frame: ProfileSchema, baseline: Profile) -> Calibration:
    """Return the calibration of a baseline that is known as one sum only, so that no day's variation is learned."""
    return learn_calibration(spec(), frame, {date(2026, 1, 1): baseline})
