"""The statements that turn rows into counts: one scan each, with the day in the key."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from models.errors import WatchkeeperError, did_you_mean
from models.spec import JOINT_SEPARATOR, Labels, Spec
from profiles.bins import Grid
from profiles.profile import BLOCKED, OPEN
from profiles.schema import ProfileSchema
from warehouse.source import Source
from warehouse.sql import expressions as sql
from warehouse.sql.expressions import NULLS, Bound, quoted_column
from warehouse.sql.statement import Statement

LEAST_PROPENSITY = 0.0001
"""A payment never stands for more than 10,000: a smaller propensity is taken for a fault, not for a weight."""
MOST_GRID_VALUES = 20_000
"""Whole numbers whose grid spans less than this are counted by value first: few can be different."""


def feature_columns(schema: ProfileSchema, source: Source) -> list[str]:
    """Return the features of the profile schema that the source has; a missing one is left out."""
    return [name for name in dict.fromkeys([*schema.numbers, *schema.categories]) if name in source.columns]


def group_columns_in(schema: ProfileSchema, spec: Spec, source: Source) -> list[str]:
    """Return the groups' columns that the source has, then the pairs of which it has both."""
    return [name for name in schema.groups if all(own in source.columns for own in spec.pairs.get(name, (name,)))]


def group_as_text(spec: Spec, source: Source, name: str, given: Callable[[str], str]) -> str:
    """Return a group's value as text, of a pair both (null where either is); ``given`` names a column in SQL."""
    own = spec.pairs.get(name, (name,))
    return f" || {sql.quote_literal(JOINT_SEPARATOR)} || ".join(
        sql.as_level(given(each), source.columns[each]) for each in own
    )


def row_counts_query(source: Source) -> Statement:
    """Count rows by day: ``d, n``."""
    bound = Bound()
    rows = f"FROM {source.scan(bound)}{where_clause(source.wanted(bound))}"
    return Statement(f"SELECT {source.day_number()} AS d, count(*) AS n {rows} GROUP BY d", bound.values)


def column_counts_query(schema: ProfileSchema, source: Source, name: str, slices: Sequence[str]) -> Statement:
    """Count rows, and sum a number, by day, slice value and bin of one column.

    Returns ``d, s, g, c, n, high, low``: day number, which slice and the code of its value, the bin, rows, and the
    fixed-point sum as high * 2^32 + low. Without slices s is -1 and g 0.

    Rows are first counted by what they hold: slices and categories as they are, and numbers too where there can't
    be many different ones. That costs hardly more than reading, and only these counts get their bins and codes.
    """
    bound, kind, grid = Bound(), source.columns[name], schema.numbers.get(name)
    keys = ["d", *(f"s{j}" for j in range(len(slices)))]
    rows = [f"{source.day_number()} AS d", *(f"{quoted_column(slice_)} AS s{j}" for j, slice_ in enumerate(slices))]
    join, units = "", "0"
    if grid is None:
        levels = [("", schema.categories[name])]
        join, bin_sql = sql.level_bin_join(levels, "''", sql.as_level(quoted_column(name), kind), bound)
        bin_sql = f"CASE WHEN {quoted_column(name)} IS NULL THEN ({NULLS}) ELSE {bin_sql} END"
    else:
        bin_sql, units = _bin_and_units(name, kind, grid, bound)
    if grid is None or (
        sql.is_integer_type(kind) and grid.edge(grid.half - 1) - grid.edge(1 - grid.half) < MOST_GRID_VALUES
    ):
        keys.append(quoted_column(name))
        counts, counted = "count(*) AS n", [f"{bin_sql} AS c", "t.n", f"{units} * t.n AS x"]
        rows.append(quoted_column(name))
    else:
        keys.append("c")
        counts, counted = "count(*) AS n, sum(x) AS x", ["t.c", "t.n", "t.x"]
        rows += [f"{bin_sql} AS c", f"{units} AS x"]
    values = f"SELECT {', '.join(rows)} FROM {source.scan(bound)}{where_clause(source.wanted(bound))}"
    grouped = f"SELECT {', '.join(keys)}, {counts} FROM ({values}) AS t GROUP BY {', '.join(keys)}"
    codes = _slice_codes(schema, source, slices, bound)
    coded = f"SELECT {', '.join(['t.d', *codes, *counted])} FROM ({grouped}) AS t{join}"
    text = (
        f"SELECT d, {group_key_columns(len(slices))}, c, {sum_as_bigint('n')} AS n, "
        f"{sql.split_total('coalesce(sum(x), 0)')} "
        f"FROM ({coded}) AS r GROUP BY GROUPING SETS ({grouping_sets(len(slices), ['d, c'])})"
    )
    return Statement(text, bound.values)


def _slice_codes(schema: ProfileSchema, source: Source, slices: Sequence[str], bound: Bound) -> list[str]:
    return [
        f"{sql.group_code(sql.as_level(f't.s{j}', source.columns[name]), schema.groups[name], bound)} AS s{j}"
        for j, name in enumerate(slices)
    ]


def _bin_and_units(name: str, kind: str, grid: Grid, bound: Bound) -> tuple[str, str]:
    units = sql.fixed_point_units(sql.column_as_double(name, kind), grid.per_unit, sql.MOST_UNITS, bound)
    return sql.bin_of_number(name, kind, grid, bound), units


def score_counts_query(schema: ProfileSchema, spec: Spec, source: Source, groups: Sequence[str]) -> Statement:
    """Sum payments by day, group value, score bin and state.

    Returns ``d, s, g, c, state`` and what ``cube_sum_columns`` names; scores that are null or not finite have a bin
    of their own. Joint groups are made of the single ones after those were counted, and so cost no reading.
    """
    assert schema.score is not None
    bound, kind = Bound(), source.columns[spec.score.column]
    single = {name: f"s{j}" for j, name in enumerate(groups) if name not in spec.pairs}
    keys = ["d", *single.values(), "c", "state"]
    rows = [
        f"{source.day_number()} AS d",
        *(f"{quoted_column(name)} AS {own}" for name, own in single.items()),
        f"{sql.bin_of_number(spec.score.column, kind, schema.score, bound)} AS c",
        f"CASE WHEN {is_blocked(spec, source, bound)} THEN {BLOCKED} ELSE {OPEN} END AS state",
        f"{amount_in_pence(spec, source, bound)} AS pence",
        (
            f"CASE WHEN isfinite({score_as_double(spec, source)}) "
            f"THEN {score_in_billionths(spec, source, bound)} ELSE 0 END AS share"
        ),
        *(weight_columns(spec, source, bound) if schema.weighted else []),
    ]
    values = f"SELECT {', '.join(rows)} FROM {source.scan(bound)}{where_clause(source.wanted(bound))}"
    names = cube_sum_columns(schema)
    sums = ", ".join(["count(*) AS n", *(f"sum({name}) AS {name}" for name in names[1:])])
    grouped = f"SELECT {', '.join(keys)}, {sums} FROM ({values}) AS t GROUP BY {', '.join(keys)}"
    texts = {name: group_as_text(spec, source, name, lambda own: f"t.{single[own]}") for name in groups}
    codes = [f"{sql.group_code(texts[name], schema.groups[name], bound)} AS s{j}" for j, name in enumerate(groups)]
    coded = f"SELECT {', '.join(['t.d', *codes, 'c', 'state', *names])} FROM ({grouped}) AS t"
    sums = ", ".join(f"{sum_as_bigint(name)} AS {name}" for name in names)
    text = (
        f"SELECT d, {group_key_columns(len(groups))}, c, state, {sums} "
        f"FROM ({coded}) AS r GROUP BY GROUPING SETS ({grouping_sets(len(groups), ['d, c, state'])})"
    )
    return Statement(text, bound.values)


def cube_sum_columns(schema: ProfileSchema) -> list[str]:
    """Return the names of the cube's sums, in the order of ``profile.COUNT`` and those after it."""
    return ["n", "pence", "share", "weight", "weighted_pence", "unweighted"][: schema.sums]


def weight_columns(spec: Spec, source: Source, bound: Bound) -> list[str]:
    """Return the columns ``weight, weighted_pence, unweighted``: 1 / p in millionths, pence / p, and 1 without a p.

    Blocked payments have 0 of each, for they get no label. A propensity p counts from LEAST_PROPENSITY to 1; others,
    nulls, and what can't be read as a number are unweighted.
    """
    name, stopped = spec.score.propensity, is_blocked(spec, source, bound)
    if name is None or name not in source.columns:
        return ["0 AS weight", "0 AS weighted_pence", f"CASE WHEN {stopped} THEN 0 ELSE 1 END AS unweighted"]
    p = sql.column_as_double(name, source.columns[name])
    usable = f"{p} BETWEEN {bound(LEAST_PROPENSITY)} AND 1"
    counts = f"{usable} AND NOT {stopped}"
    over_p = {"weight": "1000000", "weighted_pence": amount_in_pence(spec, source, bound)}
    return [
        *(
            f"CASE WHEN {counts} THEN CAST(floor({own} / {p} + 0.5) AS BIGINT) ELSE 0 END AS {weighted}"
            for weighted, own in over_p.items()
        ),
        f"CASE WHEN {stopped} OR coalesce({usable}, false) THEN 0 ELSE 1 END AS unweighted",
    ]


def sum_as_bigint(name: str) -> str:
    """Return the sum of whole numbers as BIGINT."""
    return f"CAST(sum({name}) AS BIGINT)"


def amount_in_pence(spec: Spec, source: Source, bound: Bound) -> str:
    """Return the amount in whole pence; 0 where it is negative or there is none."""
    amount = spec.score.amount
    if amount is None or amount not in source.columns:
        return "0"
    value, most = sql.column_as_double(amount, source.columns[amount]), bound(sql.MOST_PENCE / 100)
    return (
        f"CASE WHEN {value} BETWEEN 0 AND {most} THEN CAST(floor({value} * 100 + 0.5) AS BIGINT) "
        f"WHEN {value} > {most} AND isfinite({value}) THEN {int(sql.MOST_PENCE)} ELSE 0 END"
    )


def score_in_billionths(spec: Spec, source: Source, bound: Bound) -> str:
    """Return where the score lies in its range, from 0 to 1, in billionths."""
    low, high = spec.score.range
    position_sql = f"(({score_as_double(spec, source)} - {bound(low)}) / {bound(high - low)})"
    return (
        f"CASE WHEN {position_sql} BETWEEN 0 AND 1 THEN CAST(floor({position_sql} * 1e9 + 0.5) AS BIGINT) "
        f"WHEN {position_sql} > 1 THEN 1000000000 ELSE 0 END"
    )


def score_as_double(spec: Spec, source: Source) -> str:
    """Return the score as DOUBLE."""
    return sql.column_as_double(spec.score.column, source.columns[spec.score.column])


def is_blocked(spec: Spec, source: Source, bound: Bound) -> str:
    """Return whether a payment was blocked, so that no honest label can come."""
    action = spec.score.action
    if action is None or action not in source.columns or not spec.score.blocked:
        return "false"
    return sql.column_is_among(action, spec.score.blocked, bound)


def where_clause(conditions: Sequence[str]) -> str:
    """Return the WHERE clause of conditions that must all hold; of none, nothing."""
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""


def group_key_columns(groups: int) -> str:
    """Return which group column a row is about, and the code of its value."""
    if not groups:
        return "(-1) AS s, 0 AS g"
    names = [f"s{j}" for j in range(groups)]
    return f"{sql.index_of_grouped(names)} AS s, {sql.value_of_grouped(names)} AS g"


def grouping_sets(groups: int, keys: Sequence[str]) -> str:
    """Return the grouping sets of each key, by each group column where there is one."""
    prefixes = [f"s{j}, " for j in range(groups)] or [""]
    return ", ".join(f"({prefix}{key})" for prefix in prefixes for key in keys)


def require_column(spec: Spec, source: Source, key: str, name: str) -> None:
    """Raise WatchkeeperError where the feature table has no such column."""
    if name not in source.columns:
        raise WatchkeeperError(
            f"{spec.model}: {key}: table {spec.features.table} has no column '{name}'; "
            f"it has {', '.join(source.columns)}{did_you_mean(name, source.columns)}"
        )


def require_label_column(spec: Spec, labels: Labels, columns: Mapping[str, str], key: str) -> None:
    """Raise WatchkeeperError where the label table doesn't have the column that a key of ``labels`` names."""
    name = getattr(labels, key)
    if name not in columns:
        raise WatchkeeperError(
            f"{spec.model}: labels.{key}: table {labels.table} has no column '{name}'; "
            f"it has {', '.join(columns)}{did_you_mean(name, columns)}"
        )
