"""Runs every registered monitor over a day's inputs. Nothing is read and nothing written."""

from __future__ import annotations

import importlib
import pkgutil

import monitors
from ledger.records.measurements import Measurement
from monitors.drift.new_champion import withhold_score_verdicts
from monitors.inputs import DayInputs
from monitors.registry import monitor_functions

# A monitor is registered by its module, so all of them are imported: a new one needs no line anywhere else.
for _found in pkgutil.walk_packages(monitors.__path__, f"{monitors.__name__}."):
    importlib.import_module(_found.name)


def run_monitors(inputs: DayInputs, *, only_what_alerts: bool = False) -> list[Measurement]:
    """Return what every monitor measures of a day; ``only_what_alerts`` leaves out what no incident needs: half of it.

    How the score lies is not judged while a new champion's own days are gathered.
    """
    functions = monitor_functions(only_for_incidents=only_what_alerts)
    found = [m for measure in functions for m in measure(inputs)]
    return withhold_score_verdicts(found, inputs.spec.score.column, inputs.gathering, len(inputs.champion_days))
