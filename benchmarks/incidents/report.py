"""Writes the table of who caught what, docs/detection.md, and the outcomes that it is rendered from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.incidents.run import Outcome

RUN = "detection.json"


def write(folder: Path, run: dict[str, Any]) -> None:
    """Write the outcomes of a run into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / RUN).write_text(json.dumps(run, indent=1, default=str) + "\n", encoding="utf-8")


def share(outcomes: Sequence[Outcome], what: str) -> float | None:
    """Return the share of outcomes with something; those where it means nothing (None) are left out."""
    known = [bool(outcome[what]) for outcome in outcomes if outcome[what] is not None]
    return sum(known) / len(known) if known else None


def delay(outcomes: Sequence[Outcome]) -> float | None:
    """Return the median of the days until what was caught was caught."""
    days = [outcome["delay_days"] for outcome in outcomes if outcome["caught"]]
    return median(days) if days else None


def summary(run: dict[str, Any]) -> str:
    """Return the table as text for a terminal."""
    found = run["outcomes"]
    lines = []
    for tool in dict.fromkeys(o["tool"] for o in found):
        mine = [o for o in found if o["tool"] == tool]
        incidents, quiet = [o for o in mine if o["kind"] != "quiet"], [o for o in mine if o["kind"] == "quiet"]
        lines.append(f"\n{tool}: {_line(incidents)}")
        if quiet:
            pages = sum(len(o["pages"]) for o in quiet)
            lines.append(f"  {pages} false pages in {len(quiet)} quiet quarters")
        kinds = dict.fromkeys(o["kind"] for o in incidents)
        lines += [f"  {kind:16} {_line([o for o in incidents if o['kind'] == kind])}" for kind in kinds]
    return "\n".join([*lines, f"\n{run['minutes']} minutes"])


def explained(run: dict[str, Any]) -> str:
    """Return what was behind each miss, wrong column or cause, and false page of Watchkeeper."""
    lines = []
    for o in run["outcomes"]:
        if o["tool"] != "watchkeeper":
            continue
        where = f"{o['data']} {o['rows']} seed {o['seed']} {o['kind']}"
        if o["kind"] == "quiet":
            lines += [f"FALSE PAGE {where} {page['day']} {page['key']}: {page['words']}" for page in o["pages"]]
        elif o["explained"]:
            what = "MISSED" if not o["caught"] else "WRONG COLUMN" if o["right_column"] is False else "WRONG CAUSE"
            lines += [f"{what} {where} ({', '.join(o['columns'])})", *(f"    {line}" for line in o["explained"])]
    return "\n".join(lines)


def _line(outcomes: Sequence[Outcome]) -> str:
    parts = [f"{len(outcomes)} incidents"]
    for name, value in (
        ("caught", share(outcomes, "caught")),
        ("days", delay(outcomes)),
        ("right column", share([o for o in outcomes if o["caught"]], "right_column")),
        ("right cause", share([o for o in outcomes if o["caught"]], "right_cause")),
    ):
        parts.append(f"{name} {'-' if value is None else format(value, '.2f')}")
    return ", ".join(parts)
