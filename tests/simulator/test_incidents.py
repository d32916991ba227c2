"""Each incident does what it says, from its first day to its last, and nothing besides."""

from datetime import date, timedelta

import numpy as np
import pytest

from simulator import incidents as on_demand
from simulator.bank import feature_table
from simulator.batch import draw_batch
from simulator.recipes import RECIPES
from simulator.script import DEMO_SCRIPT
from tests.simulator.conftest import SEED, days, drift, together

CARDS, SCAMS, OPENING = RECIPES["card_payments"], RECIPES["app_scams"], RECIPES["account_opening"]
DAY = date(2026, 4, 16)


def scripted(model, cause):
    return next(each.incident for each in DEMO_SCRIPT if (each.model, each.cause) == (model, cause))


def same_but(batch, other, *columns):
    """Return whether two batches agree in all columns but the given ones."""
    rest = set(batch.columns) - set(columns)
    return all(np.array_equal(batch.columns[c], other.columns[c], equal_nan=True) for c in rest)


def test_an_incident_begins_and_ends_on_its_days():
    once = on_demand.duplicate_rows("card_payments", 0.03, DAY, DAY + timedelta(days=1))
    hit = [len(draw_batch(CARDS, DAY + timedelta(days=i), SEED, [once]).copies) > 0 for i in (-1, 0, 1, 2)]
    assert hit == [False, True, True, False]
    assert not len(draw_batch(SCAMS, DAY, SEED, [once]).copies)


def test_an_open_incident_stays():
    flood = on_demand.null_flood("card_payments", "device_age_days", 0.31, DAY)
    assert flood.active("card_payments", DAY + timedelta(days=900))


def test_a_null_flood_empties_its_share_of_one_column_and_moves_the_score_a_little():
    flood = on_demand.null_flood("card_payments", "device_age_days", 0.31, DAY)
    calm, flooded = draw_batch(CARDS, DAY, SEED), draw_batch(CARDS, DAY, SEED, [flood])
    assert np.isnan(flooded.columns["device_age_days"]).mean() == pytest.approx(0.31, abs=0.02)
    assert same_but(calm, flooded, "device_age_days")
    assert 0 < drift([flooded], "score", [calm]) < 0.05
    assert not np.isnan(flooded.score).any()


def test_a_unit_error_multiplies_one_column():
    error = on_demand.unit_error("card_payments", "avg_amount_90d_gbp", DAY)
    calm, hit = draw_batch(CARDS, DAY, SEED), draw_batch(CARDS, DAY, SEED, [error])
    assert np.allclose(hit.columns["avg_amount_90d_gbp"], 100 * calm.columns["avg_amount_90d_gbp"], equal_nan=True)
    assert same_but(calm, hit, "avg_amount_90d_gbp")


def test_a_recoded_category_arrives_under_names_nobody_knows():
    recoded = on_demand.recode_category("app_scams", "channel", {"app": "APP", "web": "phone"}, DAY)
    calm, hit = feature_table(draw_batch(SCAMS, DAY, SEED)), feature_table(draw_batch(SCAMS, DAY, SEED, [recoded]))
    before, after = calm["channel"].to_pylist(), hit["channel"].to_pylist()
    assert after == [{"app": "APP", "web": "phone"}.get(name, name) for name in before]


def test_duplicates_deliver_whole_rows_twice():
    doubled = feature_table(
        draw_batch(SCAMS, DAY, SEED, [on_demand.duplicate_rows("app_scams", 0.03, DAY)])
    ).to_pylist()
    unique = {row["payment_id"]: row for row in doubled}
    assert len(doubled) == pytest.approx(1.03 * len(unique), rel=0.001)
    assert all(row == unique[row["payment_id"]] for row in doubled)


def test_a_population_shift_moves_several_features_and_hardly_the_alerts(ordinary):
    shifted = [
        draw_batch(OPENING, day, SEED, [scripted("account_opening", "population_shift")])
        for day in days("2026-04-14", 3)
    ]
    moved = {c for c in OPENING.columns if drift(shifted, c, ordinary["account_opening"]) > 0.1}
    assert {"income_gbp", "address_months", "form_seconds", "employment"} <= moved
    assert not moved & {"age_band", "sex", "email_domain", "channel", "hour"}
    ratio = together(shifted, "alerted").mean() / together(ordinary["account_opening"], "alerted").mean()
    assert 0.7 < ratio < 1.4


def test_a_new_fraud_pattern_shows_in_recall_alone(ordinary):
    pattern = scripted("app_scams", "performance_decay")
    hit = [draw_batch(SCAMS, day, SEED, [pattern]) for day in days("2026-04-03", 10)]
    fraud, alerted = together(hit, "fraud"), together(hit, "alerted")
    assert 0.45 < alerted[fraud].mean() < 0.58
    assert alerted.mean() == pytest.approx(together(ordinary["app_scams"], "alerted").mean(), rel=0.15)
    for column in [*SCAMS.columns, "score"]:
        assert drift(hit, column, ordinary["app_scams"]) < 0.02, column


def test_a_challenger_can_learn_the_new_pattern():
    """The combination is rare among legitimate payments, though none of its parts is."""
    hit = [draw_batch(SCAMS, day, SEED, [scripted("app_scams", "performance_decay")]) for day in days("2026-04-03", 5)]
    purpose = np.isin(
        together(hit, "payment_reason"), [SCAMS.columns["payment_reason"].levels.index(r) for r in ("bills", "rent")]
    )
    amount = together(hit, "amount_gbp")
    parts = [
        together(hit, "beneficiary_age_days") == 0,
        together(hit, "hour") < 5,
        purpose,
        (amount >= 250) & (amount <= 900),
    ]
    assert all(part.mean() > 0.03 for part in parts)
    assert together(hit, "fraud")[np.all(parts, axis=0)].mean() > 0.8


def test_a_fairness_gap_raises_the_false_positive_rate_of_one_age_band(ordinary):
    gap = scripted("account_opening", "fairness_gap")
    hit = [draw_batch(OPENING, day, SEED, [gap]) for day in days("2026-03-25", 12)]
    fraud, alerted, band = (together(hit, c) for c in ("fraud", "alerted", "age_band"))
    rate = [alerted[(band == g) & ~fraud].mean() for g in range(3)]
    assert 2.3 < rate[2] / rate[1] < 3.3
    assert rate[0] / rate[1] == pytest.approx(1, abs=0.15)
    assert 1.8 < alerted[band == 2].mean() / alerted[band == 1].mean() < 2.8
    assert alerted.mean() / together(ordinary["account_opening"], "alerted").mean() < 1.3
    calm = [draw_batch(OPENING, batch.day, SEED) for batch in hit]
    assert all(same_but(one, other) for one, other in zip(calm, hit, strict=True))
    assert drift(hit, "score", ordinary["account_opening"]) < 0.02


def test_incidents_on_one_day_do_not_disturb_each_other():
    flood = on_demand.null_flood("card_payments", "device_age_days", 0.31, DAY)
    error = on_demand.unit_error("card_payments", "avg_amount_90d_gbp", DAY)
    both = draw_batch(CARDS, DAY, SEED, [error, flood])
    for incident, column in [(flood, "device_age_days"), (error, "avg_amount_90d_gbp")]:
        alone = draw_batch(CARDS, DAY, SEED, [incident])
        assert np.array_equal(both.columns[column], alone.columns[column], equal_nan=True)


def test_a_stale_feature_holds_the_day_before_row_for_row_whatever_the_number_of_rows():
    stale = on_demand.stale_feature("card_payments", "device_age_days", DAY, seed=SEED)
    before = draw_batch(CARDS, DAY - timedelta(days=1), SEED).columns["device_age_days"]
    for later in (0, 3):
        calm = draw_batch(CARDS, DAY + timedelta(days=later), SEED)
        hit = draw_batch(CARDS, DAY + timedelta(days=later), SEED, [stale])
        rows = min(len(before), len(hit.ids))
        assert np.array_equal(hit.columns["device_age_days"][:rows], before[:rows], equal_nan=True)
        assert len(hit.columns["device_age_days"]) == len(calm.ids)
        assert same_but(calm, hit, "device_age_days")


def test_a_stale_partition_is_the_day_before_again():
    before = draw_batch(SCAMS, DAY - timedelta(days=1), SEED)
    hit = draw_batch(SCAMS, DAY, SEED, [on_demand.stale_partition("app_scams", DAY, seed=SEED)])
    assert same_but(before, hit)
    assert np.array_equal(before.ids, hit.ids)
    assert np.array_equal(before.score, hit.score)


def test_swapped_columns_arrive_under_each_other_s_name():
    numbers = on_demand.swapped_columns("card_payments", "payments_24h", "card_age_days", DAY)
    categories = on_demand.swapped_columns("card_payments", "channel", "country", DAY)
    calm, hit = draw_batch(CARDS, DAY, SEED), feature_table(draw_batch(CARDS, DAY, SEED, [numbers, categories]))
    calm = feature_table(calm)
    for one, other in (("payments_24h", "card_age_days"), ("channel", "country")):
        assert hit[one].to_pylist() == calm[other].to_pylist()
        assert hit[other].to_pylist() == calm[one].to_pylist()


def test_a_new_level_takes_its_share_of_every_other():
    new = on_demand.new_level("card_payments", "channel", "watch", 0.04, DAY)
    calm, hit = (feature_table(draw_batch(CARDS, DAY, SEED, each))["channel"].to_pylist() for each in ([], [new]))
    assert sum(level == "watch" for level in hit) / len(hit) == pytest.approx(0.04, abs=0.005)
    assert {after for before, after in zip(calm, hit, strict=True) if before != after} == {"watch"}


def test_a_constant_column_has_one_value_and_no_null():
    hit = draw_batch(CARDS, DAY, SEED, [on_demand.constant_column("card_payments", "device_age_days", 0.0, DAY)])
    assert not hit.columns["device_age_days"].any()


def test_a_dense_cluster_lies_between_its_values():
    cluster = on_demand.dense_cluster("card_payments", "amount_gbp", 741.0, 743.0, 0.04, DAY)
    calm, hit = draw_batch(CARDS, DAY, SEED), draw_batch(CARDS, DAY, SEED, [cluster])
    new = hit.columns["amount_gbp"][hit.columns["amount_gbp"] != calm.columns["amount_gbp"]]
    assert len(new) / len(hit.ids) == pytest.approx(0.04, abs=0.005)
    assert 741 <= new.min() <= new.max() <= 743
    assert same_but(calm, hit, "amount_gbp")
