"""Many columns counted by one statement, for a warehouse that bills each column a statement reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from warehouse import scans, sql
from warehouse.assemble import Rows
from warehouse.grid import Frame, Ints
from warehouse.scans import Statement
from warehouse.source import Source
from warehouse.sql import Bound, column

COLUMNS_A_STATEMENT = 60


class Engine(Protocol):
    """Runs a statement in a warehouse that bills."""

    def arrays(self, statement: Statement) -> dict[str, Ints]:
        """Run a statement whose columns are whole numbers and return them."""
        ...


def counts(
    frame: Frame, source: Source, names: Sequence[str], slices: Sequence[str], engine: Engine
) -> Iterator[tuple[str, Rows]]:
    """Yield the rows of ``scans.column_counts`` for each column."""
    for asked in _chunks(names):
        found = engine.arrays(columns_counts(frame, source, asked, slices))
        for place, name in enumerate(asked):
            own = found["w"] == place
            yield name, {key: values[own] for key, values in found.items()}


def statements(frame: Frame, source: Source, names: Sequence[str], slices: Sequence[str]) -> Iterator[Statement]:
    """Yield the statements of ``counts``."""
    return (columns_counts(frame, source, asked, slices) for asked in _chunks(names))


def _chunks(names: Sequence[str]) -> Iterator[Sequence[str]]:
    return (names[i : i + COLUMNS_A_STATEMENT] for i in range(0, len(names), COLUMNS_A_STATEMENT))


def columns_counts(frame: Frame, source: Source, columns: Sequence[str], slices: Sequence[str]) -> Statement:
    """Count rows, and sum numbers, by day, slice value and cell of each column.

    Returns ``d, s, g, w, c, n, high, low``: as ``scans.column_counts`` with w, the place of the column in
    ``columns``. The columns are laid one under the other, so the table is read, and billed, once for all of them.
    """
    bound = Bound()
    keys = ["d", *(f"s{j}" for j in range(len(slices)))]
    cells = [f"{source.day_number()} AS d"]
    cells += [f"{sql.level(column(name), source.columns[name])} AS s{j}" for j, name in enumerate(slices)]
    for i, name in enumerate(columns):
        cells += [f"{part} AS {key}{i}" for key, part in zip("clhx", _parts(frame, source, name, bound), strict=True)]
    rows = f"SELECT {', '.join(cells)} FROM {source.scan(bound)}{scans.where(source.wanted(bound))}"
    under = ", ".join(f"{{'w': '{i}', 'c': c{i}, 'l': l{i}, 'h': h{i}, 'x': x{i}}}" for i in range(len(columns)))
    counted = (
        f"SELECT {', '.join(keys)}, u.w, u.c, u.l, count(*) AS n, sum(u.h) AS h, sum(u.x) AS x "
        f"FROM ({rows}) AS r CROSS JOIN UNNEST([{under}]) AS y(u) GROUP BY {', '.join(keys)}, u.w, u.c, u.l"
    )
    codes = [f"{sql.group_code(f't.s{j}', frame.groups[name], bound)} AS s{j}" for j, name in enumerate(slices)]
    levels = [(str(i), frame.categories[name]) for i, name in enumerate(columns) if name not in frame.numbers]
    join, cell = sql.level_join(levels, "t.w", "t.l", bound) if levels else ("", "t.c")
    cell = f"CASE WHEN t.c IS NOT NULL THEN t.c ELSE {cell} END"
    coded = (
        f"SELECT {', '.join(['t.d', *codes, 't.w', f'{cell} AS c', 't.n', 't.h', 't.x'])} FROM ({counted}) AS t{join}"
    )
    text = (
        f"SELECT d, {scans.group_keys(len(slices))}, CAST(w AS BIGINT) AS w, c, {scans.whole('n')} AS n, "
        f"{scans.whole('h')} AS high, {scans.whole('x')} AS low "
        f"FROM ({coded}) AS r GROUP BY GROUPING SETS ({scans.grouping_sets(len(slices), ['d, w, c'])})"
    )
    return Statement(text, bound.values)


def _parts(frame: Frame, source: Source, name: str, bound: Bound) -> tuple[str, str, str, str]:
    """Return a number's cell and the halves of its units, or a category's level; and the cell of its nulls."""
    kind = source.columns[name]
    if name not in frame.numbers:
        null = f"CASE WHEN {column(name)} IS NULL THEN ({sql.NULLS}) END"
        return null, sql.level(column(name), kind), "0", "0"
    grid = frame.numbers[name]
    high, low = sql.halved_units(sql.number(name, kind), grid.per_unit, sql.MOST_UNITS, bound)
    return sql.number_cell(name, kind, grid, bound), "CAST(NULL AS VARCHAR)", high, low
