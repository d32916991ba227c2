"""The catalogue's entries: each is complete, and stands once (its words: tests/docs/test_glossary.py)."""

from __future__ import annotations

import ast
import re
from itertools import chain
from pathlib import Path

import pytest

import catalogue
from catalogue import Cause, Derived, Evidence, Limit, Metric, Monitor, Step

REPOSITORY = Path(__file__).parents[2]


def called(entry: Metric | Derived | Monitor | Cause) -> str:
    return f"{type(entry).__name__} {entry.key}"


@pytest.mark.parametrize("entry", [*catalogue.METRICS.values(), *catalogue.DERIVED.values()], ids=called)
def test_a_metric_says_what_it_is_means_and_cannot_say(entry):
    for text in (entry.title, entry.phrase, entry.formula, entry.meaning, entry.caveat, entry.section):
        assert text.strip() == text != ""
    for sentence in (entry.meaning, entry.caveat):
        assert sentence.endswith(".")
    assert (entry.name if isinstance(entry, Derived) else entry.title)[0].isupper()


@pytest.mark.parametrize("entry", catalogue.CAUSES.values(), ids=called)
def test_a_cause_says_what_is_wrong_why_and_what_to_do_first(entry):
    assert entry.title.strip()
    assert all(text.strip() for text in (entry.summary, entry.probable_cause))
    assert entry.first_step.endswith(".")


@pytest.mark.parametrize("entry", catalogue.MONITORS.values(), ids=called)
def test_a_monitor_has_a_title_a_place_and_something_that_it_measures(entry):
    assert entry.title.strip()
    assert bool(entry.metrics) != entry.model_file_names_metrics


def test_no_two_entries_share_a_title_a_phrase_or_a_place():
    for register in (catalogue.METRICS, catalogue.MONITORS, catalogue.CAUSES):
        titles = [entry.title.lower() for entry in register.values()]
        assert len(set(titles)) == len(titles)
    phrases = [metric.phrase for metric in catalogue.METRICS.values()]
    assert len(set(phrases)) == len(phrases)
    for register in (catalogue.MONITORS, catalogue.CAUSES):
        places = [entry.order for entry in register.values()]
        assert len(set(places)) == len(places)


def test_evidence_of_one_kind_has_ranks_of_its_own():
    for kind in (Evidence.HARD, Evidence.SOFT, Evidence.LOSS):
        ranks = [catalogue.metric(key).evidence_rank for key in catalogue.evidence(kind)]
        assert len(set(ranks)) == len(ranks)
        assert min(ranks) > 0


def test_every_metric_has_a_monitor_and_every_judged_one_of_columns_a_minimum_effect_size():
    measured = set(chain.from_iterable(monitor.metrics for monitor in catalogue.MONITORS.values()))
    assert measured == set(catalogue.METRICS)
    for key in chain.from_iterable(map(catalogue.column_metrics, ("number", "category", "score"))):
        assert catalogue.metric(key).minimum_effect is not None
        assert catalogue.metric(key).limit is not Limit.NONE


def test_code_names_metrics_by_their_constants_so_that_one_without_an_entry_fails_at_import():
    spelled = re.compile("|".join(re.escape(key) for key in sorted(catalogue.METRICS, key=len, reverse=True)))
    found = []
    for file in sorted((REPOSITORY / "monitors").rglob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        found += [
            f"{file.relative_to(REPOSITORY)}:{node.lineno} {node.value!r}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and spelled.fullmatch(node.value)
        ]
    assert found == []


def test_the_steps_of_a_watch_share_the_monitors_among_them():
    steps = [catalogue.monitors_of_step(step) for step in Step]
    assert sorted(chain.from_iterable(steps)) == sorted(catalogue.MONITORS)
