from __future__ import annotations

from datetime import date

import pytest

import catalogue
from ledger.records.measurements import Measurement
from monitors.inputs import DayInputs
from monitors.registry import MONITOR_FUNCTIONS, monitor, monitor_functions
from tests.monitors import made
from watchkeeper.pipeline.run_monitors import run_monitors

DAY = date(2026, 3, 2)


def empty_day() -> DayInputs:
    spec = made.spec()
    return DayInputs(spec, made.frame(), DAY, row_counts={}, profiles={}, baseline={})


def test_every_monitor_of_the_days_step_has_a_function() -> None:
    assert set(MONITOR_FUNCTIONS) == set(catalogue.monitors_of_step(catalogue.Step.MONITORS))


def test_a_monitor_without_an_entry_is_refused_in_a_sentence() -> None:
    with pytest.raises(catalogue.CatalogueError, match=r"monitor decai: .* did you mean decay"):
        monitor("decai")


def test_a_figure_of_another_monitor_is_refused_in_a_sentence() -> None:
    drifting = MONITOR_FUNCTIONS["slow"][0]
    wrong = type(drifting)(("slow",), lambda inputs: [Measurement("card", DAY, DAY, "drift", "psi")], True)
    with pytest.raises(catalogue.CatalogueError, match="returned a figure of monitor 'drift'"):
        wrong(empty_day())


def test_what_no_incident_needs_is_left_out_of_a_replay() -> None:
    every, needed = monitor_functions(), monitor_functions(only_for_incidents=True)
    assert len(every) == len(set(every))
    assert {key for function in every for key in function.keys} - {
        key for function in needed for key in function.keys
    } == {"estimate", "nowcast", "selective", "performance"}


def test_a_day_without_rows_and_scores_has_no_figure() -> None:
    assert run_monitors(empty_day()) == []
