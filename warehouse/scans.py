"""The statements that turn rows into counts: one scan each, with the day in the key."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from models.errors import WatchkeeperError, did_you_mean
from models.spec import JOINT, Labels, Spec
from warehouse import sql
from warehouse.grid import Frame, Grid
from warehouse.profile import BLOCKED, OPEN
from warehouse.source import Source
from warehouse.sql import NULLS, Bound, column

LEAST_PROPENSITY = 0.0001
"""A payment never stands for more than 10,000: a smaller propensity is taken for a fault, not for a weight."""
MOST_VALUES = 20_000
"""Whole numbers whose grid spans less than this are counted by value first: few can be different."""


@dataclass(frozen=True)
class Statement:
    """A query and the values bound to it."""

    text: str
    values: dict[str, object]


def feature_columns(frame: Frame, source: Source) -> list[str]:
    """Return the features of the frame that the source has; a missing one is left out."""
    return [name for name in dict.fromkeys([*frame.numbers, *frame.categories]) if name in source.columns]


def groups_in(frame: Frame, spec: Spec, source: Source) -> list[str]:
    """Return the groups' columns that the source has, then the pairs of which it has both."""
    return [name for name in frame.groups if all(own in source.columns for own in spec.pairs.get(name, (name,)))]


def group_text(spec: Spec, source: Source, name: str, given: Callable[[str], str]) -> str:
    """Return a group's value as text, of a pair both (null where either is); ``given`` names a column in SQL."""
    own = spec.pairs.get(name, (name,))
    return f" || {sql.literal(JOINT)} || ".join(sql.level(given(each), source.columns[each]) for each in own)


def row_counts(source: Source) -> Statement:
    """Count rows by day: ``d, n``."""
    bound = Bound()
    text = f"SELECT {source.day_number()} AS d, count(*) AS n FROM {source.scan(bound)}{where(source.wanted(bound))}"
    return Statement(f"{text} GROUP BY d", bound.values)


def column_counts(frame: Frame, source: Source, name: str, slices: Sequence[str]) -> Statement:
    """Count rows, and sum a number, by day, slice value and cell of one column.

    Returns ``d, s, g, c, n, high, low``: day number, which slice and the code of its value, the cell, rows, and the
    fixed-point sum as high * 2^32 + low. Without slices s is -1 and g 0.

    Rows are first counted by what they hold: slices and categories as they are, and numbers too where there can't
    be many different ones. That costs hardly more than reading, and only these counts get their cells and codes.
    """
    bound, kind, grid = Bound(), source.columns[name], frame.numbers.get(name)
    keys = ["d", *(f"s{j}" for j in range(len(slices)))]
    rows = [f"{source.day_number()} AS d", *(f"{column(slice_)} AS s{j}" for j, slice_ in enumerate(slices))]
    join, units = "", "0"
    if grid is None:
        levels = [("", frame.categories[name])]
        join, cell = sql.level_join(levels, "''", sql.level(column(name), kind), bound)
        cell = f"CASE WHEN {column(name)} IS NULL THEN ({NULLS}) ELSE {cell} END"
    else:
        cell, units = _cell_and_units(name, kind, grid, bound)
    if grid is None or (sql.is_integer(kind) and grid.border(grid.half - 1) - grid.border(1 - grid.half) < MOST_VALUES):
        keys.append(column(name))
        counts, counted = "count(*) AS n", [f"{cell} AS c", "t.n", f"{units} * t.n AS x"]
        rows.append(column(name))
    else:
        keys.append("c")
        counts, counted = "count(*) AS n, sum(x) AS x", ["t.c", "t.n", "t.x"]
        rows += [f"{cell} AS c", f"{units} AS x"]
    values = f"SELECT {', '.join(rows)} FROM {source.scan(bound)}{where(source.wanted(bound))}"
    grouped = f"SELECT {', '.join(keys)}, {counts} FROM ({values}) AS t GROUP BY {', '.join(keys)}"
    codes = [
        f"{sql.group_code(sql.level(f't.s{j}', source.columns[name]), frame.groups[name], bound)} AS s{j}"
        for j, name in enumerate(slices)
    ]
    coded = f"SELECT {', '.join(['t.d', *codes, *counted])} FROM ({grouped}) AS t{join}"
    text = (
        f"SELECT d, {group_keys(len(slices))}, c, {whole('n')} AS n, {sql.halves('coalesce(sum(x), 0)')} "
        f"FROM ({coded}) AS r GROUP BY GROUPING SETS ({grouping_sets(len(slices), ['d, c'])})"
    )
    return Statement(text, bound.values)


def _cell_and_units(name: str, kind: str, grid: Grid, bound: Bound) -> tuple[str, str]:
    units = sql.fixed_point(sql.number(name, kind), grid.per_unit, sql.MOST_UNITS, bound)
    return sql.number_cell(name, kind, grid, bound), units


def score_counts(frame: Frame, spec: Spec, source: Source, groups: Sequence[str]) -> Statement:
    """Sum payments by day, group value, score cell and state.

    Returns ``d, s, g, c, state`` and what ``summed`` names; scores that are null or not finite have a cell of their
    own. Joint groups are made of the single ones after those were counted, and so cost no reading.
    """
    assert frame.score is not None
    bound, kind = Bound(), source.columns[spec.score.column]
    single = {name: f"s{j}" for j, name in enumerate(groups) if name not in spec.pairs}
    keys = ["d", *single.values(), "c", "state"]
    rows = [
        f"{source.day_number()} AS d",
        *(f"{column(name)} AS {own}" for name, own in single.items()),
        f"{sql.number_cell(spec.score.column, kind, frame.score, bound)} AS c",
        f"CASE WHEN {blocked(spec, source, bound)} THEN {BLOCKED} ELSE {OPEN} END AS state",
        f"{pence(spec, source, bound)} AS pence",
        f"CASE WHEN isfinite({score(spec, source)}) THEN {share(spec, source, bound)} ELSE 0 END AS share",
        *(weights(spec, source, bound) if frame.weighted else []),
    ]
    values = f"SELECT {', '.join(rows)} FROM {source.scan(bound)}{where(source.wanted(bound))}"
    names = summed(frame)
    sums = ", ".join(["count(*) AS n", *(f"sum({name}) AS {name}" for name in names[1:])])
    grouped = f"SELECT {', '.join(keys)}, {sums} FROM ({values}) AS t GROUP BY {', '.join(keys)}"
    codes = [
        f"{sql.group_code(group_text(spec, source, name, lambda own: f't.{single[own]}'), frame.groups[name], bound)} "
        f"AS s{j}"
        for j, name in enumerate(groups)
    ]
    coded = f"SELECT {', '.join(['t.d', *codes, 'c', 'state', *names])} FROM ({grouped}) AS t"
    sums = ", ".join(f"{whole(name)} AS {name}" for name in names)
    text = (
        f"SELECT d, {group_keys(len(groups))}, c, state, {sums} "
        f"FROM ({coded}) AS r GROUP BY GROUPING SETS ({grouping_sets(len(groups), ['d, c, state'])})"
    )
    return Statement(text, bound.values)


def summed(frame: Frame) -> list[str]:
    """Return the names of the cube's sums, in the order of ``profile.COUNT`` and those after it."""
    return ["n", "pence", "share", "weight", "weighted_pence", "unweighted"][: frame.sums]


def weights(spec: Spec, source: Source, bound: Bound) -> list[str]:
    """Return the columns ``weight, weighted_pence, unweighted``: 1 / p in millionths, pence / p, and 1 without a p.

    Blocked payments have 0 of each, for they get no label. A propensity p counts from LEAST_PROPENSITY to 1; others,
    nulls, and what can't be read as a number are unweighted.
    """
    name, stopped = spec.score.propensity, blocked(spec, source, bound)
    if name is None or name not in source.columns:
        return ["0 AS weight", "0 AS weighted_pence", f"CASE WHEN {stopped} THEN 0 ELSE 1 END AS unweighted"]
    p = sql.number(name, source.columns[name])
    usable = f"{p} BETWEEN {bound(LEAST_PROPENSITY)} AND 1"
    counts = f"{usable} AND NOT {stopped}"
    over_p = {"weight": "1000000", "weighted_pence": pence(spec, source, bound)}
    return [
        *(
            f"CASE WHEN {counts} THEN CAST(floor({own} / {p} + 0.5) AS BIGINT) ELSE 0 END AS {weighted}"
            for weighted, own in over_p.items()
        ),
        f"CASE WHEN {stopped} OR coalesce({usable}, false) THEN 0 ELSE 1 END AS unweighted",
    ]


def whole(name: str) -> str:
    """Return the sum of whole numbers as BIGINT."""
    return f"CAST(sum({name}) AS BIGINT)"


def pence(spec: Spec, source: Source, bound: Bound) -> str:
    """Return the amount in whole pence; 0 where it is negative or there is none."""
    amount = spec.score.amount
    if amount is None or amount not in source.columns:
        return "0"
    value, most = sql.number(amount, source.columns[amount]), bound(sql.MOST_PENCE / 100)
    return (
        f"CASE WHEN {value} BETWEEN 0 AND {most} THEN CAST(floor({value} * 100 + 0.5) AS BIGINT) "
        f"WHEN {value} > {most} AND isfinite({value}) THEN {int(sql.MOST_PENCE)} ELSE 0 END"
    )


def share(spec: Spec, source: Source, bound: Bound) -> str:
    """Return where the score lies in its range, from 0 to 1, in billionths."""
    low, high = spec.score.range
    place = f"(({score(spec, source)} - {bound(low)}) / {bound(high - low)})"
    return (
        f"CASE WHEN {place} BETWEEN 0 AND 1 THEN CAST(floor({place} * 1e9 + 0.5) AS BIGINT) "
        f"WHEN {place} > 1 THEN 1000000000 ELSE 0 END"
    )


def score(spec: Spec, source: Source) -> str:
    """Return the score as DOUBLE."""
    return sql.number(spec.score.column, source.columns[spec.score.column])


def blocked(spec: Spec, source: Source, bound: Bound) -> str:
    """Return whether a payment was blocked, so that no honest label can come."""
    action = spec.score.action
    if action is None or action not in source.columns or not spec.score.blocked:
        return "false"
    return sql.among(action, spec.score.blocked, bound)


def where(conditions: Sequence[str]) -> str:
    """Return the WHERE clause of conditions that must all hold; of none, nothing."""
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""


def group_keys(groups: int) -> str:
    """Return which group column a row is about, and the code of its value."""
    if not groups:
        return "(-1) AS s, 0 AS g"
    names = [f"s{j}" for j in range(groups)]
    return f"{sql.which(names)} AS s, {sql.one_of(names)} AS g"


def grouping_sets(groups: int, keys: Sequence[str]) -> str:
    """Return the grouping sets of each key, by each group column where there is one."""
    prefixes = [f"s{j}, " for j in range(groups)] or [""]
    return ", ".join(f"({prefix}{key})" for prefix in prefixes for key in keys)


def need(spec: Spec, source: Source, key: str, name: str) -> None:
    """Raise WatchkeeperError where the feature table has no such column."""
    if name not in source.columns:
        raise WatchkeeperError(
            f"{spec.model}: {key}: table {spec.features.table} has no column '{name}'; "
            f"it has {', '.join(source.columns)}{did_you_mean(name, source.columns)}"
        )


def need_label(spec: Spec, labels: Labels, columns: Mapping[str, str], key: str) -> None:
    """Raise WatchkeeperError where the label table doesn't have the column that a key of ``labels`` names."""
    name = getattr(labels, key)
    if name not in columns:
        raise WatchkeeperError(
            f"{spec.model}: labels.{key}: table {labels.table} has no column '{name}'; "
            f"it has {', '.join(columns)}{did_you_mean(name, columns)}"
        )
