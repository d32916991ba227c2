"""SQL of the bank's data: identifiers are quoted here, and values are only ever bound."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from profiles.bins import LOGIT_SOFTENING, REST, UNSEEN, Grid, Levels

NULLS, NONFINITE = -20_000, -20_001
"""Bins of the values that no grid has a bin for."""
NULL_GROUP, OTHER_GROUP = -1, -2
"""Codes of a null group value and of the values that share a group; the others are positions from 0."""
MOST_PENCE = 1e13
MOST_UNITS = 1e18
"""Bounds of a single value in a sum, so that no sum of 64-bit integers overflows: GBP 100 billion, 1e18 grid units."""

TWO_32 = 2**32
FAR_REACHES = 1e30
"""Values are taken to lie at most this many times the grid's reach from its centre: that is the same end bin."""

_NUMERIC = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT",
            "UHUGEINT", "FLOAT", "DOUBLE")  # fmt: skip


class Bound:
    """The values bound to one statement: ``bound(value)`` returns the parameter that stands for it."""

    def __init__(self) -> None:
        self.values: dict[str, object] = {}
        self._names: dict[tuple[type, str], str] = {}

    def __call__(self, value: object) -> str:
        """Bind a value; equal ones, of one type, share a parameter, for a warehouse takes only so many."""
        key = (type(value), repr(value))
        name = self._names.setdefault(key, f"v{len(self.values)}")
        self.values[name] = value
        return f"${name}"


def quote_identifier(name: str) -> str:
    """Return a column's name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def quote_table_path(table: str) -> str:
    """Return ``dataset.table`` or ``project.dataset.table`` as an SQL identifier."""
    return ".".join(quote_identifier(part) for part in table.split("."))


def quote_literal(text: str) -> str:
    """Return a text as an SQL literal, for the one query that others run: ``Warehouse.relation``."""
    return "'" + text.replace("'", "''") + "'"


def is_number_type(kind: str) -> bool:
    """Return whether a DuckDB type holds numbers."""
    return kind in _NUMERIC or kind.startswith("DECIMAL")


def is_integer_type(kind: str) -> bool:
    """Return whether a DuckDB type holds whole numbers of at most 64 bits."""
    return kind in _NUMERIC and kind.endswith("INT") | kind.endswith("INTEGER") and not kind.endswith("HUGEINT")


def is_text_type(kind: str) -> bool:
    """Return whether a DuckDB type holds text."""
    return kind == "VARCHAR" or kind.startswith("ENUM")


def quoted_column(name: str) -> str:
    """Return a column of the scanned table, whose alias is ``t``."""
    return f"t.{quote_identifier(name)}"


def column_as_text(name: str) -> str:
    """Return a column's values as text."""
    return f"CAST({quoted_column(name)} AS VARCHAR)"


def as_level(value: str, kind: str) -> str:
    """Return a category's value as text, the same in every engine: whole numbers without a point, times to seconds.

    So an integer column that became a float one, as pandas makes of nulls, keeps its levels.
    """
    if kind.startswith(("FLOAT", "DOUBLE", "DECIMAL")):
        x = f"CAST({value} AS DOUBLE)"
        return (
            f"CASE WHEN isnan({x}) THEN 'nan' WHEN NOT isfinite({x}) THEN CASE WHEN {x} > 0 THEN 'inf' ELSE '-inf' END "
            f"WHEN {x} = floor({x}) AND abs({x}) < 1e15 THEN CAST(CAST({x} AS BIGINT) AS VARCHAR) "
            f"ELSE CAST({x} AS VARCHAR) END"
        )
    if kind.startswith("TIMESTAMP"):
        return f"substr(CAST(CAST({value} AS TIMESTAMP) AS VARCHAR), 1, 19)"
    return f"CAST({value} AS VARCHAR)"


def column_as_double(name: str, kind: str) -> str:
    """Return a column's values as DOUBLE, null where they can't be read as numbers."""
    if is_number_type(kind) or kind == "BOOLEAN":
        return f"CAST({quoted_column(name)} AS DOUBLE)"
    return f"TRY_CAST({column_as_text(name)} AS DOUBLE)"


def array_element(name: str, index: int) -> str:
    """Return one element of an array as DOUBLE, by its index from 0."""
    return f"CAST({quoted_column(name)}[{index + 1}] AS DOUBLE)"


def array_length(name: str) -> str:
    """Return the number of elements of an array."""
    return f"array_length({quoted_column(name)})"


def is_embedding_type(kind: str) -> bool:
    """Return whether a DuckDB type holds arrays of numbers."""
    inner, bracket, _ = kind.partition("[")
    return bool(bracket) and is_number_type(inner)


def column_as_date(name: str, kind: str) -> str:
    """Return a column's values as DATE (UTC), null where they can't be read as dates."""
    return f"TRY_CAST({column_as_text(name)} AS DATE)" if is_text_type(kind) else f"CAST({quoted_column(name)} AS DATE)"


def as_day_number(day: str) -> str:
    """Return a DATE in days since 1970."""
    return f"date_diff('day', DATE '1970-01-01', {day})"


def column_as_timestamp(name: str, kind: str) -> str:
    """Return a column's values as TIMESTAMP (UTC), null where they can't be read as times."""
    return (
        f"TRY_CAST({column_as_text(name)} AS TIMESTAMP)"
        if is_text_type(kind)
        else f"CAST({quoted_column(name)} AS TIMESTAMP)"
    )


def column_as_boolean(name: str, kind: str) -> str:
    """Return a label's values as BOOLEAN: true or false, 1 or 0; null where they are neither."""
    if is_text_type(kind):
        return f"TRY_CAST({column_as_text(name)} AS BOOLEAN)"
    if is_number_type(kind):
        value = f"CAST({quoted_column(name)} AS DOUBLE)"
        return f"CASE {value} WHEN 1 THEN true WHEN 0 THEN false END"
    return f"CAST({quoted_column(name)} AS BOOLEAN)"


def grid_position(value: str, grid: Grid, bound: Bound) -> str:
    """Return ``Grid.position`` of a DOUBLE (of a score inside its range), operation by operation."""
    away = f"({value} - {bound(grid.centre)})"
    if grid.kind == "linear":
        return f"({away} * {bound(1 / (grid.scale * grid.width))})"
    u, per_width = f"({away} * {bound(1 / grid.scale)})", bound(1 / grid.width)
    if grid.kind == "log":
        return f"(sign({u}) * ln(1 + abs({u})) * {per_width})"
    softening = bound(LOGIT_SOFTENING)
    return f"((ln(({u} + {softening}) / (1 - {u} + {softening})) - {bound(grid.shift)}) * {per_width})"


def bin_of_finite(value: str, grid: Grid, bound: Bound) -> str:
    """Return ``Grid.bin_of`` of a finite DOUBLE."""
    inside, beyond = _bin_arms(value, grid, bound)
    return f"CASE {inside} {beyond} END"


def bin_of_number(name: str, kind: str, grid: Grid, bound: Bound) -> str:
    """Return the bin of a number, or NULLS, or NONFINITE for NaN, infinities and what can't be read as a number."""
    value = column_as_double(name, kind)
    inside, beyond = _bin_arms(value, grid, bound)
    return (
        f"CASE {inside} WHEN {quoted_column(name)} IS NULL THEN ({NULLS}) "
        f"WHEN {value} IS NULL OR NOT isfinite({value}) THEN ({NONFINITE}) {beyond} END"
    )


def _bin_arms(value: str, grid: Grid, bound: Bound) -> tuple[str, str]:
    """Return the CASE arm of values that surely lie on the grid, and those of any finite value.

    DuckDB's least and greatest cost more than everything else here, and few values need them. Values are clipped
    before the arithmetic, because BigQuery refuses to overflow.
    """
    if grid.kind == "logit":
        low, high = grid.centre, grid.centre + grid.scale
        first, last = grid.bin_of(np.array([low, high])).tolist()
        inside = _on_grid(value, grid, (low, high), bound)
        return inside, f"WHEN {value} < {bound(low)} THEN ({first}) ELSE ({last})"
    last = grid.half - 1
    ends = (grid.edge(-last), grid.edge(last))
    bin_sql = f"floor({grid_position(clip_near_grid(value, grid, ends, bound), grid, bound)})"
    clipped = f"CAST(least(greatest({bin_sql}, ({-grid.half})), {last}) AS INTEGER)"
    # Where the bins are finer than doubles the edges miss their values, and no value is sure to lie on the grid.
    positions = grid.position(np.array(ends))
    sure = -grid.half <= positions[0] and positions[1] < grid.half
    return _on_grid(value, grid, ends, bound) if sure else "WHEN false THEN 0", f"ELSE {clipped}"


def clip_near_grid(value: str, grid: Grid, ends: tuple[float, float], bound: Bound) -> str:
    """Return a finite DOUBLE moved so near that arithmetic on it can't overflow, but still beyond the grid's ends."""
    reach = FAR_REACHES * max(abs(end - grid.centre) for end in ends)
    return f"least(greatest({value}, {bound(grid.centre - reach)}), {bound(grid.centre + reach)})"


def _on_grid(value: str, grid: Grid, ends: tuple[float, float], bound: Bound) -> str:
    bin_sql = f"CAST(floor({grid_position(value, grid, bound)}) AS INTEGER)"
    return f"WHEN {value} BETWEEN {bound(ends[0])} AND {bound(ends[1])} THEN {bin_sql}"


def fixed_point_units(value: str, per_unit: float, most: float, bound: Bound) -> str:
    """Return a finite DOUBLE in whole units (BIGINT, halves up), null for others: the sum of these is exact.

    Rounding is floor(u + 0.5), because engines differ in how a cast rounds.
    """
    return (
        f"CASE WHEN {value} BETWEEN {bound(-most / per_unit)} AND {bound(most / per_unit)} "
        f"THEN CAST(floor({value} * {bound(per_unit)} + 0.5) AS BIGINT) "
        f"WHEN isfinite({value}) THEN CAST(sign({value}) * {bound(most)} AS BIGINT) END"
    )


def split_units(value: str, per_unit: float, most: float, bound: Bound) -> tuple[str, str]:
    """Return the halves of ``fixed_point_units``: high * 2^32 + low. Sums of either stay far within 64 bits.

    Both are exact: up to 10^18 the double that is split has at most 53 bits, and 2^32 only moves them.
    """
    units = f"floor({value} * {bound(per_unit)} + 0.5)"
    inside = f"{value} BETWEEN {bound(-most / per_unit)} AND {bound(most / per_unit)}"
    high = f"floor({units} / {TWO_32})"
    most_high, most_low = divmod(int(most), TWO_32)
    least_high, least_low = divmod(-int(most), TWO_32)
    ends = [
        f"WHEN NOT isfinite({value}) THEN 0 WHEN {value} > 0 THEN {up} WHEN {value} < 0 THEN ({down}) ELSE 0 END"
        for up, down in ((most_high, least_high), (most_low, least_low))
    ]
    return (
        f"CASE WHEN {inside} THEN CAST({high} AS BIGINT) {ends[0]}",
        f"CASE WHEN {inside} THEN CAST({units} - {high} * {TWO_32} AS BIGINT) {ends[1]}",
    )


def split_total(total: str) -> str:
    """Return a sum that may exceed 64 bits as two columns, ``high`` and ``low``: high * 2^32 + low."""
    return f"CAST({total} // {TWO_32} AS BIGINT) AS high, CAST({total} % {TWO_32} AS BIGINT) AS low"


def level_bin_join(
    levels_of: Sequence[tuple[str, Levels]], which: str, level_text: str, bound: Bound
) -> tuple[str, str]:
    """Return the join that gives a level its bin, and the bin of a level that isn't null.

    ``levels_of`` names each category and its levels, and the text ``which`` says which of them a row is about. Name,
    bin and level travel as one text each, because engines differ in how they lay several lists side by side.
    """
    known = [
        f"{name}:{bin_number}:{level_}"
        for name, levels in levels_of
        for level_, bin_number in (
            *((top, i) for i, top in enumerate(levels.top)),
            *((rest, REST) for rest in sorted(levels.seen - set(levels.top))),
        )
    ]
    of_level = "substr(e, strpos(e, ':') + 1)"
    split = (
        f"SELECT substr(e, 1, strpos(e, ':') - 1) AS w, "
        f"CAST(substr({of_level}, 1, strpos({of_level}, ':') - 1) AS BIGINT) AS cell, "
        f"substr({of_level}, strpos({of_level}, ':') + 1) AS level "
        f"FROM UNNEST(CAST({bound(known)} AS VARCHAR[])) AS u(e)"
    )
    join = f" LEFT JOIN ({split}) AS v ON v.w = {which} AND v.level = {level_text}"
    return join, f"coalesce(v.cell, ({UNSEEN}))"


def group_code(value: str, values: Sequence[str | None], bound: Bound) -> str:
    """Return the position of a group's text among ``values`` without null, or NULL_GROUP or OTHER_GROUP."""
    null = NULL_GROUP if None in values else OTHER_GROUP
    known = " ".join(f"WHEN {bound(each)} THEN {i}" for i, each in enumerate(v for v in values if v is not None))
    code = f"CASE {value} {known} ELSE ({OTHER_GROUP}) END" if known else f"({OTHER_GROUP})"
    return f"CASE WHEN {value} IS NULL THEN ({null}) ELSE {code} END"


def column_is_among(name: str, values: Iterable[str], bound: Bound) -> str:
    """Return whether a column's text is one of the values; false for null."""
    return f"coalesce({column_as_text(name)} IN ({', '.join(bound(value) for value in values)}), false)"


def index_of_grouped(names: Sequence[str]) -> str:
    """Return the position of the one column that a row of a GROUPING SETS result isn't rolled up over."""
    return "CASE " + " ".join(f"WHEN {name} IS NOT NULL THEN {i}" for i, name in enumerate(names)) + " END"


def value_of_grouped(names: Sequence[str]) -> str:
    """Return the value of that column."""
    return f"coalesce({', '.join(names)})"
