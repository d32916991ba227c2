"""Where another detector does better than Watchkeeper, on what both looked at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.incidents.kept import Outcome
from benchmarks.incidents.ours import NAME as OURS
from benchmarks.incidents.scores import NAMES, Line, groups, kind, of, pages_a_quarter, tools, where

ALL = "all"


@dataclass(frozen=True)
class Better:
    """One figure on which a detector beats Watchkeeper: where, on which kind, and both figures on the same ``n``."""

    tool: str
    where: str
    kind: str
    what: str
    theirs: str
    ours: str
    n: int


def better(found: Sequence[Outcome]) -> list[Better]:
    """Return a line for each figure of the tables on which another detector does better than Watchkeeper."""
    return [line for tool in tools(found) if tool != OURS for line in _of_tool(found, tool)]


def _of_tool(found: Sequence[Outcome], tool: str) -> Iterator[Better]:
    name = NAMES[tool]
    mine, theirs = _common(found, OURS, tool, quiet=False), _common(found, tool, OURS, quiet=False)
    for place, kind_, ours, others in _lines(mine, theirs):
        for what, a, b in _figures(Line.of(others), Line.of(ours)):
            yield Better(name, place, kind_, what, a, b, len(ours))
    mine, theirs = _common(found, OURS, tool, quiet=True), _common(found, tool, OURS, quiet=True)
    for place, ours in {ALL: mine, **groups(mine, where)}.items():
        others = [o for o in theirs if place in (ALL, where(o))]
        fewer, more = pages_a_quarter(others), pages_a_quarter(ours)
        if fewer is not None and more is not None and fewer < more:
            yield Better(name, place, "quiet", "false pages a quarter", f"{fewer:.2f}", f"{more:.2f}", len(ours))


def _lines(
    mine: Sequence[Outcome], theirs: Sequence[Outcome]
) -> Iterator[tuple[str, str, Sequence[Outcome], Sequence[Outcome]]]:
    """Yield each line of the tables as both have it: over everything, by place, by kind, and by both."""
    for place in [ALL, *groups(mine, where)]:
        for kind_ in [ALL, *groups(mine, kind)]:
            sides = [
                [o for o in side if place in (ALL, where(o)) and kind_ in (ALL, kind(o))] for side in (mine, theirs)
            ]
            if sides[0]:
                yield place, kind_, sides[0], sides[1]


def _figures(others: Line, ours: Line) -> Iterator[tuple[str, str, str]]:
    """Yield the figures on which the others are better: what, theirs, ours."""
    if others.caught > ours.caught:
        yield "caught", f"{others.caught:.2f}", f"{ours.caught:.2f}"
    if others.delay_days is not None and ours.delay_days is not None and others.delay_days < ours.delay_days:
        sides = [f"day {side.delay_days:g} ({side.caught:.2f} caught)" for side in (others, ours)]
        yield "median day", sides[0], sides[1]
    if others.right_column is not None and others.right_column > (ours.right_column or 0.0):
        yield "right column", f"{others.right_column:.2f}", f"{ours.right_column or 0:.2f}"


def _common(found: Sequence[Outcome], tool: str, other: str, *, quiet: bool) -> list[Outcome]:
    seen = {_key(o) for o in of(found, other, quiet=quiet)}
    return [o for o in of(found, tool, quiet=quiet) if _key(o) in seen]


def _key(outcome: Outcome) -> tuple[object, ...]:
    return tuple(outcome[name] for name in ("data", "rows", "seed", "kind"))
