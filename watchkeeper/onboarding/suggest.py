"""Proposes features, slices and checks for a model file from its baseline, each with the reason it is proposed."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import yaml

from models.errors import WatchkeeperError
from models.load import load_model_file
from models.spec import Spec
from profiles.bins import Grid, Levels
from profiles.profile import EVERYONE, Counts, Profile, sum_profiles
from profiles.schema import ProfileSchema

FEW_LEVELS = 20
"""A category with at most this many levels in the baseline gets a check that no other level comes."""
MAX_SLICES = 3
MIN_SLICE_SHARE = 0.01
"""A slice is proposed where each of its levels has this share of the payments, so that its figures say something."""
EMPTY_LIST = re.compile(r"^(slices|checks): *\[ *\] *(#.*)?\n{0,2}", re.MULTILINE)


def suggest_yaml(spec: Spec, schema: ProfileSchema, baseline: Sequence[Profile]) -> str:
    """Return YAML lines for ``features.columns``, ``slices`` and ``checks``, to be reviewed and pasted.

    ``baseline`` holds the profile of each baseline day.
    """
    of_all = sum_profiles(baseline, schema.id)
    counts = of_all.features[EVERYONE]
    lines = [f"# from {of_all.rows:,} rows of {len(baseline)} baseline days of {spec.features.table}", "columns:"]
    lines += [f"  {quote_yaml(name)}: {{kind: number}}" for name in sorted(schema.numbers)]
    lines += [f"  {quote_yaml(name)}: {{kind: category}}" for name in sorted(schema.categories)]
    lines += [f"  {quote_yaml(name)}: {{kind: embedding}}" for name in sorted(schema.embeddings)]
    slices = _suggest_slices(schema, counts)
    lines += ["slices:", *slices] if slices else ["slices: [] # no category has few and common levels"]
    lines += ["checks:", *_table_checks(spec, baseline)]
    if schema.score is not None:
        low, high = (_format_number(end) for end in spec.score.range)
        arguments = f", min_value: {low}, max_value: {high}"
        why = "the range that the model file gives"
        lines.append(_check_line("expect_column_values_to_be_between", spec.score.column, arguments, "critical", why))
    for name in sorted(counts):
        if name == spec.score.column:
            continue
        if name in schema.numbers:
            lines += _null_checks(name, counts[name]) + _number_checks(name, counts[name], schema.numbers[name])
        elif name in schema.categories:
            lines += _null_checks(name, counts[name]) + _category_checks(name, schema.categories[name])
        elif name in schema.embeddings:
            lines += _null_checks(name, counts[name])
    return "\n".join(lines)


def write_suggestions(file: Path, spec: Spec, suggested: str) -> list[str]:
    """Write the suggested slices and checks into a model file that has none of them, and return which.

    The rest of the file, comments and all, stays as it is. Raises WatchkeeperError where it can't be written.
    """
    parts = {key: _top_level_part(suggested, key) for key in ("slices", "checks")}
    missing = [key for key in parts if not getattr(spec, key)]
    before = file.read_text(encoding="utf-8")
    kept = EMPTY_LIST.sub(lambda found: "" if found[1] in missing else found[0], before).rstrip("\n")
    added = "\n\n".join(f"{parts[key]}" for key in missing)
    try:
        file.write_text(f"{kept}\n\n{added}\n" if missing else before, encoding="utf-8")
        load_model_file(file)
    except OSError as error:
        raise WatchkeeperError(f"{file}: can't be written ({error.strerror})") from error
    except WatchkeeperError:
        file.write_text(before, encoding="utf-8")  # such as 'checks: null', which the lines added would repeat
        raise
    return missing


def quote_yaml(text: str) -> str:
    """Return text as YAML writes it on one line."""
    return (
        yaml.safe_dump(text, default_flow_style=True, width=10_000, allow_unicode=True).removesuffix("\n...\n").strip()
    )


def _top_level_part(suggested: str, key: str) -> str:
    """Return the lines of one top-level key."""
    lines = suggested.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(f"{key}:"))
    rest = (i for i, line in enumerate(lines[start + 1 :], start + 1) if not line.startswith(" "))
    return "\n".join(lines[start : next(rest, len(lines))])


def _suggest_slices(schema: ProfileSchema, counts: Mapping[str, Counts]) -> list[str]:
    found = []
    for name in sorted(schema.categories):
        levels, own = schema.categories[name], counts.get(name)
        if own is None or not 2 <= len(levels.seen) <= FEW_LEVELS:
            continue
        least = min(own.bins.get(level, 0) for level in range(len(levels.top))) / max(own.rows, 1)
        if least >= MIN_SLICE_SHARE:
            found.append((len(levels.seen), name, least))
    return [
        f"  - {quote_yaml(name)} # {levels} levels, each of {least:.1%} of the payments or more"
        for levels, name, least in sorted(found)[:MAX_SLICES]
    ]


def _table_checks(spec: Spec, baseline: Sequence[Profile]) -> list[str]:
    rows = [profile.rows for profile in baseline]
    low, high = math.floor(min(rows) / 2), math.ceil(max(rows) * 2)
    usual = f"half of the smallest to twice the largest day: {min(rows):,} to {max(rows):,} rows"
    bounds = f"min_value: {low}, max_value: {high}, severity: critical"
    unique = _check_line(
        "expect_column_values_to_be_unique", spec.features.id, "", "critical", "labels are joined by it"
    )
    return [f"  - expect_table_row_count_to_be_between: {{{bounds}}} # {usual}", unique]


def _null_checks(name: str, counts: Counts) -> list[str]:
    share = counts.nulls / counts.rows if counts.rows else 1.0
    if share > 0.5:
        return []
    mostly = 1.0 if counts.nulls == 0 else math.floor((1 - 2 * share - 0.005) * 1000) / 1000
    if mostly <= 0:
        return []
    lenient = "" if mostly == 1.0 else f", mostly: {mostly}"
    why = f"{share:.2%} null in the baseline" if share else "never null in the baseline"
    return [_check_line("expect_column_values_to_not_be_null", name, lenient, "critical", why)]


def _number_checks(name: str, counts: Counts, grid: Grid) -> list[str]:
    if not counts.finite or min(counts.bins) < int(grid.bin_of(np.zeros(()))):
        return []
    return [
        _check_line(
            "expect_column_values_to_be_between", name, ", min_value: 0", "warning", "never negative in the baseline"
        )
    ]


def _category_checks(name: str, levels: Levels) -> list[str]:
    if not 2 <= len(levels.seen) <= FEW_LEVELS:
        return []
    values = ", ".join(quote_yaml(level) for level in sorted(levels.seen))
    why = f"{len(levels.seen)} levels in the baseline"
    return [
        _check_line("expect_column_values_to_be_in_set", name, f", value_set: [{values}], mostly: 0.99", "warning", why)
    ]


def _check_line(kind: str, column: str, arguments: str, severity: str, why: str) -> str:
    return f"  - {kind}: {{column: {quote_yaml(column)}{arguments}, severity: {severity}}} # {why}"


def _format_number(value: float) -> str:
    return f"{value:g}" if value != int(value) else str(int(value))
