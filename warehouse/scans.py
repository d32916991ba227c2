"""The statements that turn rows into counts: one scan each, with the day in the key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from models.spec import Labels, Spec
from warehouse import sql
from warehouse.grid import Frame, Grid
from warehouse.profile import BLOCKED, FRAUD, LEGITIMATE, OPEN
from warehouse.sql import Bound, column


@dataclass(frozen=True)
class Source:
    """Files of the same columns and types, and the days that are wanted of them."""

    files: tuple[str, ...]
    columns: Mapping[str, str]
    day: str
    partitioned: bool
    start: date
    end: date

    def scan(self, bound: Bound) -> str:
        """Return the FROM item, with the alias ``t``."""
        return f"{self.read(bound(list(self.files)))} AS t"

    def read(self, files: str) -> str:
        """Return the table function over files that are given as SQL."""
        return f"read_parquet({files}, union_by_name = true, hive_partitioning = {str(self.partitioned).lower()})"

    def day_number(self) -> str:
        """Return the day of a row, in days since 1970."""
        return f"({sql.day_of(self.day, self.columns[self.day])} - DATE '1970-01-01')"

    def wanted(self, bound: Bound) -> list[str]:
        """Return the conditions that hold for rows of the wanted days."""
        if self.partitioned:
            return []
        return [f"{sql.day_of(self.day, self.columns[self.day])} BETWEEN {bound(self.start)} AND {bound(self.end)}"]


@dataclass(frozen=True)
class Statement:
    """A query and the values bound to it."""

    text: str
    values: dict[str, object]


def feature_columns(frame: Frame, spec: Spec, source: Source) -> list[str]:
    """Return the columns of the frame that the source has, the score last; a missing one is left out."""
    score = [] if frame.score is None else [spec.score.column]
    asked = dict.fromkeys([*frame.numbers, *frame.categories, *score])
    return [name for name in asked if name in source.columns]


def grids(frame: Frame, spec: Spec) -> dict[str, Grid]:
    """Return the grid of each number, the score among them."""
    return frame.numbers if frame.score is None else {**frame.numbers, spec.score.column: frame.score}


def feature_counts(
    frame: Frame, spec: Spec, source: Source, columns: Sequence[str], slices: Sequence[str]
) -> Statement:
    """Count rows by day, slice value and cell of each column.

    Returns ``d, s, g, w, c, n``: day number, which slice and the code of its value, which column and the cell of its
    value, rows. Without slices s is -1 and g 0.
    """
    bound, joins = Bound(), []
    numbers, cells = grids(frame, spec), [f"{source.day_number()} AS d"]
    cells += [f"{sql.group_code(name, frame.groups[name], bound)} AS s{j}" for j, name in enumerate(slices)]
    for i, name in enumerate(columns):
        if name in numbers:
            cells.append(f"{sql.number_cell(name, source.columns[name], numbers[name], bound)} AS c{i}")
        else:
            joins.append(sql.level_join(f"l{i}", name, frame.categories[name], bound))
            cells.append(f"{sql.category_cell(f'l{i}', name)} AS c{i}")
    places = [f"c{i}" for i in range(len(columns))]
    text = (
        f"WITH cells AS (SELECT {', '.join(cells)} FROM {source.scan(bound)} {' '.join(joins)}"
        f"{where(source.wanted(bound))}) "
        f"SELECT d, {_group_keys(len(slices))}, {sql.which(places)} AS w, {sql.one_of(places)} AS c, count(*) AS n "
        f"FROM cells GROUP BY GROUPING SETS ({_sets(len(slices), [f'd, {place}' for place in places])})"
    )
    return Statement(text, bound.values)


def totals(frame: Frame, spec: Spec, source: Source, numbers: Sequence[str], slices: Sequence[str]) -> Statement:
    """Return rows and the fixed-point sum of each number by day and slice value: ``d, s, g, n, sums...``."""
    bound, known = Bound(), grids(frame, spec)
    cells = [f"{source.day_number()} AS d"]
    cells += [f"{sql.group_code(name, frame.groups[name], bound)} AS s{j}" for j, name in enumerate(slices)]
    for i, name in enumerate(numbers):
        value = sql.number(name, source.columns[name])
        cells.append(f"{sql.fixed_point(value, known[name].unit, sql.MOST_UNITS, bound)} AS x{i}")
    text = (
        f"WITH cells AS (SELECT {', '.join(cells)} FROM {source.scan(bound)}{where(source.wanted(bound))}) "
        f"SELECT d, {_group_keys(len(slices))}, count(*){''.join(f', sum(x{i})' for i in range(len(numbers)))} "
        f"FROM cells GROUP BY GROUPING SETS ({_sets(len(slices), ['d'])})"
    )
    return Statement(text, bound.values)


def score_cube(frame: Frame, spec: Spec, source: Source, groups: Sequence[str]) -> Statement:
    """Sum payments by day, group value, score cell and state: ``d, s, g, c, state, n, pence, share``."""
    bound = Bound()
    cells = [
        *_scored(frame, spec, source, groups, bound),
        f"CASE WHEN {blocked(spec, source, bound)} THEN {BLOCKED} ELSE {OPEN} END AS state",
    ]
    conditions = [*source.wanted(bound), f"isfinite({_score(spec, source)})"]
    text = (
        f"WITH cells AS (SELECT {', '.join(cells)} FROM {source.scan(bound)}{where(conditions)}) "
        f"SELECT d, {_group_keys(len(groups))}, c, state, {_SUMS} "
        f"FROM cells GROUP BY GROUPING SETS ({_sets(len(groups), ['d, c, state'])})"
    )
    return Statement(text, bound.values)


def cohort_cube(
    frame: Frame, spec: Spec, source: Source, groups: Sequence[str], labels: Source, as_of: date
) -> Statement:
    """Sum the labelled payments likewise, and count frauds by delay: ``d, s, g, c, state, n, pence, share, delay``.

    Rows with a delay of days (s is null) count frauds by the days between scoring and their first fraud label.
    """
    assert spec.labels is not None
    bound = Bound()
    cells = [
        *_scored(frame, spec, source, groups, bound),
        f"CASE WHEN k.fraud THEN {FRAUD} ELSE {LEGITIMATE} END AS state",
        f"CASE WHEN k.fraud THEN greatest({_first_day()} - {source.day_number()}, 0) ELSE (-1) END AS delay",
    ]
    conditions = [*source.wanted(bound), f"NOT {blocked(spec, source, bound)}"]
    if frame.score is not None:
        conditions.append(f"isfinite({_score(spec, source)})")
    own, theirs = join_keys(spec, spec.labels, source, labels)
    text = (
        f"WITH known AS ({known_labels(spec.labels, labels, as_of, theirs, bound)}), "
        f"cells AS (SELECT {', '.join(cells)} FROM {source.scan(bound)} JOIN known AS k ON k.id = {own}"
        f"{where(conditions)}) "
        f"SELECT d, {_group_keys(len(groups))}, c, state, {_SUMS}, delay FROM cells "
        f"GROUP BY GROUPING SETS ({_sets(len(groups), ['d, c, state'])}, (d, delay))"
    )
    return Statement(text, bound.values)


def known_labels(labels: Labels, source: Source, as_of: date, key: str, bound: Bound) -> str:
    """Return the query of what was known of each labelled id by the end of ``as_of``: ``id, fraud, first_fraud``.

    The newest event counts; of two at the same moment, the one that says fraud. That is so when the newest fraud
    event isn't older than the newest legitimate one.
    """
    kinds = source.columns
    until = bound(datetime.combine(as_of + timedelta(days=1), time()))
    return (
        "SELECT id, coalesce(fraud_at >= coalesce(clear_at, fraud_at), false) AS fraud, first_fraud FROM ("
        "SELECT id, max(known_at) FILTER (WHERE label) AS fraud_at, "
        "max(known_at) FILTER (WHERE NOT label) AS clear_at, "
        "min(known_at) FILTER (WHERE label) AS first_fraud FROM ("
        f"SELECT {key} AS id, {sql.truth(labels.label, kinds[labels.label])} AS label, "
        f"{sql.moment(labels.known_at, kinds[labels.known_at])} AS known_at FROM {source.scan(bound)}) "
        f"WHERE known_at < {until} AND label IS NOT NULL AND id IS NOT NULL GROUP BY id)"
    )


def unreadable_labels(labels: Labels, source: Source) -> Statement:
    """Count label events whose label is neither true nor false, and those whose known_at is no time."""
    bound, kinds = Bound(), source.columns
    label, known_at = labels.label, labels.known_at
    text = (
        f"SELECT count(*) FILTER (WHERE {column(label)} IS NOT NULL AND {sql.truth(label, kinds[label])} IS NULL), "
        f"count(*) FILTER (WHERE {column(known_at)} IS NOT NULL AND {sql.moment(known_at, kinds[known_at])} IS NULL) "
        f"FROM {source.scan(bound)}"
    )
    return Statement(text, bound.values)


def join_keys(spec: Spec, labels: Labels, source: Source, label_source: Source) -> tuple[str, str]:
    """Return the ids of both tables in a form that compares: as they are, or both as text where one is text."""
    own, theirs = source.columns[spec.features.id], label_source.columns[labels.id]
    if own == theirs or (sql.is_number(own) and sql.is_number(theirs)):
        return column(spec.features.id), column(labels.id)
    return sql.text(spec.features.id), sql.text(labels.id)


_SUMS = "count(*) AS n, CAST(sum(pence) AS BIGINT) AS pence, CAST(sum(share) AS BIGINT) AS share"


def _scored(frame: Frame, spec: Spec, source: Source, groups: Sequence[str], bound: Bound) -> list[str]:
    """Return the columns ``d, s0..., c, pence, share`` of a scored payment; without a score grid c and share are 0."""
    cells = [f"{source.day_number()} AS d"]
    cells += [f"{sql.group_code(name, frame.groups[name], bound)} AS s{j}" for j, name in enumerate(groups)]
    amount = spec.score.amount
    if amount in source.columns:
        assert amount is not None
        pence = sql.fixed_point(f"({sql.number(amount, source.columns[amount])} * 100)", 1.0, sql.MOST_PENCE, bound)
        cells.append(f"CASE WHEN {pence} > 0 THEN {pence} ELSE 0 END AS pence")
    else:
        cells.append("0 AS pence")
    if frame.score is None:
        return [*cells, "0 AS c", "0 AS share"]
    score, (low, high) = _score(spec, source), spec.score.range
    cells.append(f"{sql.finite_cell(score, frame.score, bound)} AS c")
    share = f"(({score} - {bound(low)}) / {bound(high - low)})"
    cells.append(
        f"CASE WHEN {share} BETWEEN 0 AND 1 THEN CAST({share} * 1e9 AS BIGINT) WHEN {share} > 1 "
        f"THEN 1000000000 ELSE 0 END AS share"
    )
    return cells


def _score(spec: Spec, source: Source) -> str:
    return sql.number(spec.score.column, source.columns[spec.score.column])


def blocked(spec: Spec, source: Source, bound: Bound) -> str:
    """Return whether a payment was blocked, so that no honest label can come."""
    action = spec.score.action
    if action is None or action not in source.columns or not spec.score.blocked:
        return "false"
    return sql.among(action, spec.score.blocked, bound)


def _first_day() -> str:
    return "(CAST(k.first_fraud AS DATE) - DATE '1970-01-01')"


def where(conditions: Sequence[str]) -> str:
    """Return the WHERE clause of conditions that must all hold; of none, nothing."""
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""


def _group_keys(groups: int) -> str:
    """Return which group column a row is about, and the code of its value."""
    if not groups:
        return "(-1) AS s, 0 AS g"
    names = [f"s{j}" for j in range(groups)]
    return f"{sql.which(names)} AS s, {sql.one_of(names)} AS g"


def _sets(groups: int, keys: Sequence[str]) -> str:
    """Return the grouping sets of each key, by each group column where there is one."""
    prefixes = [f"s{j}, " for j in range(groups)] or [""]
    return ", ".join(f"({prefix}{key})" for prefix in prefixes for key in keys)
