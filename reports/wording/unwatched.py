"""What nobody looks at on a model, and why: an area without a watch is named, never passed over."""

from __future__ import annotations

from catalogue.metrics.fairness import FAIRNESS_MONITOR
from ledger.records.measurements import Measurement, Verdict
from reports.views.model_view import ModelView
from reports.wording import formatting, naming

WATCHED_AREAS = ("Drift", "Performance", "Alerts", "Money", "Fairness", "Slices", "Checks", "Lateness")
"""What can be watched of a model."""


def unwatched_areas(model_view: ModelView) -> dict[str, str]:
    """Return the areas of ``WATCHED_AREAS`` in which nobody looks at this model, each with the reason as a sentence."""
    spec = model_view.spec
    found = {}
    if spec.labels is None:
        found["Performance"] = "The model file names no labels, so nobody knows whether fraud is caught."
    if spec.score.threshold is None:
        found["Alerts"] = (
            "The model file names no threshold, so there is no recall, precision, false-positive or alert rate."
        )
    if spec.score.amount is None:
        found["Money"] = (
            "The model file names no amount column, so the value detection rate and pounds at stake are unknown."
        )
    if not spec.protected:
        found["Fairness"] = "The model file names no protected columns."
    if not spec.slices:
        found["Slices"] = "The model file names none, so trouble in one channel or country can hide in the whole."
    if not spec.checks:
        found["Checks"] = "The model file lists no expectations."
    if spec.features.arrives_by is None:
        found["Lateness"] = "The model file sets no deadline (arrives_by)."
    if not model_view.runs:
        found["Drift"] = "It has not been watched yet."
    return found


def describe_unwatched(model_view: ModelView) -> list[str]:
    """Return what nobody looks at on this model, and why, each as a sentence."""
    spec = model_view.spec
    found = [f"{area}: {reason[0].lower()}{reason[1:]}" for area, reason in unwatched_areas(model_view).items()]
    if spec.score.blocked:
        actions = ", ".join(spec.score.blocked)
        found.append(
            f"Payments with the action {actions}: they get no honest label, so "
            "performance leaves them out; figures over all payments are weighted or bounded apart."
        )
    without = [name for name, column in spec.features.columns.items() if column.importance is None]
    if without and spec.features.columns:
        named = f"{', '.join(formatting.shorten(name) for name in without[:6])}"
        named += f" and {len(without) - 6} more" if len(without) > 6 else ""
        found.append(
            f"Weight: {formatting.pluralise(len(without), 'feature')} without importance ({named}) "
            "count as least important."
        )
    return found + _describe_recent_gaps(model_view)


def _describe_recent_gaps(model_view: ModelView) -> list[str]:
    small = sorted(
        {m.slice for m in model_view.newest if m.monitor == FAIRNESS_MONITOR and m.value is None and m.slice}
    )
    found = []
    if small:
        found.append(
            f"Groups too small or too young to show: {', '.join(small[:8])}{' and more' if len(small) > 8 else ''}."
        )
    failed = _titles_with_verdict(model_view.newest, Verdict.ERRORED)
    if failed:
        found.append(f"Could not be measured on the newest day: {failed}.")
    gaps = [strip_day.day for strip_day in model_view.strip if not strip_day.watched]
    if gaps:
        last = formatting.format_day(gaps[-1])
        were = "was" if len(gaps) == 1 else "were"
        found.append(f"{formatting.pluralise(len(gaps), 'day')} of the strip {were} never watched, the last {last}.")
    return found


def _titles_with_verdict(measurements: list[Measurement], verdict: Verdict) -> str:
    named = list(dict.fromkeys(naming.measurement_title(m) for m in measurements if m.verdict is verdict))
    return "; ".join(named[:6]) + (f"; and {len(named) - 6} more" if len(named) > 6 else "")
