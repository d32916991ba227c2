"""Finds the bank's own functions that a model file names."""

from __future__ import annotations

import importlib

from models.errors import did_you_mean
from models.spec import Metric, Spec
from monitors.custom import MetricFunction


def load_metric_function(metric: Metric) -> MetricFunction | str:
    """Import the function of a metric; return the sentence why it can't be called, where that is so."""
    module, _, name = metric.function.partition(":")
    where = f"metrics.{metric.name}.function: '{metric.function}'"
    try:
        found = importlib.import_module(module)
    except Exception as error:  # noqa: BLE001  the bank's own module may raise anything
        said = f"{error.__class__.__name__}: {error}".rstrip(": ")
        return f"{where}: module {module} can't be imported ({said}); it must be on PYTHONPATH where the watch runs."
    function: MetricFunction | None = getattr(found, name, None)
    if not callable(function):
        known = [each for each in vars(found) if callable(getattr(found, each)) and not each.startswith("_")]
        return f"{where}: module {module} has no function '{name}'{did_you_mean(name, known)}."
    return function


def load_metric_functions(spec: Spec) -> dict[str, MetricFunction | str]:
    """Return the function of each metric of a model file by its name, or the sentence why there is none."""
    return {metric.name: load_metric_function(metric) for metric in spec.metrics}
