"""The monitors of drift: of features, slow, and of the score."""

from __future__ import annotations

from catalogue import drift, multivariate
from catalogue.entries import BudgetPart, Monitor, Stage
from catalogue.registers import add_monitor

DRIFT_MONITOR = add_monitor(
    Monitor(
        key="drift",
        title="Drift of features",
        order=50,
        metrics=(
            drift.PSI, drift.JENSEN_SHANNON, drift.WASSERSTEIN, drift.KS, drift.NULL_SHARE,
            drift.NONFINITE_SHARE, drift.UNSEEN_SHARE, drift.SCALE_RATIO, multivariate.CORRELATION_SHIFT,
            multivariate.RECONSTRUCTION_ERROR, multivariate.FRECHET_DISTANCE,
        ),
        stage=Stage.FEATURES,
        of_columns=True,
        budget_parts=(BudgetPart.DRIFT, BudgetPart.MULTIVARIATE),
    )
)  # fmt: skip
SLOW_MONITOR = add_monitor(
    Monitor(
        key="slow",
        title="Slow drift",
        order=60,
        metrics=(multivariate.SLOW_DRIFT,),
        stage=Stage.FEATURES,
        of_columns=True,
    )
)
SCORE_MONITOR = add_monitor(
    Monitor(
        key="score",
        title="Drift of the score",
        order=70,
        metrics=(
            drift.PSI, drift.JENSEN_SHANNON, drift.WASSERSTEIN, drift.KS, drift.NULL_SHARE,
            drift.NONFINITE_SHARE, drift.TOP_SCORE_SHARE, drift.TOP_SCORE_PSI,
        ),
        stage=Stage.SCORE,
        of_columns=True,
        budget_parts=(BudgetPart.DRIFT,),
    )
)  # fmt: skip
