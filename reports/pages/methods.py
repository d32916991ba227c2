"""The methods page: what each metric is, tells, and can't tell. The texts are in ``methods.yaml``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from reports import wording

FAMILY_TITLES = {
    "_difference": "Difference to the reference",
    "_ratio": "Ratio to the reference",
    "_estimate_error": "Error of its estimates",
}
"""Metrics that are made of another one, by the end of their name."""


@dataclass(frozen=True)
class Method:
    """A metric in words: its name in the ledger, its title, formula, what it tells, and what it can't."""

    metric: str
    title: str
    formula: str
    tells: str
    limits: str


@cache
def methods_by_part() -> dict[str, list[Method]]:
    """Return every method under the title of its part of the page."""
    read = yaml.safe_load((Path(__file__).parent / "methods.yaml").read_text(encoding="utf-8"))
    return {
        part["title"]: [
            Method(metric, FAMILY_TITLES.get(metric) or wording.metric_title(metric), *said)
            for metric, said in part["metrics"].items()
        ]
        for part in read
    }


def find_method(metric: str) -> Method | None:
    """Return the method of a metric, by its own name or by its family's; None for one that isn't ours.

    Expectations have Great Expectations' own, and a bank's own metrics the bank's.
    """
    every = {found.metric: found for part in methods_by_part().values() for found in part}
    ending = next((end for end in FAMILY_TITLES if metric.endswith(end) and metric not in every), None)
    return every.get(metric) or (every[ending] if ending else None)


def build_methods_page() -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what the template of the methods page is filled with, and the same for machines."""
    context = {
        "parts": [{"title": title, "methods": methods} for title, methods in methods_by_part().items()],
        "verdicts": list(wording.VERDICTS.values()),
    }
    return context, {"methods": [found for part in methods_by_part().values() for found in part]}
