"""How often drift cries wolf, and whether it hears a real one."""

from __future__ import annotations

import numpy as np
import pytest

from ledger.records.measurements import Verdict
from monitors.drift import daily_drift
from profiles.bins import Levels, number_grid, score_grid
from profiles.profile import EVERYONE
from tests.monitors.made import DAY, counted, frame, levels_counted, of_one, profile, spec

SMALL, LARGE = Levels(tuple("abcdefgh"), frozenset()), Levels(tuple(map(str, range(500))), frozenset())
SMALL_SHAPE, LARGE_SHAPE = (np.array(1 / np.arange(1, k + 1)) / sum(1 / np.arange(1, k + 1)) for k in (8, 20_000))
NUMBERS = {
    "amount": (number_grid((2.0, 20.0, 205.0)), lambda rng, n: rng.lognormal(3, 1, n)),
    "age": (number_grid((22.0, 45.0, 68.0)), lambda rng, n: rng.normal(45, 10, n)),
    "returns": (number_grid((0.0, 0.0, 3.0)), lambda rng, n: rng.poisson(0.4, n).astype(float)),
    "new_payee": (number_grid((0.0, 0.0, 1.0)), lambda rng, n: (rng.random(n) < 0.4).astype(float)),
    "balance": (
        number_grid((-500.0, 800.0, 90_000.0)),
        lambda rng, n: np.where(rng.random(n) < 0.2, 0.0, rng.lognormal(7, 2, n) - 500),
    ),
}
FRAME = frame(
    {name: grid for name, (grid, _) in NUMBERS.items()}, {"mcc": SMALL, "shop": LARGE}, score_grid(0, 1, 0.85)
)


def columns(rng, n, mcc=SMALL_SHAPE, shop=LARGE_SHAPE, score=0.5, **changed):
    """One day's columns; ``changed`` maps a number to what is done to its values."""
    made = {name: counted(grid, changed.get(name, lambda x: x)(draw(rng, n))) for name, (grid, draw) in NUMBERS.items()}
    made["mcc"], made["shop"] = (levels_counted(rng.multinomial(n, shape)) for shape in (mcc, shop))
    made["score"] = counted(FRAME.score, rng.beta(score, 12, n))
    return made


BASELINE = profile(columns(np.random.default_rng(1), 1_000_000), web=columns(np.random.default_rng(2), 100_000))


def breaches(today, baseline=BASELINE):
    found = daily_drift.measure_drift(spec(), FRAME, DAY, today, of_one(FRAME, baseline))
    return {(one.feature, one.metric) for one in found if one.verdict == Verdict.BREACH}


@pytest.mark.parametrize("rows", [150, 2000, 20_000])
def test_five_hundred_quiet_day_features_raise_no_false_alarm(rows):
    rng = np.random.default_rng(rows)
    days = 500 // len(BASELINE.features[EVERYONE]) + 1
    alarms = [breaches(profile(columns(rng, rows), web=columns(rng, rows // 10))) for _ in range(days)]
    assert not any(alarms)


def test_a_weekday_that_moves_psi_by_a_twentieth_raises_no_alarm():
    rng = np.random.default_rng(5)
    weekday = SMALL_SHAPE * np.exp(0.23 * np.array([1, -1, 1, -1, 1, -1, 1, -1]))
    for sign in (1, -1):
        today = columns(
            rng, 20_000, mcc=weekday / weekday.sum(),
            age=lambda x, sign=sign: x + sign * 2.2, amount=lambda x, sign=sign: x * np.exp(sign * 0.2),
            new_payee=lambda x, sign=sign: np.where(rng.random(len(x)) < 0.1, float(sign > 0), x),
        )  # fmt: skip
        found = daily_drift.measure_drift(spec(), FRAME, DAY, profile(today), of_one(FRAME, BASELINE))
        psi = {one.feature: one.value for one in found if one.metric == "psi"}
        assert min(psi["age"], psi["amount"], psi["mcc"]) > 0.03, "the effect is there"
        assert not {one.feature for one in found if one.verdict == Verdict.BREACH}


def test_clear_shifts_are_found_each_in_its_own_column():
    rng = np.random.default_rng(9)
    shifts = {
        "amount": {"amount": lambda x: x * 1.6},
        "age": {"age": lambda x: x + 5},
        "returns": {"returns": lambda x: x + (rng.random(len(x)) < 0.3)},
        "mcc": {"mcc": SMALL_SHAPE[::-1]},
        "shop": {"shop": np.full(20_000, 1 / 20_000)},
        "score": {"score": 1.0},
    }
    for feature, change in shifts.items():
        for rows in (2000, 20_000):
            found = breaches(profile(columns(rng, rows, **change)))
            assert (feature, "psi") in found, (feature, rows)
            assert {name for name, _ in found} == {feature}


def test_a_wider_spread_about_the_same_median_is_found():
    rng = np.random.default_rng(10)
    found = breaches(profile(columns(rng, 20_000, age=lambda x: 45 + (x - 45) * 1.6)))
    assert {("age", "psi"), ("age", "wasserstein"), ("age", "jensen_shannon")} <= found
