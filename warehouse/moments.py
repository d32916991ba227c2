"""Second moments: what correlation, principal components and Frechet distances are made of, as sums that add up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

import numpy as np

from warehouse import assemble, sql
from warehouse.grid import Floats, Frame, Grid, Ints
from warehouse.profile import PER_CELL, TOGETHER, Moments
from warehouse.scans import Statement, where
from warehouse.source import Source
from warehouse.sql import Bound


def coordinates(grid: Grid, x: Floats) -> Ints:
    """Return the coordinate of each value, and 0, the grid's centre, of what is null or not finite."""
    place = np.clip(grid.position(np.where(np.isfinite(x), x, grid.centre)), -grid.half, grid.half)
    return np.where(np.isfinite(x), np.floor(place * PER_CELL + 0.5), 0).astype(np.int64)


def sums(frame: Frame, source: Source, name: str) -> Statement:
    """Sum coordinates and their products by day: ``d, n``, then k sums, then the upper triangle of products by rows.

    ``name`` is an embedding's column, or TOGETHER for the frame's numbers. Rows whose embedding is null or of another
    length are left out; a number that is null or not finite counts as its grid's centre.
    """
    bound = Bound()
    conditions = source.wanted(bound)
    if name == TOGETHER:
        values = [(sql.number(each, source.columns[each]), frame.numbers[each]) for each in frame.moments]
    else:
        embedding = frame.embeddings[name]
        values = [(sql.element(name, i), embedding.grid) for i in range(embedding.dimensions)]
        conditions.append(f"{sql.length(name)} = {embedding.dimensions}")
    cells = [f"{source.day_number()} AS d"]
    cells += [f"{_coordinate(value, grid, bound)} AS z{i}" for i, (value, grid) in enumerate(values)]
    k = len(values)
    wanted = [f"z{i}" for i in range(k)] + [f"z{i} * z{j}" for i in range(k) for j in range(i, k)]
    rows = f"SELECT {', '.join(cells)} FROM {source.scan(bound)}{where(conditions)}"
    totals = ", ".join(f"CAST(sum({each}) AS BIGINT) AS m{i}" for i, each in enumerate(wanted))
    return Statement(f"SELECT d, count(*) AS n, {totals} FROM ({rows}) AS r GROUP BY d", bound.values)


def assembled(found: Mapping[str, Ints], k: int) -> Iterator[tuple[date, Moments]]:
    """Yield the moments of each day from rows of ``sums``."""
    values = np.stack([found[f"m{i}"] for i in range(k + k * (k + 1) // 2)], axis=1)
    for day, n, own in zip(found["d"].tolist(), found["n"].tolist(), values, strict=True):
        yield assemble.day_of(day), Moments.from_upper(n, own[:k], own[k:])


def wanted(frame: Frame, source: Source) -> list[str]:
    """Return of what second moments are taken: of numbers together where all of them are there, and of embeddings."""
    together = [TOGETHER] if frame.moments and set(frame.moments) <= source.columns.keys() else []
    return together + [name for name in frame.embeddings if sql.is_embedding(source.columns.get(name, ""))]


def dimensions(frame: Frame, name: str) -> int:
    """Return the number of coordinates of an embedding, or of the frame's numbers together."""
    return len(frame.moments) if name == TOGETHER else frame.embeddings[name].dimensions


def _coordinate(value: str, grid: Grid, bound: Bound) -> str:
    ends = (grid.border(1 - grid.half), grid.border(grid.half - 1))
    place = sql.position(value, grid, bound)
    inside = f"floor({place} * {PER_CELL}.0 + 0.5)"
    near = sql.near(value, grid, ends, bound)
    clipped = f"least(greatest({sql.position(near, grid, bound)}, {-grid.half}.0), {grid.half}.0)"
    return (
        f"CASE WHEN {value} BETWEEN {bound(ends[0])} AND {bound(ends[1])} THEN {inside} "
        f"WHEN {value} IS NULL OR NOT isfinite({value}) THEN 0.0 ELSE floor({clipped} * {PER_CELL}.0 + 0.5) END"
    )
