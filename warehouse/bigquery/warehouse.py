"""The production warehouse: BigQuery, which gets the same statements in its own words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlglot import exp

from models.errors import WatchkeeperError, did_you_mean
from models.spec import Spec
from profiles.bins import Ints
from profiles.profile import Cohort, Profile
from profiles.schema import ProfileSchema
from warehouse.bigquery.jobs import Jobs, Purpose
from warehouse.budget import ReadPlan, choose_plan, reading_plans
from warehouse.duckdb import files
from warehouse.profiling import assembly, scanning, schema
from warehouse.profiling.assembly import GroupedRows
from warehouse.profiling.scanning import ROLLED_UP
from warehouse.protocol import Partition, Relation
from warehouse.source import Source, TableSource
from warehouse.sql import batched_queries, row_queries, scan_queries
from warehouse.sql import expressions as sql
from warehouse.sql.dialect import to_bigquery
from warehouse.sql.expressions import Bound
from warehouse.sql.scan_queries import Statement, where_clause
from warehouse.sql.top_entities import RankedCard

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from google.cloud.bigquery import SchemaField

DUCKDB_TYPES = {
    "INTEGER": "BIGINT",
    "INT64": "BIGINT",
    "FLOAT": "DOUBLE",
    "FLOAT64": "DOUBLE",
    "NUMERIC": "DECIMAL(38,9)",
    "BIGNUMERIC": "DECIMAL(76,38)",
    "STRING": "VARCHAR",
    "BOOLEAN": "BOOLEAN",
    "BOOL": "BOOLEAN",
    "DATE": "DATE",
    "DATETIME": "TIMESTAMP",
    "TIMESTAMP": "TIMESTAMP WITH TIME ZONE",
}
"""Types of BigQuery, by the names that statements know them under."""


LONGEST_HORIZON_DAYS = 730
"""No label is looked for in older partitions than this before the baseline."""


class BigQueryWarehouse:
    """Tables are ``dataset.table`` (or ``project.dataset.table``), best partitioned by their day column.

    Everything is read as the tables were when the warehouse was opened, or at ``read_at``, at most seven days back:
    what is rewritten meanwhile is not seen by half, and a day watched again sees the same data.
    """

    def __init__(self, jobs: Jobs, read_at: datetime | None = None) -> None:
        self._jobs = jobs
        self._asked_for = read_at
        self.account = jobs.account

    @cached_property
    def read_at(self) -> datetime:
        """Return the moment whose version of the tables is read; BigQuery's own clock says when now is."""
        if self._asked_for is not None:
            return self._asked_for
        now: datetime = _BigQueryEngine(self._jobs, "", "clock", None).rows(Statement("SELECT current_timestamp", {}))[
            0
        ][0]
        return now

    def partition(self, spec: Spec, day: date) -> Partition | None:
        """Return what arrived for a day, or None; raise WatchkeeperError where the table can't be read.

        The version is that of the partition's last change, or, where the table isn't partitioned by its day column,
        of the day's rows and ids.
        """
        source, bound = self._source(spec, day, day), Bound()
        distinct, digest = "count(*)", "0"
        if spec.features.id in source.columns:
            name = sql.quoted_column(spec.features.id)
            distinct, digest = f"count(DISTINCT {name})", f"bit_xor(hash({sql.column_as_text(spec.features.id)}))"
        text = f"SELECT count(*), {distinct}, {digest} FROM {source.scan(bound)}{where_clause(source.wanted(bound))}"
        count, distinct_ids, content = self._engine(spec, "arrive").rows(Statement(text, bound.values))[0]
        if not count:
            return None
        changed = self._changed(spec, day, day).get(day)
        arrived_at = changed or self._jobs.table(spec.features.table).modified
        version = files.files_version([], count, changed.isoformat() if changed else str(content))
        return Partition(count, distinct_ids, arrived_at, version, source.columns)

    def days(self, spec: Spec, start: date, end: date) -> list[date]:
        """Return the days that have a partition, in order."""
        if self._is_partitioned(spec):
            return sorted(self._changed(spec, start, end))
        source, bound = self._source(spec, start, end), Bound()
        text = f"SELECT DISTINCT {source.day_number()} AS d FROM {source.scan(bound)}"
        found = self._engine(spec, "days").rows(Statement(text + where_clause(source.wanted(bound)), bound.values))
        return sorted(assembly.date_of_day_number(number) for (number,) in found)

    def fit_profile_schema(self, spec: Spec) -> ProfileSchema:
        """Fix the bins of every feature from the model's baseline days; raise WatchkeeperError if none is there."""
        source = self._source(spec, spec.baseline.start, spec.baseline.end)
        return schema.fit_profile_schema(spec, source, self._engine(spec, "frame").rows)

    def profile(self, spec: Spec, profile_schema: ProfileSchema, start: date, end: date) -> dict[date, Profile]:
        """Scan the partitions of a span of days once and return a profile for each day that has one.

        What the model's budget can't pay for is left out of the profile: slices first, then features.
        """
        source, engine = self._source(spec, start, end), self._engine(spec, "profile")
        if spec.budget.bytes_per_day is not None:
            profile_schema = self._affordable(spec, profile_schema, source, engine, spec.budget.bytes_per_day)
        return dict(sorted(scanning.profile_source(spec, profile_schema, source, engine).items()))

    def _affordable(
        self, spec: Spec, profile_schema: ProfileSchema, source: TableSource, engine: _BigQueryEngine, budget: int
    ) -> ProfileSchema:
        def estimate(plan: ReadPlan) -> int:
            return sum(
                map(
                    engine.estimate,
                    scanning.profile_statements(spec, restrict_schema(spec, profile_schema, plan), source),
                )
            )

        left = budget - self.account.billed(spec.model)
        features = [*profile_schema.numbers, *profile_schema.categories, *profile_schema.embeddings]
        plan = choose_plan(
            spec.model, reading_plans(features, profile_schema.slices, source.start), estimate, left, budget
        )
        if plan.left_out:
            self.account.left_out[spec.model] = plan.left_out
        return restrict_schema(spec, profile_schema, plan)

    def versions(self, spec: Spec, start: date, end: date) -> dict[date, str]:
        """Return a short text for each day that has a partition, which changes whenever its data was rewritten.

        In a table without daily partitions all days change together.
        """
        if self._is_partitioned(spec):
            return {day: changed.isoformat() for day, changed in sorted(self._changed(spec, start, end).items())}
        modified = self._jobs.table(spec.features.table).modified
        return {day: modified.isoformat() for day in self.days(spec, start, end)}

    def label_versions(self, spec: Spec, as_of: Sequence[date]) -> list[str]:
        """Return for each day a short text that changes with the label events known by its end (UTC)."""
        labels = self._labels(spec)
        if labels is None:
            return [scanning.NO_LABEL_EVENTS] * len(as_of)
        return scanning.read_label_versions(spec, labels, as_of, self._engine(spec, "labels"))

    def label_changes(
        self, spec: Spec, profile_schema: ProfileSchema, start: date, end: date, since: date | None, as_of: date
    ) -> dict[date, Cohort]:
        """Return what was known of each partition day by the end of ``as_of``, less what was by the end of ``since``.

        Days end in UTC. ``since`` None means nothing was known. By a join on keys; no feature column is read.
        """
        result = {day: Cohort() for day in self.days(spec, start, end)}
        labels, source = self._labels(spec), self._source(spec, start, end)
        if labels is not None and result and spec.features.id in source.columns:
            engine = self._engine(spec, "labels")
            result |= scanning.read_label_changes(spec, profile_schema, source, labels, since, as_of, engine)
        return dict(sorted(result.items()))

    def top_cards(self, spec: Spec, start: date, end: date, as_of: date) -> list[RankedCard]:
        """Return the cards (``score.entity``) with the highest scores of each day, by what was known by ``as_of``."""
        if spec.score.entity is None:
            return []
        labels, source = self._labels(spec), self._source(spec, start, end)
        return scanning.read_top_cards(spec, source, labels, as_of, self._engine(spec, "cards")) if labels else []

    def relation(self, spec: Spec, day: date) -> Relation:
        """Return the query of a day's partition, with its values written out, and where it runs."""
        source = self._source(spec, day, day)
        bound = Bound()
        text = f"SELECT * FROM {source.scan(bound)}{where_clause(source.wanted(bound))}"
        for name, value in bound.values.items():
            text = text.replace(f"${name}", _sql_literal(value))
        query = to_bigquery(text, self.read_at)
        client = self._jobs.guarded(Purpose(spec.model, "check", spec.budget.bytes_per_day), whole=query)
        arguments = {"client": client, "prefer_bqstorage_client": False}  # its results are single figures
        return Relation(query, "bigquery://?user_supplied_client=True", arguments)

    def sample(self, spec: Spec, start: date, end: date, rows: int, seed: int) -> pd.DataFrame:
        """Return at most ``rows`` payments of a span of days, the same ones at every call (by hash of id and seed)."""
        source = self._source(spec, start, end)
        scan_queries.require_column(spec, source, "features.id", spec.features.id)
        return self._engine(spec, "sample").table(row_queries.sample_query(spec, source, rows, seed)).to_pandas()

    def labelled_rows(self, spec: Spec, start: date, end: date, as_of: date, rows: int, seed: int) -> pd.DataFrame:
        """Return at most ``rows`` payments with a boolean column ``label`` as known by ``as_of``, for training."""
        labels, source = self._labels(spec), self._source(spec, start, end)
        if labels is None:
            raise WatchkeeperError(f"{spec.model}: rows with labels were asked for, but the model file has no 'labels'")
        scan_queries.require_column(spec, source, "features.id", spec.features.id)
        return (
            self._engine(spec, "training")
            .table(row_queries.labelled_rows_query(spec, source, labels, as_of, rows, seed))
            .to_pandas()
        )

    def _labels(self, spec: Spec) -> TableSource | None:
        """Return the label table, as far back as any watched payment; None where the model file names none."""
        if spec.labels is None:
            return None
        table = self._jobs.table(spec.labels.table)
        columns = {field.name: _duckdb_type(field) for field in table.schema}
        partitioned_by = table.time_partitioning.field if table.time_partitioning else None
        for key in ("id", "label", "known_at", *(["type"] if spec.labels.type else [])):
            scan_queries.require_label_column(spec, spec.labels, columns, key)
        first = spec.baseline.start - timedelta(days=LONGEST_HORIZON_DAYS)
        return TableSource(spec.labels.table, columns, partitioned_by or "", first, date.max)

    def _engine(self, spec: Spec, step: str) -> _BigQueryEngine:
        return _BigQueryEngine(self._jobs, spec.model, step, self.read_at, spec.budget.bytes_per_day)

    def _source(self, spec: Spec, start: date, end: date) -> TableSource:
        """Describe a table and the days wanted of it; raise WatchkeeperError where it has no such day column."""
        return self._described(spec, spec.features.table, spec.features.day, start, end)

    def _described(self, spec: Spec, table: str, day: str, start: date, end: date) -> TableSource:
        described = self._jobs.table(table)
        columns = {field.name: _duckdb_type(field) for field in described.schema}
        if described.time_partitioning and described.time_partitioning.field is None:
            columns |= {"_PARTITIONDATE": "DATE"}
        if day not in columns:
            raise WatchkeeperError(
                f"{spec.model}: features.day: table {table} has no column '{day}'; "
                f"it has {', '.join(columns)}{did_you_mean(day, columns)}"
            )
        return TableSource(table, columns, day, start, end)

    def _is_partitioned(self, spec: Spec) -> bool:
        partitioning = self._jobs.table(spec.features.table).time_partitioning
        return (
            partitioning is not None
            and partitioning.type_ == "DAY"
            and (partitioning.field or "_PARTITIONDATE") == spec.features.day
        )

    def _changed(self, spec: Spec, start: date, end: date) -> dict[date, datetime]:
        """Return when the partitions with rows of a span of days last changed; of other tables, nothing."""
        if not self._is_partitioned(spec):
            return {}
        *dataset, table = spec.features.table.split(".")
        dataset_path = ".".join(exp.to_identifier(part, quoted=True).sql("bigquery") for part in dataset)
        text = (
            f"SELECT partition_id, last_modified_time FROM {dataset_path}.INFORMATION_SCHEMA.PARTITIONS "
            "WHERE table_name = @table AND total_rows > 0 AND partition_id BETWEEN @first AND @last"
        )
        values = {"table": table, "first": f"{start:%Y%m%d}", "last": f"{end:%Y%m%d}"}
        found = self._jobs.run(text, values, model=spec.model, step="partitions").to_pydict()
        days = [datetime.strptime(name, "%Y%m%d").date() for name in found["partition_id"]]  # noqa: DTZ007  a day
        return dict(zip(days, found["last_modified_time"], strict=True))


def restrict_schema(spec: Spec, profile_schema: ProfileSchema, plan: ReadPlan) -> ProfileSchema:
    """Return a profile schema that reads what a plan says; it keeps its id, so that profiles of both add up."""
    kept, always = set(plan.features), {*spec.compared, spec.score.version, spec.score.action}
    return replace(
        profile_schema,
        numbers={name: grid for name, grid in profile_schema.numbers.items() if name in kept},
        categories={name: levels for name, levels in profile_schema.categories.items() if name in kept},
        embeddings={name: own for name, own in profile_schema.embeddings.items() if name in kept},
        slices=plan.slices,
        groups={name: own for name, own in profile_schema.groups.items() if name in always or name in plan.slices},
        moments=profile_schema.moments if kept.issuperset(profile_schema.moments) else (),
    )


class _BigQueryEngine:
    """Runs our statements for one step of one model."""

    def __init__(self, jobs: Jobs, model: str, step: str, read_at: datetime | None, budget: int | None = None) -> None:
        self._jobs, self._model, self._step, self._read_at, self._budget = jobs, model, step, read_at, budget

    def table(self, statement: Statement) -> pa.Table:
        text = to_bigquery(statement.text, self._read_at)
        return self._jobs.run(text, statement.values, model=self._model, step=self._step, budget=self._budget)

    def estimate(self, statement: Statement) -> int:
        """Return the bytes that a statement would bill."""
        text = to_bigquery(statement.text, self._read_at)
        return self._jobs.estimate(text, statement.values, model=self._model, step=self._step)

    def counts(
        self, profile_schema: ProfileSchema, source: Source, names: Sequence[str], slices: Sequence[str]
    ) -> Iterator[tuple[str, GroupedRows]]:
        """Yield the counts of each column, of many by one statement."""
        return batched_queries.batched_column_counts(profile_schema, source, names, slices, self)

    def score_counts(
        self, profile_schema: ProfileSchema, spec: Spec, source: Source, groups: Sequence[str]
    ) -> GroupedRows:
        """Return the score cube's rows."""
        return self.arrays(scan_queries.score_counts_query(profile_schema, spec, source, groups))

    def rows(self, statement: Statement) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows."""
        return list(zip(*(column.to_pylist() for column in self.table(statement).columns), strict=True))

    def arrays(self, statement: Statement) -> dict[str, Ints]:
        """Run a statement whose columns are whole numbers and return them."""
        found = self.table(statement)
        return {
            name: np.asarray(values.fill_null(ROLLED_UP).to_numpy(), dtype=np.int64)
            for name, values in zip(found.column_names, found.columns, strict=True)
        }


def _duckdb_type(field: SchemaField) -> str:
    kind = DUCKDB_TYPES.get(field.field_type, field.field_type)
    return f"{kind}[]" if field.mode == "REPEATED" else kind


def _sql_literal(value: object) -> str:
    """Return a day or moment as SQL."""
    if isinstance(value, datetime):
        return f"CAST('{value.isoformat()}' AS {'TIMESTAMPTZ' if value.tzinfo else 'TIMESTAMP'})"
    return f"DATE {sql.quote_literal(str(value))}" if isinstance(value, date) else sql.quote_literal(str(value))
