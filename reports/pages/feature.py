"""A feature's page: how its values are spread beside the baseline, by group and over time, and what was measured."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from catalogue.metrics.drift import NULL_SHARE, PSI, SCALE_RATIO, UNSEEN_SHARE
from catalogue.metrics.drift_monitors import DRIFT_MONITOR
from ledger.records.incidents import Incident
from ledger.records.measurements import Measurement, Verdict
from profiles.profile import EVERYONE, Group
from reports.charts import distributions, over_time
from reports.export.json_parts import MAYBE_DAY, MAYBE_NUMBER, TEXT, TEXTS, records
from reports.pages.page import PageContent
from reports.views.measurements import URGENT, measurements_as_json, with_verdict
from reports.views.model_view import ModelView
from reports.views.profile_view import column_counts_of
from reports.wording import formatting, money, naming

DRAWN_METRICS = (PSI, NULL_SHARE, UNSEEN_SHARE, SCALE_RATIO)
"""Metrics of drift that a feature's page draws over the days."""
LEAST_ROWS = 100
"""A group of fewer payments is not shown."""
MOST_GROUPS = 30
JSON = {
    "model": TEXT, "feature": TEXT, "kind": {"enum": ["number", "category", "embedding"]}, "importance": MAYBE_NUMBER,
    "watched_until": MAYBE_DAY, "bars": records("Bar"), "levels": records("Level"),
    "measurements": records("Measurement"), "series": records("Measurement"), "incidents": TEXTS,
}  # fmt: skip


def build_feature_page(model_view: ModelView, feature: str) -> PageContent:
    """Return the content of the page of a feature, by its name."""
    newest = [m for m in model_view.newest if m.feature == feature]
    own = model_view.spec.features.columns.get(feature)
    involved = [found for found in model_view.incidents if found.feature == feature]
    spread = distribution_chart(model_view, feature)
    context = {
        "spec": model_view.spec,
        "last": model_view.last,
        "psi": naming.metric_title(PSI),
        "nulls": naming.metric_title(NULL_SHARE),
        "feature": feature,
        "kind": feature_kind(model_view, feature),
        "importance": own.importance if own else None,
        "sentence": describe_feature(newest, involved),
        "spread": spread,
        "levels": feature_level_shares(model_view, feature),
        "days": daily_spread_chart(model_view, feature),
        "drawn": list(drift_charts(model_view, feature)),
        "groups": group_rows(model_view, feature),
        "newest": sorted(newest, key=lambda m: (m.verdict not in URGENT, bool(m.slice), m.monitor, m.metric)),
        "incidents": involved,
        "money": money.describe_money_at_stake,
    }
    machine = {
        "model": model_view.spec.model, "feature": feature, "kind": context["kind"],
        "importance": context["importance"], "watched_until": model_view.last,
        "bars": feature_histogram_bars(model_view, feature), "levels": context["levels"],
        "measurements": measurements_as_json(newest),
        "series": measurements_as_json([m for metric in DRAWN_METRICS for m in model_view.of_feature(metric, feature)]),
        "incidents": [found.id for found in involved],
    }  # fmt: skip
    return context, machine


def feature_kind(model_view: ModelView, feature: str) -> str:
    """Return what a feature is: number, category or embedding."""
    profile_schema = model_view.profiles.schema
    if profile_schema and feature in profile_schema.embeddings:
        return "embedding"
    return "category" if profile_schema and feature in profile_schema.categories else "number"


def describe_feature(newest: list[Measurement], involved: list[Incident]) -> str:
    """Return how the feature is on the newest day, in a sentence."""
    firing = [found for found in involved if found.live and found.fired]
    if firing:
        worst = firing[0]
        return f"An incident is open since {formatting.format_day(worst.opened)}: {naming.incident_headline(worst)}."
    over = with_verdict(newest, Verdict.BREACH)
    whole = [m for m in over if not m.slice]
    if whole:
        said = ", ".join(
            f"{naming.metric_title(m.metric)} {formatting.format_figure(m.metric, m.value)}" for m in whole[:4]
        )
        return f"Over its limit on the newest day: {said}."
    if over:
        return (
            f"Within its limits as a whole; over them in {formatting.pluralise(len({m.slice for m in over}), 'group')}."
        )
    failed = with_verdict(newest, Verdict.ERRORED, Verdict.MISSING)
    if failed:
        return f"{formatting.pluralise(len(failed), 'figure')} of the newest day could not be measured."
    return (
        f"Within its limits on the newest day, by {formatting.pluralise(len(newest), 'figure')}."
        if newest
        else "Not measured on the newest day."
    )


def distribution_chart(model_view: ModelView, feature: str) -> dict[str, Any] | None:
    """Return a number's values now beside the baseline's, as a chart and a sentence."""
    profile_schema = model_view.profiles.schema
    if profile_schema is None or feature not in profile_schema.numbers:
        return None
    grid = profile_schema.numbers[feature]
    now, baseline = (
        column_counts_of(model_view.profiles.now, feature),
        column_counts_of(model_view.profiles.baseline, feature),
    )
    middle, was = distributions.quantile_values(now, grid), distributions.quantile_values(baseline, grid)
    if middle is None or was is None:
        return None
    low, half, high = (formatting.format_number(value) for value in middle[1:4])
    low_before, half_before, high_before = (formatting.format_number(value) for value in was[1:4])
    says = (
        f"Median {half}, normally {half_before}. Half of the payments lie within {low} to {high}, "
        f"normally {low_before} to {high_before}."
    )
    return {
        "title": "Now and in the baseline",
        "says": says,
        "figure": distributions.draw_histogram(now, baseline, grid),
    }


def feature_histogram_bars(model_view: ModelView, feature: str) -> list[Any]:
    """Return a number's histogram for machines."""
    profile_schema = model_view.profiles.schema
    if profile_schema is None or feature not in profile_schema.numbers:
        return []
    now, baseline = (
        column_counts_of(model_view.profiles.now, feature),
        column_counts_of(model_view.profiles.baseline, feature),
    )
    return list(distributions.histogram_bars(now, baseline, profile_schema.numbers[feature]))


def feature_level_shares(model_view: ModelView, feature: str) -> list[distributions.Level]:
    """Return a category's levels, with when each came of late."""
    profile_schema = model_view.profiles.schema
    if profile_schema is None or feature not in profile_schema.categories:
        return []
    now, baseline = (
        column_counts_of(model_view.profiles.now, feature),
        column_counts_of(model_view.profiles.baseline, feature),
    )
    return distributions.level_shares(
        model_view.profiles.counts(feature), now, baseline, profile_schema.categories[feature]
    )


def daily_spread_chart(model_view: ModelView, feature: str) -> dict[str, Any] | None:
    """Return a number's spread, or a category's levels, day by day."""
    profile_schema, span = model_view.profiles.schema, model_view.span
    by_day = model_view.profiles.counts(feature)
    if profile_schema is None or span is None or not by_day:
        return None
    if feature in profile_schema.numbers:
        chart = distributions.draw_quantile_bands(
            by_day, column_counts_of(model_view.profiles.baseline, feature), profile_schema.numbers[feature], span
        )
        says = "Light: nine in ten payments of a day; dark: the middle half; dashed lines: the same in the baseline."
        return {"title": "Day by day", "says": says, "figure": chart}
    return None


def drift_charts(model_view: ModelView, feature: str) -> Iterator[dict[str, Any]]:
    """Yield a chart of each metric of drift over the days, where it was ever above nothing."""
    for metric in DRAWN_METRICS:
        points = [m for m in model_view.of_feature(metric, feature) if m.value is not None]
        if not any(m.value for m in points) or not points:
            continue
        over = with_verdict(points, Verdict.BREACH)
        says = (
            f"{formatting.format_figure(metric, points[-1].value)} on {formatting.format_short_day(points[-1].day)}; "
        )
        says += f"over its limit on {formatting.pluralise(len(over), 'day')} of {len(points)}."
        since = next((found.opened for found in model_view.incidents if found.feature == feature and found.live), None)
        chart = over_time.draw_over_time(points, link="../days/", since=since, span=model_view.span)
        yield {"title": naming.metric_title(metric), "says": says, "figure": chart}


def group_rows(model_view: ModelView, feature: str) -> list[dict[str, Any]]:
    """Return how the feature is in each group of the slices: newest PSI and nulls, and its values now and before."""
    by_slice = {
        (m.slice, m.metric): m for m in model_view.newest if m.feature == feature and m.monitor == DRIFT_MONITOR
    }
    found: list[dict[str, Any]] = []
    for group, columns in model_view.profiles.now.features.items():
        if group == EVERYONE or feature not in columns or columns[feature].rows < LEAST_ROWS:
            continue
        name = f"{group[0]}={'(null)' if group[1] is None else group[1]}"
        found.append(
            {
                "name": name,
                "rows": columns[feature].rows,
                "psi": by_slice.get((name, PSI)),
                "nulls": by_slice.get((name, NULL_SHARE)),
                "now": _typical_value(model_view, feature, group, now=True),
                "was": _typical_value(model_view, feature, group, now=False),
            }
        )
    return sorted(found, key=lambda line: -_value_or_zero(line["psi"]))[:MOST_GROUPS]


def _value_or_zero(m: Measurement | None) -> float:
    return m.value if m is not None and m.value is not None else 0.0


def _typical_value(model_view: ModelView, feature: str, group: Group, *, now: bool) -> str:
    profile_schema = model_view.profiles.schema
    counts = column_counts_of(model_view.profiles.now if now else model_view.profiles.baseline, feature, group)
    if profile_schema is None or not counts.finite:
        return "–"
    if feature in profile_schema.numbers:
        middle = distributions.quantile_values(counts, profile_schema.numbers[feature])
        if not middle:
            return "–"
        low, median, high = (formatting.format_number(value) for value in middle[1:4])
        return f"{median} ({low} to {high})"
    if feature in profile_schema.categories:
        bin_index, number = max(counts.bins.items(), key=lambda item: (item[1], -item[0]))
        name = distributions.level_name(profile_schema.categories[feature], bin_index)
        return f"{formatting.shorten(name, 40)} {formatting.format_share(number / counts.finite)}"
    return "–"
