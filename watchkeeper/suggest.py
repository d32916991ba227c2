"""Proposes features and checks for a model file from its baseline, each with the reason it is proposed."""

from __future__ import annotations

import math

import numpy as np
import yaml

from models.spec import Spec
from warehouse.grid import Frame, Grid, Levels
from warehouse.profile import EVERYONE, Counts, Profile

FEW_LEVELS = 20
"""A category with at most this many levels in the baseline gets a check that no other level comes."""


def suggest(spec: Spec, frame: Frame, baseline: Profile, days: int) -> str:
    """Return YAML lines for ``features.columns`` and ``checks``, to be reviewed and pasted into the model file."""
    counts = baseline.features[EVERYONE]
    lines = [f"# from {baseline.rows:,} rows of {days} baseline days of {spec.features.table}", "columns:"]
    lines += [f"  {_quoted(name)}: {{kind: number}}" for name in sorted(frame.numbers)]
    lines += [f"  {_quoted(name)}: {{kind: category}}" for name in sorted(frame.categories)]
    lines += [
        "checks:",
        f"  - expect_column_values_to_be_unique: {{column: {_quoted(spec.features.id)}, severity: critical}}",
    ]
    for name in sorted(counts):
        if name in frame.numbers:
            lines += _of_nulls(name, counts[name]) + _of_number(name, counts[name], frame.numbers[name])
        elif name in frame.categories:
            lines += _of_nulls(name, counts[name]) + _of_category(name, frame.categories[name])
    return "\n".join(lines)


def _of_nulls(name: str, counts: Counts) -> list[str]:
    share = counts.nulls / counts.rows if counts.rows else 1.0
    if share > 0.5:
        return []
    mostly = 1.0 if counts.nulls == 0 else math.floor((1 - 2 * share - 0.005) * 1000) / 1000
    lenient = "" if mostly == 1.0 else f", mostly: {mostly}"
    return [
        _check("expect_column_values_to_not_be_null", name, lenient, "critical", f"{share:.2%} null in the baseline")
    ]


def _of_number(name: str, counts: Counts, grid: Grid) -> list[str]:
    if not counts.finite or min(counts.cells) < int(grid.cell(np.zeros(()))):
        return []
    return [
        _check(
            "expect_column_values_to_be_between", name, ", min_value: 0", "warning", "never negative in the baseline"
        )
    ]


def _of_category(name: str, levels: Levels) -> list[str]:
    if not levels.seen or len(levels.seen) > FEW_LEVELS:
        return []
    values = ", ".join(_quoted(level) for level in sorted(levels.seen))
    why = f"{len(levels.seen)} levels in the baseline"
    return [_check("expect_column_values_to_be_in_set", name, f", value_set: [{values}], mostly: 0.99", "warning", why)]


def _check(kind: str, column: str, arguments: str, severity: str, why: str) -> str:
    return f"  - {kind}: {{column: {_quoted(column)}{arguments}, severity: {severity}}}  # {why}"


def _quoted(text: str) -> str:
    """Return text as YAML writes it on one line."""
    return (
        yaml.safe_dump(text, default_flow_style=True, width=10_000, allow_unicode=True).removesuffix("\n...\n").strip()
    )
