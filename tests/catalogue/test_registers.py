"""How entries are added and found, and what is refused with a sentence."""

from __future__ import annotations

from dataclasses import replace

import pytest

import catalogue
from catalogue import CatalogueError, Evidence, Metric, Monitor

INVENTED = Metric(
    key="invented",
    title="Invented",
    phrase="invented",
    formula="1",
    meaning="Nothing.",
    caveat="None.",
    monitors=("drift", "decay"),
)


def test_a_metrics_entry_alone_adds_it_to_its_monitors_and_afterwards_it_is_gone():
    before = dict(catalogue.MONITORS), dict(catalogue.METRICS)
    with catalogue.added_for_now():
        assert catalogue.add_metric(INVENTED) == "invented"
        assert catalogue.monitor("drift").metrics[-1] == catalogue.monitor("decay").metrics[-1] == "invented"
        assert catalogue.find_metric("invented_ratio").base == "invented"
        assert catalogue.measures("drift", "invented")
        assert not catalogue.measures("score", "invented")
    assert (dict(catalogue.MONITORS), dict(catalogue.METRICS)) == before
    assert catalogue.find_metric("invented_ratio") is None


def test_a_metric_of_columns_is_measured_by_the_drift_monitors_of_those_columns():
    with catalogue.added_for_now():
        catalogue.add_metric(replace(INVENTED, monitors=(), columns=("score", "category")))
        assert [key for key, each in catalogue.MONITORS.items() if "invented" in each.metrics] == ["drift", "score"]


def test_an_invented_monitor_comes_before_its_metrics():
    with catalogue.added_for_now():
        with pytest.raises(CatalogueError, match="metric invented: there is no monitor weather; add it first"):
            catalogue.add_metric(replace(INVENTED, monitors=("weather",)))
        catalogue.add_monitor(Monitor(key="weather", title="Weather", order=500))
        catalogue.add_metric(replace(INVENTED, monitors=("weather",)))
        assert catalogue.monitor("weather").metrics == ("invented",)
        assert catalogue.monitors_in_order()[-1].key == "weather"


def test_the_same_entry_may_be_added_again_and_another_one_of_its_key_may_not():
    with catalogue.added_for_now():
        for _ in range(2):
            catalogue.add_metric(INVENTED)
            catalogue.add_monitor(Monitor(key="weather", title="Weather", order=500))
        assert catalogue.monitor("drift").metrics.count("invented") == 1
        with pytest.raises(CatalogueError, match="metric invented: the catalogue has another one of this key already"):
            catalogue.add_metric(replace(INVENTED, title="Other"))
        with pytest.raises(CatalogueError, match="monitor weather: the catalogue has another one"):
            catalogue.add_monitor(Monitor(key="weather", title="Climate", order=500))


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"monitors": ()}, "no monitor measures it"),
        ({"monitors": ("drfit",)}, "there is no monitor drfit; add it first; did you mean drift?"),
        ({"evidence": Evidence.HARD}, "hard evidence, and only that, has a fault to word"),
        ({"minimum_effect_unlearned": 0.1}, "its minimum effect size can't be smaller before anything is learned"),
    ],
)
def test_a_metric_that_contradicts_itself_is_refused(changed, sentence):
    with catalogue.added_for_now(), pytest.raises(CatalogueError) as refused:
        catalogue.add_metric(replace(INVENTED, **changed))
    assert str(refused.value).startswith("metric invented: ")
    assert sentence in str(refused.value)
    assert "invented" not in catalogue.METRICS


def test_a_monitor_that_lists_metrics_is_refused():
    with pytest.raises(CatalogueError, match="monitor weather: leave its metrics out, for each metric's entry names"):
        catalogue.add_monitor(Monitor(key="weather", title="Weather", order=500, metrics=("psi",)))


def test_what_is_not_there_is_named_with_the_nearest_key():
    with pytest.raises(CatalogueError, match=r"monitor decya: .* none of this key; did you mean decay\?"):
        catalogue.monitor("decya")
    with pytest.raises(CatalogueError, match=r"cause column_falt: .*; did you mean column_fault\?"):
        catalogue.cause("column_falt")
    with pytest.raises(CatalogueError, match="metric psi: its entry has no quality"):
        catalogue.quality("psi")


def test_a_derived_metric_has_its_name_from_the_one_it_is_made_of():
    ratio = catalogue.metric("false_positive_rate_ratio")
    assert (ratio.base, ratio.minimum_effect) == ("false_positive_rate", 1.25)
    assert ratio.title == "False-positive rate, ratio to the reference group"
    assert catalogue.measures("fairness", "false_positive_rate_ratio")
    assert catalogue.measures("estimate", "recall_estimate_error")
    assert not catalogue.measures("fairness", "recall_estimate_error")


def test_metrics_that_a_model_file_names_are_those_of_checks_and_the_banks_own():
    assert catalogue.measures("check", "expect_column_values_to_not_be_null")
    assert catalogue.measures("custom", "alerts_of_frauds")
    assert not catalogue.measures("decay", "alerts_of_frauds")
    assert not catalogue.measures("weather", "psi")
