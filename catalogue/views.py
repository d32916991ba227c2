"""Tables that several parts of the product need, derived from the registers."""

from __future__ import annotations

from collections.abc import Iterator

from catalogue.cause_entry import Cause
from catalogue.entries import Derived, Effect, Evidence, Limit, Metric, Monitor, Needs, Stage, Step
from catalogue.registers import CAUSES, DERIVED, METRICS, MONITORS, find_metric


def column_metrics(kind: str, *, in_slices: bool = False) -> tuple[str, ...]:
    """Return the metrics that the daily drift tests measure of a kind of column: number, category or score.

    ``in_slices`` leaves those that are measured in each slice as well.
    """
    return tuple(m.key for m in METRICS.values() if kind in m.columns and (m.in_slices or not in_slices))


def slice_metrics() -> tuple[str, ...]:
    """Return the metrics that the daily drift tests measure in each slice as well, where they apply."""
    return tuple(m.key for m in METRICS.values() if m.in_slices)


def tested_distances() -> tuple[str, ...]:
    """Return the daily drift tests' distances of whole distributions."""
    return tuple(m.key for m in METRICS.values() if "number" in m.columns and m.effect is Effect.DISTANCE)


def tested_shares() -> tuple[str, ...]:
    """Return the daily drift tests' shares that may only rise: of rows that can't be used as they are."""
    return tuple(m.key for m in METRICS.values() if m.columns and m.effect is Effect.RISE)


def evidence(kind: Evidence) -> tuple[str, ...]:
    """Return the metrics that are evidence of a kind, the most convincing (or most costly) first."""
    found = (m for m in METRICS.values() if m.evidence is kind)
    return tuple(m.key for m in sorted(found, key=lambda m: m.evidence_rank))


def false_alarm_metrics() -> tuple[str, ...]:
    """Return the metrics of the model's quality that get worse with more false alarms."""
    return tuple(m.key for m in METRICS.values() if m.quality is not None and m.quality.false_alarms)


def fairness_metrics() -> tuple[str, ...]:
    """Return the rates that are compared between groups, by the harm of a gap: the worst first."""
    ranked = [(m.quality.harm_rank, m.key) for m in METRICS.values() if m.quality is not None]
    return tuple(key for rank, key in sorted(ranked) if rank < 9)


def labels_needed() -> dict[str, Needs]:
    """Return which labels each metric of the model's quality waits for, by the key under which it is computed."""
    return {m.key: m.quality.needs for m in METRICS.values() if m.quality is not None and not m.quality.same_as}


def never_judged_quality() -> tuple[str, ...]:
    """Return the metrics of the model's quality that are shown and never judged."""
    return tuple(key for key in labels_needed() if METRICS[key].limit is Limit.NONE)


def minimum_effects() -> dict[str, float]:
    """Return the minimum effect size of each metric that has one: what ``alerts.limits`` accepts."""
    return {m.key: m.minimum_effect for m in (*METRICS.values(), *_limited()) if m.minimum_effect is not None}


def minimum_effects_unlearned() -> dict[str, float]:
    """Return the larger minimum effect sizes that hold while a baseline has too few days to learn from."""
    found = ((m.key, m.minimum_effect_unlearned) for m in METRICS.values())
    return {key: size for key, size in found if size is not None}


def _limited() -> Iterator[Metric]:
    """Yield the derived metrics that ``alerts.limits`` accepts."""
    for family in DERIVED.values():
        yield from (family.of(METRICS[key]) for key in family.limits_for)


def sections() -> dict[str, list[Metric | Derived]]:
    """Return every metric and family of derived ones under the title of its part of the methods page."""
    entries: list[Metric | Derived] = [*METRICS.values(), *DERIVED.values()]
    found: dict[str, list[Metric | Derived]] = {}
    for entry in entries:
        found.setdefault(entry.section, []).append(entry)
    return found


def measures(monitor: str, metric: str) -> bool:
    """Return whether the catalogue has it that a monitor measures a metric, or derives it from one."""
    entry, found = MONITORS.get(monitor), find_metric(metric)
    if entry is None or entry.model_file_names_metrics:
        return entry is not None
    return metric in entry.metrics or (found is not None and monitor in found.monitors)


def monitors_in_order() -> tuple[Monitor, ...]:
    """Return the monitors in the order of a day's page."""
    return tuple(sorted(MONITORS.values(), key=lambda monitor: monitor.order))


def day_monitors() -> tuple[str, ...]:
    """Return the monitors whose figures are about the day on which they are known, in order."""
    return tuple(monitor.key for monitor in monitors_in_order() if monitor.about_its_day)


def monitors_of_step(step: Step) -> tuple[str, ...]:
    """Return the monitors whose figures a step of the watch replaces."""
    return tuple(monitor.key for monitor in monitors_in_order() if monitor.step is step)


def column_monitors() -> tuple[str, ...]:
    """Return the monitors that compare single columns with their baseline."""
    return tuple(monitor.key for monitor in monitors_in_order() if monitor.of_columns)


def table_monitors() -> tuple[str, ...]:
    """Return the monitors of the table itself: what arrived, its columns, its checks."""
    return tuple(monitor.key for monitor in monitors_in_order() if monitor.subject == "the table")


def stages() -> dict[str, tuple[str, ...]]:
    """Return the monitors of each stage on the way from data to outcome."""
    found = {stage: tuple(m.key for m in monitors_in_order() if m.stage is stage) for stage in Stage if stage}
    return {stage.value: monitors for stage, monitors in found.items() if monitors}


def causes_in_order() -> tuple[Cause, ...]:
    """Return the causes as lists show them: data faults, then real changes."""
    return tuple(sorted(CAUSES.values(), key=lambda cause: cause.order))
