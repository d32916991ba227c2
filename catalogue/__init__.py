"""What Watchkeeper measures and concludes: every metric, monitor and cause, declared once; all else is derived."""

from catalogue.metrics import arrival  # noqa: I001  the order of these lines is that of metrics on pages and in tables
from catalogue.metrics import drift_monitors
from catalogue.metrics import drift
from catalogue.metrics import multivariate
from catalogue.metrics import faults
from catalogue.metrics import performance_monitors
from catalogue.metrics import performance
from catalogue.metrics import money
from catalogue.metrics import labels
from catalogue.metrics import fairness
from catalogue.metrics import diagnostics
from catalogue.metrics import cost
from catalogue.causes import data_faults
from catalogue.causes import real_changes
from catalogue import causes
from catalogue.cause_entry import Cause, Inhibition
from catalogue.entries import (
    BudgetPart,
    CatalogueError,
    ColumnFault,
    Derived,
    Effect,
    Evidence,
    Limit,
    Metric,
    Monitor,
    Needs,
    Quality,
    Rows,
    Stage,
    Step,
    Unit,
    Worse,
)
from catalogue.registers import (
    CAUSES,
    DERIVED,
    METRICS,
    MONITORS,
    add_cause,
    add_derived,
    add_metric,
    add_monitor,
    added_for_now,
    cause,
    find_metric,
    metric,
    monitor,
    quality,
    recorded_cause,
)
from catalogue.views import (
    causes_in_order,
    column_metrics,
    column_monitors,
    day_monitors,
    evidence,
    fairness_metrics,
    false_alarm_metrics,
    labels_needed,
    measures,
    minimum_effects,
    minimum_effects_unlearned,
    monitors_in_order,
    monitors_of_step,
    never_judged_quality,
    sections,
    slice_metrics,
    stages,
    table_monitors,
    tested_distances,
    tested_shares,
)

__all__ = [
    "CAUSES", "DERIVED", "METRICS", "MONITORS", "BudgetPart", "CatalogueError", "Cause", "ColumnFault", "Derived",
    "Effect", "Evidence", "Inhibition", "Limit", "Metric", "Monitor", "Needs", "Quality", "Rows", "Stage", "Step",
    "Unit", "Worse", "add_cause", "add_derived", "add_metric", "add_monitor", "added_for_now", "arrival", "cause",
    "causes", "causes_in_order", "column_metrics", "column_monitors", "cost", "data_faults", "day_monitors",
    "diagnostics", "drift", "drift_monitors", "evidence", "fairness", "fairness_metrics", "false_alarm_metrics",
    "faults", "find_metric", "labels", "labels_needed", "measures", "metric", "minimum_effects",
    "minimum_effects_unlearned", "money", "monitor", "monitors_in_order", "monitors_of_step", "multivariate",
    "never_judged_quality", "performance", "performance_monitors", "quality", "real_changes", "recorded_cause",
    "sections", "slice_metrics", "stages", "table_monitors", "tested_distances", "tested_shares",
]  # fmt: skip
