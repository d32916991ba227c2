"""Proposes features, slices and checks for a model file from its baseline, each with the reason it is proposed."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import yaml

from models.errors import WatchkeeperError
from models.load import load
from models.spec import Spec
from warehouse.grid import Frame, Grid, Levels
from warehouse.profile import EVERYONE, Counts, Profile, total

FEW_LEVELS = 20
"""A category with at most this many levels in the baseline gets a check that no other level comes."""
MOST_SLICES = 3
LEAST_SLICE = 0.01
"""A slice is proposed where each of its levels has this share of the payments, so that its figures say something."""
EMPTY = re.compile(r"^(slices|checks): *\[ *\] *(#.*)?\n{0,2}", re.MULTILINE)


def suggest(spec: Spec, frame: Frame, baseline: Sequence[Profile]) -> str:
    """Return YAML lines for ``features.columns``, ``slices`` and ``checks``, to be reviewed and pasted.

    ``baseline`` holds the profile of each baseline day.
    """
    of_all = total(baseline, frame.id)
    counts = of_all.features[EVERYONE]
    lines = [f"# from {of_all.rows:,} rows of {len(baseline)} baseline days of {spec.features.table}", "columns:"]
    lines += [f"  {quoted(name)}: {{kind: number}}" for name in sorted(frame.numbers)]
    lines += [f"  {quoted(name)}: {{kind: category}}" for name in sorted(frame.categories)]
    lines += [f"  {quoted(name)}: {{kind: embedding}}" for name in sorted(frame.embeddings)]
    slices = _slices(frame, counts)
    lines += ["slices:", *slices] if slices else ["slices: [] # no category has few and common levels"]
    lines += ["checks:", *_of_table(spec, baseline)]
    if frame.score is not None:
        low, high = (_number(end) for end in spec.score.range)
        arguments = f", min_value: {low}, max_value: {high}"
        why = "the range that the model file gives"
        lines.append(_check("expect_column_values_to_be_between", spec.score.column, arguments, "critical", why))
    for name in sorted(counts):
        if name == spec.score.column:
            continue
        if name in frame.numbers:
            lines += _of_nulls(name, counts[name]) + _of_number(name, counts[name], frame.numbers[name])
        elif name in frame.categories:
            lines += _of_nulls(name, counts[name]) + _of_category(name, frame.categories[name])
        elif name in frame.embeddings:
            lines += _of_nulls(name, counts[name])
    return "\n".join(lines)


def write(file: Path, spec: Spec, suggested: str) -> list[str]:
    """Write the suggested slices and checks into a model file that has none of them, and return which.

    The rest of the file, comments and all, stays as it is. Raises WatchkeeperError where it can't be written.
    """
    parts = {key: _part(suggested, key) for key in ("slices", "checks")}
    missing = [key for key in parts if not getattr(spec, key)]
    before = file.read_text(encoding="utf-8")
    kept = EMPTY.sub(lambda found: "" if found[1] in missing else found[0], before).rstrip("\n")
    added = "\n\n".join(f"{parts[key]}" for key in missing)
    try:
        file.write_text(f"{kept}\n\n{added}\n" if missing else before, encoding="utf-8")
        load(file)
    except OSError as error:
        raise WatchkeeperError(f"{file}: can't be written ({error.strerror})") from error
    except WatchkeeperError:
        file.write_text(before, encoding="utf-8")  # such as 'checks: null', which the lines added would repeat
        raise
    return missing


def quoted(text: str) -> str:
    """Return text as YAML writes it on one line."""
    return (
        yaml.safe_dump(text, default_flow_style=True, width=10_000, allow_unicode=True).removesuffix("\n...\n").strip()
    )


def _part(suggested: str, key: str) -> str:
    """Return the lines of one top-level key."""
    lines = suggested.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(f"{key}:"))
    rest = (i for i, line in enumerate(lines[start + 1 :], start + 1) if not line.startswith(" "))
    return "\n".join(lines[start : next(rest, len(lines))])


def _slices(frame: Frame, counts: Mapping[str, Counts]) -> list[str]:
    found = []
    for name in sorted(frame.categories):
        levels, own = frame.categories[name], counts.get(name)
        if own is None or not 2 <= len(levels.seen) <= FEW_LEVELS:
            continue
        least = min(own.cells.get(cell, 0) for cell in range(len(levels.top))) / max(own.rows, 1)
        if least >= LEAST_SLICE:
            found.append((len(levels.seen), name, least))
    return [
        f"  - {quoted(name)} # {levels} levels, each of {least:.1%} of the payments or more"
        for levels, name, least in sorted(found)[:MOST_SLICES]
    ]


def _of_table(spec: Spec, baseline: Sequence[Profile]) -> list[str]:
    rows = [profile.rows for profile in baseline]
    low, high = math.floor(min(rows) / 2), math.ceil(max(rows) * 2)
    usual = f"half of the smallest to twice the largest day: {min(rows):,} to {max(rows):,} rows"
    bounds = f"min_value: {low}, max_value: {high}, severity: critical"
    unique = _check("expect_column_values_to_be_unique", spec.features.id, "", "critical", "labels are joined by it")
    return [f"  - expect_table_row_count_to_be_between: {{{bounds}}} # {usual}", unique]


def _of_nulls(name: str, counts: Counts) -> list[str]:
    share = counts.nulls / counts.rows if counts.rows else 1.0
    if share > 0.5:
        return []
    mostly = 1.0 if counts.nulls == 0 else math.floor((1 - 2 * share - 0.005) * 1000) / 1000
    if mostly <= 0:
        return []
    lenient = "" if mostly == 1.0 else f", mostly: {mostly}"
    why = f"{share:.2%} null in the baseline" if share else "never null in the baseline"
    return [_check("expect_column_values_to_not_be_null", name, lenient, "critical", why)]


def _of_number(name: str, counts: Counts, grid: Grid) -> list[str]:
    if not counts.finite or min(counts.cells) < int(grid.cell(np.zeros(()))):
        return []
    return [
        _check(
            "expect_column_values_to_be_between", name, ", min_value: 0", "warning", "never negative in the baseline"
        )
    ]


def _of_category(name: str, levels: Levels) -> list[str]:
    if not 2 <= len(levels.seen) <= FEW_LEVELS:
        return []
    values = ", ".join(quoted(level) for level in sorted(levels.seen))
    why = f"{len(levels.seen)} levels in the baseline"
    return [_check("expect_column_values_to_be_in_set", name, f", value_set: [{values}], mostly: 0.99", "warning", why)]


def _check(kind: str, column: str, arguments: str, severity: str, why: str) -> str:
    return f"  - {kind}: {{column: {quoted(column)}{arguments}, severity: {severity}}} # {why}"


def _number(value: float) -> str:
    return f"{value:g}" if value != int(value) else str(int(value))
