"""Floors, the false-alarm share of a test, and the verdict they give."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import catalogue
from catalogue import CatalogueError
from ledger.records.measurements import Verdict
from models.spec import Spec
from monitors import limits
from tests.monitors.made import spec


def test_a_model_file_overrides_the_default_floor_of_one_metric():
    chosen = spec(limits={"psi": 0.25})
    assert limits.minimum_effect(chosen, "psi") == 0.25
    assert limits.minimum_effect(chosen, "ks") == catalogue.metric("ks").minimum_effect


def test_a_metric_without_a_floor_is_a_programming_error():
    with pytest.raises(CatalogueError, match="metric psy: its entry in the catalogue has no minimum_effect"):
        limits.minimum_effect(spec(), "psy")


@settings(deadline=None)
@given(st.integers(1, 5000), st.floats(0.01, 20), st.integers(1, 400))
def test_everything_that_may_page_spends_at_most_the_models_budget(family, budget, columns):
    model = spec(false_pages_per_quarter=budget)
    alpha = limits.alpha_per_test(model, family)
    assert alpha * family <= 0.05 * (1 + 1e-9)
    assert alpha == pytest.approx(limits.alpha_per_test(model, 1) / family)
    tested = alpha * family * len(limits.budgeted_test_families(model)) * limits.DAYS_PER_QUARTER
    faults = limits.alpha_per_fault_rule(model, columns) * columns * limits.fault_rules() * limits.DAYS_PER_QUARTER
    slow = columns * limits.DAYS_PER_QUARTER / limits.in_control_days(model, columns)
    assert tested + faults + slow <= budget * (1 + 1e-9)


def test_only_what_tests_a_model_has_a_part_of_its_budget():
    made = {"model": "m", "baseline": {"from": date(2026, 1, 1), "to": date(2026, 2, 28)}}
    bare = Spec.model_validate({**made, "features": {"table": "t"}})
    assert limits.budgeted_test_families(bare) == ("drift of features and score",)
    whole = Spec.model_validate(
        {
            **made,
            "features": {"table": "t", "second_moments": True, "columns": {"sex": {"kind": "category"}}},
            "score": {"threshold": 0.5},
            "labels": {"table": "l", "label": "fraud", "known_at": "at", "negative": "explicit"},
            "protected": {"sex": {"reference": "M"}},
            "metrics": [{"name": "mine", "function": "own:mine", "floor": 0.1}],
        }
    )
    assert len(limits.budgeted_test_families(whole)) == 5
    assert limits.alpha_per_test(whole, 1) == pytest.approx(limits.alpha_per_test(bare, 1) / 5)


def test_a_day_without_tests_has_a_share_too():
    assert 0 < limits.alpha_per_test(spec(), 0) <= 0.05


@pytest.mark.parametrize(
    ("beyond", "significant", "conclusive", "verdict"),
    [
        (True, True, True, Verdict.BREACH),
        (True, True, False, Verdict.BREACH),
        (True, False, True, Verdict.INSUFFICIENT),
        (False, True, True, Verdict.OK),
        (False, False, True, Verdict.OK),
        (True, False, False, Verdict.INSUFFICIENT),
        (False, False, False, Verdict.INSUFFICIENT),
    ],
)
def test_a_breach_is_both_material_and_significant(beyond, significant, conclusive, verdict):
    assert limits.verdict_of_test(beyond=beyond, significant=significant, conclusive=conclusive) == verdict


def test_a_misspelt_limit_is_named_with_its_nearest_spelling():
    (problem,) = limits.limit_problems(spec(limits={"null_shares": 0.1}))
    assert "alerts.limits.null_shares" in problem
    assert "did you mean 'null_share'?" in problem


def test_a_limit_that_makes_no_sense_is_named():
    found = limits.limit_problems(spec(limits={"psi": 0.0, "alert_rate": 0.5, "ks": 0.2, "scale_ratio": 10.0}))
    assert [problem.split(":")[0] for problem in found] == ["alerts.limits.psi", "alerts.limits.alert_rate"]


def test_a_weekday_that_moves_psi_by_a_twentieth_stays_below_every_floor_of_a_column_that_nothing_is_known_of():
    floors = {
        metric: limits.minimum_effect(spec(), metric, learned=False) for metric in catalogue.minimum_effects_unlearned()
    }
    assert floors["psi"] > 0.05
    assert floors["jensen_shannon"] > (0.05 / 8 / 0.693) ** 0.5
    assert floors["ks"] > 0.05**0.5 / 2
    assert floors["wasserstein"] > 0.05**0.5
    assert all(floors[metric] >= limits.minimum_effect(spec(), metric) for metric in floors)
    assert limits.minimum_effect(spec(limits={"psi": 0.02}), "psi", learned=False) == 0.02


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=60))
def test_what_is_significant_in_a_day_is_what_scipy_s_false_discovery_control_says(p_values):
    strictest = 0.05 / len(p_values)
    allowed = limits.benjamini_hochberg_alpha(p_values, strictest)
    mine = [p <= allowed for p in p_values]
    assert mine == [bool(q <= 0.05 * (1 + 1e-12)) for q in stats.false_discovery_control(p_values)]
