"""Runs our statements on BigQuery for a step, and counts many columns by one of them, for each is billed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from models.spec import Spec
from profiles.bins import Ints
from profiles.schema import ProfileSchema
from warehouse.bigquery.dialect import to_bigquery
from warehouse.bigquery.jobs import Jobs
from warehouse.profiling.assembly import GroupedRows
from warehouse.source import Source
from warehouse.sql import batched_queries, scan_queries
from warehouse.sql.statement import ROLLED_UP, Statement

if TYPE_CHECKING:
    import pyarrow as pa


class BigQueryScanner:
    """Runs our statements for one step of one model, as its tables were at ``read_at``."""

    def __init__(self, jobs: Jobs, model: str, step: str, read_at: datetime | None, budget: int | None = None) -> None:
        self._jobs, self._model, self._step, self._read_at, self._budget = jobs, model, step, read_at, budget

    def table(self, statement: Statement) -> pa.Table:
        """Run a statement and return its rows as they came."""
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
