"""Many columns counted by one statement, for a warehouse that bills each column a statement reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from profiles.schema import ProfileSchema
from warehouse.profiling.assembly import GroupedRows
from warehouse.source import Source
from warehouse.sql import expressions as sql
from warehouse.sql.expressions import Bound, quoted_column
from warehouse.sql.scan_queries import (
    group_key_columns,
    grouping_sets,
    sum_as_bigint,
    where_clause,
)
from warehouse.sql.statement import Statement, StatementRunner

MOST_COLUMNS_PER_STATEMENT = 60


def batched_column_counts(
    schema: ProfileSchema, source: Source, names: Sequence[str], slices: Sequence[str], runner: StatementRunner
) -> Iterator[tuple[str, GroupedRows]]:
    """Yield the rows of ``scan_queries.column_counts_query`` for each column."""
    for asked in _chunks(names):
        found = runner.arrays(batched_counts_query(schema, source, asked, slices))
        for column_index, name in enumerate(asked):
            own = found["w"] == column_index
            yield name, {key: values[own] for key, values in found.items()}


def batched_statements(
    schema: ProfileSchema, source: Source, names: Sequence[str], slices: Sequence[str]
) -> Iterator[Statement]:
    """Yield the statements of ``batched_column_counts``."""
    return (batched_counts_query(schema, source, asked, slices) for asked in _chunks(names))


def _chunks(names: Sequence[str]) -> Iterator[Sequence[str]]:
    return (names[i : i + MOST_COLUMNS_PER_STATEMENT] for i in range(0, len(names), MOST_COLUMNS_PER_STATEMENT))


def batched_counts_query(
    schema: ProfileSchema, source: Source, columns: Sequence[str], slices: Sequence[str]
) -> Statement:
    """Count rows, and sum numbers, by day, slice value and bin of each column.

    Returns ``d, s, g, w, c, n, high, low``: as ``column_counts_query`` with w, the index of the column in
    ``columns``. The columns are laid one under the other, so the table is read, and billed, once for all of them.
    """
    bound = Bound()
    keys = ["d", *(f"s{j}" for j in range(len(slices)))]
    selected = [f"{source.day_number()} AS d"]
    selected += [f"{sql.as_level(quoted_column(name), source.columns[name])} AS s{j}" for j, name in enumerate(slices)]
    for i, name in enumerate(columns):
        selected += [
            f"{part} AS {key}{i}" for key, part in zip("clhx", _column_parts(schema, source, name, bound), strict=True)
        ]
    rows = f"SELECT {', '.join(selected)} FROM {source.scan(bound)}{where_clause(source.wanted(bound))}"
    under = ", ".join(f"{{'w': '{i}', 'c': c{i}, 'l': l{i}, 'h': h{i}, 'x': x{i}}}" for i in range(len(columns)))
    counted = (
        f"SELECT {', '.join(keys)}, u.w, u.c, u.l, count(*) AS n, sum(u.h) AS h, sum(u.x) AS x "
        f"FROM ({rows}) AS r CROSS JOIN UNNEST([{under}]) AS y(u) GROUP BY {', '.join(keys)}, u.w, u.c, u.l"
    )
    codes = [f"{sql.group_code(f't.s{j}', schema.groups[name], bound)} AS s{j}" for j, name in enumerate(slices)]
    levels = [(str(i), schema.categories[name]) for i, name in enumerate(columns) if name not in schema.numbers]
    join, bin_sql = sql.level_bin_join(levels, "t.w", "t.l", bound) if levels else ("", "t.c")
    bin_sql = f"CASE WHEN t.c IS NOT NULL THEN t.c ELSE {bin_sql} END"
    columns_sql = ", ".join(["t.d", *codes, "t.w", f"{bin_sql} AS c", "t.n", "t.h", "t.x"])
    coded = f"SELECT {columns_sql} FROM ({counted}) AS t{join}"
    text = (
        f"SELECT d, {group_key_columns(len(slices))}, CAST(w AS BIGINT) AS w, c, {sum_as_bigint('n')} AS n, "
        f"{sum_as_bigint('h')} AS high, {sum_as_bigint('x')} AS low "
        f"FROM ({coded}) AS r GROUP BY GROUPING SETS ({grouping_sets(len(slices), ['d, w, c'])})"
    )
    return Statement(text, bound.values)


def _column_parts(schema: ProfileSchema, source: Source, name: str, bound: Bound) -> tuple[str, str, str, str]:
    """Return a number's bin and the halves of its units, or a category's level; and the bin of its nulls."""
    kind = source.columns[name]
    if name not in schema.numbers:
        null = f"CASE WHEN {quoted_column(name)} IS NULL THEN ({sql.NULLS}) END"
        return null, sql.as_level(quoted_column(name), kind), "0", "0"
    grid = schema.numbers[name]
    high, low = sql.split_units(sql.column_as_double(name, kind), grid.per_unit, sql.MOST_UNITS, bound)
    return sql.bin_of_number(name, kind, grid, bound), "CAST(NULL AS VARCHAR)", high, low
