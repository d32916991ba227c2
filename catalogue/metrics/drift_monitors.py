"""The monitors of drift: of features, slow, and of the score."""

from __future__ import annotations

from catalogue.entries import BudgetPart, Monitor, Stage
from catalogue.registers import add_monitor

DRIFT_MONITOR = add_monitor(
    Monitor(
        key="drift",
        title="Drift of features",
        order=50,
        column_kinds=("number", "category"),
        stage=Stage.FEATURES,
        of_columns=True,
        budget_parts=(BudgetPart.DRIFT, BudgetPart.MULTIVARIATE),
    )
)
SLOW_MONITOR = add_monitor(
    Monitor(
        key="slow",
        title="Slow drift",
        order=60,
        stage=Stage.FEATURES,
        of_columns=True,
    )
)
SCORE_MONITOR = add_monitor(
    Monitor(
        key="score",
        title="Drift of the score",
        order=70,
        column_kinds=("score",),
        stage=Stage.SCORE,
        of_columns=True,
        budget_parts=(BudgetPart.DRIFT,),
    )
)
