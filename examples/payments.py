"""What the examples share: some of the miniature bank's payments of a day, and how their tables are written."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from simulator.bank import feature_table
from simulator.batch import BANK_OPENED, draw_batch
from simulator.recipes import recipe_for

ROWS_A_DAY = 2_000
SEED = 7
BASELINE_DAYS = 14
TROUBLE_DAYS = 2
KNOWN_AFTER_DAYS = 3
HERE = Path(__file__).parent

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Day:
    """Payments of a day: ids, amounts in GBP, whether each is fraud, and the day's own source of chance."""

    day: date
    ids: Ints
    amount_gbp: Floats
    fraud: NDArray[np.bool_]
    chance: np.random.Generator

    @property
    def number(self) -> int:
        """Return the days since the bank opened."""
        return (self.day - BANK_OPENED).days


Scored = Callable[[Day, bool], dict[str, pa.Array]]
"""Given a day and whether it is one of trouble, returns feature columns and ``score``."""


def payments(day: date, rows: int = ROWS_A_DAY) -> Day:
    """Return the first rows of a day, the same at every call; frauds are made commoner, or two weeks would hold few."""
    batch = draw_batch(recipe_for("app_scams"), day, SEED, [])
    chance = np.random.default_rng((SEED, day.toordinal()))
    amounts = np.asarray(feature_table(batch)["amount_gbp"].to_numpy(zero_copy_only=False)[:rows], dtype=np.float64)
    return Day(day, batch.ids[:rows], amounts, batch.fraud[:rows] | (chance.random(rows) < 0.02), chance)


def write(root: Path, model: str, scored: Scored, days: int = BASELINE_DAYS + 4) -> None:
    """Write a model's features and labels, one folder a day; the last days are those of trouble."""
    for number in range(days):
        of = payments(BANK_OPENED + timedelta(days=number))
        columns = scored(of, number >= days - TROUBLE_DAYS)
        _write(root / model, of.day, pa.table({"payment_id": of.ids, "amount_gbp": of.amount_gbp, **columns}))
        known_at = datetime.combine(of.day + timedelta(days=KNOWN_AFTER_DAYS), time(12))
        labels = {"payment_id": of.ids, "is_fraud": of.fraud, "known_at": pa.array([known_at] * len(of.ids))}
        _write(root / f"{model}_labels", known_at.date(), pa.table(labels))


def _write(folder: Path, day: date, content: pa.Table) -> None:
    place = folder / f"day={day}"
    place.mkdir(parents=True, exist_ok=True)
    pq.write_table(content, place / "part-0.parquet")


def embedding(vectors: Floats) -> pa.Array:
    """Return rows of numbers (n, k) as an array column."""
    return pa.array(list(vectors), type=pa.list_(pa.float64()))


def main(model: str, scored: Scored) -> None:
    """Write the tables where ``--to`` says."""
    parser = argparse.ArgumentParser(prog=f"python -m examples.{model}")
    parser.add_argument("--to", type=Path, required=True, metavar="FOLDER", help="warehouse folder to write to")
    write(parser.parse_args().to, model, scored)
