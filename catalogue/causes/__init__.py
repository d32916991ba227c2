"""The keys of all causes, as ``causes.COLUMN_FAULT``: data faults, then real changes, then what nothing explains."""

from __future__ import annotations

from catalogue.causes.data_faults import (
    COLUMN_FAULT,
    DUPLICATE_ROWS,
    FEED_FAULT,
    INCOMPLETE_PARTITION,
    LATE_PARTITION,
    MISSING_PARTITION,
    SCHEMA_CHANGE,
    STALE_PARTITION,
    WATCH_ERRORED,
)
from catalogue.causes.real_changes import (
    FAIRNESS_GAP,
    MODEL_RELEASE,
    PERFORMANCE_DECAY,
    POPULATION_SHIFT,
    SCORE_SHIFT,
    SEASON,
    UNCLASSIFIED_BREACH,
)

__all__ = [
    "COLUMN_FAULT",
    "DUPLICATE_ROWS",
    "FAIRNESS_GAP",
    "FEED_FAULT",
    "INCOMPLETE_PARTITION",
    "LATE_PARTITION",
    "MISSING_PARTITION",
    "MODEL_RELEASE",
    "PERFORMANCE_DECAY",
    "POPULATION_SHIFT",
    "SCHEMA_CHANGE",
    "SCORE_SHIFT",
    "SEASON",
    "STALE_PARTITION",
    "UNCLASSIFIED_BREACH",
    "WATCH_ERRORED",
]
