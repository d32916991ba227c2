"""What clues add to an incident: a cause of its own for a release, and sentences beside its figures."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alerting.incidents.diagnostics import score_shift_shares
from catalogue import causes
from ledger.records.measurements import Verdict
from tests.alerting import made
from tests.alerting.made import m, one_day, spec

VERSION = m(
    "clue", "new_version_share", "model_version", 0.62, low=0.61, high=0.63, verdict=Verdict.OK,
    reason="62 % of payments were scored by a model version that the baseline hardly had: (other)",
)  # fmt: skip
WORST = m(
    "clue", "worst_recall", "", 0.41, low=0.25, high=0.58, n=37, limit=0.78, slice="channel=web", verdict=Verdict.OK,
    reason="41 % of 37 frauds caught, 78 % in the baseline; worst of 4 slices, by chance in 0.04 of 100 cases",
)  # fmt: skip
MIX = m(
    "clue", "score_mix", "channel", 0.010, low=0.009, high=0.011, verdict=Verdict.OK,
    reason="the mean score changed by +0.0120 against the baseline: +0.0100 by the mix of 'channel', +0.0020 within "
    "its groups",
)  # fmt: skip
WITHIN = replace(MIX, metric="score_within", value=0.002, low=0.001, high=0.003)
MOVED = [
    m("drift", "wasserstein", "amount_gbp", 0.4, verdict=Verdict.OK),
    m("drift", "wasserstein", "device_age_days", 0.3, verdict=Verdict.OK),
    m("drift", "jensen_shannon", "channel", 0.02, verdict=Verdict.OK),
]


def test_a_score_that_moved_with_a_new_model_version_is_its_release() -> None:
    (incident,) = one_day(made.SCORE_DRIFT, made.ALERT_RATE, VERSION)
    assert (incident.cause, incident.data_fault) == (causes.MODEL_RELEASE, False)
    assert incident.summary == "the score moved with a new model version"
    assert any(sentence.startswith("62 % of payments were scored by a model version") for sentence in incident.evidence)
    (without,) = one_day(made.SCORE_DRIFT, made.ALERT_RATE, replace(VERSION, value=0.01))
    assert without.cause == causes.SCORE_SHIFT


def test_a_new_version_alone_or_beside_a_broken_column_is_no_release() -> None:
    assert one_day(VERSION) == []
    (incident,) = one_day(made.NULL_FLOOD, made.SCORE_DRIFT, VERSION)
    assert incident.cause == causes.COLUMN_FAULT


def test_decay_says_in_which_slice_it_is_worst() -> None:
    (incident,) = one_day(made.RECALL, WORST)
    assert "a new fraud pattern, mostly in `channel=web`:" in incident.evidence[0]
    assert incident.evidence[2].startswith("Worst in `channel=web`: recall 41 % of 37 frauds caught, 78 % in the")
    (none,) = one_day(made.RECALL, replace(WORST, slice="", value=None, reason="none of 4 slices got worse"))
    assert not any("Worst in" in sentence for sentence in none.evidence)


def test_more_false_alarms_are_not_blamed_on_the_slice_that_lost_recall() -> None:
    (incident,) = one_day(made.FALSE_POSITIVES, WORST)
    assert not any("Worst in" in sentence for sentence in incident.evidence)


def test_a_shift_says_which_mix_moved_the_score_and_which_features_are_behind_it() -> None:
    (incident,) = one_day(made.AMOUNT_DRIFT, made.SCORE_DRIFT, MIX, WITHIN, *MOVED)
    assert incident.evidence[2].startswith("The mean score changed by +0.0120 against the baseline: +0.0100 by the mix")
    assert incident.evidence[3] == (
        "Of the score's shift, by the model's importances, about: `amount_gbp` 66 % and `device_age_days` 33 %."
    )


def test_a_mix_within_chance_or_smaller_than_what_moved_within_is_not_named() -> None:
    for mix in (replace(MIX, low=-0.001), replace(MIX, value=0.001)):
        (incident,) = one_day(made.AMOUNT_DRIFT, made.SCORE_DRIFT, mix, WITHIN)
        assert not any("mean score" in sentence for sentence in incident.evidence)


def test_the_shares_of_features_add_up_to_one_and_need_importances() -> None:
    found = score_shift_shares(spec(), MOVED)
    assert list(found) == ["amount_gbp", "device_age_days", "channel"]
    assert sum(found.values()) == pytest.approx(1)
    assert found["amount_gbp"] == pytest.approx(0.3 * 0.4 / (0.3 * 0.4 + 0.2 * 0.3 + 0.05 * 0.02))
    assert score_shift_shares(spec(features={"table": "card_payments/features"}), MOVED) == {}


def test_a_shift_of_features_that_all_look_as_on_such_days_is_season() -> None:
    alike = m("clue", "season", "amount_gbp", 0.01, limit=0.05, verdict=Verdict.OK, reason="8 baseline days look alike")
    (incident,) = one_day(made.AMOUNT_DRIFT, made.SCORE_DRIFT, alike)
    assert (incident.cause, incident.data_fault, incident.explains) == (causes.SEASON, False, 1)
    assert incident.evidence[2] == "8 baseline days look alike."
    (incident,) = one_day(made.AMOUNT_DRIFT, made.DEVICE_DRIFT, alike)
    assert incident.cause == causes.POPULATION_SHIFT


def test_what_may_be_lost_by_a_shift_is_bounded_by_what_the_model_catches() -> None:
    (incident,) = one_day(made.AMOUNT_DRIFT, *made.MONEY)
    assert incident.amount_gbp_per_day is None
    assert incident.evidence[-1].endswith("at most the GBP 142k a day that the model catches; labels will show.")
