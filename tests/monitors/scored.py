"""A scored bank in a few arrays: payments become cubes and cohorts as the warehouse would make them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy as np

from models.spec import Spec
from profiles.bins import score_grid
from profiles.profile import BLOCKED, EVERYONE, FRAUD, FRAUD_TYPE, LEGITIMATE, MISSED, OPEN, Cohort, Cube
from profiles.schema import ProfileSchema

THRESHOLD = 0.5
GRID = score_grid(0.0, 1.0, THRESHOLD)
START = date(2026, 1, 1)


def spec(**changes: Any) -> Spec:
    """Return a model file with a threshold, amounts, labels and a slice; top-level keys may be changed."""
    content: dict[str, Any] = {
        "model": "card",
        "features": {"table": "card/features"},
        "score": {"threshold": THRESHOLD, "amount": "amount_gbp", "action": "action", "blocked": ["block"]},
        "labels": {"table": "card/labels", "negative": {"after_days": 30}},
        "baseline": {"from": START, "to": START + timedelta(days=29)},
        "slices": ["channel"],
    }
    return Spec.model_validate(content | changes)


def frame(**groups: tuple[str | None, ...]) -> ProfileSchema:
    """Return a frame of the score alone, with ``channel`` as the slice."""
    return ProfileSchema("f", {}, {}, GRID, ("channel",), {"channel": ("app", "web"), **groups})


def part(score, state, pence=None):
    """Return the cube's array of payments, as one query of the warehouse would count them."""
    score = np.asarray(score, float)
    index = (GRID.bin_of(score) + GRID.half) * 4 + np.asarray(state, int)
    pence = np.zeros(len(score)) if pence is None else np.asarray(pence, float)
    size = 2 * GRID.half * 4
    sums = [
        np.bincount(index, weights, minlength=size) for weights in (np.ones(len(score)), pence, score.round(9) * 1e9)
    ]
    return np.rint(np.stack(sums, axis=-1)).astype(np.int64).reshape(2 * GRID.half, 4, 3)


def cube(score, state, pence=None, **columns):
    """Return the cube of payments for everyone and for each value of the given columns."""
    bins = {EVERYONE: part(score, state, pence)}
    for column, given in columns.items():
        values = np.asarray(given, object)
        for value in dict.fromkeys(values):
            at = np.array([v == value if value is not None else v is None for v in values])
            bins[column, value] = part(score[at], state[at], None if pence is None else pence[at])
    return Cube(bins)


@dataclass
class Day:
    """One day's payments: score, truth, pence, the day each fraud becomes known, blocked, columns."""

    day: date
    score: Any
    fraud: Any
    pence: Any
    known_after_days: Any
    blocked: Any
    columns: Mapping[str, Any] = field(default_factory=dict)
    kind: Any = None

    def cube(self) -> Cube:
        """Return the cube before any label came."""
        return cube(self.score, np.where(self.blocked, BLOCKED, OPEN), self.pence, **self.columns)

    def cohort(self, as_of: date, explicit_legitimate: bool = False) -> Cohort:
        """Return what is known by the end of ``as_of``: frauds by their delay, legitimate payments on request."""
        age = (as_of - self.day).days
        known = self.fraud & ~self.blocked & (self.known_after_days <= age)
        at = known | (explicit_legitimate & ~self.fraud & ~self.blocked)
        columns = {name: np.asarray(values, object)[at] for name, values in self.columns.items()}
        labels = cube(self.score[at], np.where(known, FRAUD, LEGITIMATE)[at], self.pence[at], **columns)
        missed = known & (self.score < THRESHOLD)
        parts = {MISSED: missed}
        if self.kind is not None:
            parts |= {(FRAUD_TYPE, kind): known & (self.kind == kind) for kind in np.unique(self.kind[known])}
            typed = {group: cube(self.score[own], np.full(own.sum(), FRAUD), self.pence[own]).bins[EVERYONE]
                     for group, own in parts.items() if group != MISSED}  # fmt: skip
            labels = Cube({**labels.bins, **typed})
        delays_by_group = {group: self._delays(own) for group, own in parts.items() if own.any()}
        return Cohort(labels if at.any() else Cube(), self._delays(known), delays_by_group)

    def _delays(self, at: Any) -> dict[int, int]:
        delays, counts = np.unique(self.known_after_days[at], return_counts=True)
        return dict(zip(delays.tolist(), counts.tolist(), strict=True))


def bank(
    days: int,
    seed: int,
    rows: int = 4000,
    fraud_share: float = 0.02,
    recall=lambda day: 0.8,
    false_positive_rate=lambda day, columns: 0.02,
    amount=lambda rng, n: rng.lognormal(4, 1, n),
    columns=lambda rng, n: {},
    analysts: bool = True,
    recall_of_kind: Mapping[str, Any] | None = None,
) -> list[Day]:
    """Return days of payments whose alerts have the given recall and false-positive rate.

    Alerted frauds are known within two days where analysts look at them; other ones after about nine (the customer
    calls). One alert in twelve is blocked. ``recall_of_kind`` gives one fraud in eight the second type and its recall,
    and the others the first.
    """
    made = []
    for number in range(days):
        rng = np.random.default_rng([seed, number])
        day = START + timedelta(days=number)
        fraud = rng.random(rows) < fraud_share
        cols = columns(rng, rows)
        caught, kind = recall(number), None
        if recall_of_kind is not None:
            (first, common), (second, rare) = recall_of_kind.items()
            kind = np.where(rng.random(rows) < 1 / 8, second, first)
            caught = np.where(kind == second, rare(number), common(number))
        alerted = rng.random(rows) < np.where(fraud, caught, false_positive_rate(number, cols))
        score = np.where(alerted, rng.uniform(THRESHOLD, 1, rows), rng.beta(1, 30, rows) * THRESHOLD)
        missed_delay = np.ceil(rng.lognormal(np.log(9), 0.66, rows)).astype(int)
        delay = np.where(alerted & analysts, rng.integers(0, 3, rows), missed_delay)
        pence = np.rint(amount(rng, rows) * 100)
        blocked = alerted & (rng.random(rows) < 1 / 12)
        made.append(Day(day, score, fraud, pence, delay, blocked, cols, kind))
    return made


def known(payments: list[Day], as_of: date, **options: Any) -> tuple[dict[date, Cube], dict[date, Cohort]]:
    """Return the cubes with the labels known by the end of ``as_of``, and the cohorts behind them."""
    seen = [day for day in payments if day.day <= as_of]
    cohorts = {day.day: day.cohort(as_of, **options) for day in seen}
    return {day.day: day.cube().labelled(cohorts[day.day].labels) for day in seen}, cohorts
