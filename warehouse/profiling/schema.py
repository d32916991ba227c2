"""Fixes a model's profile schema from its baseline: which columns are watched, and the bins of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from models.errors import WatchkeeperError, did_you_mean
from models.spec import Spec
from profiles.bins import Embedding, Grid, Levels, embedding_grid, number_grid, score_grid
from profiles.codec import profile_schema_id
from profiles.schema import ProfileSchema
from warehouse.source import Source
from warehouse.sql import expressions as sql
from warehouse.sql.expressions import Bound, quoted_column
from warehouse.sql.scan_queries import group_as_text, where_clause
from warehouse.sql.statement import Statement

MOST_LEVELS = 500
MOST_SEEN = 50_000
MOST_GROUPS = 20
MOST_DIMENSIONS = 128
"""Elements of an embedding: second moments grow with the square."""
MOST_QUANTILE_ROWS = 500_000
"""Rows from which quantiles are taken; of a larger baseline a fixed part, by hash of the id."""
ID_LIKE_SHARE = 0.5
"""Without listed columns, a text column with a larger share of different values than this isn't a feature."""

RunStatement = Callable[[Statement], list[tuple[Any, ...]]]


def fit_profile_schema(spec: Spec, source: Source, run: RunStatement) -> ProfileSchema:
    """Fix the bins of every feature from the rows of a baseline.

    Numbers: a grid from the exact 1, 50 and 99 % quantiles of finite values. Categories: the 500 commonest levels
    have bins (ties by name), 50,000 are remembered as seen. Groups: the 20 commonest values, and null if there is
    any. The score's grid follows from its range and threshold. Raises WatchkeeperError for a column that the table
    doesn't have, text that is declared a number, or a baseline without rows.
    """
    _check_columns(spec, source)
    rows = run(_row_count_query(spec, source))[0][0]
    if not rows:
        raise WatchkeeperError(
            f"{spec.model}: table {spec.features.table} has no rows on the baseline's days; "
            f"name other days under 'baseline' in the model file"
        )
    kinds = {name: c.kind for name, c in spec.features.columns.items()} or _infer_kinds(spec, source, rows, run)
    score = None
    if spec.score.column in source.columns:
        score = score_grid(*spec.score.range, spec.score.threshold)
    numbers = _number_grids(spec, source, [name for name, kind in kinds.items() if kind == "number"], rows, run)
    if score is not None and spec.score.column in numbers:
        numbers[spec.score.column] = score
    categories = {}
    for name in (name for name, kind in kinds.items() if kind == "category"):
        levels = [level for (level,) in run(_levels_query(spec, source, name, MOST_SEEN)) if level is not None]
        categories[name] = Levels(tuple(sorted(levels[:MOST_LEVELS])), frozenset(levels))
    version = spec.score.version
    known = [*spec.groups, *spec.pairs]
    grouped = [*known, *([version] if version in source.columns and version not in known else [])]
    groups = {
        name: _commonest_values(run(_levels_query(spec, source, name, None))) for name in grouped if name is not None
    }
    embeddings = {name: _fit_embedding(spec, source, name, run) for name, kind in kinds.items() if kind == "embedding"}
    moments = tuple(sorted(numbers)) if spec.features.second_moments else ()
    weighted = score is not None and spec.score.propensity is not None
    unnamed = ProfileSchema("", numbers, categories, score, tuple(spec.slices), groups, embeddings, moments, weighted)
    return replace(unnamed, id=profile_schema_id(unnamed))


def _check_columns(spec: Spec, source: Source) -> None:
    asked = {f"features.columns.{name}": name for name in spec.features.columns}
    asked |= {f"slices: {name}": name for name in spec.slices} | {f"protected.{name}": name for name in spec.protected}
    asked |= {
        f"score.{key}": name
        for key in ("amount", "action", "propensity")
        if (name := getattr(spec.score, key)) is not None
    }
    if "column" in spec.score.model_fields_set:
        asked["score.column"] = spec.score.column
    if spec.labels is not None:
        asked["features.id"] = spec.features.id
    for key, name in asked.items():
        if name not in source.columns:
            raise WatchkeeperError(
                f"{spec.model}: {key}: table {spec.features.table} has no column '{name}' on the baseline's days; "
                f"it has {', '.join(source.columns)}{did_you_mean(name, source.columns)}"
            )
    if spec.score.column in spec.features.columns and spec.features.columns[spec.score.column].kind == "category":
        raise WatchkeeperError(f"{spec.model}: features.columns.{spec.score.column}: the score must be of kind number")


def _baseline_conditions(spec: Spec, source: Source, bound: Bound) -> list[str]:
    """Return the conditions for rows of the baseline's days, the excluded ones and those of events left out."""
    conditions = source.wanted(bound)
    left_out = spec.baseline.left_out()
    if left_out and not source.partitioned:
        day = sql.column_as_date(source.day, source.columns[source.day])
        conditions.append(f"{day} NOT IN ({', '.join(bound(each) for each in left_out)})")
    return conditions


def _row_count_query(spec: Spec, source: Source) -> Statement:
    bound = Bound()
    return Statement(
        f"SELECT count(*) FROM {source.scan(bound)}{where_clause(_baseline_conditions(spec, source, bound))}",
        bound.values,
    )


def _infer_kinds(spec: Spec, source: Source, rows: int, run: RunStatement) -> dict[str, str]:
    """Return the kind of every column that has no other role: numbers, and text or flags that aren't like ids."""
    features, score, labels = spec.features, spec.score, spec.labels
    roles = {
        features.id,
        features.time,
        features.day,
        score.column,
        score.action,
        score.version,
        score.propensity,
        *spec.groups,
    }
    roles |= {labels.id, labels.label, labels.known_at} if labels else set()
    others = {name: kind for name, kind in source.columns.items() if name not in roles}
    texts = [name for name, kind in others.items() if sql.is_text_type(kind)]
    different: dict[str, int] = {}
    if texts:
        bound = Bound()
        figures = ", ".join(f"approx_count_distinct({quoted_column(name)})" for name in texts)
        query = f"SELECT {figures} FROM {source.scan(bound)}{where_clause(_baseline_conditions(spec, source, bound))}"
        different = dict(zip(texts, run(Statement(query, bound.values))[0], strict=True))
    result = {}
    for name, kind in others.items():
        if sql.is_number_type(kind):
            result[name] = "number"
        elif kind == "BOOLEAN" or (name in different and different[name] <= ID_LIKE_SHARE * rows):
            result[name] = "category"
    calendar = _calendar_columns(spec, source, list(result), run)
    return {name: kind for name, kind in result.items() if name not in calendar}


def _calendar_columns(spec: Spec, source: Source, names: Sequence[str], run: RunStatement) -> set[str]:
    """Return the columns with one value all day but not every day, such as "is weekend".

    They show the date, not the customers: no single day could ever look like the baseline.
    """
    if not names:
        return set()
    bound = Bound()
    ends = ", ".join(
        f"min({quoted_column(name)}) AS low{i}, max({quoted_column(name)}) AS high{i}" for i, name in enumerate(names)
    )
    rows = f"{source.scan(bound)}{where_clause(_baseline_conditions(spec, source, bound))}"
    days = f"SELECT {ends} FROM {rows} GROUP BY {source.day_number()}"
    constant = ", ".join(
        f"coalesce(bool_and(low{i} = high{i}) AND min(low{i}) < max(high{i}), false)" for i in range(len(names))
    )
    found = run(Statement(f"SELECT {constant} FROM ({days})", bound.values))[0]
    return {name for name, is_constant in zip(names, found, strict=True) if is_constant}


def _number_grids(spec: Spec, source: Source, names: Sequence[str], rows: int, run: RunStatement) -> dict[str, Grid]:
    if not names:
        return {}
    bound = Bound()
    values = {name: sql.column_as_double(name, source.columns[name]) for name in names}
    figures = ", ".join(
        f"quantile_disc(CASE WHEN isfinite({value}) THEN {value} END, [0.01, 0.5, 0.99]), count({quoted_column(name)})"
        for name, value in values.items()
    )
    conditions = _baseline_conditions(spec, source, bound)
    if rows > MOST_QUANTILE_ROWS and spec.features.id in source.columns:
        conditions.append(f"hash({sql.column_as_text(spec.features.id)}) % {bound(-(-rows // MOST_QUANTILE_ROWS))} = 0")
    found = run(Statement(f"SELECT {figures} FROM {source.scan(bound)}{where_clause(conditions)}", bound.values))[0]
    result = {}
    for name, quantiles, filled in zip(names, found[::2], found[1::2], strict=True):
        if quantiles is None and filled and not sql.is_number_type(source.columns[name]):
            raise WatchkeeperError(
                f"{spec.model}: features.columns.{name}: kind number, but column '{name}' of table "
                f"{spec.features.table} holds {source.columns[name]} that can't be read as numbers; use kind category"
            )
        low, middle, high = quantiles or (0.0, 0.0, 0.0)
        result[name] = number_grid((low, middle, high))
    return result


def _fit_embedding(spec: Spec, source: Source, name: str, run: RunStatement) -> Embedding:
    """Return the commonest length of an array column, and a grid about its largest element."""
    kind = source.columns[name]
    if not sql.is_embedding_type(kind):
        raise WatchkeeperError(
            f"{spec.model}: features.columns.{name}: kind embedding, but column '{name}' of table "
            f"{spec.features.table} holds {kind}; accepted are arrays of numbers"
        )
    bound = Bound()
    scan = source.scan(bound)
    conditions = [*_baseline_conditions(spec, source, bound), f"{sql.array_length(name)} > 0"]
    rows = f"FROM {scan}{where_clause(conditions)}"
    lengths = f"SELECT {sql.array_length(name)} AS k, count(*) AS n {rows} GROUP BY k ORDER BY n DESC, k LIMIT 1"
    found = run(Statement(lengths, bound.values))
    if not found or found[0][0] > MOST_DIMENSIONS:
        held = f"arrays of {found[0][0]:,} elements" if found else "no array"
        raise WatchkeeperError(
            f"{spec.model}: features.columns.{name}: kind embedding, but column '{name}' holds {held} on the "
            f"baseline's days; accepted are 1 to {MOST_DIMENSIONS}"
        )
    elements = [sql.array_element(name, i) for i in range(found[0][0])]
    sizes = ", ".join(f"max(CASE WHEN isfinite({each}) THEN abs({each}) END)" for each in elements)
    largest = [size for size in run(Statement(f"SELECT {sizes} {rows}", bound.values))[0] if size is not None]
    return Embedding(len(elements), embedding_grid(max(largest, default=1.0)))


def _levels_query(spec: Spec, source: Source, name: str, most: int | None) -> Statement:
    """Return the query of a column's (or pair's) values as text, the commonest first, ties by name."""
    bound = Bound()
    text = (
        f"SELECT {group_as_text(spec, source, name, quoted_column)} AS level "
        f"FROM {source.scan(bound)}{where_clause(_baseline_conditions(spec, source, bound))} "
        f"GROUP BY level ORDER BY count(*) DESC, level{'' if most is None else f' LIMIT {bound(most + 1)}'}"
    )
    return Statement(text, bound.values)


def _commonest_values(rows: Sequence[tuple[Any, ...]]) -> tuple[str | None, ...]:
    """Return the commonest values in order of name, and None at the end if there is any null."""
    values = [value for (value,) in rows if value is not None]
    nulls: tuple[str | None, ...] = (None,) if len(values) < len(rows) else ()
    return (*sorted(values[:MOST_GROUPS]), *nulls)
