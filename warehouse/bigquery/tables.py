"""The tables of a BigQuery project: their columns, days and partitions, and the label table."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from sqlglot import exp

from models.errors import WatchkeeperError, did_you_mean
from models.spec import Spec
from warehouse.bigquery.engine import DIALECT
from warehouse.bigquery.jobs import Jobs
from warehouse.source import TableSource
from warehouse.sql import scan_queries

if TYPE_CHECKING:
    from google.cloud.bigquery import SchemaField

STATEMENT_TYPES = {
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
"""Types of BigQuery, by the names that statements know them under (those of DuckDB)."""
LONGEST_HORIZON_DAYS = 730
"""No label is looked for in older partitions than this before the baseline."""
TIE_BREAKER = "to_json_string(t)"
"""Orders rows of one id: a whole row as text is the same at every call."""


class BigQueryTables:
    """Tables are ``dataset.table`` (or ``project.dataset.table``), best partitioned by their day column."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    def source(self, spec: Spec, start: date, end: date) -> TableSource:
        """Describe the feature table and the days wanted; raise WatchkeeperError where it has no such day column."""
        table, day = spec.features.table, spec.features.day
        described = self._jobs.table(table)
        columns = {field.name: _statement_type(field) for field in described.schema}
        if described.time_partitioning and described.time_partitioning.field is None:
            columns |= {"_PARTITIONDATE": "DATE"}
        if day not in columns:
            raise WatchkeeperError(
                f"{spec.model}: features.day: table {table} has no column '{day}'; "
                f"it has {', '.join(columns)}{did_you_mean(day, columns)}"
            )
        return TableSource(table, columns, day, start, end, TIE_BREAKER)

    def labels(self, spec: Spec) -> TableSource | None:
        """Return the label table, as far back as any watched payment; None where the model file names none."""
        if spec.labels is None:
            return None
        table = self._jobs.table(spec.labels.table)
        columns = {field.name: _statement_type(field) for field in table.schema}
        partitioned_by = table.time_partitioning.field if table.time_partitioning else None
        for key in ("id", "label", "known_at", *(["type"] if spec.labels.type else [])):
            scan_queries.require_label_column(spec, spec.labels, columns, key)
        first = spec.baseline.start - timedelta(days=LONGEST_HORIZON_DAYS)
        return TableSource(spec.labels.table, columns, partitioned_by or "", first, date.max, TIE_BREAKER)

    def is_partitioned(self, spec: Spec) -> bool:
        """Return whether the feature table has a partition for each day of its day column."""
        partitioning = self._jobs.table(spec.features.table).time_partitioning
        return (
            partitioning is not None
            and partitioning.type_ == "DAY"
            and (partitioning.field or "_PARTITIONDATE") == spec.features.day
        )

    def changed(self, spec: Spec, start: date, end: date) -> dict[date, datetime]:
        """Return when the partitions with rows of a span of days last changed; of other tables, nothing."""
        if not self.is_partitioned(spec):
            return {}
        *dataset, table = spec.features.table.split(".")
        dataset_path = ".".join(exp.to_identifier(part, quoted=True).sql(DIALECT) for part in dataset)
        text = (
            f"SELECT partition_id, last_modified_time FROM {dataset_path}.INFORMATION_SCHEMA.PARTITIONS "
            "WHERE table_name = @table AND total_rows > 0 AND partition_id BETWEEN @first AND @last"
        )
        values = {"table": table, "first": f"{start:%Y%m%d}", "last": f"{end:%Y%m%d}"}
        found = self._jobs.run(text, values, model=spec.model, step="partitions").to_pydict()
        days = [datetime.strptime(name, "%Y%m%d").date() for name in found["partition_id"]]  # noqa: DTZ007  a day
        return dict(zip(days, found["last_modified_time"], strict=True))


def _statement_type(field: SchemaField) -> str:
    kind = STATEMENT_TYPES.get(field.field_type, field.field_type)
    return f"{kind}[]" if field.mode == "REPEATED" else kind
