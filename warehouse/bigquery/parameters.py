"""Values bound to a statement, as query parameters of BigQuery's types."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from google.cloud import bigquery

Parameter = bigquery.ScalarQueryParameter | bigquery.ArrayQueryParameter


def bind_parameters(values: Mapping[str, object]) -> list[Parameter]:
    """Return values as query parameters of their own types; moments without a time zone are taken as UTC.

    An empty list is one of texts: BigQuery wants a type, and statements name the one they need.
    """
    return [_bind_parameter(name, value) for name, value in values.items()]


def _bind_parameter(name: str, value: object) -> Parameter:
    if isinstance(value, list | tuple):
        kinds = {_bigquery_type(one) for one in value} or {"STRING"}
        kind = "FLOAT64" if kinds == {"INT64", "FLOAT64"} else min(kinds)
        return bigquery.ArrayQueryParameter(name, kind, [_with_time_zone(one) for one in value])
    return bigquery.ScalarQueryParameter(name, _bigquery_type(value), _with_time_zone(value))


def _bigquery_type(value: object) -> str:
    """Return BigQuery's type of a value; a bool is an int and a datetime a date, so these come first."""
    kinds = {bool: "BOOL", int: "INT64", float: "FLOAT64", datetime: "TIMESTAMP", date: "DATE", str: "STRING"}
    return next(kinds[kind] for kind in kinds if isinstance(value, kind))


def _with_time_zone(value: Any) -> Any:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value
