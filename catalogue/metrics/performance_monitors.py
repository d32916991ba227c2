"""The monitors of performance: of late, as estimated, by cohort day, over all payments, by group, the bank's own."""

from __future__ import annotations

from catalogue.entries import BudgetPart, Monitor, Stage
from catalogue.registers import add_monitor

DECAY_MONITOR = add_monitor(
    Monitor(
        key="decay",
        title="Performance of recent mature days, against the baseline",
        order=80,
        stage=Stage.REALISED,
        budget_parts=(BudgetPart.PERFORMANCE,),
        restatable=True,
    )
)
ESTIMATE_MONITOR = add_monitor(
    Monitor(
        key="estimate",
        title="Estimated performance of the newest week, before its labels",
        order=90,
        stage=Stage.ESTIMATED,
        prefix="estimated",
        opens_incidents=False,
    )
)
NOWCAST_MONITOR = add_monitor(
    Monitor(
        key="nowcast",
        title="Nowcast: what this day's figures will come to once its labels are complete",
        order=100,
        about_its_day=False,
        opens_incidents=False,
    )
)
SELECTIVE_MONITOR = add_monitor(
    Monitor(
        key="selective",
        title="Performance over all payments, adjusted for declined payments (reject inference)",
        order=110,
        stage=Stage.REALISED,
        opens_incidents=False,
    )
)
COHORT_MONITOR = add_monitor(
    Monitor(
        key="performance",
        title="Performance by cohort day, as known by now",
        order=150,
        about_its_day=False,
        on_day_page=False,
        opens_incidents=False,
    )
)
FAIRNESS_MONITOR = add_monitor(
    Monitor(
        key="fairness",
        title="Fairness",
        order=120,
        stage=Stage.FAIRNESS,
        budget_parts=(BudgetPart.FAIRNESS,),
        restatable=True,
    )
)
CUSTOM_MONITOR = add_monitor(
    Monitor(
        key="custom",
        title="The bank's own metrics",
        order=130,
        model_file_names_metrics=True,
        stage=Stage.CUSTOM,
        budget_parts=(BudgetPart.CUSTOM,),
    )
)
