"""Whether the incoming data is fit to score on: the model file's expectations, run where the data is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from checks import intervals, runner
from checks.expectation_types import Check, checked_columns, describe_check_faults, runnable_types
from checks.runner import Outcome
from ledger.records.measurements import Measurement, Verdict
from models.errors import WatchkeeperError
from models.extras import is_installed
from models.spec import Spec
from warehouse.protocol import Warehouse

NEED_NO_VALUE = {
    "expect_column_to_exist",
    "expect_column_values_to_be_null",
    "expect_column_values_to_not_be_null",
    "expect_column_proportion_of_non_null_values_to_be_between",
}
"""Expectations about a column that are useful even where every value is null."""
NEED_NO_ROW = ("expect_table_", "expect_column_to_exist")
WORST_FIRST = (Verdict.BREACH, Verdict.ERRORED, Verdict.INSUFFICIENT, Verdict.OK)


def run_checks(spec: Spec, day: date, warehouse: Warehouse) -> list[Measurement]:
    """Run ``spec.checks`` on a day's partition and return a measurement for each, sorted by type, column, condition.

    ``metric`` is the expectation's type, ``feature`` its columns joined by ', ', ``slice`` its row condition.
    One that failed has as value the share of unexpected values with its interval, and as limit the share that it
    accepts, ``1 - mostly``; or, for a statistic of a column, the observed figure and the bound it crossed. One that
    held with ``mostly`` of 1 has the share 0; others that held weren't counted and have no value. ``n`` counts what
    could be checked. A failed expectation of severity info is noted and ok; one that could look at nothing is
    insufficient; one that can't be run or raised is errored. Of several with one type, columns and condition, the
    worst is returned, with the reasons of all.

    Raises WatchkeeperError where there are checks, and Great Expectations is not installed.
    """
    sound = [check for check in spec.checks if not describe_check_faults(check)]
    outcomes = iter(_outcomes(spec, day, warehouse, sound))
    found: dict[tuple[str, str, str], Measurement] = {}
    for check in spec.checks:
        wrong = describe_check_faults(check)
        outcome = Outcome(None, None, None, "; ".join(wrong)) if wrong else next(outcomes)
        measured = _measurement(spec, day, check, outcome)
        key = (measured.metric, measured.feature, measured.slice)
        found[key] = _merge_worst(found[key], measured) if key in found else measured
    return [found[key] for key in sorted(found)]


def _outcomes(spec: Spec, day: date, warehouse: Warehouse, checks: Sequence[Check]) -> list[Outcome]:
    if not checks:
        return []
    if not is_installed("great_expectations"):
        raise WatchkeeperError(
            f"{spec.model}: the model file has checks, and Great Expectations is not installed; "
            "install watchkeeper[checks]"
        )
    return runner.run_expectations(warehouse.relation(spec, day), checks)


def _measurement(spec: Spec, day: date, check: Check, outcome: Outcome) -> Measurement:
    ((kind, arguments),) = check.items()
    blank = Measurement(
        spec.model,
        day,
        day,
        "check",
        kind,
        ", ".join(checked_columns(arguments)),
        str(arguments.get("row_condition") or ""),
        n=_rows_checked(kind, outcome),
        verdict=Verdict.OK,
    )
    severity = str(arguments.get("severity", "critical"))
    if outcome.held is None:
        return replace(blank, verdict=Verdict.ERRORED, reason=outcome.reason)
    if outcome.held:
        return _passed(blank, arguments)
    failed = _share_failed(blank, arguments, outcome.result) or _figure_failed(blank, arguments, outcome.result)
    if severity == "info":
        return replace(failed, reason=f"{failed.reason}; only noted, its severity is info")
    return replace(failed, verdict=Verdict.BREACH, reason=f"{failed.reason}; severity {severity}")


def _rows_checked(kind: str, outcome: Outcome) -> int:
    """Return how many rows the expectation could look at."""
    counted = outcome.rows if kind in NEED_NO_VALUE or outcome.n is None else outcome.n
    return counted or 0


def _passed(blank: Measurement, arguments: Mapping[str, Any]) -> Measurement:
    if blank.n == 0 and not blank.metric.startswith(NEED_NO_ROW):
        return replace(blank, verdict=Verdict.INSUFFICIENT, reason="there was no value to check")
    if not _counts_values(blank.metric):
        return replace(blank, reason="held")
    accepted = _accepted_share(arguments)
    if accepted > 0:
        return replace(blank, limit=accepted, reason=f"held: at most {_percent(accepted)} unexpected of {blank.n:,}")
    low, high = intervals.share_interval(0, blank.n)
    return replace(blank, value=0.0, low=low, high=high, limit=0.0, reason=f"held: none unexpected of {blank.n:,}")


def _share_failed(blank: Measurement, arguments: Mapping[str, Any], result: Mapping[str, Any]) -> Measurement | None:
    """Return the measurement of an expectation that counts rows one by one; None of another."""
    if not {"element_count", "unexpected_count"} <= result.keys():
        return None
    n = int(result["element_count"]) - int(result.get("missing_count", 0))
    unexpected = int(result["unexpected_count"])
    if n <= 0:
        return replace(blank, reason="failed, with no value to check")
    accepted = _accepted_share(arguments)
    low, high = intervals.share_interval(unexpected, n)
    reason = f"{unexpected:,} of {n:,} values are unexpected ({_percent(unexpected / n)}), "
    reason += f"{_percent(accepted)} is accepted" if accepted else "none is accepted"
    return replace(blank, value=unexpected / n, low=low, high=high, limit=accepted, n=n, reason=reason)


def _figure_failed(blank: Measurement, arguments: Mapping[str, Any], result: Mapping[str, Any]) -> Measurement:
    """Return the measurement of an expectation about one figure: of a column, of the table, or of a query."""
    observed = _number(result.get("observed_value"))
    counted = {name: int(result[f"{name}_count"]) for name in ("unexpected", "missing") if result.get(f"{name}_count")}
    if observed is None and counted:
        words = " and ".join(f"{count:,} {name} distinct values" for name, count in counted.items())
        return replace(blank, value=float(sum(counted.values())), limit=0.0, reason=f"the column has {words}")
    if observed is None:
        return replace(blank, reason="failed, and there is no figure to show")
    if blank.metric == "unexpected_rows_expectation":
        return replace(blank, value=observed, limit=0.0, reason=f"the query returns {observed:,.0f} rows")
    limit = _crossed_bound(arguments, observed)
    reason = f"observed {observed:,.6g}"
    return replace(
        blank, value=observed, limit=limit, reason=reason if limit is None else f"{reason}, limit {limit:,.6g}"
    )


def _crossed_bound(arguments: Mapping[str, Any], observed: float) -> float | None:
    """Return the bound that the observed figure crossed."""
    lower, upper = _number(arguments.get("min_value")), _number(arguments.get("max_value"))
    if lower is not None and (observed < lower or (observed == lower and arguments.get("strict_min"))):
        return lower
    if upper is not None:
        return upper
    return _number(arguments.get("value", arguments.get("threshold")))


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _counts_values(kind: str) -> bool:
    return "mostly" in runnable_types()[kind]["arguments"]


def _accepted_share(arguments: Mapping[str, Any]) -> float:
    return round(1 - float(arguments.get("mostly", 1)), 12)


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _merge_worst(first: Measurement, second: Measurement) -> Measurement:
    """Return the worse of two, with what was found by both."""
    worse = min(first, second, key=lambda measured: WORST_FIRST.index(measured.verdict))
    reasons = dict.fromkeys((first.reason, second.reason))
    return replace(worse, reason="; and: ".join(reasons))
