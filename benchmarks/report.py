"""Writes docs/performance.md, its plot, and the run they are rendered from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks import line, tables, targets
from benchmarks.plan import PEERS

PAGE, PLOT, RUN = "performance.md", "images/performance.svg", "performance.json"

HEAD = """\
# Performance
<!-- Written by `make bench`. Don't edit it: run the command again. -->

`make bench` measured every figure here in one run on {date}: {machine}. Each case ran in a process of its own; cases
of a table took turns, short ones several times in each, and figures are means, for a shared machine has fast and slow
spells. CPU is user and system time of all threads; what a process spends before its work (interpreter, imports,
opening) is left out of it, and shown where it differs. Every case finds its files in memory, for they are read once
before its clock starts: what ran before it doesn't count. Memory is the most that a process held while it worked.
Seconds are this machine's, ratios travel.

The table is a bank's: {columns} watched columns (20 numbers, eight of them heavy-tailed and four with nulls; 9
categories of 2 to 2,000 levels; the score), in Parquet, a folder a day, {rows:,} rows a day, snappy, groups of 120,000
rows. The slices are two of the categories, of 4 and 12 values.
"""

PROFILE = """
## A profile against a bare scan
The bare scan is the least that reads the same columns: `SELECT sum(number), ..., sum(strlen(text)), ... FROM
read_parquet(...)`, in DuckDB too. A profile has histograms, sums, nulls, categories and the score cube.
"""

DRIFT = """
## Drift of every column, side by side
Same files, same columns, as many rows of baseline as of today. "Each day" is what Watchkeeper does every day: it scans
today's partition and reads the baseline's profile from its store. "First day" also fixes the frame and scans the
baseline. Peers read both sides with pandas, for none keeps a baseline by itself; NannyML takes each side as one chunk,
the least work it offers. Everything else is at their defaults.
"""

WORDS = """
What the table doesn't say. Evidently, NannyML and whylogs compare values, Watchkeeper counts in cells fixed by the
baseline (a Kolmogorov-Smirnov statistic is that of the cell borders). Evidently also draws each column and has tests
for text, ranking and language models; NannyML estimates performance without labels and looks at columns together;
whylogs' profiles are sketches that any stream can fill, without a warehouse. None of that is measured here. Watchkeeper
also gives each figure an interval and a verdict within a false-alarm budget, and with slices judges each group.
"""

FIT = """
## Linear in rows and in columns
![CPU seconds against rows and columns, with straight lines]({plot})

"""

OTHERS = """
## Everything else
"""


def write(folder: Path, run: dict[str, Any]) -> None:
    """Write page, plot and run into a folder."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    (folder / RUN).write_text(json.dumps(run, indent=1) + "\n", encoding="utf-8")
    (folder / PLOT).write_text(plot(run), encoding="utf-8")
    (folder / PAGE).write_text(page(run), encoding="utf-8")


def page(run: dict[str, Any]) -> str:
    """Return the page of a run, as Markdown."""
    figures = run["figures"]
    rows = [int(n) for n in tables.sizes(figures, "profile")]
    parts = [HEAD.format(date=run["date"], machine=run["machine"], columns=run["columns"], rows=run["rows"]), PROFILE]
    parts += ["\n" + tables.profile(figures, n) for n in rows]
    parts += [DRIFT, *(f"\n{tables.drift(figures, int(n))}{tables.without_peers(figures, n)}"
                       for n in tables.sizes(figures, "drift"))]  # fmt: skip
    parts += [_missing(run["missing"]), WORDS]
    parts += [FIT.format(plot=PLOT), tables.fit(figures), OTHERS, "\n" + tables.others(figures, run["rows"])]
    parts += ["\n## Against the targets\n\n", targets.table(figures, run["rows"]), "\n## Versions\n"]
    parts += [f"- {name}: {what}\n" for name, what in run["versions"].items() if name not in run["missing"]]
    return "".join(parts)


def plot(run: dict[str, Any]) -> str:
    """Return the plot of cost against rows and columns, as SVG."""
    names = {"slices-2": "profile with two slices", "scan": "bare scan"}
    panels = []
    for axis, title, label, unit in (
        ("rows", "By rows", f"million rows of {run['columns']} columns", 1e6),
        ("columns", "By columns", f"columns of {run['rows'] / 1e6:g} million rows", 1),
    ):
        series = {name: tables.points(run["figures"], axis, kind, unit) for kind, name in names.items()}
        panels.append((title, label, series))
    return line.plot(panels)


def _missing(missing: dict[str, str]) -> str:
    return "".join(f"\n{name.capitalize()} is missing here: {missing[name]}.\n" for name in PEERS if name in missing)
