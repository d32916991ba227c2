"""Runs expectations in the warehouse through Great Expectations, and says of each: held, failed or errored."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.exc import DBAPIError

from checks.expectation_types import Check
from warehouse import great_expectations
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
    try:
        with _open_batch(relation) as (engine, batch), warnings.catch_warnings():
            # a model file can only write a row condition as text
            warnings.filterwarnings("ignore", message=".*deprecated as of GX Core 1.9.0", category=DeprecationWarning)
            return _outcomes(engine, batch, checks)
    except DBAPIError as error:  # the partition itself can't be read
        return [Outcome(None, None, None, _error_reason(str(error)))] * len(checks)


def _open_batch(relation: Relation) -> AbstractContextManager[tuple[Any, Any]]:
    """Return the engine of a relation and the batch of its rows."""
    great_expectations.import_great_expectations()  # quietly, before the modules that import it
    if relation.address.startswith("bigquery:"):
        from warehouse.bigquery.expectations import open_batch as opened_bigquery  # noqa: PLC0415  imports great_expectations

        return opened_bigquery(relation)
    from warehouse.duckdb.expectations import open_batch as opened_duckdb  # noqa: PLC0415

    return opened_duckdb(relation)


def _outcomes(engine: Any, batch: Any, checks: Sequence[Check]) -> list[Outcome]:
    built = [_build_expectation(position, check) for position, check in enumerate(checks)]
    engine.batch_manager.load_batch_list(batch_list=[batch])  # else counts would be of the last batch of that name
    row_counts = _count_rows(engine, batch.id, checks)
    held = _find_held(batch, [expectation for expectation in built if not isinstance(expectation, str)])
    return [
        _outcome(batch, expectation, counts, sure=held.get(position, False))
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


def _count_rows(engine: Any, batch_id: str, checks: Sequence[Check]) -> list[tuple[int | None, int | None]]:
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
    calculator = MetricsCalculator(engine, show_progress_bars=False)
    found, _errors = calculator.compute_metrics(list(wanted.values()))
    counts = {key: found.get(metric.id) for key, metric in wanted.items()}
    return [(counts[key], counts["", key[1]]) for key in keys]


def _find_held(batch: Any, expectations: Sequence[Any]) -> dict[int, bool]:
    suite = great_expectations.import_great_expectations().ExpectationSuite(
        name="checks", expectations=list(expectations)
    )
    results = batch.validate(suite, result_format=BOOLEAN_FORMAT).results
    return {result.expectation_config.meta[POSITION_KEY]: bool(result.success) for result in results}


def _outcome(batch: Any, expectation: Any | str, counts: tuple[int | None, int | None], *, sure: bool) -> Outcome:
    n, rows = counts
    if isinstance(expectation, str):
        return Outcome(None, n, rows, expectation)
    if sure:
        return Outcome(held=True, n=n, rows=rows)
    result = batch.validate(expectation, result_format=COUNTS_FORMAT)
    message = _exception_message(result.exception_info)
    if message:
        return Outcome(None, n, rows, _error_reason(message))
    return Outcome(bool(result.success), n, rows, result=dict(result.result))


def _exception_message(exception_info: Any) -> str:
    """Return the first message of what was raised, or nothing: the shape differs with where it was raised."""
    if "raised_exception" in exception_info:
        return str(exception_info["exception_message"]) if exception_info["raised_exception"] else ""
    return next((str(raised["exception_message"]) for raised in exception_info.values()), "")


def _error_reason(message: str) -> str:
    """Return a sentence about an error that holds nothing from the rows.

    DuckDB quotes the value that it couldn't convert, but not where it only bound names and types. What BigQuery said
    is a sentence already, from ``warehouse.bigquery.errors``.
    """
    absent = re.search(r'column "(.+)" in BatchData does not exist', message)
    if absent:
        return f"column '{absent[1]}' isn't in the partition"
    if ": BigQuery " in message:
        return " ".join(message.split())
    kind = re.search(r"\b([A-Z][A-Za-z]+(?: [A-Z][a-z]+)* Error): ([^\n]*)", message)
    if kind and kind[1] in ("Binder Error", "Catalog Error", "Parser Error"):
        return f"DuckDB refuses it: {kind[2][:200]}"
    return f"DuckDB gave up on it: {kind[1]}" if kind else " ".join(message.split())[:200]
