"""SQL of the bank's data: identifiers are quoted here, and values are only ever bound."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from warehouse.grid import LOGIT_SOFTENING, REST, UNSEEN, Grid, Levels

NULLS, NONFINITE = -20_000, -20_001
"""Cells of the values that no grid has a cell for."""
NULL_GROUP, OTHER_GROUP = -1, -2
"""Codes of a null group value and of the values that share a group; the others are positions from 0."""
MOST_PENCE = 1e13
MOST_UNITS = 1e18
"""Bounds of a single value in a sum, so that no sum of 64-bit integers overflows: GBP 100 billion, 1e18 grid units."""

_NUMERIC = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT",
            "UHUGEINT", "FLOAT", "DOUBLE")  # fmt: skip


class Bound:
    """The values bound to one statement: ``bound(value)`` returns the parameter that stands for it."""

    def __init__(self) -> None:
        self.values: dict[str, object] = {}

    def __call__(self, value: object) -> str:
        """Bind a value."""
        name = f"v{len(self.values)}"
        self.values[name] = value
        return f"${name}"


def quote(name: str) -> str:
    """Return a column's name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a text as an SQL literal, for the one query that others run: ``Warehouse.relation``."""
    return "'" + text.replace("'", "''") + "'"


def is_number(kind: str) -> bool:
    """Return whether a DuckDB type holds numbers."""
    return kind in _NUMERIC or kind.startswith("DECIMAL")


def is_text(kind: str) -> bool:
    """Return whether a DuckDB type holds text."""
    return kind == "VARCHAR" or kind.startswith("ENUM")


def column(name: str) -> str:
    """Return a column of the scanned table, whose alias is ``t``."""
    return f"t.{quote(name)}"


def text(name: str) -> str:
    """Return a column's values as text."""
    return f"CAST({column(name)} AS VARCHAR)"


def number(name: str, kind: str) -> str:
    """Return a column's values as DOUBLE, null where they can't be read as numbers."""
    if is_number(kind) or kind == "BOOLEAN":
        return f"CAST({column(name)} AS DOUBLE)"
    return f"TRY_CAST({text(name)} AS DOUBLE)"


def day_of(name: str, kind: str) -> str:
    """Return a column's values as DATE (UTC), null where they can't be read as dates."""
    return f"TRY_CAST({text(name)} AS DATE)" if is_text(kind) else f"CAST({column(name)} AS DATE)"


def moment(name: str, kind: str) -> str:
    """Return a column's values as TIMESTAMP (UTC), null where they can't be read as times."""
    return f"TRY_CAST({text(name)} AS TIMESTAMP)" if is_text(kind) else f"CAST({column(name)} AS TIMESTAMP)"


def truth(name: str, kind: str) -> str:
    """Return a label's values as BOOLEAN: true or false, 1 or 0; null where they are neither."""
    if is_text(kind):
        return f"TRY_CAST({text(name)} AS BOOLEAN)"
    if is_number(kind):
        value = f"CAST({column(name)} AS DOUBLE)"
        return f"CASE {value} WHEN 1 THEN true WHEN 0 THEN false END"
    return f"CAST({column(name)} AS BOOLEAN)"


def position(value: str, grid: Grid, bound: Bound) -> str:
    """Return ``Grid.position`` of a DOUBLE, operation by operation."""
    u = f"(({value} - {bound(grid.centre)}) / {bound(grid.scale)})"
    if grid.kind == "asinh":
        u = f"asinh({u})"
    elif grid.kind == "logit":
        softening = bound(LOGIT_SOFTENING)
        u = f"(asinh({u} / {softening}) - asinh((1 - {u}) / {softening}) - {bound(grid.shift)})"
    return f"({u} / {bound(grid.width)})"


def finite_cell(value: str, grid: Grid, bound: Bound) -> str:
    """Return ``Grid.cell`` of a finite DOUBLE."""
    inside, clipped = _cell_arms(value, grid, bound)
    return f"CASE {inside} ELSE {clipped} END"


def number_cell(name: str, kind: str, grid: Grid, bound: Bound) -> str:
    """Return the cell of a number, or NULLS, or NONFINITE for NaN, infinities and what can't be read as a number."""
    value = number(name, kind)
    inside, clipped = _cell_arms(value, grid, bound)
    return (
        f"CASE {inside} WHEN {column(name)} IS NULL THEN ({NULLS}) "
        f"WHEN {value} IS NULL OR NOT isfinite({value}) THEN ({NONFINITE}) ELSE {clipped} END"
    )


def _cell_arms(value: str, grid: Grid, bound: Bound) -> tuple[str, str]:
    """Return the CASE arm of values that surely lie on the grid, and the cell of any finite value.

    DuckDB's least and greatest cost more than everything else here, and few values need them.
    """
    last = grid.half - 1
    ends = (grid.border(-last), grid.border(last))
    if grid.kind == "logit":
        ends = (grid.centre, grid.centre + grid.scale)
    positions = grid.position(np.array(ends))
    place = f"floor({position(value, grid, bound)})"
    clipped = f"CAST(least(greatest({place}, ({-grid.half})), {last}) AS INTEGER)"
    # Where the cells are finer than doubles the borders miss their places, and no value is sure to lie on the grid.
    sure = -grid.half <= positions[0] and positions[1] < grid.half
    within = f"{value} BETWEEN {bound(ends[0])} AND {bound(ends[1])}" if sure else "false"
    return f"WHEN {within} THEN CAST({place} AS INTEGER)", clipped


def fixed_point(value: str, unit: float, most: float, bound: Bound) -> str:
    """Return a finite DOUBLE in whole units (BIGINT, half to even), null for others: the sum of these is exact."""
    return (
        f"CASE WHEN {value} BETWEEN {bound(-most * unit)} AND {bound(most * unit)} THEN CAST({value} / {bound(unit)} "
        f"AS BIGINT) WHEN isfinite({value}) THEN CAST(sign({value}) * {bound(most)} AS BIGINT) END"
    )


def level_join(alias: str, name: str, levels: Levels, bound: Bound) -> str:
    """Return the join that gives each level of a category its cell, as ``alias.cell``."""
    rest = sorted(levels.seen - set(levels.top))
    cells = [*range(len(levels.top)), *[REST] * len(rest)]
    found = (
        f"SELECT unnest(CAST({bound([*levels.top, *rest])} AS VARCHAR[])) AS level, "
        f"unnest(CAST({bound(cells)} AS INTEGER[])) AS cell"
    )
    return f"LEFT JOIN ({found}) AS {alias} ON {alias}.level = {text(name)}"


def category_cell(alias: str, name: str) -> str:
    """Return the cell of a category, or NULLS; ``alias`` is that of its ``level_join``."""
    return f"CASE WHEN {column(name)} IS NULL THEN ({NULLS}) ELSE coalesce({alias}.cell, ({UNSEEN})) END"


def group_code(name: str, values: Sequence[str | None], bound: Bound) -> str:
    """Return the position of a group's value among ``values`` without null, or NULL_GROUP or OTHER_GROUP."""
    null = NULL_GROUP if None in values else OTHER_GROUP
    known = bound([value for value in values if value is not None])
    place = f"list_position(CAST({known} AS VARCHAR[]), {text(name)}) - 1"
    return f"CASE WHEN {column(name)} IS NULL THEN ({null}) ELSE coalesce({place}, ({OTHER_GROUP})) END"


def among(name: str, values: Iterable[str], bound: Bound) -> str:
    """Return whether a column's text is one of the values; false for null."""
    return f"coalesce(list_contains(CAST({bound(list(values))} AS VARCHAR[]), {text(name)}), false)"


def which(names: Sequence[str]) -> str:
    """Return the position of the one column that a row of a GROUPING SETS result isn't rolled up over."""
    return "CASE " + " ".join(f"WHEN {name} IS NOT NULL THEN {i}" for i, name in enumerate(names)) + " END"


def one_of(names: Sequence[str]) -> str:
    """Return the value of that column."""
    return f"coalesce({', '.join(names)})"
