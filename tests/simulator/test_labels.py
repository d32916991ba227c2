"""Labels come late, some are taken back, and blocked payments never get one."""

from datetime import date

import numpy as np
import pytest

from simulator.batch import draw_batch
from simulator.labels import LABEL_SOURCES, LONGEST_DAYS, events_of_batch, join_events
from simulator.recipes import RECIPES
from tests.simulator.conftest import SEED


def delays(batch, found):
    scored = batch.event_times()[np.searchsorted(batch.ids, found.ids)]
    return (found.known_at - scored) / np.timedelta64(1, "D")


def all_of(batches):
    return [(batch, events_of_batch(batch, SEED)) for batch in batches]


@pytest.mark.parametrize(
    ("name", "median", "nine_in_ten"), [("card_payments", 9, 21), ("app_scams", 3, 9), ("account_opening", 6, 15)]
)
def test_fraud_becomes_known_on_the_models_own_curve(ordinary, name, median, nine_in_ten):
    days = np.concatenate([delays(b, e.on(e.is_fraud)) for b, e in all_of(ordinary[name])])
    assert np.quantile(days, 0.5) == pytest.approx(median, rel=0.12)
    assert np.quantile(days, 0.9) == pytest.approx(nine_in_ten, rel=0.12)
    assert days.min() > 0
    assert days.max() < LONGEST_DAYS


def test_the_curve_of_alerted_fraud_is_nearly_that_of_missed_fraud_once_mature(ordinary):
    """Else recall of a mature cohort would be flattered by what analysts find first."""
    known: dict[bool, list[bool]] = {True: [], False: []}
    for name, mature_days in [("card_payments", 21), ("app_scams", 9), ("account_opening", 15)]:
        for batch, found in all_of(ordinary[name]):
            frauds = found.on(found.is_fraud)
            alerted = batch.alerted[np.searchsorted(batch.ids, frauds.ids)]
            in_time = delays(batch, frauds) <= mature_days
            known[True].extend(in_time[alerted])
            known[False].extend(in_time[~alerted])
    assert 0 < np.mean(known[True]) - np.mean(known[False]) < 0.08


def test_every_reviewed_legitimate_case_is_cleared_within_two_days(model, ordinary):
    for batch, found in all_of(ordinary[model]):
        cleared = batch.ids[batch.alerted & ~batch.blocked & ~batch.fraud]
        by_analyst = found.on(~found.is_fraud & (found.source == LABEL_SOURCES.index("analyst")))
        assert set(by_analyst.ids) == set(cleared)
        assert delays(batch, by_analyst).max() <= 2


def test_a_blocked_payment_never_gets_a_label(model, ordinary):
    for batch, found in all_of(ordinary[model]):
        assert batch.blocked.any()
        assert not set(found.ids) & set(batch.ids[batch.blocked])


def test_every_other_fraud_is_reported_once(model, ordinary):
    for batch, found in all_of(ordinary[model]):
        reported = found.ids[found.is_fraud]
        assert sorted(reported) == sorted(batch.ids[batch.fraud & ~batch.blocked])


def test_about_two_frauds_in_a_hundred_are_taken_back_later(ordinary):
    frauds = taken_back = 0
    for name in RECIPES:
        for _, found in all_of(ordinary[name]):
            back = found.on(found.source == LABEL_SOURCES.index("reversal"))
            first = found.on(found.is_fraud & np.isin(found.ids, back.ids))
            order = np.argsort(back.ids), np.argsort(first.ids)
            assert (back.known_at[order[0]] > first.known_at[order[1]]).all()
            assert not back.is_fraud.any()
            frauds, taken_back = frauds + found.is_fraud.sum(), taken_back + len(back.ids)
    assert 0.012 < taken_back / frauds < 0.03


def test_a_payment_that_nobody_looked_at_has_no_label(model, ordinary):
    batch = ordinary[model][0]
    silent = batch.ids[~batch.alerted & ~batch.fraud]
    assert not set(events_of_batch(batch, SEED).ids) & set(silent)


def test_no_events_join_to_no_events():
    assert len(join_events([]).ids) == 0


def test_events_are_the_same_every_time():
    batch = draw_batch(RECIPES["app_scams"], date(2026, 2, 3), SEED)
    assert (events_of_batch(batch, SEED).known_at == events_of_batch(batch, SEED).known_at).all()
    assert len(events_of_batch(batch, SEED).ids) != len(events_of_batch(batch, SEED + 1).ids)
