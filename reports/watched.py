"""The page of all days on which a model was watched, month by month: no day is ever gone from the site."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from itertools import groupby
from typing import Any

from reports import today, words
from reports.reading import Cell, Reading


def page(reading: Reading) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what the template is filled with, and a line for each watched day, from which later builds go on."""
    context = {
        "spec": reading.spec,
        "sentence": sentence(reading),
        "months": months(reading),
        "states": today.STATES,
        "shown": {cell.state for cell in reading.cells.values()},
        "told": today.told,
    }
    lines = [
        {
            "day": day, "state": cell.state, "rows": reading.runs[day].rows, "counts": cell.counts,
            "source_version": reading.runs[day].source_version, "complete": reading.whole(day),
        }
        for day, cell in reading.cells.items()
    ]  # fmt: skip
    return context, {"model": reading.spec.model, "days": lines}


def sentence(reading: Reading) -> str:
    """Return since when the model is watched, and whether a day is missing."""
    if reading.last is None:
        return "It has not been watched yet."
    first = min(reading.runs)
    gaps = (reading.last - first).days + 1 - len(reading.runs)
    said = f"Watched on {words.plural(len(reading.runs), 'day')} from {words.day(first)} to {words.day(reading.last)}, "
    return said + (f"not on {words.plural(gaps, 'day')} between." if gaps else "without a gap.")


def months(reading: Reading) -> list[dict[str, Any]]:
    """Return the months, the newest first, each with a cell for every day between the first and the last watched."""
    if reading.last is None:
        return []
    first = min(reading.runs)
    span = [first + timedelta(days=i) for i in range((reading.last - first).days + 1)]
    cells = [reading.cells.get(day) or Cell(day, "unwatched", {}) for day in span]
    found = [list(group) for _, group in groupby(cells, key=lambda cell: (cell.day.year, cell.day.month))]
    return [_month(group) for group in reversed(found)]


def _month(cells: list[Cell]) -> dict[str, Any]:
    day: date = cells[0].day
    states = Counter(cell.state for cell in cells)
    said = [f"{name.lower()} {states[state]}" for state, (name, _) in today.STATES.items() if states[state]]
    return {"id": f"{day:%Y-%m}", "title": f"{day:%B %Y}", "blank": day.weekday(), "cells": cells,
            "says": ", ".join(said).capitalize()}  # fmt: skip
