"""Writes docs/detection.md and the outcomes that it is rendered from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.incidents import scores
from benchmarks.incidents.better import better
from benchmarks.incidents.kept import Outcome
from benchmarks.incidents.kinds import KINDS
from benchmarks.incidents.ours import NAME as OURS
from benchmarks.incidents.plan import AMOUNTS, SETS
from benchmarks.incidents.scores import NAMES, Line, of
from benchmarks.tables import table

PAGE, RUN = "detection.md", "detection.json"
MOST_WORDS = 240

HEAD = """\
# Detection
<!-- Written by `make detect`. Don't edit it: run the command again. -->

Faults with a known first day were put into quiet data, and every detector looked at the same days, with and without
them. Measured on {date}, on {seeds}.

A history is 59 days of baseline and a week of watching; then the incident begins. It is caught by a page about
something (a column, the rows, a metric of performance; for Watchkeeper an incident's cause, column and slice) that the
same days without the incident bring no page about, on any day before the deadline: a detector that says the same every
day catches nothing. Deadlines are 3 days; 14 for what comes gradually; for labels, ten days until nine in ten are
known, and seven more. Days count from the first bad one, which is 1. What stands on top of the first such pages is
judged: the column, where one is to blame, and the cause, where a detector names one. A quiet quarter is 91 days after
59 of baseline. An incident of Watchkeeper that fires is a page; for the others all that begins on one day is one page,
for they don't group.

Data: the miniature bank's app scams at 2,000 and at 50,000 payments a day (18 columns, score, slices by channel), and
the payments of the Fraud Detection Handbook's simulator at their own 9,591 a day (18 columns, a logistic regression's
score, slices by region), whose days are drawn with replacement from the payments of real ones, the last four weeks over
again where more days are needed. Traps in the quiet data: a column that is constant within a day (weekend yes or no),
window features that are still filling, December's volume (the bank's), categories of thousands of rare levels. Each
seed puts a kind of incident into another column. Model files have no checks, and every detector is at its defaults.

What to keep in mind. Column and cause are shares of what was caught; a miss counts against neither. New level, stale
data and label flood each accept more than one cause as right (`benchmarks/incidents/kinds.py`). The kinds of a seed
share its history, so the interval is narrower than it should be. Where no column is to blame, any new page catches, by
luck too: a detector with many false pages gains by that.
The handbook's seeds draw other rows, but from the same 91 real days, for tuning and for the report; only the bank's
days are new. Nor are the handbook's quiet days wholly quiet: its windows fill all April, and who is defrauded changes
by the week; a page about either still counts as false. Evidently and NannyML take minutes where the others take
seconds, so they looked at fewer seeds of what is large: each cell says at how many incidents.
"""

TUNED = 'seeds that limits may be tuned on: **these are not results**, run `make detect ARGS="--seeds report"`'
REPORTED = "seeds that nothing was tuned on (tuning has seeds of its own)"

CELLS = """\
A cell has the share caught and of how many, the median day on which it was, and how often the right column was on top.

"""
BETTER = """\
Every figure of the tables above on which another detector beats Watchkeeper, both on the incidents or quarters that
both looked at.

"""
PEERS = """
## The detectors
- Watchkeeper: each day is watched as in a backfill, without the figures that can't page.
- NannyML: univariate drift, missing values, unseen values, row count, realised performance (when labels are due), by
  day, in an environment of its own; the column with most alerts is on top.
- Evidently: for each column the test that DataDriftPreset chooses, with its limit, a day against the baseline; the
  column furthest beyond its limit is on top.
- PSI > 0.2: on the baseline's deciles, levels of a category as they are.
- KS p < 0.05: numbers only.

Only Watchkeeper names causes.
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
    dates = sorted({str(o["date"]) for o in found}) or ["-"]
    said = {
        "date": dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}",
        "seeds": REPORTED if run["seeds"] == "report" else TUNED,
    }
    parts = [
        HEAD.format(**said),
        *_unfinished(run["seeds"], found),
        "\n## In all\n\n",
        _whole(found),
        "\n",
        _targets(found),
    ]
    parts += ["\n## By data and rows a day\n\n", CELLS, *_by_place(found)]
    parts += ["\n## By kind\n\n", CELLS, _by_kind(found)]
    for place, there in scores.groups(found, scores.where).items():
        parts += [f"\n### {place[0].upper()}{place[1:]} a day\n\n", _by_kind(there)]
    parts += ["\n## Where another is better\n\n", BETTER, _better(found)]
    false = [(o, each) for o in of(found, OURS, quiet=True) for each in o["pages"]]
    parts += ["\n## Watchkeeper's false pages\n\n"]
    parts += [f"- {scores.where(o)}, {each['day']}: {each['words']}\n" for o, each in false] or ["None.\n"]
    return "".join([*parts, PEERS])


def summary(found: Sequence[Outcome]) -> str:
    """Return the tables as text for a terminal."""
    return "\n".join([_whole(found), _targets(found), *_by_place(found), _by_kind(found), _better(found)])


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


def _unfinished(seeds: str, found: Sequence[Outcome]) -> list[str]:
    """Say what was planned and isn't there, because a run was stopped or told to be shorter."""
    lines = []
    for name, size in SETS.items():
        for tool, amount in AMOUNTS[seeds][name].items():
            mine = [o for o in found if (o["data"], o["rows"], o["tool"]) == (*size, tool)]
            have = sum(o["kind"] != "quiet" for o in mine), sum(o["kind"] == "quiet" for o in mine)
            due = amount[0] * len(KINDS), amount[1]
            if have != due:
                said = f"{have[0]} of {due[0]} incidents, {have[1]} of {due[1]} quiet quarters"
                lines.append(f"- {NAMES[tool]} on {size[0]}, {size[1]:,} rows: {said}.\n")
    return ["\n## Planned and not run yet\n\n", *lines] if lines else []


def _targets(found: Sequence[Outcome]) -> str:
    """Say which of the aims hold for Watchkeeper, over everything and for each data set and size."""
    places = {"in all": list(found), **scores.groups(found, scores.where)}
    by_place = {place: {row[0]: row for row in scores.targets(there)} for place, there in places.items()}
    rows = []
    for what, aim, *_ in scores.targets(found):
        mine = [by_place[place].get(what) for place in places]
        rows.append(
            [what, aim, *("" if row is None else row[2] if row[3] else f"**{row[2]}, missed**" for row in mine)]
        )
    return table(["Watchkeeper's aims", "aim", *places], rows)


def _by_place(found: Sequence[Outcome]) -> list[str]:
    """Return a line for each data set and size: what was caught of incidents, and how many pages were false."""
    tools, places = scores.tools(found), scores.groups(found, scores.where)
    caught, false = [], []
    for place, there in places.items():
        caught.append([place, *(_caught(Line.of(of(there, tool))) for tool in tools)])
        quiet = [(tool, of(there, tool, quiet=True)) for tool in tools]
        pages = [(scores.pages_a_quarter(quarters), len(quarters)) for _, quarters in quiet]
        false.append([place, *("" if mean is None else f"{mean:.2f} in {n}" for mean, n in pages)])
    names = [NAMES[tool] for tool in tools]
    return [table(["caught", *names], caught), "\n", table(["false pages a quarter", *names], false)]


def _by_kind(found: Sequence[Outcome]) -> str:
    """Return a line for each kind of incident, with a column for each detector."""
    tools = scores.tools(found)
    kinds = scores.groups([o for o in found if o["kind"] != "quiet"], scores.kind)
    head = ["", *(NAMES[tool] for tool in tools[:1]), "right cause", *(NAMES[tool] for tool in tools[1:])]
    body = []
    for name, there in kinds.items():
        lines = [Line.of(of(there, tool)) for tool in tools]
        body.append([name, _caught(lines[0]), _share(lines[0].right_cause), *(_caught(line) for line in lines[1:])])
    return table(head, body)


def _better(found: Sequence[Outcome]) -> str:
    lines = better(found)
    if not lines:
        return "Nowhere.\n"
    head = ["", "where", "kind", "what", "theirs", "Watchkeeper's", "n"]
    return table(head, [[x.tool, x.where, x.kind, x.what, x.theirs, x.ours, str(x.n)] for x in lines], words=4)


def _caught(line: Line) -> str:
    """Return a cell: the share caught, of how many, the median day, and the share with the right column."""
    if not line.n:
        return ""
    column = "" if line.right_column is None else f", column {line.right_column:.2f}"
    return f"{line.caught:.2f} of {line.n}" + (f", {_days(line)}{column}" if line.delay_days is not None else "")


def _days(line: Line) -> str:
    return "-" if line.delay_days is None else f"day {line.delay_days:g}"


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _short(outcome: Outcome) -> Outcome:
    """Leave out what explains a miss, and of the pages all but the first words."""
    left = {key: value for key, value in outcome.items() if key not in ("explained", "cpu_s")}
    most = None if outcome["kind"] == "quiet" and outcome["tool"] == OURS else 3
    return left | {"pages": [page | {"words": page["words"][:MOST_WORDS]} for page in outcome["pages"][:most]],
                   "page_count": scores.page_count(outcome)}  # fmt: skip
