"""What drift says of one day: verdicts, reasons and limits for every odd column."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

import catalogue
from ledger.records.measurements import Measurement, Verdict
from monitors.drift import daily_drift
from profiles.bins import UNSEEN, Levels, number_grid, score_grid
from profiles.profile import Counts, Profile
from tests.monitors.made import DAY, counted, frame, levels_counted, of_one, profile, spec

RNG = np.random.default_rng(17)
AMOUNT = number_grid((1.0, 20.0, 400.0))
AGE = number_grid((20.0, 45.0, 70.0))
COUNTRY = Levels(("GB", "IE", "FR"), frozenset({"GB", "IE", "FR", "MT"}))
SCORE = score_grid(0.0, 1.0, 0.85)
FRAME = frame({"amount_gbp": AMOUNT, "age_years": AGE}, {"country": COUNTRY}, SCORE)


def amounts(n, factor=1.0):
    return counted(AMOUNT, RNG.lognormal(3, 1, n) * factor)


def ages(n, shift=0.0, nulls=0.0):
    values = RNG.normal(45 + shift, 10, n)
    values[: int(nulls * n)] = math.nan
    return counted(AGE, values)


def countries(n, shape=(0.9, 0.07, 0.03), unseen=0):
    rows = levels_counted(RNG.multinomial(n - unseen, shape))
    return Counts(bins={**rows.bins, UNSEEN: unseen} if unseen else rows.bins)


def scores(n, a=0.5):
    return counted(SCORE, RNG.beta(a, 12, n))


def columns(n, **other):
    made = {"amount_gbp": amounts(n), "age_years": ages(n), "country": countries(n), "score": scores(n)} | other
    return {name: counts for name, counts in made.items() if counts is not None}


BASELINE = profile(columns(200_000), web=columns(120_000), null=columns(40_000), gone=columns(40_000))


def measured(today: Profile, baseline: Profile = BASELINE, **alerts) -> dict[tuple[str, str, str], Measurement]:
    found = daily_drift.measure_drift(spec(**alerts), FRAME, DAY, today, of_one(FRAME, baseline))
    by_key = {(one.feature, one.metric, one.slice): one for one in found}
    assert len(by_key) == len(found), "natural keys are unique"
    return by_key


def breaches(found) -> set[tuple[str, str, str]]:
    return {key for key, one in found.items() if one.verdict == Verdict.BREACH}


def test_a_quiet_day_is_ok_in_every_metric_of_every_column():
    found = measured(profile(columns(20_000)))
    assert {one.verdict for one in found.values()} == {Verdict.OK}
    assert {metric for feature, metric, _ in found if feature == "age_years"} == set(catalogue.column_metrics("number"))
    assert {metric for feature, metric, _ in found if feature == "country"} == set(catalogue.column_metrics("category"))
    assert {metric for feature, metric, _ in found if feature == "score"} == set(catalogue.column_metrics("score"))
    assert {feature for (feature, _, _), one in found.items() if one.monitor == "score"} == {"score"}
    for one in found.values():
        assert (one.model, one.day, one.as_of, one.n) == ("card_payments", DAY, DAY, 20_000)
        assert one.low <= one.value <= one.high


def test_a_null_flood_is_a_breach_with_a_sentence():
    flood = ages(20_000, nulls=0.312)
    before = {name: dict(group) for name, group in BASELINE.features.items()}
    before["", None]["age_years"] += Counts(nulls=804)
    found = measured(profile(columns(20_000, age_years=flood)), Profile("f", 200_804, before))
    assert breaches(found) == {("age_years", "null_share", "")}
    one = found["age_years", "null_share", ""]
    assert one.reason == "31.2 % null; baseline 0.4 % of 200,804 rows; limit 2.4 %"
    assert one.value == pytest.approx(0.312)
    assert one.limit == pytest.approx(0.02 + 804 / 200_804)


def test_an_all_null_column_breaches_by_its_nulls_and_its_distances_are_insufficient():
    found = measured(profile(columns(20_000, age_years=Counts(nulls=20_000))))
    assert breaches(found) == {("age_years", "null_share", "")}
    psi = found["age_years", "psi", ""]
    assert (psi.verdict, psi.value) == (Verdict.INSUFFICIENT, None)
    assert psi.reason == "today has 0 finite values; at least 100 are needed"


def test_a_breach_says_how_the_middle_or_the_shape_moved():
    moved = measured(profile(columns(20_000, amount_gbp=amounts(20_000, 100.0))))
    assert re.search(r"; median about [12],\d{3}, baseline [12]\d(\.\d+)?$", moved["amount_gbp", "psi", ""].reason)
    same = Counts(bins={-40: 5000, 0: 10_000, 40: 5000})
    shape = profile(columns(20_000, age_years=same))
    narrow = profile(columns(20_000, age_years=Counts(bins={-40: 500, 0: 19_000, 40: 500})))
    assert measured(narrow, shape)["age_years", "psi", ""].reason.endswith("the shape changed")


def test_infinite_values_breach_by_their_own_metric_only():
    values = RNG.normal(45, 10, 20_000)
    values[:400] = [math.inf, -math.inf] * 200
    found = measured(profile(columns(20_000, age_years=counted(AGE, values))))
    assert breaches(found) == {("age_years", "nonfinite_share", "")}


@pytest.mark.parametrize("factor", [100, 0.01, 1000, 0.001])
@pytest.mark.parametrize("feature", ["amount_gbp", "age_years"])
def test_a_unit_error_shows_in_the_scale_ratio(factor, feature):
    wrong = {"amount_gbp": AMOUNT, "age_years": AGE}[feature]
    values = RNG.lognormal(3, 1, 20_000) if feature == "amount_gbp" else RNG.normal(45, 10, 20_000)
    found = measured(profile(columns(20_000, **{feature: counted(wrong, values * factor)})))
    one = found[feature, "scale_ratio", ""]
    assert one.verdict == Verdict.BREACH
    assert one.value == pytest.approx(factor, rel=0.3)
    assert one.low <= one.value <= one.high
    assert found[feature, "psi", ""].verdict == Verdict.BREACH
    assert {key[0] for key in breaches(found)} == {feature}


def test_a_scale_ratio_without_meaning_is_not_measured():
    zero = number_grid((0.0, 0.0, 3.0))
    only = frame({"returns": zero})
    for today in (np.zeros(5000), np.full(5000, 2.0)):
        found = daily_drift.measure_drift(
            spec(), only, DAY, profile({"returns": counted(zero, today)}),
            of_one(only, profile({"returns": counted(zero, np.repeat([0.0, 2.0], 30_000)[:50_000])})),
        )  # fmt: skip
        assert "scale_ratio" not in {one.metric for one in found}
    flipped = measured(profile(columns(20_000, age_years=counted(AGE, RNG.normal(-45, 10, 20_000)))))
    assert ("age_years", "scale_ratio", "") not in flipped
    assert ("age_years", "psi", "") in breaches(flipped)


def test_a_constant_column_is_ok_while_it_stays_and_breaches_when_it_moves():
    grid = number_grid((5.0, 5.0, 5.0))
    only, before = frame({"version": grid}), profile({"version": counted(grid, np.full(100_000, 5.0))})
    stays = daily_drift.measure_drift(
        spec(), only, DAY, profile({"version": counted(grid, np.full(20_000, 5.0))}), of_one(only, before)
    )
    assert {one.verdict for one in stays} == {Verdict.OK}
    assert {one.value for one in stays if one.metric in catalogue.tested_distances()} == {0.0}
    moves = daily_drift.measure_drift(
        spec(), only, DAY, profile({"version": counted(grid, np.full(20_000, 90.0))}), of_one(only, before)
    )
    assert {one.metric for one in moves if one.verdict == Verdict.BREACH} == {
        *catalogue.tested_distances(),
        "scale_ratio",
    }
    assert all(math.isfinite(one.value) for one in moves)


def test_a_spike_that_grows_is_a_breach_though_the_deciles_about_it_are_wide():
    def spiked(n, share):
        return counted(AGE, np.where(RNG.random(n) < share, 30.0, RNG.normal(45, 10, n)))

    before = profile(columns(200_000, age_years=spiked(200_000, 0.3)))
    quiet = measured(profile(columns(20_000, age_years=spiked(20_000, 0.3))), before)
    grown = measured(profile(columns(20_000, age_years=spiked(20_000, 0.6))), before)
    assert not breaches(quiet)
    assert ("age_years", "psi", "") in breaches(grown)
    assert "median about 30" in grown["age_years", "psi", ""].reason


def test_a_re_encoded_category_breaches_by_its_unseen_share_and_names_what_moved():
    found = measured(profile(columns(20_000, country=Counts(bins={UNSEEN: 20_000}))))
    assert breaches(found) == {("country", metric, "") for metric in ("psi", "jensen_shannon", "unseen_share")}
    reason = found["country", "psi", ""].reason
    assert re.search(r"most by unseen levels: 100 %, baseline 0 %", reason), reason
    assert found["country", "unseen_share", ""].limit == pytest.approx(0.01)


def test_the_unseen_share_is_of_the_rows_that_have_a_value():
    half_null = Counts(nulls=10_000, bins={0: 9000, 1: 700, UNSEEN: 300})
    one = measured(profile(columns(20_000, country=half_null)))["country", "unseen_share", ""]
    assert (one.value, one.n) == (pytest.approx(0.03), 20_000)


def test_the_column_of_a_slice_is_not_measured_within_it():
    channel = Levels(("web",), frozenset({"web"}))
    today = profile({"channel": Counts(bins={0: 5000})}, web={"channel": Counts(bins={0: 5000})})
    found = daily_drift.measure_drift(
        spec(), frame({}, {"channel": channel}), DAY, today, of_one(frame({}, {"channel": channel}), today)
    )
    assert {one.slice for one in found} == {""}


def test_a_few_unseen_levels_are_no_breach():
    assert not breaches(measured(profile(columns(20_000, country=countries(20_000, unseen=100)))))
    assert ("country", "unseen_share", "") in breaches(
        measured(profile(columns(20_000, country=countries(20_000, unseen=400))))
    )


def test_a_missing_column_is_missing_in_each_metric_and_the_others_are_judged():
    found = measured(profile(columns(20_000, age_years=None, score=None)))
    missing = {key[:2] for key, one in found.items() if one.verdict == Verdict.MISSING}
    assert missing == {("age_years", metric) for metric in catalogue.column_metrics("number")} | {
        ("score", m) for m in catalogue.column_metrics("score")
    }
    one = found["age_years", "psi", ""]
    assert (one.value, one.n, one.reason) == (None, 0, "the column is not in the partition")
    assert found["amount_gbp", "psi", ""].verdict == Verdict.OK


def test_an_empty_partition_and_an_empty_baseline_are_insufficient():
    empty = Profile("f")
    for found in (measured(empty), measured(profile(columns(20_000)), empty), measured(empty, empty)):
        assert {one.verdict for one in found.values()} == {Verdict.INSUFFICIENT}
        assert ("score", "psi", "") in found


def test_below_a_hundred_values_nothing_is_judged_and_a_hundred_twenty_five_cant_tell_the_floor_from_chance():
    few = measured(profile(columns(99)))
    assert {one.verdict for one in few.values()} == {Verdict.INSUFFICIENT}
    some = measured(profile(columns(125)))
    one = some["age_years", "psi", ""]
    assert one.verdict == Verdict.INSUFFICIENT
    assert re.search(r"chance alone reaches 0\.\d+ in 125 values$", one.reason)


def test_slices_are_those_of_both_profiles_with_the_metrics_that_slices_have():
    device = {("device", "ios"): columns(5000)}  # a protected column's group, not a slice of the frame
    today = profile(columns(20_000), web=columns(5000), null=columns(5000), new=columns(5000))
    found = measured(
        Profile("f", 20_000, {**today.features, **device}), Profile("f", 200_000, {**BASELINE.features, **device})
    )
    assert {place for _, _, place in found} == {"", "channel=web", "channel=(null)"}
    assert {metric for _, metric, place in found if place} == set(catalogue.slice_metrics())
    assert {one.n for (_, _, place), one in found.items() if place} == {5000}


def test_a_slice_value_that_spells_null_is_told_from_null():
    groups = {("channel", None): columns(5000), ("channel", "(null)"): columns(5000)}
    both = Profile("f", 20_000, {**profile(columns(20_000)).features, **groups})
    assert {place for _, _, place in measured(both, both)} == {"", "channel=(null)", "channel='(null)'"}


def test_a_shift_in_one_slice_only_is_found_there():
    today = profile(columns(20_000), web=columns(5000), null=columns(5000, age_years=ages(5000, 9)))
    assert breaches(measured(today)) == {("age_years", metric, "channel=(null)") for metric in ("psi", "wasserstein")}


def test_a_models_own_limit_holds():
    today = profile(columns(20_000, age_years=ages(20_000, 5)))
    assert ("age_years", "psi", "") in breaches(measured(today))
    lax = measured(today, limits={"psi": 0.5})
    assert ("age_years", "psi", "") not in breaches(lax)
    assert lax["age_years", "psi", ""].limit == pytest.approx(0.5, abs=0.01)


def test_a_day_measured_twice_says_the_same():
    today = profile(columns(20_000), web=columns(5000))
    assert measured(today) == measured(today)
