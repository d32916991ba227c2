"""The expectations that Great Expectations has but that can't be run where the data is, and what to use instead."""

from __future__ import annotations

_SCHEMA = "each day's column types are compared with earlier ones without any check: drop this entry"
_ORDER = "the rows of a partition have no order: use unexpected_rows_expectation with a window function"


def _by_query(duckdb: str, bigquery: str) -> str:
    return (
        "use unexpected_rows_expectation with unexpected_rows_query: "
        f'"SELECT * FROM {{batch}} WHERE {duckdb}", or on BigQuery "SELECT * FROM {{batch}} WHERE {bigquery}" '
        "(the rows it returns are the unexpected ones)"
    )


UNSUPPORTED_TYPES = {
    "expect_column_type_to_be": _SCHEMA,
    "expect_column_values_to_be_of_type": _SCHEMA,
    "expect_column_values_to_be_in_type_list": _SCHEMA,
    "expect_column_values_to_be_increasing": _ORDER,
    "expect_column_values_to_be_decreasing": _ORDER,
    "expect_column_values_to_be_dateutil_parseable": _by_query(
        "try_cast(a_column AS TIMESTAMP) IS NULL", "SAFE_CAST(a_column AS TIMESTAMP) IS NULL"
    ),
    "expect_column_values_to_match_strftime_format": _by_query(
        "try_strptime(a_column, '%Y-%m-%d') IS NULL", "SAFE.PARSE_DATE('%Y-%m-%d', a_column) IS NULL"
    ),
    "expect_column_values_to_be_json_parseable": _by_query(
        "NOT json_valid(a_column)", "SAFE.PARSE_JSON(a_column) IS NULL"
    ),
    "expect_column_values_to_match_json_schema": _by_query(
        "a_column ->> '$.a_key' IS NULL", "JSON_VALUE(a_column, '$.a_key') IS NULL"
    ),
    "expect_column_values_to_not_be_outliers": "use expect_column_values_to_be_between, or "
    "expect_column_value_z_scores_to_be_less_than with a threshold",
    "expect_query_results_to_match_comparison": "it compares two data sources, and a model has one: "
    "use unexpected_rows_expectation",
    "expect_table_row_count_to_equal_other_table": "it needs a second table: use "
    "expect_table_row_count_to_be_between, or the row count that is watched without any check",
}
"""Each type with what to use instead, as the second half of a sentence."""
