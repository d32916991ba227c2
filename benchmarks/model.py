"""The model file over the benchmark's tables."""

from __future__ import annotations

from benchmarks.data import SLICES, Table, day_of, watched
from models.spec import Baseline, Column, Features, Score, Spec


def spec(table: Table, *, slices: int = len(SLICES), moments: bool = False, baseline_days: int = 1) -> Spec:
    """Return the model of a table: so many slice columns, second moments or not, the first days as baseline."""
    return Spec(
        model="payments",
        features=Features(
            table=table.name,
            columns={name: Column(kind=kind) for name, kind in watched(table.columns).items() if name != "score"},
            second_moments=moments,
        ),
        score=Score(threshold=0.5, amount="amount_gbp", action="action", blocked=["block"]),
        slices=list(SLICES[:slices]),
        baseline=Baseline(start=day_of(0), end=day_of(baseline_days - 1)),
    )
