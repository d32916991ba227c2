"""Finds the bank's own functions that a model file names, and has them measured on stored profiles."""

from __future__ import annotations

import importlib
from dataclasses import replace
from datetime import date

from ledger.records.measurements import Measurement
from models.errors import did_you_mean
from models.spec import HISTORY_DAYS, Metric, Spec
from monitors.custom import MetricFunction, measure_custom_metrics
from monitors.performance.maturity import learn_delay_curve
from profiles.schema import ProfileSchema
from watchkeeper.context import Context, ensure_baseline_days, stored_profiles


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


def measure_own_metrics(ctx: Context, spec: Spec, schema: ProfileSchema, as_of: date) -> list[Measurement]:
    """Measure the metrics of a model file; labels must have been taken in before."""
    if not spec.metrics:
        return []
    normal = ensure_baseline_days(ctx, spec, schema, as_of)
    horizon_days = spec.labels.horizon_days if spec.labels else HISTORY_DAYS
    start = min(normal[0], as_of.fromordinal(as_of.toordinal() - horizon_days))
    cohorts = ctx.ledger.cohorts(spec.model, schema.id, start, as_of, as_of) if spec.labels else {}
    profiles = {
        day: replace(own, cube=own.cube.labelled(cohorts[day].labels)) if day in cohorts else own
        for day, own in stored_profiles(ctx, spec, schema, start, as_of).items()
    }
    curve = learn_delay_curve(cohorts, as_of, horizon_days)
    functions = {metric.name: load_metric_function(metric) for metric in spec.metrics}
    return measure_custom_metrics(spec, schema, as_of, profiles, curve, normal, functions, seed=as_of.toordinal())
