"""The queries that bring rows, not counts: bounded samples for a drill-down and for training."""

from __future__ import annotations

from datetime import date, timedelta

from models.spec import AfterDays, Labels, Spec
from warehouse.source import Source
from warehouse.sql import expressions as sql
from warehouse.sql import label_queries as label_events
from warehouse.sql import scan_queries
from warehouse.sql.expressions import Bound
from warehouse.sql.statement import Statement

LABEL_COLUMN = "label"


def sample_query(spec: Spec, source: Source, most: int, seed: int) -> Statement:
    """Return at most so many rows, chosen and ordered by a hash of id and seed."""
    bound = Bound()
    columns = ", ".join(sql.quoted_column(name) for name in source.columns)
    text = (
        f"SELECT {columns} FROM {source.scan(bound)}{scan_queries.where_clause(source.wanted(bound))} "
        f"{_order_by_hash(spec, source, most, seed, bound)}"
    )
    return Statement(text, bound.values)


def labelled_rows_query(
    spec: Spec, source: Source, label_source: Source, as_of: date, most: int, seed: int
) -> Statement:
    """Return at most so many rows that weren't blocked, with the column ``label`` as known by the end of ``as_of``.

    A payment without a known event counts as legitimate once ``negative.after_days`` days have passed, and is left
    out before, or where negatives are explicit.
    """
    labels, bound = _labels_of(spec), Bound()
    own, theirs = label_events.join_keys(spec, labels, source, label_source)
    columns = ", ".join(sql.quoted_column(name) for name in source.columns if name != LABEL_COLUMN)
    judged = "k.id IS NOT NULL"
    if isinstance(labels.negative, AfterDays):
        oldest = as_of - timedelta(days=labels.negative.after_days)
        judged = f"({judged} OR {source.day_number()} <= {bound((oldest - date(1970, 1, 1)).days)})"
    conditions = [*source.wanted(bound), f"NOT {scan_queries.is_blocked(spec, source, bound)}", judged]
    text = (
        f"WITH known AS ({label_events.known_labels_query(labels, label_source, as_of, theirs, bound)}) "
        f"SELECT {columns}, coalesce(k.fraud, false) AS {sql.quote_identifier(LABEL_COLUMN)} "
        f"FROM {source.scan(bound)} LEFT JOIN known AS k ON k.id = {own}{scan_queries.where_clause(conditions)} "
        f"{_order_by_hash(spec, source, most, seed, bound)}"
    )
    return Statement(text, bound.values)


def _labels_of(spec: Spec) -> Labels:
    assert spec.labels is not None
    return spec.labels


def _order_by_hash(spec: Spec, source: Source, most: int, seed: int, bound: Bound) -> str:
    # MD5 is the same in every engine; the source breaks the ties of ids that are there twice.
    key = f"md5(concat({sql.column_as_text(spec.features.id)}, {bound(f':{seed}')}))"
    return f"ORDER BY {key}, {source.tie_breaker} LIMIT {bound(most)}"
