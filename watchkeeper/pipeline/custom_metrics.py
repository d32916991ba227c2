"""Finds the bank's own functions that a model file names."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from models.errors import WatchkeeperError, did_you_mean
from models.spec import Metric, Spec
from monitors.custom import MetricFunction


def add_metrics_folder(folder: Path | None) -> None:
    """Put the folder of ``WATCHKEEPER_METRICS`` onto Python's path, behind what is there; None: there is none.

    Raises WatchkeeperError where it isn't a folder.
    """
    if folder is None:
        return
    if not folder.is_dir():
        raise WatchkeeperError(f"WATCHKEEPER_METRICS names {folder}, and there is no such folder; make it, or unset it")
    if str(folder.resolve()) not in sys.path:
        sys.path.append(str(folder.resolve()))


def load_metric_function(metric: Metric) -> MetricFunction | str:
    """Import the function of a metric; return the sentence why it can't be called, where that is so."""
    module, _, name = metric.function.partition(":")
    where = f"metrics.{metric.name}.function: '{metric.function}'"
    try:
        found = importlib.import_module(module)
    except Exception as error:  # noqa: BLE001  the bank's own module may raise anything
        said = f"{error.__class__.__name__}: {error}".rstrip(": ")
        todo = "set WATCHKEEPER_METRICS to its folder where the watch runs"
        return f"{where}: module {module} can't be imported ({said}); {todo}."
    function: MetricFunction | None = getattr(found, name, None)
    if not callable(function):
        known = [each for each in vars(found) if callable(getattr(found, each)) and not each.startswith("_")]
        return f"{where}: module {module} has no function '{name}'{did_you_mean(name, known)}."
    return function


def load_metric_functions(spec: Spec) -> dict[str, MetricFunction | str]:
    """Return the function of each metric of a model file by its name, or the sentence why there is none."""
    return {metric.name: load_metric_function(metric) for metric in spec.metrics}
