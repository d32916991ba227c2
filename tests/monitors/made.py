"""Profiles made from arrays, without a warehouse."""

from __future__ import annotations

from datetime import date

import numpy as np

from models.spec import Spec
from monitors.calibration import Calibration, learn
from warehouse.grid import REST, Frame, Grid, Levels
from warehouse.profile import EVERYONE, Counts, Profile

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
    cells, rows = np.unique(grid.cell(finite), return_counts=True)
    total = int(np.rint(finite / grid.unit).sum())
    nulls = int(np.isnan(values).sum())
    cells_of = dict(zip(cells.tolist(), rows.tolist(), strict=True))
    return Counts(nulls, len(values) - len(finite) - nulls, total, cells_of)


def levels_counted(rows: np.ndarray, nulls: int = 0) -> Counts:
    """Count a category from the rows of its levels, the most frequent 500 by index and the others as REST."""
    cells = {index: int(count) for index, count in enumerate(rows[:500]) if count}
    rest = int(rows[500:].sum())
    return Counts(nulls=nulls, cells={REST: rest, **cells} if rest else cells)


def frame(
    numbers: dict[str, Grid] | None = None, categories: dict[str, Levels] | None = None, score: Grid | None = None
) -> Frame:
    """Return a frame with the slice column ``channel``."""
    return Frame("f", numbers or {}, categories or {}, score, ("channel",), {"channel": ("web", None)})


def profile(columns: dict[str, Counts], **groups: dict[str, Counts]) -> Profile:
    """Return a profile of everyone's columns, and of groups of ``channel`` by value (``null`` for none)."""
    features = {EVERYONE: columns}
    for value, counts in groups.items():
        features["channel", None if value == "null" else value] = counts
    return Profile("f", max((c.rows for c in columns.values()), default=0), features)


def of_one(frame: Frame, baseline: Profile) -> Calibration:
    """Return the calibration of a baseline that is known as one sum only, so that no day's variation is learned."""
    return learn(spec(), frame, {date(2026, 1, 1): baseline})
