"""The same rows in both engines: Parquet files that DuckDB reads, and a table of a local BigQuery."""

from __future__ import annotations

import io
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from google.cloud import bigquery

from models.spec import Spec
from warehouse.bigquery.jobs import Jobs
from warehouse.bigquery.warehouse import BigQueryWarehouse
from warehouse.duckdb.warehouse import ParquetWarehouse

DATASET = "cards"


class Engines(NamedTuple):
    """One warehouse of each kind with the same rows, and the model that watches them in each."""

    parquet: ParquetWarehouse
    bigquery: BigQueryWarehouse
    spec: Spec
    in_bigquery: Spec

    def profiles(self, frame, start: date, end: date):
        return (
            self.parquet.profile(self.spec, frame, start, end),
            self.bigquery.profile(self.in_bigquery, frame, start, end),
        )


def both(
    root: Path, client: bigquery.Client, spec: Spec, tables: dict[str, dict[date, pa.Table]], day: str = "day"
) -> Engines:
    """Write tables, by name and day, to both engines; in a model file they are ``cards/<name>``."""
    client.create_dataset(DATASET, exists_ok=True)
    for name, days in tables.items():
        for each, rows in days.items():
            folder = root / DATASET / name / f"{day}={each}"
            folder.mkdir(parents=True, exist_ok=True)
            pq.write_table(rows, folder / "part.parquet")
        load(client, f"{DATASET}.{root.name}_{name}", days.items(), day)
    return Engines(
        ParquetWarehouse(root),
        BigQueryWarehouse(Jobs(client)),
        spec,
        named(spec, root.name),
    )


def named(spec: Spec, prefix: str) -> Spec:
    """Return the model with its tables named as in BigQuery."""

    def table(name: str) -> str:
        return f"{DATASET}.{prefix}_{name.partition('/')[2]}"

    features = spec.features.model_copy(update={"table": table(spec.features.table)})
    labels = spec.labels and spec.labels.model_copy(update={"table": table(spec.labels.table)})
    return spec.model_copy(update={"features": features, "labels": labels})


def load(client: bigquery.Client, table: str, days: Iterable[tuple[date, pa.Table]], day: str) -> None:
    """Make a table partitioned by day, that can't be read without a filter on it, and load its rows."""
    parts = [rows.append_column(day, pa.array([each] * len(rows), pa.date32())) for each, rows in days]
    rows = pa.concat_tables(parts)
    made = bigquery.Table(f"{client.project}.{table}", schema=[_field(field) for field in rows.schema])
    made.time_partitioning = bigquery.TimePartitioning(field=day)
    made.require_partition_filter = True
    client.create_table(made)
    file = io.BytesIO()
    pq.write_table(rows, file)
    file.seek(0)
    config = bigquery.LoadJobConfig(schema=made.schema, source_format="PARQUET", write_disposition="WRITE_APPEND")
    # without a size it is sent in pieces: the emulator knows no other way
    client.load_table_from_file(file, f"{client.project}.{table}", job_config=config).result()


def _field(field: pa.Field) -> bigquery.SchemaField:
    if pa.types.is_list(field.type):
        return bigquery.SchemaField(field.name, _kind(field.type.value_type), mode="REPEATED")
    return bigquery.SchemaField(field.name, _kind(field.type))


def _kind(kind: pa.DataType) -> str:
    if pa.types.is_timestamp(kind):
        return "TIMESTAMP" if kind.tz else "DATETIME"
    for holds, name in (
        (pa.types.is_boolean, "BOOLEAN"),
        (pa.types.is_integer, "INTEGER"),
        (pa.types.is_floating, "FLOAT"),
        (pa.types.is_decimal, "NUMERIC"),
        (pa.types.is_date, "DATE"),
    ):
        if holds(kind):
            return name
    return "STRING"
