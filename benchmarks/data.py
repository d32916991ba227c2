"""A seeded fraud feature table, written as a bank would: Parquet, one folder a day, snappy, groups of 120,000 rows."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

START = date(2026, 1, 1)
ROW_GROUP = 120_000
SLICES = ("channel", "region")


@dataclass(frozen=True)
class Recipe:
    """One column: its name, how it is drawn, a parameter of that, and its share of nulls.

    ``number`` is the spread of a symmetric or heavy-tailed number or the mean of a count, ``levels`` of a category.
    """

    name: str
    draw: Literal["symmetric", "amount", "count", "share", "category"]
    size: float
    nulls: float = 0.0

    @property
    def kind(self) -> Literal["number", "category"]:
        """Return the kind that a model file gives this column."""
        return "category" if self.draw == "category" else "number"


RECIPES = (
    Recipe("amount_gbp", "amount", 1.3),
    Recipe("hour_of_day", "symmetric", 4.0),
    Recipe("channel", "category", 4),
    Recipe("account_age_days", "amount", 0.9),
    Recipe("payments_24h", "count", 2.0),
    Recipe("region", "category", 12),
    Recipe("amount_30d_mean_gbp", "amount", 1.0),
    Recipe("device_age_days", "amount", 1.5, nulls=0.04),
    Recipe("is_new_payee", "category", 2),
    Recipe("balance_share", "share", 2.0),
    Recipe("payee_age_days", "amount", 1.2, nulls=0.1),
    Recipe("merchant", "category", 2_000),
    Recipe("amount_z_score", "symmetric", 1.0),
    Recipe("payments_7d", "count", 9.0),
    Recipe("merchant_category", "category", 300),
    Recipe("distance_km", "amount", 2.0, nulls=0.3),
    Recipe("typing_speed", "symmetric", 40.0),
    Recipe("country", "category", 120),
    Recipe("declined_24h", "count", 0.1),
    Recipe("balance_gbp", "amount", 1.8),
    Recipe("card_type", "category", 6),
    Recipe("velocity_share", "share", 0.7),
    Recipe("seconds_since_login", "amount", 1.1),
    Recipe("operating_system", "category", 25, nulls=0.02),
    Recipe("session_drift", "symmetric", 0.2),
    Recipe("payees_30d", "count", 4.0),
    Recipe("issuer", "category", 600),
    Recipe("age_years", "symmetric", 15.0),
    Recipe("salary_ratio", "share", 1.5, nulls=0.15),
)
"""Two numbers, then a category, over and over: the first k are a mix like the whole."""


@dataclass(frozen=True)
class Table:
    """A table of ``days`` partitions of ``rows`` rows each, with ``columns`` watched ones (the score is one)."""

    rows: int
    days: int
    columns: int = 30

    @property
    def name(self) -> str:
        """Return its folder's name."""
        return f"payments-{self.days}x{self.rows}x{self.columns}"

    def files(self, root: Path, first: int, days: int) -> list[Path]:
        """Return the files of some days, counted from 0."""
        return [root / self.name / f"day={day_of(first + i)}" / "part-0.parquet" for i in range(days)]


def day_of(number: int) -> date:
    """Return the date of the n-th partition, counted from 0."""
    return START + timedelta(days=number)


def recipes(columns: int) -> list[Recipe]:
    """Return the recipes of a table's features: one fewer than its columns, for the score is one."""
    rounds = -(-(columns - 1) // len(RECIPES))
    every = [
        Recipe(f"{recipe.name}_{i + 1}" if i else recipe.name, recipe.draw, recipe.size, recipe.nulls)
        for i in range(rounds)
        for recipe in RECIPES
    ]
    return every[: columns - 1]


def watched(columns: int) -> dict[str, Literal["number", "category"]]:
    """Return the watched columns and their kinds, the score last."""
    return {recipe.name: recipe.kind for recipe in recipes(columns)} | {"score": "number"}


def write(root: Path, table: Table, seed: int = 7) -> None:
    """Write a table unless it is there already; a day is only there once it is whole."""
    with ThreadPoolExecutor(2) as pool:  # numpy and Parquet leave the interpreter free; two days fit into memory
        list(pool.map(lambda number: _write_day(root, table, number, seed), range(table.days)))


def _write_day(root: Path, table: Table, number: int, seed: int) -> None:
    (path,) = table.files(root, number, 1)
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng([seed, number, table.rows])
    columns = dict(_columns(rng, table, first_id=number * table.rows))
    unfinished = path.with_suffix(".part")
    pq.write_table(pa.table(columns), unfinished, row_group_size=ROW_GROUP, compression="snappy")
    unfinished.rename(path)


def _columns(rng: np.random.Generator, table: Table, first_id: int) -> Iterator[tuple[str, pa.Array]]:
    rows = table.rows
    yield "payment_id", pa.array(np.arange(first_id, first_id + rows))
    for recipe in recipes(max(table.columns, 7)):  # both slice columns are always there
        nulls = rng.random(rows) < recipe.nulls if recipe.nulls else None
        yield recipe.name, _column(rng, recipe, rows, nulls)
    yield "score", pa.array(np.round(rng.beta(0.4, 6, rows), 4))
    yield "action", _texts(["allow", "block", "review"], rng.choice(3, rows, p=[0.97, 0.01, 0.02]), None)


def _column(rng: np.random.Generator, recipe: Recipe, rows: int, nulls: np.ndarray | None) -> pa.Array:
    if recipe.draw == "category":
        levels = int(recipe.size)
        share = 1 / np.arange(1, levels + 1) ** 0.8  # few common levels, many rare ones
        place = np.searchsorted(np.cumsum(share / share.sum()), rng.random(rows, dtype=np.float32))
        return _texts([f"{recipe.name}-{i}" for i in range(levels)], np.minimum(place, levels - 1), nulls)
    if recipe.draw == "count":
        return pa.array(rng.poisson(recipe.size, rows), mask=nulls)
    if recipe.draw == "amount":
        return pa.array(np.round(np.exp(3 + recipe.size * rng.standard_normal(rows)), 2), mask=nulls)
    if recipe.draw == "share":
        return pa.array(rng.random(rows) ** recipe.size, mask=nulls)
    return pa.array(3 * recipe.size + recipe.size * rng.standard_normal(rows), mask=nulls)


def _texts(levels: list[str], place: np.ndarray, nulls: np.ndarray | None) -> pa.Array:
    return pa.DictionaryArray.from_arrays(
        pa.array(place.astype(np.int32), mask=nulls), pa.array(levels)
    ).dictionary_decode()
