"""The page of all days on which a model was watched, month by month: no day is ever gone from the site."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from itertools import groupby
from typing import Any

from reports.export.json_parts import COUNT, COUNTS, DAY, TEXT, YES_OR_NO, strict_object
from reports.pages.page import PageContent
from reports.views.model_view import ModelView
from reports.views.strip import StripDay
from reports.wording import formatting, states

LINE_JSON = {
    "day": DAY, "state": TEXT, "rows": COUNT, "counts": COUNTS, "source_version": TEXT, "complete": YES_OR_NO,
}  # fmt: skip
JSON = {"model": TEXT, "days": {"type": "array", "items": strict_object(LINE_JSON)}}


def build_days_page(model_view: ModelView) -> PageContent:
    """Return the content of the page of all days; from its JSON, a line for each watched day, later builds go on."""
    context = {
        "spec": model_view.spec,
        "sentence": describe_watched_days(model_view),
        "months": watched_months(model_view),
        "states": states.STATE_TITLES,
        "shown": {strip_day.state for strip_day in model_view.strip_days.values()},
        "describe_day": states.describe_strip_day,
    }
    lines = [
        {
            "day": day, "state": strip_day.state, "rows": model_view.runs[day].rows, "counts": strip_day.counts,
            "source_version": model_view.runs[day].source_version, "complete": model_view.whole(day),
        }
        for day, strip_day in model_view.strip_days.items()
    ]  # fmt: skip
    return context, {"model": model_view.spec.model, "days": lines}


def describe_watched_days(model_view: ModelView) -> str:
    """Return since when the model is watched, and whether a day is missing."""
    if model_view.last is None:
        return "It has not been watched yet."
    first = min(model_view.runs)
    gaps = (model_view.last - first).days + 1 - len(model_view.runs)
    watched = formatting.pluralise(len(model_view.runs), "day")
    said = f"Watched on {watched} from {formatting.format_day(first)} to {formatting.format_day(model_view.last)}, "
    return said + (f"not on {formatting.pluralise(gaps, 'day')} between." if gaps else "without a gap.")


def watched_months(model_view: ModelView) -> list[dict[str, Any]]:
    """Return the months, the newest first, each with a square for every day between the first and the last watched."""
    if model_view.last is None:
        return []
    first = min(model_view.runs)
    span = [first + timedelta(days=i) for i in range((model_view.last - first).days + 1)]
    strip_days = [model_view.strip_days.get(day) or StripDay(day, "unwatched", {}) for day in span]
    found = [
        list(group) for _, group in groupby(strip_days, key=lambda strip_day: (strip_day.day.year, strip_day.day.month))
    ]
    return [_month_of_days(group) for group in reversed(found)]


def _month_of_days(strip_days: list[StripDay]) -> dict[str, Any]:
    day: date = strip_days[0].day
    number = Counter(strip_day.state for strip_day in strip_days)
    said = [f"{name.lower()} {number[state]}" for state, (name, _) in states.STATE_TITLES.items() if number[state]]
    return {"id": f"{day:%Y-%m}", "title": f"{day:%B %Y}", "blank": day.weekday(), "days": strip_days,
            "says": ", ".join(said).capitalize()}  # fmt: skip
