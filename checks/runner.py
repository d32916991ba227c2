"""Runs expectations in the warehouse through Great Expectations, and says of each: held, failed or errored."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.exc import DBAPIError

from checks.expectation_types import Check
from warehouse import great_expectations
from warehouse.engines import Engine
from warehouse.protocol import Relation

BOOLEAN_FORMAT = "BOOLEAN_ONLY"
COUNTS_FORMAT = {"result_format": "BASIC", "partial_unexpected_count": 0}
"""With counts, but without a single value of the data."""
POSITION_KEY = "position"


@dataclass(frozen=True)
class Outcome:
    """What became of one expectation.

    ``held`` is None where it errored, and then ``reason`` says why. ``n`` counts the rows it could look at: those
    that meet its row condition and, for one about a column, aren't null there. ``rows`` also has those with a null;
    both are None where they couldn't be counted. ``result`` are Great Expectations' own figures of a failed one.
    """

    held: bool | None
    n: int | None
    rows: int | None
    reason: str = ""
    result: Mapping[str, Any] = field(default_factory=dict)


def run_expectations(relation: Relation, checks: Sequence[Check]) -> list[Outcome]:
    """Run expectations on the rows of a query, where they are, and return an outcome for each, in order.

    First all of them together without counts, which takes few queries; then those that didn't hold again, each
    on its own: to count, and because one that can't be computed takes others of the same query down with it.
    """
    great_expectations.import_great_expectations()  # quietly, before the modules that import it
    try:
        with relation.engine.open_batch(relation) as (runs, batch), warnings.catch_warnings():
            # a model file can only write a row condition as text
            warnings.filterwarnings("ignore", message=".*deprecated as of GX Core 1.9.0", category=DeprecationWarning)
            return _outcomes(relation.engine, runs, batch, checks)
    except DBAPIError as error:  # the partition itself can't be read
        return [Outcome(None, None, None, _error_reason(relation.engine, str(error)))] * len(checks)


def _outcomes(engine: Engine, runs: Any, batch: Any, checks: Sequence[Check]) -> list[Outcome]:
    """Return the outcome of each check; ``runs`` is Great Expectations' execution engine."""
    built = [_build_expectation(position, check) for position, check in enumerate(checks)]
    runs.batch_manager.load_batch_list(batch_list=[batch])  # else counts would be of the last batch of that name
    row_counts = _count_rows(runs, batch.id, checks)
    held = _find_held(batch, [expectation for expectation in built if not isinstance(expectation, str)])
    return [
        _outcome(engine, batch, expectation, counts, sure=held.get(position, False))
        for position, (expectation, counts) in enumerate(zip(built, row_counts, strict=True))
    ]


def _build_expectation(position: int, check: Check) -> Any | str:
    """Return the expectation, or why Great Expectations doesn't take its arguments."""
    ((kind, arguments),) = check.items()
    given = {name: value for name, value in arguments.items() if name not in ("meta", "condition_parser")}
    given |= _condition_arguments(arguments)
    try:
        return great_expectations.find_expectation_class(kind)(**given, meta={POSITION_KEY: position})
    except ValueError as error:  # pydantic's validation error is one
        return " ".join(str(error).split())


def _condition_arguments(arguments: Mapping[str, Any]) -> dict[str, str]:
    condition = arguments.get("row_condition")
    return {"row_condition": condition, "condition_parser": "great_expectations"} if condition else {}


def _count_rows(runs: Any, batch_id: str, checks: Sequence[Check]) -> list[tuple[int | None, int | None]]:
    """Return for each check: rows that aren't null in its column, rows; both where its row condition is met."""
    from great_expectations.validator.metric_configuration import MetricConfiguration  # noqa: PLC0415  takes seconds
    from great_expectations.validator.metrics_calculator import MetricsCalculator  # noqa: PLC0415

    wanted: dict[tuple[str, str], Any] = {}
    keys = []
    for check in checks:
        ((_, arguments),) = check.items()
        column, condition = str(arguments.get("column", "")), str(arguments.get("row_condition") or "")
        keys.append((column, condition))
        where = {"batch_id": batch_id, **_condition_arguments(arguments)}
        wanted["", condition] = MetricConfiguration("table.row_count", where, {})
        if column:
            wanted[column, condition] = MetricConfiguration("column.non_null_count", {**where, "column": column}, {})
    calculator = MetricsCalculator(runs, show_progress_bars=False)
    found, _errors = calculator.compute_metrics(list(wanted.values()))
    counts = {key: found.get(metric.id) for key, metric in wanted.items()}
    return [(counts[key], counts["", key[1]]) for key in keys]


def _find_held(batch: Any, expectations: Sequence[Any]) -> dict[int, bool]:
    suite = great_expectations.import_great_expectations().ExpectationSuite(
        name="checks", expectations=list(expectations)
    )
    results = batch.validate(suite, result_format=BOOLEAN_FORMAT).results
    return {result.expectation_config.meta[POSITION_KEY]: bool(result.success) for result in results}


def _outcome(
    engine: Engine, batch: Any, expectation: Any | str, counts: tuple[int | None, int | None], *, sure: bool
) -> Outcome:
    n, rows = counts
    if isinstance(expectation, str):
        return Outcome(None, n, rows, expectation)
    if sure:
        return Outcome(held=True, n=n, rows=rows)
    result = batch.validate(expectation, result_format=COUNTS_FORMAT)
    message = _exception_message(result.exception_info)
    if message:
        return Outcome(None, n, rows, _error_reason(engine, message))
    return Outcome(bool(result.success), n, rows, result=dict(result.result))


def _exception_message(exception_info: Any) -> str:
    """Return the first message of what was raised, or nothing: the shape differs with where it was raised."""
    if "raised_exception" in exception_info:
        return str(exception_info["exception_message"]) if exception_info["raised_exception"] else ""
    return next((str(raised["exception_message"]) for raised in exception_info.values()), "")


def _error_reason(engine: Engine, message: str) -> str:
    """Return a sentence about an error that holds nothing from the rows."""
    absent = re.search(r'column "(.+)" in BatchData does not exist', message)
    if absent:
        return f"column '{absent[1]}' isn't in the partition"
    return engine.explain_check_error(message)
