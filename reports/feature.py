"""A feature's page: how its values are spread beside the baseline, by group and over time, and what was measured."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ledger.records import Incident, Measurement, Verdict
from reports import distributions, figures, today, words
from reports.reading import Reading, counts_of, of_verdict, rows
from warehouse.profile import EVERYONE, Group

OVER_TIME = ("psi", "null_share", "unseen_share", "scale_ratio")
"""Metrics of drift that a feature's page draws over the days."""
LEAST_ROWS = 100
"""A group of fewer payments is not shown."""
GROUPS = 30
PROBLEMS = (Verdict.BREACH, Verdict.ERRORED, Verdict.MISSING)


def page(reading: Reading, feature: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what the template of a feature's page is filled with, and the same for machines."""
    newest = [m for m in reading.newest if m.feature == feature]
    own = reading.spec.features.columns.get(feature)
    involved = [found for found in reading.incidents if found.feature == feature]
    spread = distribution(reading, feature)
    context = {
        "spec": reading.spec,
        "reading": reading,
        "feature": feature,
        "kind": kind(reading, feature),
        "importance": own.importance if own else None,
        "sentence": sentence(newest, involved),
        "spread": spread,
        "levels": levels(reading, feature),
        "days": over_days(reading, feature),
        "drawn": list(drawn(reading, feature)),
        "groups": groups(reading, feature),
        "newest": sorted(newest, key=lambda m: (m.verdict not in PROBLEMS, bool(m.slice), m.monitor, m.metric)),
        "incidents": involved,
        "money": today.money,
    }
    machine = {
        "model": reading.spec.model, "feature": feature, "kind": context["kind"], "importance": context["importance"],
        "watched_until": reading.last, "bars": bars(reading, feature), "levels": context["levels"],
        "measurements": rows(newest),
        "series": rows([m for metric in OVER_TIME for m in reading.of_feature(metric, feature)]),
        "incidents": [found.id for found in involved],
    }  # fmt: skip
    return context, machine


def kind(reading: Reading, feature: str) -> str:
    """Return what a feature is: number, category or embedding."""
    frame = reading.frame
    if frame and feature in frame.embeddings:
        return "embedding"
    return "category" if frame and feature in frame.categories else "number"


def sentence(newest: list[Measurement], involved: list[Incident]) -> str:
    """Return how the feature is on the newest day, in a sentence."""
    firing = [found for found in involved if found.live and found.fired]
    if firing:
        return f"An incident is open since {words.day(firing[0].opened)}: {words.headline(firing[0])}."
    over = of_verdict(newest, Verdict.BREACH)
    whole = [m for m in over if not m.slice]
    if whole:
        said = ", ".join(f"{words.metric(m.metric)} {words.figure(m.metric, m.value)}" for m in whole[:4])
        return f"Over its limit on the newest day: {said}."
    if over:
        return f"Within its limits as a whole; over them in {words.plural(len({m.slice for m in over}), 'group')}."
    failed = of_verdict(newest, Verdict.ERRORED, Verdict.MISSING)
    if failed:
        return f"{words.plural(len(failed), 'figure')} of the newest day could not be measured."
    return (
        f"Within its limits on the newest day, by {words.plural(len(newest), 'figure')}."
        if newest
        else "Not measured on the newest day."
    )


def distribution(reading: Reading, feature: str) -> dict[str, Any] | None:
    """Return a number's values now beside the baseline's, as a chart and a sentence."""
    frame = reading.frame
    if frame is None or feature not in frame.numbers:
        return None
    grid = frame.numbers[feature]
    now, normal = counts_of(reading.now, feature), counts_of(reading.normal, feature)
    middle, was = distributions.middles(now, grid), distributions.middles(normal, grid)
    if middle is None or was is None:
        return None
    says = (
        f"Half of the payments now lie within {words.number(middle[1])} to {words.number(middle[3])}, the middle is "
        f"{words.number(middle[2])}; in the baseline {words.number(was[1])} to {words.number(was[3])}, "
        f"{words.number(was[2])}."
    )
    return {"title": "Now and in the baseline", "says": says, "figure": distributions.histogram(now, normal, grid)}


def bars(reading: Reading, feature: str) -> list[Any]:
    """Return a number's histogram for machines."""
    frame = reading.frame
    if frame is None or feature not in frame.numbers:
        return []
    now, normal = counts_of(reading.now, feature), counts_of(reading.normal, feature)
    return list(distributions.bars(now, normal, frame.numbers[feature]))


def levels(reading: Reading, feature: str) -> list[distributions.Level]:
    """Return a category's levels, with when each came of late."""
    frame = reading.frame
    if frame is None or feature not in frame.categories:
        return []
    now, normal = counts_of(reading.now, feature), counts_of(reading.normal, feature)
    return distributions.levels(reading.counts(feature), now, normal, frame.categories[feature])


def over_days(reading: Reading, feature: str) -> dict[str, Any] | None:
    """Return a number's spread, or a category's levels, day by day."""
    frame, span = reading.frame, reading.span
    by_day = reading.counts(feature)
    if frame is None or span is None or not by_day:
        return None
    if feature in frame.numbers:
        figure = distributions.bands(by_day, counts_of(reading.normal, feature), frame.numbers[feature], span)
        says = "Light: nine in ten payments of a day; dark: the middle half; dashed: the same in the baseline."
        return {"title": "Day by day", "says": says, "figure": figure}
    return None


def drawn(reading: Reading, feature: str) -> Iterator[dict[str, Any]]:
    """Yield a chart of each metric of drift over the days, where it was ever above nothing."""
    for metric in OVER_TIME:
        points = [m for m in reading.of_feature(metric, feature) if m.value is not None]
        if not any(m.value for m in points) or not points:
            continue
        over = of_verdict(points, Verdict.BREACH)
        says = f"{words.figure(metric, points[-1].value)} on {words.short_day(points[-1].day)}; "
        says += f"over its limit on {words.plural(len(over), 'day')} of {len(points)}."
        since = next((found.opened for found in reading.incidents if found.feature == feature and found.live), None)
        figure = figures.over_time(points, link="../days/", since=since, span=reading.span)
        yield {"title": words.metric(metric), "says": says, "figure": figure}


def groups(reading: Reading, feature: str) -> list[dict[str, Any]]:
    """Return how the feature is in each group of the slices: newest PSI and nulls, and its values now and before."""
    by_slice = {(m.slice, m.metric): m for m in reading.newest if m.feature == feature and m.monitor == "drift"}
    found: list[dict[str, Any]] = []
    for group, columns in reading.now.features.items():
        if group == EVERYONE or feature not in columns or columns[feature].rows < LEAST_ROWS:
            continue
        name = f"{group[0]}={'(null)' if group[1] is None else group[1]}"
        found.append(
            {
                "name": name,
                "rows": columns[feature].rows,
                "psi": by_slice.get((name, "psi")),
                "nulls": by_slice.get((name, "null_share")),
                "now": _middle(reading, feature, group, now=True),
                "was": _middle(reading, feature, group, now=False),
            }
        )
    return sorted(found, key=lambda line: -_value(line["psi"]))[:GROUPS]


def _value(m: Measurement | None) -> float:
    return m.value if m is not None and m.value is not None else 0.0


def _middle(reading: Reading, feature: str, group: Group, *, now: bool) -> str:
    frame = reading.frame
    counts = counts_of(reading.now if now else reading.normal, feature, group)
    if frame is None or not counts.finite:
        return "–"
    if feature in frame.numbers:
        middle = distributions.middles(counts, frame.numbers[feature])
        return f"{words.number(middle[2])} ({words.number(middle[1])} to {words.number(middle[3])})" if middle else "–"
    if feature in frame.categories:
        cell, number = max(counts.cells.items(), key=lambda item: (item[1], -item[0]))
        name = distributions.level_name(frame.categories[feature], cell)
        return f"{words.short(name, 40)} {words.share(number / counts.finite)}"
    return "–"
