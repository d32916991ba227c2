from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from typing import Any

import pytest

from checks import expectation_types
from checks.unsupported import UNSUPPORTED_TYPES
from tests.checks.conftest import spec_of
from tests.checks.examples import EXAMPLES
from warehouse import great_expectations

COLUMNS = {"amount_gbp": {"kind": "number"}, "feature_10": {"kind": "number"}, "channel": {"kind": "category"}}


def problem(kind: str, **arguments: Any) -> str:
    (found,) = expectation_types.describe_spec_problems(spec_of({kind: arguments}))
    return found


def test_the_catalogue_says_what_great_expectations_says() -> None:
    assert json.loads(expectation_types.TYPES_FILE.read_text(encoding="utf-8")) == expectation_types.read_from_library()


def test_every_expectation_of_the_library_is_in_the_catalogue_or_refused_with_an_alternative() -> None:
    assert (
        set(great_expectations.list_expectation_types())
        == expectation_types.runnable_types().keys() | UNSUPPORTED_TYPES.keys()
    )
    assert expectation_types.runnable_types().keys().isdisjoint(UNSUPPORTED_TYPES)


def test_every_example_is_in_order() -> None:
    checks = [{kind: arguments} for kind, both in EXAMPLES.items() for arguments in both]
    assert expectation_types.describe_spec_problems(spec_of(*checks)) == []


def test_model_files_are_checked_without_importing_great_expectations() -> None:
    code = (
        "import sys; from checks import arrival, expectation_types, suite; expectation_types.runnable_types();"
        "print('great_expectations' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "False"


def test_a_misspelt_type_is_named_with_its_nearest_spelling() -> None:
    assert problem("expect_column_values_to_be_beetween", column="age", min_value=0) == (
        "checks, entry 1, expect_column_values_to_be_beetween: no such expectation in Great Expectations; "
        "did you mean 'expect_column_values_to_be_between'?"
    )


@pytest.mark.parametrize("kind", UNSUPPORTED_TYPES)
def test_a_refused_type_is_named_with_what_to_use_instead(kind: str) -> None:
    assert f"{kind}: can't be run in the warehouse; {UNSUPPORTED_TYPES[kind]}" in problem(kind, column="age")


def test_an_unknown_argument_is_named_with_those_accepted() -> None:
    found = problem("expect_column_values_to_be_between", column="age", min_values=0, max_value=9)
    assert "min_values: unknown argument; accepted are column, " in found
    assert found.endswith("did you mean 'min_value'?")


def test_a_missing_argument_is_named() -> None:
    assert problem("expect_column_values_to_be_in_set", column="age").endswith("value_set: is missing")
    assert problem("expect_column_values_to_not_be_null", column=None).endswith("column: is missing")


def test_a_bad_severity_is_named_with_its_nearest_spelling() -> None:
    assert problem("expect_column_to_exist", column="age", severity="warn").endswith(
        "severity: must be 'critical' or 'warning' or 'info', not 'warn'; did you mean 'warning'?"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"min_value": "ten"}, "min_value: must be a number or a date, not 'ten'"),
        ({"min_value": True}, "min_value: must be a number or a date, not True"),
        ({"min_value": 0, "mostly": "0.9"}, "mostly: must be a number, not '0.9'"),
        ({"min_value": 0, "mostly": 99}, "mostly: must be a share from 0 to 1, not 99"),
        ({"min_value": 0, "strict_min": "yes"}, "strict_min: must be true or false, not 'yes'"),
        ({"min_value": 0, "row_condition": "age > 3"}, "row_condition: must be col("),
        ({"min_value": 0, "row_condition": 'col("a") > 3 and col("b") > 2'}, "row_condition: must be col("),
        ({"min_value": 0, "condition_parser": "pandas"}, "condition_parser: must be 'great_expectations', not"),
        ({}, "checks nothing without min_value or max_value"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_accepted(arguments: dict[str, Any], said: str) -> None:
    assert said in problem("expect_column_values_to_be_between", column="age", **arguments)


@pytest.mark.parametrize("value", [0, 1.5, date(2026, 1, 1), "2026-01-01"])
def test_numbers_and_dates_are_bounds(value: object) -> None:
    check = {"expect_column_values_to_be_between": {"column": "age", "min_value": value}}
    assert expectation_types.describe_spec_problems(spec_of(check)) == []


@pytest.mark.parametrize(
    "condition", ['col("a b") >= -1.5e3', 'col("a").notnull()', 'col("a") == "web app"', "col(\"a\") != 'x'"]
)
def test_the_conditions_that_great_expectations_reads_are_accepted(condition: str) -> None:
    check = {"expect_column_values_to_not_be_null": {"column": "age", "row_condition": condition}}
    assert expectation_types.describe_spec_problems(spec_of(check)) == []


def test_a_column_that_looks_misspelt_is_named_and_one_that_does_not_may_be_in_the_table() -> None:
    def said(column: str) -> list[str]:
        features = {"table": "payments", "columns": COLUMNS}
        return expectation_types.describe_spec_problems(
            spec_of({"expect_column_to_exist": {"column": column}}, features=features)
        )

    assert said("amount_gpb")[0].endswith("did you mean 'amount_gbp'?")
    for column in ("amount_gbp", "payment_id", "score", "device", "feature_11"):
        assert said(column) == []


def test_a_model_file_that_lists_no_columns_may_check_any() -> None:
    assert expectation_types.describe_spec_problems(spec_of({"expect_column_to_exist": {"column": "scores"}})) == []


def test_the_same_check_twice_is_named() -> None:
    check = {"expect_column_to_exist": {"column": "age"}}
    (found,) = expectation_types.describe_spec_problems(spec_of(check, check))
    assert found == "checks, entry 2, expect_column_to_exist: is the same as entry 1; leave one of them out"


def test_every_problem_of_a_file_is_said_at_once() -> None:
    spec = spec_of({"expect_nothing": {}}, {"expect_column_to_exist": {}}, {"expect_column_to_exist": {"column": 5}})
    assert len(expectation_types.describe_spec_problems(spec)) == 3
