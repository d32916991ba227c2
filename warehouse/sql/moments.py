"""Second moments: what correlation, principal components and Frechet distances are made of, as sums that add up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

import numpy as np

from profiles.bins import Floats, Grid, Ints
from profiles.profile import ALL_NUMBERS, PER_BIN, Moments
from profiles.schema import ProfileSchema
from warehouse.profiling import assembly
from warehouse.source import Source
from warehouse.sql import expressions as sql
from warehouse.sql.expressions import Bound
from warehouse.sql.scan_queries import where_clause
from warehouse.sql.statement import Statement


def grid_coordinates(grid: Grid, x: Floats) -> Ints:
    """Return the coordinate of each value, and 0, the grid's centre, of what is null or not finite."""
    on_grid = np.clip(grid.position(np.where(np.isfinite(x), x, grid.centre)), -grid.half, grid.half)
    return np.where(np.isfinite(x), np.floor(on_grid * PER_BIN + 0.5), 0).astype(np.int64)


def moment_sums_query(schema: ProfileSchema, source: Source, name: str) -> Statement:
    """Sum coordinates and their products by day: ``d, n``, then k sums, then the upper triangle of products by rows.

    ``name`` is an embedding's column, or ALL_NUMBERS for the schema's numbers. Rows whose embedding is null or of
    another length are left out; a number that is null or not finite counts as its grid's centre.
    """
    bound = Bound()
    conditions = source.wanted(bound)
    if name == ALL_NUMBERS:
        values = [(sql.column_as_double(each, source.columns[each]), schema.numbers[each]) for each in schema.moments]
    else:
        embedding = schema.embeddings[name]
        values = [(sql.array_element(name, i), embedding.grid) for i in range(embedding.dimensions)]
        conditions.append(f"{sql.array_length(name)} = {embedding.dimensions}")
    selected = [f"{source.day_number()} AS d"]
    selected += [f"{_coordinate_sql(value, grid, bound)} AS z{i}" for i, (value, grid) in enumerate(values)]
    k = len(values)
    wanted = [f"z{i}" for i in range(k)] + [f"z{i} * z{j}" for i in range(k) for j in range(i, k)]
    rows = f"SELECT {', '.join(selected)} FROM {source.scan(bound)}{where_clause(conditions)}"
    totals = ", ".join(f"CAST(sum({each}) AS BIGINT) AS m{i}" for i, each in enumerate(wanted))
    return Statement(f"SELECT d, count(*) AS n, {totals} FROM ({rows}) AS r GROUP BY d", bound.values)


def assemble_moments(found: Mapping[str, Ints], k: int) -> Iterator[tuple[date, Moments]]:
    """Yield the moments of each day from rows of ``moment_sums_query``."""
    values = np.stack([found[f"m{i}"] for i in range(k + k * (k + 1) // 2)], axis=1)
    for day, n, own in zip(found["d"].tolist(), found["n"].tolist(), values, strict=True):
        yield assembly.date_of_day_number(day), Moments.from_upper(n, own[:k], own[k:])


def moment_columns(schema: ProfileSchema, source: Source) -> list[str]:
    """Return of what second moments are taken: of numbers together where all of them are there, and of embeddings."""
    together = [ALL_NUMBERS] if schema.moments and set(schema.moments) <= source.columns.keys() else []
    return together + [name for name in schema.embeddings if sql.is_embedding_type(source.columns.get(name, ""))]


def moment_dimensions(schema: ProfileSchema, name: str) -> int:
    """Return the number of coordinates of an embedding, or of the schema's numbers together."""
    return len(schema.moments) if name == ALL_NUMBERS else schema.embeddings[name].dimensions


def _coordinate_sql(value: str, grid: Grid, bound: Bound) -> str:
    ends = (grid.edge(1 - grid.half), grid.edge(grid.half - 1))
    on_grid = sql.grid_position(value, grid, bound)
    inside = f"floor({on_grid} * {PER_BIN}.0 + 0.5)"
    near = sql.clip_near_grid(value, grid, ends, bound)
    clipped = f"least(greatest({sql.grid_position(near, grid, bound)}, {-grid.half}.0), {grid.half}.0)"
    return (
        f"CASE WHEN {value} BETWEEN {bound(ends[0])} AND {bound(ends[1])} THEN {inside} "
        f"WHEN {value} IS NULL OR NOT isfinite({value}) THEN 0.0 ELSE floor({clipped} * {PER_BIN}.0 + 0.5) END"
    )
