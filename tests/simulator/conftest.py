"""Ordinary days of the three models, drawn once for all tests."""

from datetime import date, timedelta

import numpy as np
import pytest

from simulator.batch import Batch, draw_batch
from simulator.recipes import RECIPES

SEED = 7
BASELINE = [date(2026, 1, 1) + timedelta(days=i) for i in range(0, 59, 4)]
LATER = [date(2026, 3, 2) + timedelta(days=i) for i in range(0, 60, 5)]


def days(start: str, count: int) -> list[date]:
    return [date.fromisoformat(start) + timedelta(days=i) for i in range(count)]


def psi(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Population stability index of two sets of counts over the same cells."""
    p = np.maximum(ours / ours.sum(), 1e-4)
    q = np.maximum(theirs / theirs.sum(), 1e-4)
    return float(((p - q) * np.log(p / q)).sum())


def drift(batches: list[Batch], column: str, reference: list[Batch]) -> float:
    """Return the largest PSI of a batch against the reference.

    Over the reference's deciles for a number (nulls apart), over the levels for a choice.
    """
    usual = together(reference, column)
    days = [together([batch], column) for batch in batches]
    if usual.dtype.kind == "f":
        edges = np.unique(np.nanquantile(usual, np.arange(0.1, 1, 0.1)))
        return max(psi(_cells(values, edges), _cells(usual, edges)) for values in days)
    most = max(values.max() for values in [usual, *days]) + 2
    return max(psi(np.bincount(v + 1, minlength=most), np.bincount(usual + 1, minlength=most)) for v in days)


def _cells(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    nulls = np.isnan(values)
    inside = np.bincount(np.searchsorted(edges, values[~nulls], side="right"), minlength=len(edges) + 1)
    return np.append(inside, nulls.sum())


def together(batches: list[Batch], column: str) -> np.ndarray:
    return np.concatenate(
        [
            getattr(b, column) if column in {"score", "fraud", "alerted", "blocked"} else b.columns[column]
            for b in batches
        ]
    )


@pytest.fixture(scope="session", params=list(RECIPES))
def model(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="session")
def ordinary() -> dict[str, list[Batch]]:
    return {name: [draw_batch(recipe, day, SEED) for day in BASELINE] for name, recipe in RECIPES.items()}


@pytest.fixture(scope="session")
def later() -> dict[str, list[Batch]]:
    return {name: [draw_batch(recipe, day, SEED) for day in LATER] for name, recipe in RECIPES.items()}
