"""The tables of docs/performance.md, from the figures of a run by their keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks import line
from benchmarks.measure import Figure

Figures = Mapping[str, Figure]
KINDS = {
    "scan": "bare scan",
    "slices-0": "profile",
    "slices-1": "profile, one slice",
    "slices-2": "profile, two slices",
    "moments": "profile, second moments",
}
TOOLS = {
    "daily-0": "Watchkeeper, each day",
    "daily-2": "Watchkeeper, each day, two slices",
    "first-0": "Watchkeeper, first day",
    "first-2": "Watchkeeper, first day, two slices",
    "evidently": "Evidently, DataDriftPreset",
    "nannyml": "NannyML, UnivariateDriftCalculator",
    "whylogs": "whylogs, calculate_drift_scores",
}


def sizes(figures: Figures, of: str) -> list[str]:
    """Return the sizes at which something was measured, in order."""
    return sorted({key.split(".")[1] for key in figures if key.startswith(f"{of}.")}, key=int)


def points(figures: Figures, axis: str, kind: str, unit: float = 1) -> dict[float, float]:
    """Return CPU seconds by rows or columns, in ``unit``."""
    found = {int(n) / unit: figures[f"{axis}.{n}.{kind}"] for n in sizes(figures, axis)}
    return {n: figure["cpu_s"] for n, figure in found.items() if "failed" not in figure}


def profile(figures: Figures, rows: int) -> str:
    """Return the profiles of one size, as multiples of the bare scan."""
    scan = figures[f"profile.{rows}.scan"]
    head = [f"{_rows(rows)}", "CPU", "times the scan", "wall", "memory"]
    body = [
        [name, *_cells(figure, scan)]
        for kind, name in KINDS.items()
        if (figure := figures.get(f"profile.{rows}.{kind}")) is not None
    ]
    return table(head, body)


def drift(figures: Figures, rows: int) -> str:
    """Return the comparisons of one size, as multiples of Watchkeeper's day."""
    day = figures[f"drift.{rows}.daily-0"]
    body = []
    for kind, name in TOOLS.items():
        figure = figures.get(f"drift.{rows}.{kind}")
        if figure is not None:
            start = "" if "failed" in figure else f"{figure['start_cpu_s']:.1f} s"
            body.append([name, *_cells(figure, day), start])
    return table([f"{_rows(rows)} a side", "CPU", "times our day", "wall", "memory", "imports"], body)


def without_peers(figures: Figures, rows: str) -> str:
    """Return why a size has no peers: what the smallest size says of their memory."""
    least = sizes(figures, "drift")[0]
    held = {
        name.partition(",")[0]: figure["peak_mb"]
        for kind, name in TOOLS.items()
        if "-" not in kind and "failed" not in (figure := figures.get(f"drift.{least}.{kind}", {"failed": ""}))
    }
    if rows == least or not held:
        return ""
    said = ", ".join(f"{name} {mb * int(rows) / int(least) / 1000:.0f} GB" for name, mb in held.items())
    return (
        f"\nPeers were not run on {_rows(int(rows))} a side: they hold every row in memory. In proportion to "
        f"{_rows(int(least))} that is {said}.\n"
    )


def fit(figures: Figures) -> str:
    """Return the straight lines through cost by rows and by columns."""
    body = []
    for axis, unit, what in (("rows", 1e6, "million rows"), ("columns", 1, "column")):
        scan, whole = (line.fit(points(figures, axis, kind, unit)) for kind in ("scan", "slices-2"))
        for name, found in ((KINDS["scan"], scan), (KINDS["slices-2"], whole)):
            ratio = f"{found.slope / scan.slope:.1f}"
            body.append(
                [f"{name}, each {what}", f"{found.slope:.3f} s", ratio, f"{found.start:.2f} s", f"{found.r2:.4f}"]
            )
    return table(["", "CPU", "times the scan", "at none", "R²"], body)


def others(figures: Figures, rows: int) -> str:
    """Return suite, rolling window, site and DAGs."""
    scan = figures[f"profile.{rows}.scan"]
    names = {
        "suite": f"Great Expectations on {_rows(rows)}: {{expectations}} expectations, {{errored}} errored",
        "window": "rolling 90 days from the ledger, two slices: {rows:,} rows, {figures:,} figures, {scans} scans",
        "site.whole": "site of one model, built whole: {pages} pages, {mb} MB",
        "site.day": "the same site, the pages of one new day",
        "site.fleet": "site of a fleet, on every core: {models} models, {days} days, {pages:,} pages, the largest "
        "{largest_kb} KB, {gb} GB; one new day of one model then takes {day_s} s of CPU; {shown}",
        "dags": "Airflow parses {dags} DAGs, {errors} errors",
    }
    body = []
    for key, name in names.items():
        figure = figures.get(key, {"failed": "not measured in this run"})
        said = name.partition(":")[0] if "failed" in figure else name.format(**figure["answer"])
        times = _cells(figure, scan)
        body.append([said, *times] if key == "suite" else [said, times[0], "", *times[2:]])
    return table(["", "CPU", "times the scan", "wall", "memory"], body)


def table(head: Sequence[str], body: Sequence[Sequence[str]], words: int = 1) -> str:
    """Return a Markdown table, figures to the right; the first columns hold ``words``."""
    lines = [head, [*["---"] * words, *["---:"] * (len(head) - words)], *body]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def times(figure: Figure, base: Figure) -> float | None:
    """Return how many times as much CPU a figure took; None where one of them failed."""
    return None if "failed" in figure or "failed" in base else float(figure["cpu_s"] / base["cpu_s"])


def _cells(figure: Figure, base: Figure) -> list[str]:
    if "failed" in figure:
        least = figure.get("most_cpu_s")
        more = f"over {least / base['cpu_s']:.0f}" if least and "failed" not in base else ""
        return [str(figure["failed"]).replace("|", "/"), more, "", ""]
    ratio = times(figure, base)
    said = "" if ratio is None else f"{ratio:.1f}"
    return [f"{figure['cpu_s']:.2f} s", said, f"{figure['wall_s']:.2f} s", f"{figure['peak_mb']:,.0f} MB"]


def _rows(rows: int) -> str:
    return f"{rows / 1e6:g}M rows" if rows >= 1_000_000 else f"{rows:,} rows"
