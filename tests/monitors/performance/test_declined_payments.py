"""Figures over all payments, when those that are blocked never get an honest label."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.records.measurements import Verdict
from monitors.performance import declined_payments
from monitors.performance.maturity import learn_delay_curve
from profiles.profile import BLOCKED, COUNT, EVERYONE, FRAUD, LEGITIMATE, PENCE, WEIGHT, WEIGHTED_PENCE, Cohort, Cube
from profiles.schema import ProfileSchema
from tests.monitors.scored import GRID, START, THRESHOLD, frame, spec

DAYS = 80
END = START + timedelta(days=DAYS - 1)
SCORE = {"threshold": THRESHOLD, "amount": "amount_gbp", "action": "action", "blocked": ["block"]}
EXPLORING = spec(score={**SCORE, "propensity": "let_through"})
WEIGHTED: ProfileSchema = replace(frame(action=("allow", "block", "review")), weighted=True)


def weighted_part(score, state, pence, p):
    """Return the cube's array with weights, as one query of the warehouse would sum it."""
    usable = (p >= 0.0001) & (p <= 1) & (state != BLOCKED)
    safe = np.where(usable, p, 1.0)
    sums = [
        np.ones(len(score)), pence, score * 1e9, np.where(usable, 1e6 / safe, 0), np.where(usable, pence / safe, 0),
        ~usable & (state != BLOCKED),
    ]  # fmt: skip
    index = (GRID.bin_of(score) + GRID.half) * 4 + state
    made = np.stack([np.bincount(index, own, minlength=8 * GRID.half) for own in sums], axis=-1)
    return np.rint(made).astype(np.int64).reshape(2 * GRID.half, 4, 6)


def day_of(rng, rows=2000, explored=0.1, told=None):
    """Return one day's payments in truth, and its cube: alerts above 0.7 are blocked but for an explored share.

    ``told`` is the propensity written for those; by default the true one.
    """
    logit = rng.normal(-3.2, 1.7, rows)
    fraud = rng.random(rows) < 1 / (1 + np.exp(-logit))
    score = 1 / (1 + np.exp(-(logit + 1.5)))
    pence = np.rint(rng.lognormal(8, 1, rows))
    high = score >= 0.7
    p = np.where(high, explored, 1.0)
    blocked = rng.random(rows) >= p
    state = np.where(blocked, BLOCKED, np.where(fraud, FRAUD, LEGITIMATE))
    action = np.where(blocked, "block", np.where(score >= THRESHOLD, "review", "allow"))
    written = np.where(high, told, 1.0) if told is not None else p
    bins = {EVERYONE: weighted_part(score, state, pence, written)}
    bins |= {
        ("action", name): weighted_part(*(own[action == name] for own in (score, state, pence, written)))
        for name in ("allow", "block", "review")
    }
    return (score >= THRESHOLD, fraud, pence), Cube(bins)


def bank(seed=31, days=DAYS, **options):
    rng = np.random.default_rng(seed)
    made = [day_of(rng, **options) for _ in range(days)]
    truth = [np.concatenate(own) for own in zip(*(true for true, _ in made), strict=True)]
    return truth, {START + timedelta(days=n): cube for n, (_, cube) in enumerate(made)}


def truths(raised, fraud, pence):
    return {
        "recall": raised[fraud].mean(),
        "precision": fraud[raised].mean(),
        "false_positive_rate": raised[~fraud].mean(),
        "value_detection_rate": pence[fraud & raised].sum() / pence[fraud].sum(),
    }


CURVE = learn_delay_curve({START + timedelta(days=n): Cohort(delays={0: 50}) for n in range(DAYS)}, END, 120)


def measured(cubes, model=EXPLORING, of=WEIGHTED, as_of=END):
    return {(m.metric, m.slice): m for m in declined_payments.measure_declined_payments(model, of, as_of, cubes, CURVE)}


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.sampled_from([0.05, 0.3, 0.9]))
def test_weighted_figures_are_those_of_each_row_weighted_by_one_over_p(seed, explored):
    rng = np.random.default_rng(seed)
    score, n = rng.random(200), 200
    state = rng.choice([BLOCKED, FRAUD, LEGITIMATE], n)
    pence, p = rng.integers(1, 10_000, n).astype(float), np.where(score > 0.7, explored, 1.0)
    parts = np.stack([weighted_part(*(own[at] for own in (score, state, pence, p)))
                      for at in (np.arange(n) < 90, np.arange(n) >= 90)])  # fmt: skip
    raised, fraud, seen = score >= THRESHOLD, state == FRAUD, state != BLOCKED
    brute = {
        "recall": (1 / p)[fraud & raised].sum() / (1 / p)[fraud].sum(),
        "precision": (1 / p)[fraud & raised].sum() / (1 / p)[seen & raised].sum(),
        "false_positive_rate": (1 / p)[seen & ~fraud & raised].sum() / (1 / p)[seen & ~fraud].sum(),
        "value_detection_rate": (pence / p)[fraud & raised].sum() / (pence / p)[fraud].sum(),
    }
    for metric, value in brute.items():
        found = declined_payments.ratio_over_days(
            *declined_payments.metric_sums(metric, parts, WEIGHT, WEIGHTED_PENCE), n
        )
        assert found.value == pytest.approx(value, rel=1e-3)
        assert found.low <= found.value <= found.high


def test_exploration_finds_what_all_labels_would_have_shown_and_the_plain_figure_does_not():
    truth, cubes = bank(explored=0.2)
    found, plain = measured(cubes), cubes.values()
    last = [cube.bins[EVERYONE] for cube in plain]
    for metric, value in truths(*truth).items():
        m = found[metric, ""]
        assert m.low < value < m.high, metric
        assert m.verdict is Verdict.OK
        assert m.limit is None
        a, b = declined_payments.metric_sums(metric, np.stack(last), COUNT, PENCE)
        assert not m.low < a.sum() / b.sum() < m.high, metric
    reason = found["recall", ""].reason
    assert "weighted by how likely each payment was to be let through" in reason
    assert "Over payments let through alone it would read" in reason
    assert "which is not the model's figure" in reason


def test_weighted_intervals_hold_the_truth():
    """Of 100 windows of 28 days, by three standard errors of a share of 95 % (of 300: 93 to 95 %)."""
    rng, repeats, rows, explored = np.random.default_rng(32), 100, 600, 0.1
    truth, _ = bank(seed=33, days=40, rows=20_000)
    wanted, held = (
        truths(*truth),
        dict.fromkeys(("recall", "precision", "false_positive_rate", "value_detection_rate"), 0),
    )
    for _ in range(repeats):
        parts = np.stack([day_of(rng, rows, explored)[1].bins[EVERYONE] for _ in range(28)])
        for metric in held:
            found = declined_payments.ratio_over_days(
                *declined_payments.metric_sums(metric, parts, WEIGHT, WEIGHTED_PENCE), 1
            )
            held[metric] += found.low <= wanted[metric] <= found.high
    assert min(held.values()) >= 0.885 * repeats, held


def test_without_exploration_there_are_only_bounds_and_they_hold_the_truth():
    truth, cubes = bank(explored=0.0)
    plain = spec(score=SCORE)
    found = measured(cubes, model=plain, of=frame())
    for metric, value in truths(*truth).items():
        m = found[metric, ""]
        assert m.low < value < m.high, metric
        assert m.verdict is Verdict.INSUFFICIENT
        assert "no propensity is named" in m.reason
        assert "blocked payments were fraud, of which nobody will know" in m.reason
        assert "let a few through on purpose" in m.reason
    assert {slice_ for _, slice_ in found} == {""}


@settings(max_examples=60)
@given(st.lists(st.tuples(st.floats(0, 1), st.sampled_from([BLOCKED, FRAUD, LEGITIMATE]), st.booleans(),
                          st.integers(1, 99)), min_size=4, max_size=40))  # fmt: skip
def test_whatever_the_blocked_payments_were_the_bounds_hold(rows):
    score, state, secret, pence = (np.array(own) for own in zip(*rows, strict=True))
    part = weighted_part(score, state, pence.astype(float), np.ones(len(score)))
    fraud = np.where(state == BLOCKED, secret, state == FRAUD)
    raised = score >= THRESHOLD
    if not (fraud.any() and raised.any() and (~fraud).any()):
        return
    for metric, value in truths(raised, fraud, pence).items():
        found = declined_payments.bound_metric(metric, part)
        if found is not None:
            assert found.low - 1e-9 <= value <= found.high + 1e-9, metric
            if found.likely is not None:
                assert found.low - 1e-9 <= found.likely <= found.high + 1e-9, metric


def test_propensities_that_do_not_add_up_are_not_used():
    _, cubes = bank(explored=0.1, told=0.6)
    m = measured(cubes)["recall", ""]
    assert m.reason.startswith("Not weighted: the propensities don't add up: the alerts let through stand for")


def test_missing_propensities_are_counted_and_too_many_make_bounds():
    _, cubes = bank(explored=0.2, told=np.nan)
    assert "have no usable propensity (empty, or not from 0.0001 to 1)" in measured(cubes)["recall", ""].reason
    rng = np.random.default_rng(35)
    few = {day: day_of(rng, explored=0.2, told=rng.choice([0.2, 7.0], 2000, p=[0.98, 0.02]))[1] for day in cubes}
    m = measured(few)["recall", ""]
    assert m.verdict is Verdict.OK
    assert "labelled payments without a usable propensity" in m.reason


def test_traffic_is_told_apart_by_what_was_done_with_it():
    _, cubes = bank(explored=0.2)
    found = measured(cubes)
    shares = [found["traffic_share", f"action={name}"].value for name in ("allow", "block", "review")]
    assert sum(shares) == pytest.approx(1)
    assert found["fraud_share", "action=review"].value > found["fraud_share", "action=allow"].value
    blocked = found["fraud_share", "action=block"]
    assert (blocked.value, blocked.verdict) == (None, Verdict.INSUFFICIENT)
    assert blocked.reason == "No honest label can come for these payments."


def test_few_explored_payments_are_insufficient_not_ok():
    _, cubes = bank(rows=150, explored=0.02)
    assert measured(cubes)["precision", ""].verdict is Verdict.INSUFFICIENT


def test_it_waits_for_mature_days_and_says_nothing_where_nothing_is_blocked():
    _, cubes = bank(explored=0.2)
    young = measured({day: cube for day, cube in cubes.items() if day > END - timedelta(days=20)})
    assert {m.verdict for m in young.values()} == {Verdict.IMMATURE}
    _, free = bank(explored=1.0)
    assert measured(free, model=spec(score=SCORE), of=frame()) == {}
    assert measured(cubes, model=spec(score={"threshold": THRESHOLD}), of=frame()) == {}
    assert measured(cubes, model=spec(score=SCORE, labels=None), of=frame()) == {}
