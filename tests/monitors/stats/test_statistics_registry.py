"""A new distance is a function and an entry of the catalogue: its interval, p-value, limit and verdict come with it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import numpy as np
import pytest
from scipy import stats
from scipy.spatial import distance

import catalogue
from catalogue import CatalogueError, Effect, Evidence, Limit, Metric
from ledger.records.measurements import Measurement, Verdict
from monitors import limits
from monitors.drift.calibration import Calibration, learn_calibration
from monitors.drift.daily_drift import measure_drift
from monitors.drift.hypothesis_tests import check_tests
from monitors.stats import comparisons, distances
from monitors.stats.registry import STATISTICS, Scale, Statistic, registered_for_now, statistic
from monitors.stats.simulation import compare_by_simulation, simulate_no_change
from monitors.stats.vectors import category_vector
from profiles.bins import Levels, number_grid
from profiles.profile import Profile
from tests.monitors.made import counted, frame, levels_counted, profile, spec

START, DAY = date(2026, 1, 1), date(2026, 3, 2)
AGE = number_grid((22.0, 45.0, 68.0))
COUNTRY = Levels(("GB", "IE", "FR"), frozenset({"GB", "IE", "FR"}))
SCHEMA = frame({"age": AGE}, {"country": COUNTRY})
SHAPE = np.array([2, 5, 9, 14, 20, 20, 14, 9, 5, 2]) / 100
ENTRY = Metric(
    key="hellinger",
    title="Hellinger distance",
    phrase="Hellinger distance",
    formula="√(½ Σ (√p − √q)²)",
    meaning="How far a distribution moved, from 0 to 1.",
    caveat="Small samples make it larger by chance.",
    section="Drift, a day against the baseline",
    effect=Effect.DISTANCE,
    minimum_effect=0.05,
    limit=Limit.DAILY_DISTANCES,
    columns=("number", "category"),
    in_slices=True,
    evidence=Evidence.SOFT,
    evidence_rank=12,
)


def hellinger(today: np.ndarray, before: np.ndarray) -> np.ndarray:
    p, q = today / today.sum(axis=1, keepdims=True), before / before.sum(axis=1, keepdims=True)
    return np.sqrt(((np.sqrt(p) - np.sqrt(q)) ** 2).sum(axis=1) / 2)


@pytest.fixture
def registered() -> Iterator[Statistic]:
    with catalogue.added_for_now(), registered_for_now():
        catalogue.add_metric(ENTRY)
        statistic("hellinger", largest=1.0)(hellinger)
        yield STATISTICS["hellinger"]


def a_day(rng: np.random.Generator, shift: float = 0.0, gb: float = 0.9, rows: int = 10_000) -> Profile:
    def columns(n: int) -> dict[str, object]:
        return {
            "age": counted(AGE, rng.normal(45 + shift, 10, n)),
            "country": levels_counted(rng.multinomial(n, (gb, 0.97 - gb, 0.03))),
        }

    return profile(columns(rows), web=columns(rows // 2))


def learned() -> Calibration:
    rng = np.random.default_rng(3)
    return learn_calibration(spec(), SCHEMA, {START + timedelta(days=i): a_day(rng) for i in range(40)})


def measured(calibration: Calibration, today: Profile) -> dict[tuple[str, str], Measurement]:
    found = measure_drift(spec(), SCHEMA, DAY, today, calibration)
    return {(one.feature, one.slice): one for one in found if one.metric == "hellinger"}


def test_it_is_measured_of_every_kind_of_column_that_its_entry_names_and_in_slices(registered):
    found = measured(learned(), a_day(np.random.default_rng(9)))
    assert set(found) == {(name, where) for name in ("age", "country") for where in ("", "channel=web")}
    assert {one.monitor for one in found.values()} == {"drift"}
    assert "hellinger" in catalogue.monitor("drift").metrics


def test_its_value_is_the_functions_and_lies_in_its_interval(registered):
    calibration, today = learned(), a_day(np.random.default_rng(9), gb=0.7)
    one = measured(calibration, today)["country", ""]
    column = calibration.learned[("", None), "country"]
    sides = [
        category_vector(COUNTRY, today.features["", None]["country"]),
        column.comparable_bins(column.reference.on(DAY, np.zeros(7, dtype=np.int64), column.coarse_bins)),
    ]
    p, q = (np.sqrt(side / side.sum()) for side in sides)
    assert one.value == pytest.approx(distance.euclidean(p, q) / np.sqrt(2), abs=1e-12)
    assert 0 < one.low < one.value <= one.high < 1
    assert one.n == 10_000


def test_an_in_control_day_is_ok_by_a_limit_learned_from_the_baselines_days(registered):
    for one in measured(learned(), a_day(np.random.default_rng(9))).values():
        assert one.verdict is Verdict.OK
        assert one.value < one.limit
        assert one.reason.startswith("Hellinger distance 0.0")
        assert "on 40 baseline days; limit" in one.reason


def test_a_day_that_moved_is_a_breach(registered):
    found = measured(learned(), a_day(np.random.default_rng(9), shift=4.0, gb=0.7))
    assert {one.verdict for one in found.values()} == {Verdict.BREACH}
    assert all(one.value > one.limit for one in found.values())


def test_a_column_that_nothing_is_known_of_has_a_limit_beyond_chance(registered):
    alone = learn_calibration(spec(), SCHEMA, {START: a_day(np.random.default_rng(3), rows=100_000)})
    assert measured(alone, a_day(np.random.default_rng(9)))["age", ""].verdict is Verdict.OK
    moved = measured(alone, a_day(np.random.default_rng(9), shift=4.0))["age", ""]
    assert moved.verdict is Verdict.BREACH
    assert moved.limit > ENTRY.minimum_effect


def test_a_model_file_may_set_its_minimum_effect_size(registered):
    assert limits.limit_problems(spec(limits={"hellinger": 0.2})) == []
    assert limits.minimum_effect(spec(limits={"hellinger": 0.2}), "hellinger") == 0.2
    assert limits.minimum_effect(spec(), "hellinger", learned=False) == 0.05


def test_afterwards_it_is_gone():
    assert "hellinger" not in STATISTICS
    assert "hellinger" not in catalogue.METRICS
    assert "hellinger" not in catalogue.monitor("drift").metrics
    assert measured(learned(), a_day(np.random.default_rng(9))) == {}


def test_a_statistic_without_an_entry_fails_with_one_sentence():
    with pytest.raises(CatalogueError, match="statistic hellinger: the catalogue has no metric of this key; add"):
        statistic("hellinger")(hellinger)


def test_an_entry_without_a_function_fails_with_one_sentence():
    with catalogue.added_for_now():
        catalogue.add_metric(ENTRY)
        with pytest.raises(CatalogueError, match=r"metric hellinger: .*register one with @statistic\(\"hellinger\"\)"):
            check_tests(catalogue.column_metrics("number"))
        with pytest.raises(CatalogueError, match="metric hellinger"):
            measured(learned(), a_day(np.random.default_rng(9)))


def test_a_key_has_one_function(registered):
    with pytest.raises(CatalogueError, match="statistic psi: another function"):
        statistic("psi")(hellinger)


def test_what_is_no_distance_of_columns_is_refused():
    with pytest.raises(CatalogueError, match="statistic recall: its entry in the catalogue needs columns"):
        statistic("recall")(hellinger)
    with pytest.raises(CatalogueError, match="statistic psi: it goes by position, and a category's bins have none"):
        statistic("psi", by_position=True)(hellinger)


@pytest.mark.parametrize("key", ["psi", "jensen_shannon"])
@pytest.mark.parametrize(("n", "m"), [(500, 2000), (20_000, 1_000_000)])
def test_where_theory_has_a_formula_the_simulation_says_the_same(key, n, m):
    compare = {"psi": comparisons.compare_psi, "jensen_shannon": comparisons.compare_jensen_shannon}[key]
    even = (SHAPE * n).round().astype(np.int64), (SHAPE * m).round().astype(np.int64)
    known, drawn = compare(*even, 0.0, 0.001), compare_by_simulation(STATISTICS[key], *even, 0.0, 0.001)
    square = STATISTICS[key].square_of
    assert square(drawn.limit) == pytest.approx(square(known.limit), rel=0.1)
    assert square(drawn.critical) == pytest.approx(square(known.critical), rel=0.15)
    moved = np.roll(even[0], 1)
    known, drawn = compare(moved, even[1], 0.1, 0.01), compare_by_simulation(STATISTICS[key], moved, even[1], 0.1, 0.01)
    assert drawn.value == pytest.approx(known.value, rel=1e-9)
    assert (drawn.low, drawn.high) == pytest.approx((known.low, known.high), rel=0.05)
    assert drawn.p_value == known.p_value


def test_without_change_no_more_lie_beyond_the_critical_value_than_alpha_says():
    rng = np.random.default_rng(11)
    one = Statistic("hellinger", hellinger)
    pairs = zip(rng.multinomial(2000, SHAPE, 600), rng.multinomial(50_000, SHAPE, 600), strict=True)
    found = [compare_by_simulation(one, today, before, 0.0, 0.05) for today, before in pairs]
    for alarms in (sum(each.value > each.critical for each in found), sum(each.p_value < 0.05 for each in found)):
        assert stats.binom.sf(alarms - 1, 600, 0.05) > 0.001


@pytest.mark.parametrize("shift", [0.0, 0.1, 0.4])
def test_the_simulated_interval_covers_the_true_distance(shift):
    moved, rng = SHAPE * (1 - shift) + np.roll(SHAPE, 2) * shift, np.random.default_rng(12)
    truth = float(hellinger(moved[None], SHAPE[None])[0])
    one = Statistic("hellinger", hellinger, largest=1.0)
    pairs = zip(rng.multinomial(1000, moved, 300), rng.multinomial(20_000, SHAPE, 300), strict=True)
    found = [compare_by_simulation(one, today, before, 0.1, 0.01) for today, before in pairs]
    assert sum(each.low - 1e-4 <= truth <= each.high + 1e-4 for each in found) >= 0.92 * 300


def test_of_one_bin_there_is_nothing_to_tell():
    one = compare_by_simulation(Statistic("hellinger", hellinger), np.array([500]), np.array([9000]), 0.1, 0.01)
    assert (one.value, one.low, one.high, one.critical, one.p_value) == (0, 0, 0, 0, 1)
    assert one.limit == pytest.approx(0.1)


def test_every_distance_of_many_days_is_that_of_each_day():
    rng = np.random.default_rng(4)
    today, before = rng.multinomial(900, SHAPE, 20), rng.multinomial(9000, SHAPE, 20)
    widths = rng.random(len(SHAPE) - 1)
    assert set(STATISTICS) == set(catalogue.tested_distances())
    for one in STATISTICS.values():
        together = one.squares(today, before, widths)
        alone = [one.squares(a, b, widths)[0] for a, b in zip(today, before, strict=True)]
        assert together == pytest.approx(alone, rel=1e-12)
    assert distances.psi(today[0], before[0]) == STATISTICS["psi"].squares(today[:1], before[:1])[0]


def test_a_figure_and_its_square_belong_together():
    for scale in Scale:
        one = Statistic("hellinger", hellinger, scale)
        assert one.figure_of(one.square_of(0.3)) == pytest.approx(0.3)
    assert Statistic("hellinger", hellinger, largest=1.0).figure_of(4.0) == 1.0


def test_the_same_draws_come_at_every_run():
    one = Statistic("hellinger", hellinger)
    assert simulate_no_change(one, SHAPE, (500, 900)) == simulate_no_change(one, SHAPE, (500, 900))
