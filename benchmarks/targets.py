"""What was promised, beside what was measured. Nothing fails on it: seconds depend on the machine."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import line, tables
from benchmarks.tables import Figures

SHARES = {"evidently": ("Evidently", 100), "nannyml": ("NannyML", 40), "whylogs": ("whylogs", 25)}
LEAST_R2 = 0.98


def table(figures: Figures, rows: int) -> str:
    """Return the targets, what was measured, and whether it is met, as a Markdown table."""
    body = [
        [target, said, "" if met is None else "yes" if met else "**no**"]
        for target, said, met in [*_scan(figures), *_peers(figures, rows), *_window(figures), *_lines(figures)]
    ]
    return tables.table(["target", "measured", "met"], body)


def _scan(figures: Figures) -> Iterator[tuple[str, str, bool | None]]:
    for rows in tables.sizes(figures, "profile"):
        scan = figures[f"profile.{rows}.scan"]
        for slices, most in ((0, 3), (2, 5)):
            figure = figures.get(f"profile.{rows}.slices-{slices}")
            ratio = figure and tables.times(figure, scan)
            if ratio:
                target = f"profile, {slices or 'no'} slices: at most {most} bare scans"
                yield f"{target}, {int(rows):,} rows", f"{ratio:.1f}", ratio <= most
    whole = figures.get("profile.50000000.slices-2")
    if whole and "failed" not in whole:
        yield "50M rows under 1 GB", f"{whole['peak_mb']:,.0f} MB", whole["peak_mb"] < 1000
    else:
        yield "50M rows under 1 GB", whole["failed"] if whole else "not measured in this run", None


def _peers(figures: Figures, rows: int) -> Iterator[tuple[str, str, bool | None]]:
    day = figures[f"drift.{rows}.daily-0"]
    for key, (name, share) in SHARES.items():
        figure = figures.get(f"drift.{rows}.{key}")
        ratio = figure and tables.times(figure, day)
        said = f"1/{ratio:.1f}" if ratio else "not measured in this run"
        yield f"drift each day: at most 1/{share} of the CPU of {name}", said, ratio >= share if ratio else None


def _window(figures: Figures) -> Iterator[tuple[str, str, bool | None]]:
    window = figures["window"]
    if "failed" not in window:
        said = f"{window['wall_s']:.2f} s, {window['answer']['scans']} scans"
        met = window["wall_s"] < 1 and window["answer"]["scans"] == 0
        yield "rolling 90 days under 1 s, without a scan", said, met


def _lines(figures: Figures) -> Iterator[tuple[str, str, bool | None]]:
    for axis in ("rows", "columns"):
        r2 = line.fit(tables.points(figures, axis, "slices-2")).r2
        yield f"cost is linear in {axis} (R² at least {LEAST_R2})", f"{r2:.4f}", r2 >= LEAST_R2
