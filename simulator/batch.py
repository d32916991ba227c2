"""One day of one model, with the truth that the feature table doesn't hold."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from simulator.columns import Choice, Codes, Flags, Floats, Level, Number
from simulator.recipes import Recipe

BANK_OPENED = date(2026, 1, 1)  # the bank's first day
WEEKDAY_FACTORS = (0.98, 0.97, 1.0, 1.02, 1.1, 1.04, 0.89)  # Monday to Sunday

Stage = Literal["people", "features", "score", "delivery"]
STAGES: tuple[Stage, ...] = ("people", "features", "score", "delivery")


@dataclass
class Batch:
    """A day's rows. Choices are codes into `levels`; `fraud` is the truth, `copies` the rows delivered twice."""

    recipe: Recipe
    day: date
    fraud: Flags
    columns: dict[str, Floats | Codes]
    levels: dict[str, tuple[Level, ...]]
    ids: NDArray[np.int64]
    seconds: NDArray[np.int64]  # within the hour
    score: Floats
    arrives: datetime  # UTC, naive
    missing: bool = False
    copies: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    @property
    def alerted(self) -> Flags:
        """Return which rows scored at or above the threshold."""
        return np.asarray(self.score >= self.recipe.threshold)

    @property
    def blocked(self) -> Flags:
        """Return which rows were blocked: no honest label can ever come for those."""
        return np.asarray(self.score >= self.recipe.block_at)

    def event_times(self) -> NDArray[np.datetime64]:
        """Return the time of each row, UTC, in microseconds."""
        seconds = self.columns["hour"].astype(np.int64) * 3600 + self.seconds
        return np.datetime64(self.day, "us") + (seconds * 1_000_000).astype("timedelta64[us]")


@dataclass(frozen=True)
class Incident:
    """Something that goes wrong with a model from `start` on, until `end` (inclusive) where there is one."""

    kind: str
    model: str
    start: date
    end: date | None
    stage: Stage
    apply: Callable[[Batch, np.random.Generator], None]

    def active(self, model: str, day: date) -> bool:
        """Return whether it touches this model on this day."""
        return self.model == model and self.start <= day and (self.end is None or day <= self.end)


def draw_batch(recipe: Recipe, day: date, seed: int, incidents: Sequence[Incident] = ()) -> Batch:
    """Return a day's rows, the same for the same arguments whatever other days were drawn.

    An incident has a random stream of its own: it changes what it is about and nothing else.
    """
    batch = _draw_ordinary(recipe, day, seed)
    live = [incident for incident in incidents if incident.active(recipe.model, day)]
    for stage in STAGES:
        if stage == "score":
            batch.score = score_batch(batch)
        for incident in live:
            if incident.stage == stage:
                incident.apply(batch, random_stream(seed, recipe.model, day, incident.kind))
    return batch


def random_stream(seed: int, model: str, day: date, purpose: str) -> np.random.Generator:
    """Return the random stream of one purpose on one day of one model."""
    key = [seed, zlib.crc32(model.encode()), day.toordinal(), zlib.crc32(purpose.encode())]
    return np.random.default_rng(np.random.SeedSequence(key))


def score_batch(batch: Batch) -> Floats:
    """Return the champion's score in [0, 1]: the probability of fraud given the features, by Bayes' rule.

    P(features | fraud) is a mixture: `hidden_share` of frauds look legitimate, so the ratio never falls below it.
    """
    recipe = batch.recipe
    evidence = np.zeros(len(batch.fraud))
    for name, column in recipe.columns.items():
        evidence += column.evidence(batch.columns[name])
    hidden = recipe.hidden_share
    odds = recipe.fraud_share / (1 - recipe.fraud_share) * (hidden + (1 - hidden) * np.exp(np.minimum(evidence, 50)))
    return np.asarray(np.round(odds / (1 + odds), 7))


def _draw_ordinary(recipe: Recipe, day: date, seed: int) -> Batch:
    """Draw a day on which nothing goes wrong; the score is still to be set."""
    rng = random_stream(seed, recipe.model, day, "rows")
    busy = _busyness(day)
    rows = round(
        recipe.rows_a_day * WEEKDAY_FACTORS[day.weekday()] * (1 + 0.05 * busy) * _growth(day) * _noise(rng, 0.02)
    )
    fraud = rng.random(rows) < recipe.fraud_share * _noise(rng, 0.05)
    visible_fraud = fraud & (rng.random(rows) >= recipe.hidden_share)
    columns: dict[str, Floats | Codes] = {}
    for name, column in recipe.columns.items():
        columns[name] = (
            column.draw(rng, visible_fraud, busy) if isinstance(column, Number) else column.draw(rng, visible_fraud)
        )
    minutes_after_five = 20 + float(np.clip(6 * rng.standard_normal(), -15, 15))
    return Batch(
        recipe=recipe,
        day=day,
        fraud=fraud,
        columns=columns,
        levels={name: column.levels for name, column in recipe.columns.items() if isinstance(column, Choice)},
        ids=int(f"{day:%Y%m%d}") * 1_000_000 + np.arange(rows, dtype=np.int64),
        seconds=rng.integers(0, 3600, rows),
        score=np.empty(0),
        arrives=datetime.combine(day + timedelta(days=1), time(5)) + timedelta(minutes=minutes_after_five),
    )


def _busyness(day: date) -> float:
    """Return -1 to 1: people spend at the month's end and start, after pay day, and less around the 16th."""
    return math.cos(2 * math.pi * (day.day - 1) / 31)


def _growth(day: date) -> float:
    return 1.0005 ** (day - BANK_OPENED).days


def _noise(rng: np.random.Generator, spread: float) -> float:
    return float(np.exp(spread * rng.standard_normal()))
