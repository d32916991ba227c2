"""Keeps what was found so far, so that a run that is stopped loses nothing and goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.incidents.plan import Unit

Outcome = dict[str, Any]
"""What one detector made of one incident or quiet quarter, as it is kept in JSON."""
QUIET = "quiet"
KEY = ("data", "rows", "seed", "kind", "tool")


@dataclass(frozen=True)
class Kept:
    """A file with one outcome a line, to which several processes may add."""

    file: Path

    def go_on_from(self, written: Path) -> None:
        """Begin with the outcomes that a page was rendered from, where none were kept: a clone has the page only."""
        if not self.file.exists() and written.exists():
            self._begin(json.loads(written.read_text(encoding="utf-8"))["outcomes"])

    def add(self, outcome: Outcome) -> None:
        """Add an outcome at once; it begins with a new line, for the one before may be half written."""
        with self.file.open("a", encoding="utf-8") as file:
            file.write("\n" + json.dumps(outcome, default=str))

    def outcomes(self) -> list[Outcome]:
        """Return the outcomes in the order in which they were added, of the same incident and detector the newest."""
        lines = self.file.read_text(encoding="utf-8").splitlines() if self.file.exists() else []
        found = [outcome for line in lines if (outcome := _read(line)) is not None]
        return list({tuple(outcome[name] for name in KEY): outcome for outcome in found}.values())

    def forget(self, tools: Collection[str]) -> None:
        """Forget what some detectors found."""
        self._begin([outcome for outcome in self.outcomes() if outcome["tool"] not in tools])

    def _begin(self, outcomes: Sequence[Outcome]) -> None:
        """Write the file anew, whole or not at all."""
        unfinished = self.file.with_suffix(".part")
        unfinished.write_text("\n".join(json.dumps(outcome) for outcome in outcomes), encoding="utf-8")
        unfinished.replace(self.file)

    def missing(self, unit: Unit) -> dict[str, list[str]]:
        """Return for each detector of a unit the kinds of incident, or 'quiet', that it still has to look at."""
        done = {tuple(outcome[name] for name in KEY) for outcome in self.outcomes()}
        found = {
            tool: [k for k in unit.kinds or (QUIET,) if (unit.data, unit.rows, unit.seed, k, tool) not in done]
            for tool in unit.tools
        }
        return {tool: kinds for tool, kinds in found.items() if kinds}


def _read(line: str) -> Outcome | None:
    try:
        outcome: Outcome = json.loads(line)
    except ValueError:  # empty, or cut off when a run was stopped
        return None
    return outcome
