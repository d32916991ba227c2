"""`python -m benchmarks.fleet`: what 10,000 models and 1 TB a day would take, simulated from measured costs.

Nothing of that size was run. Models are drawn, and each is charged what docs/performance.json measured of one model.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.measure import REPOSITORY

MODELS = 10_000
BYTES_A_DAY = 1e12
BYTES_A_VALUE = 8
SEED = 1
SPARE = 0.5
"""Share of a worker's time that is used: models come in bursts after their tables do."""
PAGE = REPOSITORY / "docs" / "sizing.md"
START, END = "<!-- python -m benchmarks.fleet -->\n", "<!-- end -->\n"

FIGURES_OF_A_MODEL = 200
"""Measurements a day that don't grow with columns: arrival, faults, checks, decay, fairness, clues."""
COHORT_DAYS = 16
"""Cohort days whose labels change on one day."""
FIGURES_OF_A_COHORT, COHORT_KB = 3.7, 0.6
"""What each of those days stores of everybody, and of each group: measurements, and kilobytes of counts. These, and
those above, are of the miniature bank's app payments with two slices."""
MEASUREMENT_KB = 0.35
"""A row of measurements with its reason and its index, in PostgreSQL."""
WATCH_CPU_S = 6.0
"""What a day of a model takes beside its scan: starting Python, labels, monitors, checks."""
COHORT_KEPT, PROFILE_KEPT = 800, 1100
"""Days that `retention` keeps by default."""
USD_A_TB = 6.25
"""BigQuery's list price on demand, before discounts and without slots of one's own."""


@dataclass(frozen=True)
class Costs:
    """What was measured of one model: CPU seconds a million rows and column, and what each column and group stores."""

    cpu_s: float
    cpu_s_slice: float
    kb: float
    figures: float
    figures_group: float


def measured() -> Costs:
    """Return the costs of one model from the figures of `make bench`."""
    figures = json.loads((REPOSITORY / "docs" / "performance.json").read_text(encoding="utf-8"))["figures"]
    plain, sliced = (figures[f"profile.1000000.slices-{n}"] for n in (0, 2))
    columns, groups = plain["answer"]["columns"], sliced["answer"]["groups"]
    drift = [figures[f"drift.1000000.daily-{n}"]["answer"]["figures"] for n in (0, 2)]
    return Costs(
        cpu_s=plain["cpu_s"] / columns,
        cpu_s_slice=(sliced["cpu_s"] - plain["cpu_s"]) / 2 / columns,
        kb=sliced["answer"]["stored_kb_a_day"] / columns / groups,
        figures=drift[0] / columns,
        figures_group=(drift[1] - drift[0]) / columns / (groups - 1),
    )


def simulate(
    costs: Costs, models: int = MODELS, bytes_a_day: float = BYTES_A_DAY, seed: int = SEED
) -> dict[str, float]:
    """Return what a fleet takes a day, and what its ledger holds, by name with its unit.

    Columns are log-normal about 40, rows log-normal with a heavy tail and scaled to the bytes, slices 0 to 2 of 5
    values each.
    """
    rng = np.random.default_rng(seed)
    columns = np.clip(rng.lognormal(np.log(40), 0.6, models), 5, 400).round()
    weights = rng.lognormal(0, 1.5, models)
    rows = weights * bytes_a_day / (weights * columns).sum() / BYTES_A_VALUE
    slices = rng.integers(0, 3, models)
    groups = 1 + 5 * slices
    figures = costs.figures * columns + costs.figures_group * columns * (groups - 1) + FIGURES_OF_A_MODEL
    figures += COHORT_DAYS * FIGURES_OF_A_COHORT * groups
    scan_cpu_s = rows / 1e6 * columns * (costs.cpu_s + costs.cpu_s_slice * slices)
    profile_kb, cohort_kb = costs.kb * columns * groups, COHORT_DAYS * COHORT_KB * groups
    cpu_s = scan_cpu_s + WATCH_CPU_S
    kept_kb = (profile_kb * PROFILE_KEPT + cohort_kb * COHORT_KEPT).sum()
    return {
        "rows_a_day": float(rows.sum()),
        "largest_model_rows_a_day": float(rows.max()),
        "cpu_hours_a_day": float(cpu_s.sum() / 3600),
        "cores": float(cpu_s.sum() / 86_400 / SPARE),
        "largest_model_minutes": float(cpu_s.max() / 60),
        "measurements_a_day": float(figures.sum()),
        "cohort_rows_a_day": float(models * COHORT_DAYS),
        "ledger_gb_a_day": float((figures * MEASUREMENT_KB + profile_kb + cohort_kb).sum() / 1e6),
        "profiles_and_cohorts_kept_tb": float(kept_kb / 1e9),
        "measurements_a_year_tb": float(figures.sum() * 365 * MEASUREMENT_KB / 1e9),
        "bigquery_usd_a_day": bytes_a_day / 1e12 * USD_A_TB,
    }


def table(found: Sequence[tuple[str, dict[str, float]]]) -> str:
    """Return fleets side by side as a Markdown table."""
    lines = [f"| | {' | '.join(name for name, _ in found)} |", f"| --- |{' ---: |' * len(found)}"]
    for key in found[0][1]:
        cells = [f"{each[key]:,.0f}" if each[key] >= 10 else f"{each[key]:,.2g}" for _, each in found]
        lines.append(f"| {key.replace('_', ' ')} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def page(text: str) -> str:
    """Return the sizing page with its table made anew."""
    costs = measured()
    sizes = ((10, 1e9), (200, 20e9), (MODELS, BYTES_A_DAY))
    found = [(f"{n:,} models, {size / 1e9:,.0f} GB", simulate(costs, n, size)) for n, size in sizes]
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    return before + START + "\n" + table(found) + "\n" + END + after


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
