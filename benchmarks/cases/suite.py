"""Great Expectations as Watchkeeper runs it: a suite of three dozen expectations on one day, in the warehouse."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.data import Recipe, Table, day_of, recipes
from benchmarks.model import spec
from checks.suite import run_checks
from ledger.records.measurements import Measurement, Verdict
from warehouse import great_expectations
from warehouse.duckdb.warehouse import ParquetWarehouse

Check = dict[str, dict[str, Any]]


def prepare(*, root: str, rows: int, days: int, columns: int) -> Callable[[], list[Measurement]]:
    """Return the run of the suite on the first day; Great Expectations is imported before."""
    table = Table(rows, days, columns)
    suite = [check for recipe in recipes(columns) for check in _expected(recipe)]
    suite.append({"expect_column_values_to_be_unique": {"column": "payment_id"}})
    model = spec(table).model_copy(update={"checks": suite})
    bank = ParquetWarehouse(Path(root))
    great_expectations.import_great_expectations()
    return lambda: run_checks(model, day_of(0), bank)


def answer(found: list[Measurement]) -> dict[str, int]:
    """Return how many expectations were run, and how many could not be."""
    return {"expectations": len(found), "errored": sum(m.verdict is Verdict.ERRORED for m in found)}


def _expected(recipe: Recipe) -> list[Check]:
    """Return expectations that hold: not null, and within range or among the levels."""
    column = {"column": recipe.name}
    filled: Check = {"expect_column_values_to_not_be_null": column | {"mostly": round(0.9 * (1 - recipe.nulls), 2)}}
    if recipe.kind == "category":
        levels = [f"{recipe.name}-{i}" for i in range(int(recipe.size))]
        return [filled, {"expect_column_values_to_be_in_set": column | {"value_set": levels}}]
    return [filled, {"expect_column_values_to_be_between": column | {"min_value": -1e9, "max_value": 1e9}}]
