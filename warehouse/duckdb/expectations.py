"""Great Expectations on DuckDB: what its generic SQL source lacks for this engine.

Importing this module imports great_expectations, which takes seconds: import it inside functions only.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, Literal

import sqlalchemy as sa
from great_expectations.datasource.fluent.sql_datasource import SQLDatasource
from great_expectations.execution_engine.sqlalchemy_execution_engine import SqlAlchemyExecutionEngine
from great_expectations.expectations.metrics.map_metric_provider.column_condition_partial import (
    column_condition_partial,
)
from great_expectations.expectations.metrics.map_metric_provider.column_map_metric_provider import (
    ColumnMapMetricProvider,
)

from warehouse import great_expectations
from warehouse.protocol import Relation

SqlCondition = sa.ColumnElement[bool]
EngineClass = type[SqlAlchemyExecutionEngine]
PARTITION_VIEW = "watched_partition"
"""The view in which the rows of the day are."""
DUCKDB_SETTINGS = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
"""Settings of DuckDB: never a download."""


@contextmanager
def open_batch(relation: Relation) -> Generator[tuple[SqlAlchemyExecutionEngine, Any], None, None]:
    """Give the engine that runs the query and the batch of its rows; nothing stays open."""
    source, partition = _datasource(relation.address)
    engine = source.get_execution_engine()
    try:
        engine.open(relation.query)
        yield engine, partition.get_batch()
    finally:
        engine.release()


@cache
def _datasource(address: str) -> tuple[Any, Any]:
    """Return the one source of an engine in this process, and its partition: making it takes longer than a run."""
    sources = great_expectations.great_expectations_context().data_sources
    source = sources.add_duckdb(
        name="duckdb", connection_string=address, kwargs={"connect_args": {"config": DUCKDB_SETTINGS}}
    )
    source.get_engine().dispose()  # it was opened as a test; runs use the execution engine's
    asset = source.add_query_asset("partition", query=f"SELECT * FROM {PARTITION_VIEW}")
    return source, asset.add_batch_definition_whole_table("whole")


class DuckDBEngine(SqlAlchemyExecutionEngine):
    """Keeps one connection for a run: a DuckDB result can't be read any more once its connection was closed."""

    def open(self, query: str) -> None:
        """Connect, and let the view PARTITION_VIEW stand for the query.

        The query is handed to DuckDB as it is: GX would read ``:name`` in a path or a column as a parameter.
        """
        self._connection = self.engine.connect()
        self._connection.exec_driver_sql("SET TimeZone = 'UTC'")
        self._connection.exec_driver_sql(f"CREATE TEMP VIEW {PARTITION_VIEW} AS {query}")
        self._connection.commit()

    @contextmanager
    def get_connection(self) -> Generator[sa.Connection, None, None]:
        """Give the run's connection; a query that fails is rolled back, so that the next one can run."""
        if self._connection is None:
            self._connection = self.engine.connect()
        try:
            yield self._connection
        except Exception:
            self._connection.rollback()
            raise

    def release(self) -> None:
        """Close the connection, and with it the in-memory database and every file it holds open."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self.engine.dispose()


class DuckDBSource(SQLDatasource):
    """The source that ``context.data_sources.add_duckdb`` adds."""

    type: Literal["duckdb"] = "duckdb"  # type: ignore[assignment]  # this is how GX names a kind of source

    @property
    def execution_engine_type(self) -> EngineClass:
        """Return the engine above."""
        return DuckDBEngine


def _like(column: Any, like_pattern: str, escape: str | None = None, **_: Any) -> SqlCondition:
    return sa.type_coerce(column, sa.String).like(like_pattern, escape=escape)


def _like_list(
    column: Any, like_pattern_list: Sequence[str], match_on: str | None = None, escape: str | None = None, **_: Any
) -> SqlCondition:
    return _combined([_like(column, pattern, escape) for pattern in like_pattern_list], match_on)


def _regex(column: Any, regex: str, **_: Any) -> SqlCondition:
    """Return whether RE2 finds the pattern anywhere in the value, as GX does on its other engines."""
    return sa.func.regexp_matches(column, regex, type_=sa.Boolean)


def _regex_list(column: Any, regex_list: Sequence[str], match_on: str | None = None, **_: Any) -> SqlCondition:
    return _combined([_regex(column, regex) for regex in regex_list], match_on)


def _combined(conditions: list[SqlCondition], match_on: str | None) -> SqlCondition:
    return sa.and_(*conditions) if match_on == "all" else sa.or_(*conditions)


def _not(condition: Callable[..., SqlCondition]) -> Callable[..., SqlCondition]:
    return lambda column, **arguments: sa.not_(condition(column, **arguments))


def _register_condition(metric: str, condition: Callable[..., SqlCondition], *arguments: str) -> None:
    """Register a column condition that GX knows, but has no SQL for in this dialect (GX registers by subclassing)."""

    @column_condition_partial(engine=DuckDBEngine)
    def _sqlalchemy(cls: Any, column: Any, **values: Any) -> SqlCondition:
        return condition(column, **values)

    body = {"condition_metric_name": metric, "condition_value_keys": arguments, "_sqlalchemy": _sqlalchemy}
    types.new_class(f"DuckDB_{metric}", (ColumnMapMetricProvider,), exec_body=lambda names: names.update(body))


_register_condition("column_values.match_regex", _regex, "regex")
_register_condition("column_values.not_match_regex", _not(_regex), "regex")
_register_condition("column_values.match_regex_list", _regex_list, "regex_list", "match_on")
_register_condition("column_values.not_match_regex_list", _not(_regex_list), "regex_list")
_register_condition("column_values.match_like_pattern", _like, "like_pattern", "escape")
_register_condition("column_values.not_match_like_pattern", _not(_like), "like_pattern", "escape")
_register_condition("column_values.match_like_pattern_list", _like_list, "like_pattern_list", "match_on", "escape")
_register_condition("column_values.not_match_like_pattern_list", _not(_like_list), "like_pattern_list", "escape")
