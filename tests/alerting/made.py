"""A model file, days of measurements, and the days' conclusions one after the other, as the watch draws them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from alerting.incidents.conclude import conclude_incidents
from ledger.records.incidents import Incident, Status
from ledger.records.measurements import Measurement, Verdict
from models.spec import Spec

MODEL = "card_payments"
FIRST = date(2026, 3, 3)


def spec(**changes: object) -> Spec:
    content: dict[str, object] = {
        "model": MODEL,
        "title": "Card payments",
        "owner": "payments-fraud",
        "features": {
            "table": "card_payments/features",
            "columns": {
                "amount_gbp": {"kind": "number", "importance": 0.3},
                "device_age_days": {"kind": "number", "importance": 0.2},
                "channel": {"kind": "category", "importance": 0.05},
            },
        },
        "protected": {"age_band": {"reference": "30-59"}},
        "baseline": {"from": date(2026, 1, 1), "to": date(2026, 2, 28)},
        "checks": [
            {"expect_column_values_to_not_be_null": {"column": "device_age_days", "severity": "critical"}},
            {"expect_column_mean_to_be_between": {"column": "amount_gbp", "severity": "critical"}},
            {"expect_column_values_to_be_between": {"column": "amount_gbp", "severity": "warning"}},
            {"expect_column_values_to_be_unique": {"column": "payment_id"}},
            {"expect_table_row_count_to_be_between": {"min_value": 1000}},
        ],
    }
    return Spec.model_validate(content | changes)


def m(monitor: str, metric: str, feature: str = "", value: float | None = None, **more: object) -> Measurement:
    """Return a breach, unless ``verdict`` says otherwise; its day is set when the day is concluded."""
    made = Measurement(MODEL, FIRST, FIRST, monitor, metric, feature, value=value, verdict=Verdict.BREACH, n=20_000)
    return replace(made, **more)  # type: ignore[arg-type]  # a test's shorthand


def ok(*breaches: Measurement) -> list[Measurement]:
    return [replace(breach, verdict=Verdict.OK, value=0.0, reason="") for breach in breaches]


def with_verdict(verdict: Verdict, *breaches: Measurement) -> list[Measurement]:
    return [replace(breach, verdict=verdict, value=None) for breach in breaches]


ARRIVED = [
    m("arrival", "row_count", value=20_000.0, verdict=Verdict.OK),
    m("arrival", "arrival_delay_minutes", value=-40.0, verdict=Verdict.OK),
]
NO_PARTITION = [m("arrival", "row_count", verdict=Verdict.MISSING, reason="no partition; was due 2026-03-04 06:00 UTC")]
LATE = [
    ARRIVED[0],
    m("arrival", "arrival_delay_minutes", value=300.0, limit=0.0, reason="arrived 5 h 0 min after the deadline"),
]
FEW_ROWS = m(
    "arrival", "row_count", value=6_000.0, limit=10_000.0, reason="6,000 rows; the median of 8 Tuesdays is 20,000"
)
MANY_ROWS = m("arrival", "row_count", value=40_000.0, limit=30_000.0)
DUPLICATES = m(
    "arrival", "duplicate_share", "payment_id", 0.03, limit=0.001,
    reason="600 of 20,000 rows repeat an id or have none",
)  # fmt: skip
UNIQUE = m(
    "check", "expect_column_values_to_be_unique", "payment_id", 0.06, limit=0.0,
    reason="1,200 of 20,000 values are unexpected (6 %), none is accepted; severity critical",
)  # fmt: skip
NULL_FLOOD = m(
    "drift", "null_share", "device_age_days", 0.312, low=0.306, high=0.319, limit=0.026,
    reason="31.2 % null; baseline 0.6 % of 1,180,000 rows in 59 days; limit 2.6 %",
)  # fmt: skip
NULL_CHECK = m(
    "check", "expect_column_values_to_not_be_null", "device_age_days", 0.312, limit=0.05,
    reason="6,240 of 20,000 values are unexpected (31.2 %), 5 % is accepted; severity critical",
)  # fmt: skip
UNIT_ERROR = m(
    "drift", "scale_ratio", "amount_gbp", 98.7, low=97.0, high=100.1, limit=5.0,
    reason="typical value 98.7 times the baseline's; limit 5 times either way",
)  # fmt: skip
STALE = m(
    "fault", "repeated_share", value=1.0, low=1.0, high=1.0, limit=0.5, n=14,
    reason="14 of 14 columns that differ from day to day hold the values of Mon 2 Mar again",
)  # fmt: skip
STALE_COLUMN = m(
    "fault", "repeated_column", "device_age_days", 0.004, low=0.003, high=0.006, limit=0.36,
    reason="the values of Mon 2 Mar again: over 84 groups of values the two days differ by 0.4 % of what chance alone "
    "makes any two days differ",
)  # fmt: skip
SWAPPED = m(
    "fault", "swapped_column", "amount_gbp", 41.6, low=41.6, high=41.6, limit=3.0,
    reason="holds the values of 'age', whose baseline fits 41.6 times better than its own",
)  # fmt: skip
CLUSTER = m("fault", "cluster_share", "amount_gbp", 0.04, low=0.035, high=0.045, limit=0.02)
SLOW = m("slow", "slow_drift", "amount_gbp", 0.26, low=0.21, high=0.31, limit=0.15)
RECODED = m(
    "drift", "unseen_share", "channel", 0.42, limit=0.01,
    reason="42 % in levels the baseline never saw; baseline 0 % of 1,180,000 rows in 59 days; limit 1 %",
)  # fmt: skip
DEVICE_DRIFT = m(
    "drift", "psi", "device_age_days", 0.31, low=0.29, high=0.33, limit=0.1,
    reason="PSI 0.310 against 1,180,000 baseline values; limit 0.100; median about 90, baseline 210",
)  # fmt: skip
AMOUNT_DRIFT = m(
    "drift", "psi", "amount_gbp", 0.24, low=0.22, high=0.26, limit=0.1,
    reason="PSI 0.240 against 1,180,000 baseline values; limit 0.100; median about 61, baseline 38",
)  # fmt: skip
SCORE_DRIFT = m(
    "score", "psi", "score", 0.2, low=0.19, high=0.22, limit=0.1,
    reason="PSI 0.200 against 1,180,000 baseline values; limit 0.100; median about 0.09, baseline 0.04",
)  # fmt: skip
ALERT_RATE = m(
    "decay", "alert_rate", value=0.04, low=0.038, high=0.042, limit=0.03,
    reason="4 % of payments raised an alert in the week to 3 Mar; 2 % in the baseline: 2.00 times as high "
    "(1.90 to 2.10).",
)  # fmt: skip
RECALL = m(
    "decay", "recall", value=0.52, low=0.47, high=0.57, limit=0.71,
    reason="52 % of frauds caught in the week to 18 Feb; 81 % in the baseline: 29.0 points lower (24.0 to 34.0). "
    "Left out, for they get no label: 103 blocked (3.8 % of the alerts).",
)  # fmt: skip
PR_AUC = m(
    "decay", "pr_auc", value=0.4, low=0.37, high=0.44, limit=0.5,
    reason="0.4 in the week to 18 Feb; 0.6 in the baseline: 0.200 lower (0.150 to 0.240).",
)  # fmt: skip
FALSE_POSITIVES = m(
    "decay", "false_positive_rate", value=0.03, low=0.028, high=0.032, limit=0.02,
    reason="3 % of legitimate payments raised an alert in the week to 18 Feb; 1.3 % in the baseline: 2.31 times as "
    "high (2.10 to 2.54).",
)  # fmt: skip
GAP = m(
    "fairness", "false_positive_rate_ratio", value=2.7, low=2.4, high=3.0, limit=1.25, slice="age_band=60+",
    reason="3.1 % of 40,120 legitimate payments raised an alert; 1.15 % of 161,300 with 30-59: 2.70 times as many "
    "(2.40 to 3.00).",
)  # fmt: skip
SELECTION = replace(
    GAP,
    metric="selection_rate_ratio",
    value=2.1,
    low=1.9,
    high=2.3,
    reason="4.2 % of 41,000 payments raised an alert; 2 % of 165,000 with 30-59: 2.10 times as many (1.90 to 2.30).",
)
UNKNOWN = m(
    "drift", "hellinger", "amount_gbp", 0.31, low=0.29, high=0.33, limit=0.1,
    reason="hellinger 0.310 against 1,180,000 baseline values; limit 0.100",
)  # fmt: skip
"""A figure that the catalogue has no entry for, so that no cause takes it."""
ERRORED = m(
    "check", "expect_column_median_to_be_between", "amount_gbp", verdict=Verdict.ERRORED, reason="no such thing"
)
MONEY = [
    m("decay", "caught_gbp_per_day", value=130_000.0, low=120_000.0, high=142_000.0, verdict=Verdict.OK),
    m("decay", "lost_gbp_per_day", value=41_000.0, low=28_000.0, high=55_000.0, verdict=Verdict.OK),
]
MATURE = [
    m("decay", "mature_frauds", value=412.0, n=412, verdict=Verdict.OK),
    m("decay", "mature_until", value=12.0, n=12, verdict=Verdict.OK),
]


def on(day: date, *measurements: Measurement) -> list[Measurement]:
    return [replace(each, day=day, as_of=day) for each in measurements]


def timeline(days: Sequence[Sequence[Measurement]], model: Spec | None = None) -> list[list[Incident]]:
    """Conclude one day after the other from FIRST on, and return what was concluded on each."""
    states: dict[str, Incident] = {}
    result = []
    for number, measurements in enumerate(days):
        day = FIRST + timedelta(days=number)
        live = [incident for incident in states.values() if incident.live]
        recent = [incident for incident in states.values() if incident.status is not Status.WITHDRAWN]
        touched = conclude_incidents(model or spec(), day, on(day, *measurements), live, recent)
        assert all(incident.concluded == day for incident in touched)
        states |= {incident.id: incident for incident in touched}
        result.append(touched)
    return result


def one_day(*measurements: Measurement, model: Spec | None = None) -> list[Incident]:
    return timeline([[*ARRIVED, *measurements]], model)[0]


def causes_of(*measurements: Measurement) -> list[str]:
    return [incident.cause for incident in one_day(*measurements)]
