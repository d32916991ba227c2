"""How figures, days and verdicts read on a page: with units, and with no more digits than they deserve."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from ledger.records.incidents import Incident
from ledger.records.measurements import Measurement, Verdict

SPACE = "\u00a0"
"""Keeps a figure and its unit on one line."""
MINUS = "\u2212"
POUNDS = f"GBP{SPACE}"


@dataclass(frozen=True)
class VerdictWording:
    """A verdict as people see it: a word, and a shape that says the same without colour."""

    word: str
    mark: str


VERDICTS = {
    Verdict.OK: VerdictWording("within its limit", "●"),
    Verdict.BREACH: VerdictWording("over its limit", "▲"),
    Verdict.INSUFFICIENT: VerdictWording("too few to tell", "○"),
    Verdict.IMMATURE: VerdictWording("labels still to come", "◔"),
    Verdict.ERRORED: VerdictWording("could not be measured", "✕"),
    Verdict.MISSING: VerdictWording("not there", "□"),
}

MONITOR_TITLES = {
    "arrival": "Arrival",
    "schema": "Columns",
    "check": "Checks",
    "fault": "Faults that a distribution gives away",
    "drift": "Drift of features",
    "slow": "Slow drift",
    "score": "Drift of the score",
    "decay": "Performance of recent mature days, against the baseline",
    "estimate": "Estimated performance of the newest week, before its labels",
    "nowcast": "Expected of this day's payments, at its end, before their labels",
    "selective": "Performance over all payments, blocked ones reckoned in",
    "fairness": "Fairness",
    "custom": "The bank's own metrics",
    "clue": "What points at a cause",
}

METRIC_TITLES = {
    "row_count": "Rows",
    "arrival_delay_minutes": "Arrival after the deadline",
    "duplicate_share": "Duplicate ids",
    "missing_columns": "Missing column",
    "extra_columns": "Extra column",
    "retyped_columns": "Retyped column",
    "psi": "PSI",
    "jensen_shannon": "Jensen-Shannon",
    "wasserstein": "Wasserstein",
    "ks": "KS",
    "null_share": "Nulls",
    "nonfinite_share": "Not finite",
    "unseen_share": "Unseen levels",
    "scale_ratio": "Scale",
    "top_score_share": "Share in the top 1 %",
    "top_score_psi": "PSI within the top 1 %",
    "bytes_billed": "Bytes billed",
    "correlation_shift": "Correlation shift",
    "reconstruction_error": "PCA reconstruction error",
    "frechet_distance": "Frechet distance",
    "repeated_share": "Columns that repeat an earlier day",
    "repeated_column": "Difference from an earlier day, against chance",
    "constant_share": "Most frequent value",
    "swapped_column": "Likeness to another column",
    "spike_share": "Excess of one value",
    "cluster_share": "New cluster of values",
    "scaled_share": "In another unit",
    "renamed_share": "Under new names",
    "slow_drift": "Slow drift, standard deviations",
    "label_delay": "Fraud known by then",
    "recall": "Recall",
    "precision": "Precision",
    "false_positive_rate": "False-positive rate",
    "true_positive_rate": "True-positive rate",
    "selection_rate": "Selection rate",
    "alert_rate": "Alert rate",
    "traffic_share": "Share of payments",
    "fraud_share": "Share of fraud among labels",
    "pr_auc": "PR-AUC",
    "roc_auc": "ROC-AUC",
    "value_detection_rate": "Value detected",
    "calibration_error": "Calibration error",
    "recall_at_false_positive_rate": "Recall at a fixed false-positive rate",
    "false_positive_ratio": "False alarms for each fraud caught",
    "brier_score": "Brier score",
    "card_precision": "Precision of the top cards",
    "cost_gbp_per_day": "Cost of the threshold",
    "least_cost_gbp_per_day": "Cost of the cheapest threshold",
    "least_cost_threshold": "Cheapest threshold",
    "calibration_gap": "Mean score less fraud share",
    "lost_gbp_per_day": "Fraud value lost beyond the baseline's",
    "caught_gbp_per_day": "Fraud value caught in the baseline",
    "fraud_gbp_per_day": "Fraud value",
    "mature_frauds": "Mature frauds",
    "mature_until": "Age at which a day is mature",
    "frauds_mature_until": "Age at which a day's fraud is known",
}

_SHARES = {
    "duplicate_share", "null_share", "nonfinite_share", "unseen_share", "recall", "precision", "false_positive_rate",
    "repeated_share", "constant_share", "spike_share", "cluster_share", "scaled_share", "renamed_share",
    "true_positive_rate", "selection_rate", "alert_rate", "value_detection_rate", "calibration_error",
    "recall_at_false_positive_rate", "card_precision",
    "traffic_share", "fraud_share", "label_delay",
}  # fmt: skip
_COUNTS = {"row_count", "mature_frauds", "missing_columns", "extra_columns", "retyped_columns"}
_ROW_BY_ROW = (
    "expect_column_values_", "expect_column_pair_values_", "expect_compound_columns_", "expect_multicolumn_",
    "expect_select_column_values_",
)  # fmt: skip
"""Expectations of single rows, whose figure is the share of rows that break them."""
_UNTITLED = ("_difference", "_ratio")
_ESTIMATE_ERROR = "_estimate_error"


def metric_title(name: str) -> str:
    """Return a metric's title; an expectation keeps its Great Expectations name."""
    for suffix in _UNTITLED:
        base = name.removesuffix(suffix)
        if base != name and base in METRIC_TITLES:
            return f"{METRIC_TITLES[base]}, {suffix[1:]} to the reference"
    base = name.removesuffix(_ESTIMATE_ERROR)
    return (
        METRIC_TITLES.get(name, name)
        if base == name
        else f"{METRIC_TITLES.get(base, base)}, how far off its estimates were"
    )


def is_share_metric(name: str) -> bool:
    """Return whether a metric is a share of something, shown in per cent."""
    return name.removesuffix(_ESTIMATE_ERROR) in _SHARES or name.startswith(_ROW_BY_ROW)


def format_figure(name: str, value: float | None) -> str:
    """Return a metric's value with its unit: ``1.2 %``, ``GBP 41k``, ``19,204``, ``0.213``; a dash for none."""
    if value is None or not math.isfinite(value):
        return "–"
    for ending, said in _FORMATS_BY_ENDING.items():
        if name.endswith(ending):
            return said(value)
    if is_share_metric(name):
        return format_share(value)
    return (
        f"{value:,.0f}"
        if name in _COUNTS or abs(value) >= 1000 or value == int(value)
        else f"{value:.{3 if abs(value) < 10 else 2}f}"
    )


def format_interval(name: str, low: float | None, high: float | None) -> str:
    """Return a 95 % interval with one unit where both ends share it: ``77 to 85 %``; empty for none, or for a point."""
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return ""
    if low == high:
        return ""  # a count or an age: nothing about it is uncertain
    first, last = format_figure(name, low), format_figure(name, high)
    number, _, unit = first.partition(SPACE)
    if first.startswith(POUNDS):
        return f"{first} to {last.removeprefix(POUNDS)}"
    if unit and last.endswith(unit):
        return f"{number} to {last}"
    return f"{first} to {last}"


def format_share(value: float) -> str:
    """Return a share in per cent with two or three digits that mean something."""
    return f"{_format_percent(value * 100)}{SPACE}%"


def _format_percent(percent: float) -> str:
    if percent == 0:
        return "0"
    size = abs(percent)
    if size < 0.01:
        return "<0.01"
    if size < 1:
        return f"{percent:.2f}"
    if 99.95 <= size < 100:
        return ">99.9"
    digits = 1 if size < 10 or 99 <= size < 100 else 0
    return f"{percent:.{digits}f}"


def format_gbp(value: float) -> str:
    """Return an amount in pounds with two or three digits: ``GBP 850``, ``GBP 41k``, ``GBP 1.2m``."""
    size = abs(value)
    sign = MINUS if value < 0 else ""
    for unit, name in ((1e9, "bn"), (1e6, "m"), (1e3, "k")):
        if size >= unit * 0.9995:
            scaled = size / unit
            return f"{sign}GBP{SPACE}{scaled:.1f}{name}" if scaled < 9.95 else f"{sign}GBP{SPACE}{scaled:,.0f}{name}"
    return f"{sign}GBP{SPACE}{size:.0f}"


def _format_minutes(value: float) -> str:
    whole = round(abs(value))
    hours, minutes = divmod(whole, 60)
    text = f"{hours}{SPACE}h {minutes}{SPACE}min" if hours else f"{minutes}{SPACE}min"
    return f"{MINUS}{text}" if value < 0 and whole else text


def _format_points(value: float) -> str:
    return f"{MINUS if value < 0 else '+'}{_format_percent(abs(value) * 100)}{SPACE}points"


def _format_ratio(value: float) -> str:
    return f"{value:.2f}{SPACE}×" if abs(value) < 100 else f"{value:,.0f}{SPACE}×"


_FORMATS_BY_ENDING: dict[str, Callable[[float], str]] = {
    "false_positive_ratio": lambda value: f"{value:.1f}" if value < 100 else f"{value:,.0f}",
    "calibration_gap": _format_points,
    "_difference": _format_points,
    "_ratio": _format_ratio,
    "_gbp_per_day": format_gbp,
    "_minutes": _format_minutes,
    "mature_until": lambda value: f"{value:.0f}{SPACE}days",
}
"""How a figure reads by the end of its metric's name; the unit is in the name."""


def format_number(value: float) -> str:
    """Return a feature's value, whose unit is in its name, with three digits or all of an integer's."""
    if not math.isfinite(value):
        return "–"
    size = abs(value)
    if size >= 1e15 or 0 < size < 1e-6:
        return f"{value:.3g}".replace("-", MINUS)
    decimals = max(0, 2 - math.floor(math.log10(size))) if size else 0
    text = f"{value:,.{decimals}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text.replace("-", MINUS)


def shorten(text: str, most: int = 60) -> str:
    """Return a name from the data, cut where it is longer than anybody reads."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def format_count(value: int) -> str:
    """Return a count with thousands separators."""
    return f"{value:,}"


def format_day(value: date) -> str:
    """Return a day as ``Tue 3 Mar 2026``."""
    return f"{value:%a} {value.day} {value:%b %Y}"


def format_short_day(value: date) -> str:
    """Return a day as ``Tue 3 Mar``."""
    return f"{value:%a} {value.day} {value:%b}"


def pluralise(number: int, one: str, many: str = "") -> str:
    """Return ``1 figure`` or ``2 figures``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def comparison_rows(comparison: Mapping[str, Mapping[str, float | None]]) -> list[dict[str, str]]:
    """Return champion and challenger as lines of a table: each figure, the difference, and its interval."""
    return [_comparison_row(name, values) for name, values in comparison.items()]


def _comparison_row(name: str, values: Mapping[str, float | None]) -> dict[str, str]:
    plain, _, group = name.partition(" ")
    ends = (format_signed(values.get("low")), format_signed(values.get("high")))
    return {
        "name": f"{metric_title(plain)}: {group}" if group else metric_title(plain),
        "champion": format_figure(plain, values.get("champion")),
        "challenger": format_figure(plain, values.get("challenger")),
        "difference": format_signed(values.get("difference")),
        "between": f"({ends[0]} to {ends[1]})" if all(ends) else "",
    }


def format_signed(value: float | None) -> str:
    """Return a difference with its sign, ``+0.031``; empty for none."""
    return "" if value is None or not math.isfinite(value) else f"{value:+.3f}".replace("-", MINUS)


def incident_headline(incident: Incident) -> str:
    """Return an incident's summary as the start of a sentence, or its cause in words."""
    text = incident.summary or incident.cause_entry.title
    return text[:1].upper() + text[1:]


def measurement_subject(m: Measurement) -> str:
    """Return what a measurement is about: its column, its group, both, or all of the table or payments."""
    whole = "the table" if m.monitor in ("arrival", "schema", "check") else "all payments"
    return " · ".join(part for part in (m.feature, m.slice) if part) or whole


def measurement_title(m: Measurement) -> str:
    """Return a measurement's metric and what it is about, as a figure's title."""
    return f"{metric_title(m.metric)}: {measurement_subject(m)}"
