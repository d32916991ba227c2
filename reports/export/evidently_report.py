"""An Evidently report for a drift incident: its day's distributions beside the baseline's, from bounded samples."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from datetime import date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from markupsafe import escape

from ledger.records.incidents import Incident
from ledger.records.retraining import BaselineChange
from models.extras import is_installed, missing_package
from models.spec import Spec
from reports import writing as pages
from warehouse.protocol import Warehouse

if TYPE_CHECKING:
    import pandas as pd

SAMPLE_ROWS = 5_000
"""Rows of each sample: PSI's noise is then about 0.004, and the report renders in seconds."""
MOST_LEVELS = 30
"""Levels of a category that are named; the rest are shown as one, for a rare value may point at a person."""
OTHER_LEVEL = "(other)"
SAMPLE_SEED = 7


def write_drilldown(
    warehouse: Warehouse, spec: Spec, incident: Incident, baseline: BaselineChange, site: Path
) -> Path | None:
    """Write ``incidents/<id>-evidently.html`` once, and return its path; None where the incident isn't about drift.

    The day shown is the one on which the incident fired. A column that can't be compared is left out, and the
    report says so; None where no column is left. Raises WatchkeeperError where the file can't be written.
    """
    path = site / incident.page.replace(".html", "-evidently.html")
    if not incident.cause_entry.drilldown:
        return None
    if path.exists():
        return path
    day = incident.fired or incident.opened
    current = warehouse.sample(spec, day, day, SAMPLE_ROWS, SAMPLE_SEED)
    reference = warehouse.sample(spec, baseline.start, baseline.end, SAMPLE_ROWS, SAMPLE_SEED)
    if current.empty or reference.empty:
        return None
    numbers, categories, left_out = comparable_columns(spec, current, reference)
    made = compare_samples(current, reference, numbers, categories, left_out, day)
    if made is None:
        return None
    description = f"{spec.name}: {day} ({len(current):,} payments) against "
    description += f"{baseline.start} to {baseline.end} ({len(reference):,} payments)."
    pages.write_file(path, _with_introduction(made.html, description, left_out, f"{incident.id}.html").encode())
    return path


def comparable_columns(
    spec: Spec, current: pd.DataFrame, reference: pd.DataFrame
) -> tuple[list[str], list[str], dict[str, str]]:
    """Make both samples comparable in place; return the numbers, the categories, and why others are left out."""
    numbers: list[str] = []
    categories: list[str] = []
    left_out: dict[str, str] = {}
    for name, kind in _column_kinds(spec, reference).items():
        sides = {"on the day": current, "in the baseline": reference}
        absent = [side for side, rows in sides.items() if name not in rows]
        if absent:
            left_out[name] = f"not there {absent[0]}"
            continue
        _prepare_column(name, kind, current, reference)
        empty = [side for side, rows in sides.items() if rows[name].isna().all()]
        if empty:
            left_out[name] = f"no usable value {empty[0]}"
        else:
            (numbers if kind == "number" else categories).append(name)
    return numbers, categories, left_out


def _column_kinds(spec: Spec, rows: pd.DataFrame) -> dict[str, str]:
    """Return the kind of each feature and of the score; unlisted features are the columns without another role."""
    kinds: dict[str, str] = {name: column.kind for name, column in spec.features.columns.items()}
    if not kinds:
        features, score = spec.features, spec.score
        roles = {features.day, features.id, features.time, score.version, score.action, score.propensity}
        others = [name for name in rows.columns if name not in roles]
        kinds = {name: "number" if rows[name].dtype.kind in "iufb" else "category" for name in others}
    return kinds | {spec.score.column: "number"}


def _prepare_column(name: str, kind: str, current: pd.DataFrame, reference: pd.DataFrame) -> None:
    import numpy as np  # noqa: PLC0415  only needed when a report is written
    import pandas as pd  # noqa: PLC0415

    if kind == "number":
        for rows in (current, reference):
            rows[name] = pd.to_numeric(rows[name], errors="coerce").astype(float).replace([np.inf, -np.inf], np.nan)
        return
    texts = [rows[name].astype("string").map(_without_markup, na_action="ignore") for rows in (current, reference)]
    named = set(pd.concat(texts).value_counts().index[:MOST_LEVELS])
    for rows, text in zip((current, reference), texts, strict=True):
        rows[name] = text.where(text.isin(named) | text.isna(), OTHER_LEVEL).astype(object).where(text.notna(), None)


def _without_markup(text: str) -> str:
    """Return a text that can't be read as markup, whatever page it ends up in."""
    return text.replace("&", "+").replace("<", "‹").replace(">", "›")[:80]


class SampleComparison(NamedTuple):
    """An Evidently run, and how it reads."""

    run: Any
    html: str


def compare_samples(
    current: pd.DataFrame,
    reference: pd.DataFrame,
    numbers: list[str],
    categories: list[str],
    left_out: dict[str, str],
    day: date,
) -> SampleComparison | None:
    """Return the run of both samples, named after its day; a column on which Evidently fails is left out, and named."""
    os.environ["DO_NOT_TRACK"] = "1"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Evidently and its dependencies warn of at import is not ours to fix
        render = _renderer(current, reference, day)
        try:
            return render(numbers, categories)
        except Exception:  # noqa: BLE001  one bad column makes Evidently fail as a whole, with any error
            for name in [*numbers, *categories]:
                _try_column(render, name, name in numbers, left_out)
        numbers = [name for name in numbers if name not in left_out]
        categories = [name for name in categories if name not in left_out]
        return render(numbers, categories) if numbers or categories else None


def _try_column(
    render: Callable[[list[str], list[str]], SampleComparison],
    name: str,
    number: bool,  # noqa: FBT001
    left_out: dict[str, str],
) -> None:
    try:
        render([name] if number else [], [] if number else [name])
    except Exception as error:  # noqa: BLE001  as above
        left_out[name] = f"Evidently can't compare it ({error.__class__.__name__})"


def _renderer(
    current: pd.DataFrame, reference: pd.DataFrame, day: date
) -> Callable[[list[str], list[str]], SampleComparison]:
    """Import Evidently, which takes seconds; return what renders the drift of some numbers and categories."""
    if not is_installed("evidently"):
        raise missing_package("evidently", "the drill-down report")
    from evidently import DataDefinition, Dataset, Report  # noqa: PLC0415  takes 7 to 15 seconds
    from evidently.presets import DataDriftPreset  # noqa: PLC0415

    def render(numbers: list[str], categories: list[str]) -> SampleComparison:
        safe = {name: _without_markup(name) for name in [*numbers, *categories]}
        definition = DataDefinition(
            numerical_columns=[safe[name] for name in numbers], categorical_columns=[safe[name] for name in categories]
        )
        sides: list[Any] = [
            Dataset.from_pandas(rows[list(safe)].rename(columns=safe), data_definition=definition)
            for rows in (current, reference)
        ]
        preset = DataDriftPreset(columns=list(safe.values()), num_method="psi", cat_method="psi")
        run = Report([preset]).run(*sides, timestamp=datetime.combine(day, time()), name=str(day))
        return SampleComparison(run, run.get_html_str(as_iframe=False))

    return render


def _with_introduction(report: str, description: str, left_out: dict[str, str], back: str) -> str:
    """Return the report with a line on top that says what is compared, and what is not."""
    missing = "; ".join(f"{name}: {why}" for name, why in left_out.items())
    text = (
        f"{description} A sample of each; rare levels are shown together. {f'Left out: {missing}.' if missing else ''}"
    )
    judged = "Evidently judges a sample by fixed limits of its own, and one broken column of many is no drift to it: "
    line = (
        f'<p style="font:14px/1.5 system-ui,sans-serif;margin:12px 24px">{escape(text)}<br>{judged}'
        f'what Watchkeeper concluded is on <a href="{escape(back)}">the incident\'s page</a>.</p>'
    )
    head, body, rest = report.partition("<body>")
    return f"{head}{body}{line}{rest}" if body else f"{line}{report}"
