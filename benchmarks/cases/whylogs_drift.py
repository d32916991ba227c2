"""whylogs' profiles of both sides, and its drift scores by its default algorithms."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.cases import peer


def prepare(*, root: str, rows: int, days: int, columns: int, span: int) -> Callable[[], Any]:
    """Return: read and log both sides, score the drift of every column."""
    import whylogs  # noqa: PLC0415
    from whylogs.viz.drift.column_drift_algorithms import calculate_drift_scores  # noqa: PLC0415

    def work() -> Any:
        views = [whylogs.log(pandas=frame).view() for frame in peer.sides(Path(root), rows, days, columns, span)]
        return calculate_drift_scores(target_view=views[1], reference_view=views[0], with_thresholds=True)

    return work


def answer(found: Any) -> dict[str, int]:
    """Return how many columns were compared."""
    return {"columns": sum(score is not None for score in found.values())}
