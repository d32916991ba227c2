"""Writes docs/detection.md and the outcomes that it is rendered from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.incidents import scores
from benchmarks.incidents.kept import Outcome
from benchmarks.incidents.ours import NAME as OURS
from benchmarks.incidents.scores import NAMES, Line, of
from benchmarks.tables import table

PAGE, RUN = "detection.md", "detection.json"
MOST_WORDS = 240

HEAD = """\
# Detection
<!-- Written by `make detect`. Don't edit it: run the command again. -->

Faults with a known first day were put into quiet data, and every detector looked at the same days, with and without
them. Measured on {date} in {hours:.1f} hours of CPU, on {seeds}.

A history is 59 days of baseline and a week of watching; then the incident begins. It is caught by a page about
something (a column, the rows, performance; for Watchkeeper an incident's cause, column and slice) that the same days
without the incident bring no page about, on any day before the deadline: a detector that says the same every day
catches nothing. Deadlines are 3 days; 14 for what comes gradually; for labels, ten days until nine in ten are known,
and seven more. Days count from the first bad one, which is 1. What stands on top of the first such pages is judged:
the column, where one is to blame, and the cause, where a detector names one. A quiet quarter is 91 days after 59 of
baseline. An incident of Watchkeeper that fires is a page; for the others all that begins on one day is one page, for
they don't group.

Data: the miniature bank's app scams (18 columns, score, slices by channel), and the payments of the Fraud Detection
Handbook's simulator (18 columns, a logistic regression's score, slices by region), whose days are drawn with
replacement from the payments of real ones, the last four weeks over again where more days are needed. Traps in the
quiet data: a column that is constant within a day (weekend yes or no), window features that are still filling,
December's volume (the bank's), categories of thousands of rare levels. Each seed puts a kind of incident into another
column. Model files have no checks, and every detector is at its defaults.

What to keep in mind. Column and cause are shares of what was caught; a miss counts against neither. New level, stale
data and label flood each accept more than one cause as right (`benchmarks/incidents/kinds.py`). The kinds of a seed
share its history, so the interval is narrower than it should be. Where no column is to blame, any new page catches, by
luck too: a detector with many false pages gains by that. The handbook's seeds draw other rows, but from the same 91
real days, for tuning and for the report; only the bank's days are new.
"""

TUNED = 'seeds that limits may be tuned on: **these are not results**, run `make detect ARGS="--seeds report"`'
REPORTED = "seeds that nothing was tuned on (tuning has seeds of its own)"

PEERS = """
## The others
- NannyML: univariate drift, missing values, unseen values, row count, realised performance (when labels are due), by
  day, in an environment of its own; the column with most alerts is on top.
- Evidently: for each column the test that DataDriftPreset chooses, with its limit, a day against the baseline; the
  column furthest beyond its limit is on top.
- PSI > 0.2: on the baseline's deciles, levels of a category as they are.
- KS p < 0.05: numbers only.

None of them names causes. Evidently and NannyML take minutes where the others take seconds, so they looked at fewer
seeds; how many is in each table, and each comparison is on what both looked at.
"""


def write(folder: Path, seeds: str, outcomes: Sequence[Outcome]) -> None:
    """Write the page and the outcomes that it is rendered from into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = {"seeds": seeds, "outcomes": [_short(outcome) for outcome in outcomes]}
    (folder / RUN).write_text(json.dumps(kept, default=str).replace('{"data"', '\n{"data"') + "\n", encoding="utf-8")
    (folder / PAGE).write_text(page(kept), encoding="utf-8")


def page(run: dict[str, Any]) -> str:
    """Return the page of a run, as Markdown."""
    found: list[Outcome] = run["outcomes"]
    seeds = REPORTED if run["seeds"] == "report" else TUNED
    dates = sorted({str(o["date"]) for o in found}) or ["-"]
    when = dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
    parts = [HEAD.format(date=when, hours=sum(o["cpu_s"] for o in found) / 3600, seeds=seeds)]
    parts += ["\n## In all\n\n", _whole(found), "\n", *_targets(found)]
    parts += ["\n## By kind\n\nShare caught, and the median day on which it was.\n\n", _by(found, "kind")]
    parts += ["\n## By data and rows a day\n\n", _by(found, "where")]
    better = scores.better(found)
    parts += ["\n## Where another is better\n\n", *([f"- {line}\n" for line in better] or ["Nowhere.\n"])]
    false = [(o, each) for o in of(found, OURS, quiet=True) for each in o["pages"]]
    parts += ["\n## Watchkeeper's false pages\n\n"]
    parts += [f"- {o['data']}, {o['rows']:,} rows, {each['day']}: {each['words']}\n" for o, each in false] or [
        "None.\n"
    ]
    return "".join([*parts, PEERS])


def summary(found: Sequence[Outcome]) -> str:
    """Return the tables as text for a terminal."""
    return "\n".join([_whole(found), _by(found, "kind"), _by(found, "where"), *scores.better(found)])


def explained(found: Sequence[Outcome]) -> str:
    """Return what was behind each miss, wrong column or cause, and false page of Watchkeeper."""
    lines = []
    for o in (o for o in found if o["tool"] == OURS):
        where = f"{o['data']} {o['rows']} seed {o['seed']} {o['kind']}"
        if o["kind"] == "quiet":
            lines += [f"FALSE PAGE {where} {page['day']} {page['key']}: {page['words']}" for page in o["pages"]]
        elif o["explained"]:
            what = "MISSED" if not o["caught"] else "WRONG COLUMN" if o["right_column"] is False else "WRONG CAUSE"
            lines += [f"{what} {where} ({', '.join(o['columns'])})", *(f"    {line}" for line in o["explained"])]
    return "\n".join(lines)


def _whole(found: Sequence[Outcome]) -> str:
    head = ["", "incidents", "caught (95 %)", "median day", "right column", "right cause", "false pages a quarter"]
    body = []
    for tool in scores.tools(found):
        line, quiet = Line.of(of(found, tool)), of(found, tool, quiet=True)
        low, high = line.interval
        caught = f"{line.caught:.2f} ({low:.2f} to {high:.2f})" if line.n else ""
        pages = scores.pages_a_quarter(quiet)
        false = "" if pages is None else f"{pages:.2f} in {len(quiet)}"
        shares = [_share(line.right_column), _share(line.right_cause)]
        body.append([NAMES[tool], str(line.n), caught, _days(line), *shares, false])
    return table(head, body)


def _targets(found: Sequence[Outcome]) -> list[str]:
    """Say which of the aims hold for Watchkeeper."""
    rows = scores.targets(found)
    head = table(
        ["Watchkeeper's aims", "aim", "measured", ""],
        [[what, aim, got, "held" if held else "**missed**"] for what, aim, got, held in rows],
    )
    return [head]


def _by(found: Sequence[Outcome], what: str) -> str:
    """Return a line for each kind of incident, or each data set and size, with a column for each detector."""
    tools = scores.tools(found)
    groups = scores.groups(of(found, OURS) if what == "kind" else [o for o in found if o["tool"] == OURS], what)
    ours = ["right column", "right cause", *(["false pages"] if what == "where" else [])]
    head = ["", "n", *(NAMES[tool] for tool in tools[:1]), *ours]
    for tool in tools[1:]:
        head += [NAMES[tool], *(["false pages"] if what == "where" else [])]
    body = []
    for name, outcomes in groups.items():
        keys = {scores.group_of(o, what) for o in outcomes}
        row = [name]
        for tool in tools:
            mine = [o for o in of(found, tool) if scores.group_of(o, what) in keys]
            quiet = [o for o in of(found, tool, quiet=True) if scores.group_of(o, what) in keys]
            line = Line.of(mine)
            said = f"{line.caught:.2f}, {_days(line)}" if line.n else ""
            if tool == OURS:
                row += [str(line.n), said, _share(line.right_column), _share(line.right_cause)]
            else:
                row.append(said if line.n in (0, len(of(outcomes, OURS))) else f"{said} (n {line.n})")
            if what == "where":
                pages = scores.pages_a_quarter(quiet)
                row.append("" if pages is None else f"{pages:.2f} in {len(quiet)}")
        body.append(row)
    return table(head, body)


def _days(line: Line) -> str:
    return "-" if line.delay_days is None else f"day {line.delay_days:g}"


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _short(outcome: Outcome) -> Outcome:
    """Leave out what explains a miss, and of the pages all but the first words."""
    left = {key: value for key, value in outcome.items() if key != "explained"}
    most = None if outcome["kind"] == "quiet" and outcome["tool"] == OURS else 3
    return left | {"pages": [page | {"words": page["words"][:MOST_WORDS]} for page in outcome["pages"][:most]],
                   "page_count": len(outcome["pages"])}  # fmt: skip
