"""The page of all days on which a model was watched, month by month: no day is ever gone from the site."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from itertools import groupby
from typing import Any

from reports import wording
from reports.model_view import ModelView, StripDay
from reports.pages import status


def build_days_page(model_view: ModelView) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what the template is filled with, and a line for each watched day, from which later builds go on."""
    context = {
        "spec": model_view.spec,
        "sentence": describe_watched_days(model_view),
        "months": watched_months(model_view),
        "states": status.STATE_TITLES,
        "shown": {strip_day.state for strip_day in model_view.strip_days.values()},
        "told": status.describe_strip_day,
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
    watched = wording.pluralise(len(model_view.runs), "day")
    said = f"Watched on {watched} from {wording.format_day(first)} to {wording.format_day(model_view.last)}, "
    return said + (f"not on {wording.pluralise(gaps, 'day')} between." if gaps else "without a gap.")


def watched_months(model_view: ModelView) -> list[dict[str, Any]]:
    """Return the months, the newest first, each with a cell for every day between the first and the last watched."""
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
    states = Counter(strip_day.state for strip_day in strip_days)
    said = [f"{name.lower()} {states[state]}" for state, (name, _) in status.STATE_TITLES.items() if states[state]]
    return {"id": f"{day:%Y-%m}", "title": f"{day:%B %Y}", "blank": day.weekday(), "cells": strip_days,
            "says": ", ".join(said).capitalize()}  # fmt: skip
