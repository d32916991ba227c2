"""Shares, delays and false pages of the outcomes of a run, and who is better where."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
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
        return intervals.share_interval(round(self.caught * self.n), self.n)


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


def where(outcome: Outcome) -> str:
    """Return the words for an outcome's data set and size."""
    return f"{outcome['data']}, {outcome['rows']:,} rows"


def kind(outcome: Outcome) -> str:
    """Return the words for an outcome's kind of incident."""
    return str(outcome.get("called", "quiet"))


def groups(found: Sequence[Outcome], by: Callable[[Outcome], str]) -> dict[str, list[Outcome]]:
    """Return outcomes by kind, or by data set and size."""
    result: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in found:
        result[by(outcome)].append(outcome)
    return dict(result)


def targets(found: Sequence[Outcome]) -> list[tuple[str, str, str, bool]]:
    """Return each aim that something was measured of: what, at least or most, the figure, and whether it holds."""
    ours, rows = of(found, OURS), []
    if ours:
        whole = Line.of(ours)
        least = min(Line.of(each).caught for each in groups(ours, kind).values())
        shares = [
            ("caught", whole.caught, CAUGHT),
            ("caught of each kind", least, EACH_KIND),
            ("right column on top", whole.right_column, COLUMN),
            ("right cause", whole.right_cause, CAUSE),
        ]
        rows += [(what, f"at least {aim}", f"{share or 0:.2f}", (share or 0) >= aim) for what, share, aim in shares]
    pages = pages_a_quarter(of(found, OURS, quiet=True))
    if pages is not None:
        rows.append(("false pages a quarter", f"at most {PAGES}", f"{pages:.2f}", pages <= PAGES))
    return rows
