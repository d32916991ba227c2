"""The expectations that Great Expectations has but that can't be run where the data is, and what to use instead."""

from __future__ import annotations

from warehouse.engines import list_engines

_SCHEMA = "each day's column types are compared with earlier ones without any check: drop this entry"
_ORDER = "the rows of a partition have no order: use unexpected_rows_expectation with a window function"


def _by_query(kind: str) -> str:
    """Return how a query finds the same rows, in the SQL of each engine that can say it."""
    first, *others = [engine for engine in list_engines() if kind in engine.unexpected_rows]
    queries = [f'"SELECT * FROM {{batch}} WHERE {first.unexpected_rows[kind]}"']
    queries += [f'on {each.name} "SELECT * FROM {{batch}} WHERE {each.unexpected_rows[kind]}"' for each in others]
    return (
        f"use unexpected_rows_expectation with unexpected_rows_query: {', or '.join(queries)} "
        "(the rows it returns are the unexpected ones)"
    )


_BY_QUERY = (
    "expect_column_values_to_be_dateutil_parseable",
    "expect_column_values_to_match_strftime_format",
    "expect_column_values_to_be_json_parseable",
    "expect_column_values_to_match_json_schema",
)
UNSUPPORTED_TYPES = {
    "expect_column_type_to_be": _SCHEMA,
    "expect_column_values_to_be_of_type": _SCHEMA,
    "expect_column_values_to_be_in_type_list": _SCHEMA,
    "expect_column_values_to_be_increasing": _ORDER,
    "expect_column_values_to_be_decreasing": _ORDER,
    **{kind: _by_query(kind) for kind in _BY_QUERY},
    "expect_column_values_to_not_be_outliers": "use expect_column_values_to_be_between, or "
    "expect_column_value_z_scores_to_be_less_than with a threshold",
    "expect_query_results_to_match_comparison": "it compares two data sources, and a model has one: "
    "use unexpected_rows_expectation",
    "expect_table_row_count_to_equal_other_table": "it needs a second table: use "
    "expect_table_row_count_to_be_between, or the row count that is watched without any check",
}
"""Each type with what to use instead, as the second half of a sentence."""
