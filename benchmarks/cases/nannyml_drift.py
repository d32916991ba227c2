"""NannyML's univariate drift calculator with its default methods, each side one chunk: the least work it offers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.cases import peer


def prepare(*, root: str, rows: int, days: int, columns: int, span: int) -> Callable[[], Any]:
    """Return: read both sides, fit on the baseline, calculate on the current one."""
    from nannyml import UnivariateDriftCalculator  # noqa: PLC0415

    numbers, categories = peer.kinds(columns)

    def work() -> Any:
        baseline, current = peer.sides(Path(root), rows, days, columns, span)
        calculator = UnivariateDriftCalculator(column_names=[*numbers, *categories], chunk_number=1)
        return calculator.fit(baseline).calculate(current).to_df()

    return work


def answer(found: Any) -> dict[str, int]:
    """Return how many columns were compared."""
    return {"columns": len({name for name, *_ in found.columns} - {"chunk"})}
