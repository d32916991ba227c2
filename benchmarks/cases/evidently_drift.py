"""Evidently's DataDriftPreset, as its documentation runs it: two pandas frames, every column by its default test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.cases import peer


def prepare(*, root: str, rows: int, days: int, columns: int, span: int) -> Callable[[], Any]:
    """Return: read both sides, run the report, take its figures."""
    from evidently import DataDefinition, Dataset, Report  # noqa: PLC0415
    from evidently.presets import DataDriftPreset  # noqa: PLC0415

    numbers, categories = peer.kinds(columns)
    definition = DataDefinition(numerical_columns=numbers, categorical_columns=categories)

    def work() -> Any:
        baseline, current = (
            Dataset.from_pandas(frame, data_definition=definition)
            for frame in peer.sides(Path(root), rows, days, columns, span)
        )
        return Report([DataDriftPreset()]).run(current, baseline).dict()

    return work


def answer(found: Any) -> dict[str, int]:
    """Return how many columns were compared."""
    names = [metric["metric_name"] for metric in found["metrics"]]
    return {"columns": sum(name.startswith("ValueDrift") for name in names)}
