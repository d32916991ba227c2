"""Profiles of made-up days: what the pages draw distributions from."""

from __future__ import annotations

from datetime import date

import numpy as np

from ledger.store import Ledger
from models.spec import Spec
from profiles.bins import UNSEEN, Grid, Levels, number_grid, score_grid
from profiles.profile import EVERYONE, BinCounts, Counts, Profile
from profiles.schema import ProfileSchema

CATEGORIES = {"merchant_category": ("grocery", "travel", "gaming", "fuel"), "channel": ("app", "web", "pos", "moto")}


def profiled(ledger: Ledger, model: Spec, days: list[date], flood: date, seed: int) -> None:
    """Store a profile of each day: log-normal amounts, two categories, one level that goes and one that is new."""
    columns = model.features.columns
    numbers = {name: number_grid((1.0, 30.0, 400.0)) for name, column in columns.items() if column.kind == "number"}
    levels = {name: Levels(top, frozenset(top)) for name, top in CATEGORIES.items() if name in columns}
    slices: dict[str, tuple[str | None, ...]] = {"channel": ("app", "web", None)} if model.slices else {}
    frame = ProfileSchema("f1", numbers, levels, score_grid(0, 1, model.score.threshold), tuple(slices), slices)
    ledger.save_profile_schema(model.model, frame)
    ledger.save_profiles(model.model, {day: _profile(frame, day, flood, seed) for day in days})


def _profile(frame: ProfileSchema, day: date, flood: date, seed: int, rows: int = 2_000) -> Profile:
    rng = np.random.default_rng([seed, day.toordinal()])
    features = {}
    for group, share in (
        (EVERYONE, 1.0),
        (("channel", "app"), 0.6),
        (("channel", "web"), 0.39),
        (("channel", None), 0.01),
    ):
        if group != EVERYONE and not frame.slices:
            continue
        n = int(rows * share)
        own = {name: _number(grid, rng.lognormal(3.4, 1.1, n)) for name, grid in frame.numbers.items()}
        if day >= flood and "device_age_days" in own:
            own["device_age_days"] = own["device_age_days"] + Counts(nulls=n // 2)
        for name in frame.categories:
            gone = day < flood
            bins = {0: n // 2, 1: n // 3, (2 if gone else UNSEEN): n // 10, 3: 2}
            own[name] = Counts(bins={cell: number for cell, number in sorted(bins.items()) if number})
        if frame.score is not None:
            own["score"] = _number(frame.score, rng.beta(0.4, 20, n))
        features[group] = own
    return Profile(frame.id, rows, features)


def _number(grid: Grid, values: np.ndarray) -> Counts:
    bins, rows = np.unique(grid.bin_of(values), return_counts=True)
    return Counts(bins=BinCounts(bins, rows.astype(np.int64)))
