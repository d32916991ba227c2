"""Shares, delays and false pages of the outcomes of a run, and who is better where."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.incidents.kept import Outcome
from benchmarks.incidents.ours import NAME as OURS
from checks import intervals

NAMES = {
    OURS: "Watchkeeper",
    "nannyml": "NannyML",
    "evidently": "Evidently",
    "psi": "PSI > 0.2",
    "ks": "KS p < 0.05",
}
CAUGHT, EACH_KIND, COLUMN, CAUSE, PAGES = 0.93, 0.8, 0.9, 0.9, 0.5
"""Watchkeeper's aims: shares of incidents, of each kind, with the right column, with the right cause; pages a quarter
at most."""


@dataclass(frozen=True)
class Line:
    """What a detector made of some incidents. Column and cause are shares of the caught ones, None where none tell."""

    n: int
    caught: float
    delay_days: float | None
    right_column: float | None
    right_cause: float | None

    @classmethod
    def of(cls, outcomes: Sequence[Outcome]) -> Line:
        """Sum up outcomes of one detector."""
        caught = [o for o in outcomes if o["caught"]]
        return cls(
            len(outcomes),
            len(caught) / len(outcomes) if outcomes else 0.0,
            median(o["delay_days"] for o in caught) if caught else None,
            _share(caught, "right_column"),
            _share(caught, "right_cause"),
        )

    @property
    def interval(self) -> tuple[float, float]:
        """Return the 95 % interval of the share caught."""
        return intervals.share(round(self.caught * self.n), self.n)


def _share(outcomes: Sequence[Outcome], what: str) -> float | None:
    told = [bool(o[what]) for o in outcomes if o[what] is not None]
    return sum(told) / len(told) if told else None


def of(found: Sequence[Outcome], tool: str, *, quiet: bool = False) -> list[Outcome]:
    """Return the outcomes of a detector on incidents, or on quiet quarters."""
    return [o for o in found if o["tool"] == tool and (o["kind"] == "quiet") == quiet]


def tools(found: Sequence[Outcome]) -> list[str]:
    """Return the detectors of a run, Watchkeeper first."""
    there = {o["tool"] for o in found}
    return [tool for tool in NAMES if tool in there]


def pages_a_quarter(quiet: Sequence[Outcome]) -> float | None:
    """Return the false pages for each quiet quarter of 91 days."""
    days = sum(o["days"] for o in quiet)
    return sum(page_count(o) for o in quiet) / days * 91 if days else None


def page_count(outcome: Outcome) -> int:
    """Return the number of pages, of which the shortened outcome holds the first few."""
    return int(outcome.get("page_count", len(outcome["pages"])))


def group_of(outcome: Outcome, what: str) -> str:
    """Return the words for an outcome's kind, or for its data set and size (``where``)."""
    if what == "kind":
        return str(outcome.get("called", "quiet"))
    return f"{outcome['data']}, {outcome['rows']:,} rows"


def groups(found: Sequence[Outcome], what: str) -> dict[str, list[Outcome]]:
    """Return outcomes by kind, or by data set and size."""
    result: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in found:
        result[group_of(outcome, what)].append(outcome)
    return dict(result)


def targets(found: Sequence[Outcome]) -> list[tuple[str, str, str, bool]]:
    """Return each aim: what, at least or most, what was measured, and whether it holds."""
    ours = of(found, OURS)
    whole, rows = Line.of(ours), []
    if ours:
        worst, least = min(
            ((name, Line.of(each).caught) for name, each in groups(ours, "kind").items()), key=lambda item: item[1]
        )
        rows += [
            ("caught", f"at least {CAUGHT}", f"{whole.caught:.2f}", whole.caught >= CAUGHT),
            ("caught of each kind", f"at least {EACH_KIND}", f"{least:.2f} ({worst})", least >= EACH_KIND),
        ]
        for what, value, aim in (
            ("right column on top", whole.right_column, COLUMN),
            ("right cause", whole.right_cause, CAUSE),
        ):
            rows.append((what, f"at least {aim}", f"{value or 0:.2f}", (value or 0) >= aim))
    pages = pages_a_quarter(of(found, OURS, quiet=True))
    if pages is not None:
        rows.append(("false pages a quarter", f"at most {PAGES}", f"{pages:.2f}", pages <= PAGES))
    return rows


def better(found: Sequence[Outcome]) -> list[str]:
    """Return a sentence for each line of the tables on which another detector does better than Watchkeeper.

    Both are held side by side on the incidents and quarters that both looked at.
    """
    return [sentence for tool in tools(found) if tool != OURS for sentence in _better(found, tool)]


def _better(found: Sequence[Outcome], tool: str) -> Iterator[str]:
    mine, theirs = _common(found, OURS, tool, quiet=False), _common(found, tool, OURS, quiet=False)
    lines = [("all incidents", mine, theirs)]
    for what in ("kind", "where"):
        both = groups(mine, what), groups(theirs, what)
        lines += [(name, both[0][name], both[1][name]) for name in both[0]]
    for name, ours, others in lines:
        if ours:
            yield from _sentences(NAMES[tool], name, Line.of(ours), Line.of(others))
    quiet = _common(found, OURS, tool, quiet=True), _common(found, tool, OURS, quiet=True)
    both = groups(quiet[0], "where"), groups(quiet[1], "where")
    for name in both[0]:
        ours_pages, their_pages = (pages_a_quarter(side[name]) or 0.0 for side in both)
        if their_pages < ours_pages:
            yield (
                f"{NAMES[tool]} has {their_pages:.2f} false pages a quarter on {name}, Watchkeeper {ours_pages:.2f} "
                f"({len(both[0][name])} quarters)."
            )


def _sentences(tool: str, name: str, ours: Line, others: Line) -> Iterator[str]:
    if others.caught > ours.caught:
        yield f"{tool} catches {others.caught:.2f} of {name}, Watchkeeper {ours.caught:.2f} ({ours.n} looked at)."
    elif others.delay_days is not None and ours.delay_days is not None and others.delay_days < ours.delay_days:
        yield (
            f"{tool} catches {name} on day {others.delay_days:g}, Watchkeeper on day {ours.delay_days:g} (medians, "
            f"{others.caught:.2f} and {ours.caught:.2f} caught)."
        )
    if others.right_column is not None and others.right_column > (ours.right_column or 0.0):
        yield (
            f"{tool} shows the right column on top for {others.right_column:.2f} of what it catches of {name}, "
            f"Watchkeeper for {ours.right_column or 0:.2f}."
        )


def _common(found: Sequence[Outcome], tool: str, other: str, *, quiet: bool) -> list[Outcome]:
    seen = {_key(o) for o in of(found, other, quiet=quiet)}
    return [o for o in of(found, tool, quiet=quiet) if _key(o) in seen]


def _key(outcome: Outcome) -> tuple[object, ...]:
    return tuple(outcome[name] for name in ("data", "rows", "seed", "kind"))
