"""The production warehouse: BigQuery, which gets the same statements in its own words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from models.errors import WatchkeeperError
from models.spec import Spec
from profiles.profile import Cohort, Profile
from profiles.schema import ProfileSchema
from warehouse.bigquery.dialect import to_bigquery
from warehouse.bigquery.engine import ENGINE
from warehouse.bigquery.jobs import Jobs, Purpose
from warehouse.bigquery.scanner import BigQueryScanner
from warehouse.bigquery.tables import BigQueryTables
from warehouse.budget import ReadPlan, choose_plan, reading_plans, restrict_schema
from warehouse.profiling import assembly, scanning, schema
from warehouse.protocol import Partition, Relation, short_digest
from warehouse.source import TableSource
from warehouse.sql import expressions as sql
from warehouse.sql import row_queries, scan_queries
from warehouse.sql.expressions import Bound
from warehouse.sql.scan_queries import where_clause
from warehouse.sql.statement import Statement
from warehouse.sql.top_entities import RankedCard

if TYPE_CHECKING:
    import pandas as pd


class BigQueryWarehouse:
    """Reads tables named ``dataset.table``, or ``project.dataset.table``.

    Everything is read as the tables were when the warehouse was opened, or at ``read_at``, at most seven days back:
    what is rewritten meanwhile is not seen by half, and a day watched again sees the same data.
    """

    def __init__(self, jobs: Jobs, read_at: datetime | None = None) -> None:
        self._jobs, self._tables = jobs, BigQueryTables(jobs)
        self._asked_for = read_at
        self.account = jobs.account

    @cached_property
    def read_at(self) -> datetime:
        """Return the moment whose version of the tables is read; BigQuery's own clock says when now is."""
        if self._asked_for is not None:
            return self._asked_for
        now: datetime = BigQueryScanner(self._jobs, "", "clock", None).rows(Statement("SELECT current_timestamp", {}))[
            0
        ][0]
        return now

    def partition(self, spec: Spec, day: date) -> Partition | None:
        """Return what arrived for a day, or None; raise WatchkeeperError where the table can't be read.

        The version is that of the partition's last change, or, where the table isn't partitioned by its day column,
        of the day's rows and ids.
        """
        source, bound = self._tables.source(spec, day, day), Bound()
        distinct, digest = "count(*)", "0"
        if spec.features.id in source.columns:
            name = sql.quoted_column(spec.features.id)
            distinct, digest = f"count(DISTINCT {name})", f"bit_xor(hash({sql.column_as_text(spec.features.id)}))"
        text = f"SELECT count(*), {distinct}, {digest} FROM {source.scan(bound)}{where_clause(source.wanted(bound))}"
        count, distinct_ids, content = self._scanner(spec, "arrive").rows(Statement(text, bound.values))[0]
        if not count:
            return None
        changed = self._tables.changed(spec, day, day).get(day)
        arrived_at = changed or self._jobs.table(spec.features.table).modified
        version = short_digest(count, changed.isoformat() if changed else content)
        return Partition(count, distinct_ids, arrived_at, version, source.columns)

    def days(self, spec: Spec, start: date, end: date) -> list[date]:
        """Return the days that have a partition, in order."""
        if self._tables.is_partitioned(spec):
            return sorted(self._tables.changed(spec, start, end))
        source, bound = self._tables.source(spec, start, end), Bound()
        text = f"SELECT DISTINCT {source.day_number()} AS d FROM {source.scan(bound)}"
        found = self._scanner(spec, "days").rows(Statement(text + where_clause(source.wanted(bound)), bound.values))
        return sorted(assembly.date_of_day_number(number) for (number,) in found)

    def fit_profile_schema(self, spec: Spec) -> ProfileSchema:
        """Fix the bins of every feature from the model's baseline days; raise WatchkeeperError if none is there."""
        source = self._tables.source(spec, spec.baseline.start, spec.baseline.end)
        return schema.fit_profile_schema(spec, source, self._scanner(spec, "frame").rows)

    def profile(self, spec: Spec, profile_schema: ProfileSchema, start: date, end: date) -> dict[date, Profile]:
        """Scan the partitions of a span of days once and return a profile for each day that has one.

        What the model's budget can't pay for is left out of the profile: slices first, then features.
        """
        source, scanner = self._tables.source(spec, start, end), self._scanner(spec, "profile")
        if spec.budget.bytes_per_day is not None:
            profile_schema = self._affordable(spec, profile_schema, source, scanner, spec.budget.bytes_per_day)
        return dict(sorted(scanning.profile_source(spec, profile_schema, source, scanner).items()))

    def _affordable(
        self, spec: Spec, profile_schema: ProfileSchema, source: TableSource, scanner: BigQueryScanner, budget: int
    ) -> ProfileSchema:
        def estimate(plan: ReadPlan) -> int:
            return sum(
                map(
                    scanner.estimate,
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
        if self._tables.is_partitioned(spec):
            return {day: changed.isoformat() for day, changed in sorted(self._tables.changed(spec, start, end).items())}
        modified = self._jobs.table(spec.features.table).modified
        return {day: modified.isoformat() for day in self.days(spec, start, end)}

    def label_versions(self, spec: Spec, as_of: Sequence[date]) -> list[str]:
        """Return for each day a short text that changes with the label events known by its end (UTC)."""
        labels = self._tables.labels(spec)
        if labels is None:
            return [scanning.NO_LABEL_EVENTS] * len(as_of)
        return scanning.read_label_versions(spec, labels, as_of, self._scanner(spec, "labels"))

    def label_changes(
        self, spec: Spec, profile_schema: ProfileSchema, start: date, end: date, since: date | None, as_of: date
    ) -> dict[date, Cohort]:
        """Return what was known of each partition day by the end of ``as_of``, less what was by the end of ``since``.

        Days end in UTC. ``since`` None means nothing was known. By a join on keys; no feature column is read.
        """
        result = {day: Cohort() for day in self.days(spec, start, end)}
        labels, source = self._tables.labels(spec), self._tables.source(spec, start, end)
        if labels is not None and result and spec.features.id in source.columns:
            scanner = self._scanner(spec, "labels")
            result |= scanning.read_label_changes(spec, profile_schema, source, labels, since, as_of, scanner)
        return dict(sorted(result.items()))

    def top_cards(self, spec: Spec, start: date, end: date, as_of: date) -> list[RankedCard]:
        """Return the cards (``score.entity``) with the highest scores of each day, by what was known by ``as_of``."""
        if spec.score.entity is None:
            return []
        labels, source = self._tables.labels(spec), self._tables.source(spec, start, end)
        return scanning.read_top_cards(spec, source, labels, as_of, self._scanner(spec, "cards")) if labels else []

    def relation(self, spec: Spec, day: date) -> Relation:
        """Return the query of a day's partition, with its values written out, and where it runs."""
        source = self._tables.source(spec, day, day)
        bound = Bound()
        text = f"SELECT * FROM {source.scan(bound)}{where_clause(source.wanted(bound))}"
        for name, value in bound.values.items():
            text = text.replace(f"${name}", _sql_literal(value))
        query = to_bigquery(text, self.read_at)
        client = self._jobs.guarded(Purpose(spec.model, "check", spec.budget.bytes_per_day), whole=query)
        arguments = {"client": client, "prefer_bqstorage_client": False}  # its results are single figures
        return Relation(query, ENGINE, "bigquery://?user_supplied_client=True", arguments)

    def sample(self, spec: Spec, start: date, end: date, rows: int, seed: int) -> pd.DataFrame:
        """Return at most ``rows`` payments of a span of days, the same ones at every call (by hash of id and seed)."""
        source = self._tables.source(spec, start, end)
        scan_queries.require_column(spec, source, "features.id", spec.features.id)
        return self._scanner(spec, "sample").table(row_queries.sample_query(spec, source, rows, seed)).to_pandas()

    def labelled_rows(self, spec: Spec, start: date, end: date, as_of: date, rows: int, seed: int) -> pd.DataFrame:
        """Return at most ``rows`` payments with a boolean column ``label`` as known by ``as_of``, for training."""
        labels, source = self._tables.labels(spec), self._tables.source(spec, start, end)
        if labels is None:
            raise WatchkeeperError(f"{spec.model}: rows with labels were asked for, but the model file has no 'labels'")
        scan_queries.require_column(spec, source, "features.id", spec.features.id)
        return (
            self._scanner(spec, "training")
            .table(row_queries.labelled_rows_query(spec, source, labels, as_of, rows, seed))
            .to_pandas()
        )

    def _scanner(self, spec: Spec, step: str) -> BigQueryScanner:
        return BigQueryScanner(self._jobs, spec.model, step, self.read_at, spec.budget.bytes_per_day)


def _sql_literal(value: object) -> str:
    """Return a day or moment as SQL."""
    if isinstance(value, datetime):
        return f"CAST('{value.isoformat()}' AS {'TIMESTAMPTZ' if value.tzinfo else 'TIMESTAMP'})"
    return f"DATE {sql.quote_literal(str(value))}" if isinstance(value, date) else sql.quote_literal(str(value))
