"""A model whose days are drawn as counts, without rows: quiet days that differ by nature, and what may befall them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy as np
from scipy import special

from models.spec import Spec
from profiles.bins import REST, UNSEEN, Floats, Grid, Ints, Levels, number_grid, score_grid
from profiles.profile import EVERYONE, BinCounts, Counts, Group, Profile, sum_profiles
from profiles.schema import ProfileSchema

FIRST = date(2026, 1, 1)
BASELINE_DAYS, QUARTER_DAYS = 59, 91
CHANNELS = {"app": 0.55, "web": 0.35, "branch": 0.10}
SPREAD = {"amount": 0.06, "age": 0.03, "sessions": 0.04, "balance": 0.03, "growing": 0.02, "filling": 0.02}
"""How far a number's mean strays from day to day, in its standard deviations, with a memory of half a day."""
WEEKDAY = {"amount": 0.15, "sessions": 0.10}
"""How far weekends lie from the other days."""
NULLS = {"amount": 0.0, "age": 0.012, "sessions": 0.004, "balance": 0.0, "growing": 0.0, "filling": 0.3}
STEADY = {"hour": (0.15, 0.35, 0.3, 0.2), "kind": (0.5, 0.2, 0.1, 0.1, 0.06, 0.04)}
SHOPS = 20_000
FILLED_DAYS = 45

SCORE = score_grid(0.0, 1.0, 0.85)
NUMBERS: dict[str, Grid] = {name: number_grid((-2.3, 0.0, 2.3)) for name in SPREAD} | {
    "weekend": number_grid((0.0, 0.0, 1.0)),
    "payday": number_grid((0.0, 0.0, 1.0)),
}
CATEGORIES = {name: Levels(tuple(f"{name}{i}" for i in range(len(of))), frozenset()) for name, of in STEADY.items()} | {
    "shop": Levels(tuple(map(str, range(500))), frozenset(map(str, range(SHOPS))))
}
FRAME = ProfileSchema("f", NUMBERS, CATEGORIES, SCORE, ("channel",), {"channel": tuple(CHANNELS)})
ZIPF = 1 / np.arange(1, SHOPS + 1) / np.sum(1 / np.arange(1, SHOPS + 1))
SPEC = Spec.model_validate(
    {
        "model": "cards",
        "features": {"table": "cards/features"},
        "score": {"threshold": 0.85},
        "slices": ["channel"],
        "baseline": {"from": FIRST, "to": FIRST + timedelta(days=BASELINE_DAYS - 1)},
    }
)


@dataclass(frozen=True)
class Change:
    """What befalls the payments of one channel (None: all) from a day on, reached over ``over_days``.

    ``shift`` are standard deviations by number (of the score: logit units), ``nulls`` and ``fresh`` are added shares
    of nulls and of a level that was never seen, by column.
    """

    shift: Mapping[str, float] = field(default_factory=dict)
    nulls: Mapping[str, float] = field(default_factory=dict)
    fresh: Mapping[str, float] = field(default_factory=dict)
    channel: str | None = None
    over_days: int = 0


class Bank:
    """Draws one model's days in order; the same seed gives the same quiet days."""

    def __init__(self, seed: int, rows: int) -> None:
        self.rng, self.rows = np.random.default_rng(seed), rows
        self.stray = dict.fromkeys([*SPREAD, "score", "hour", "kind"], 0.0)

    def day(self, number: int, change: Change | None = None, since_days: int = 0) -> Profile:
        """Return the profile of a day, ``number`` days after the first."""
        day, rng = FIRST + timedelta(days=number), self.rng
        weekend = day.weekday() >= 5
        for name in self.stray:
            self.stray[name] = 0.5 * self.stray[name] + 0.87 * rng.normal()
        growth = 1 + 0.3 * number / (BASELINE_DAYS + QUARTER_DAYS)
        usual = self.rows * growth * (0.7 if weekend else 1.1) * np.exp(rng.normal(0, 0.08))
        reached = min(1.0, (since_days + 1) / change.over_days) if change and change.over_days else 1.0
        groups: dict[Group, dict[str, Counts]] = {}
        for channel, share in CHANNELS.items():
            hit = change if change and change.channel in (None, channel) else Change()
            rows = int(rng.poisson(usual * share))
            groups["channel", channel] = self._columns(day, number, rows, hit, reached, weekend=weekend)
        parts = [Profile("f", 0, {EVERYONE: own}) for own in groups.values()]
        everyone = sum_profiles(parts, "f").features[EVERYONE]
        return Profile("f", everyone["age"].rows, {EVERYONE: everyone, **groups})

    def _columns(
        self, day: date, number: int, rows: int, change: Change, reached: float, *, weekend: bool
    ) -> dict[str, Counts]:
        rng, made = self.rng, dict[str, Counts]()
        for name, spread in SPREAD.items():
            mean = spread * self.stray[name] + WEEKDAY.get(name, 0.0) * weekend + change.shift.get(name, 0.0) * reached
            mean += 0.25 * number / QUARTER_DAYS if name == "growing" else 0.0
            filled = min(1.0, number / FILLED_DAYS) if name == "filling" else 1.0
            usual_nulls = NULLS[name] * (1 if name != "filling" else 1 - filled)
            nulls = int(rng.binomial(rows, min(1.0, rng.gamma(20, usual_nulls / 20) + change.nulls.get(name, 0.0))))
            borders = (np.arange(-127, 128) * NUMBERS[name].width) * NUMBERS[name].scale + NUMBERS[name].centre
            made[name] = _counted(
                NUMBERS[name], rng.multinomial(rows - nulls, _normal(borders, mean + filled - 1)), nulls
            )
        for name, on in (("weekend", weekend), ("payday", day.day in (25, 26))):
            grid = NUMBERS[name]
            made[name] = Counts(bins=BinCounts(np.array([int(grid.bin_of(np.float64(on)))]), np.array([rows])))
        logits = np.array([np.log(p / (1 - p)) if 0 < p < 1 else (-99.0 if p <= 0 else 99.0) for p in _SCORE_BORDERS])
        shift = 0.04 * self.stray["score"] + change.shift.get("score", 0.0) * reached
        made["score"] = _counted(SCORE, rng.multinomial(rows, _normal((logits + 4.5 - shift) / 1.2, 0.0)), 0)
        for name, shape in STEADY.items():
            moved = np.array(shape) * np.exp(0.05 * self.stray[name] * np.resize([1, -1], len(shape)))
            moved = moved * np.exp(0.3 * weekend * np.resize([1, -1, -1, 1], len(shape))) if name == "hour" else moved
            made[name] = self._levels(rng.multinomial(rows, moved / moved.sum()), change.fresh.get(name, 0.0))
        made["shop"] = self._levels(rng.multinomial(rows, ZIPF), change.fresh.get("shop", 0.0))
        return made

    def _levels(self, counts: Ints, fresh: float) -> Counts:
        gone = self.rng.binomial(counts, fresh) if fresh else np.zeros_like(counts)
        left = counts - gone
        bins = {index: int(count) for index, count in enumerate(left[:500]) if count}
        for cell, count in ((REST, left[500:].sum()), (UNSEEN, gone.sum())):
            if count:
                bins[cell] = int(count)
        return Counts(bins=BinCounts.of(bins))


_SCORE_BORDERS = [SCORE.edge(cell) for cell in range(-SCORE.half + 1, SCORE.half)]


def _normal(borders: Any, mean: float) -> Floats:
    below = special.ndtr(borders - mean)
    return np.asarray(np.diff(np.concatenate([[0.0], below, [1.0]])))


def _counted(grid: Grid, rows: Ints, nulls: int) -> Counts:
    used = np.flatnonzero(rows)
    return Counts(nulls=nulls, bins=BinCounts(used - grid.half, rows[used]))
