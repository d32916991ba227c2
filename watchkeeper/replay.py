"""What other limits and alert rules would have said of past days, beside what the model file's say.

Nothing is scanned and nothing is written: stored profiles, cohorts and measurements are judged again, in memory.
Both sides start with no incident open, so that they differ in their rules only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from alerting.message import plain
from alerting.words import counted, day_words
from ledger.records import Incident
from models.errors import WatchkeeperError
from models.load import load_changes
from models.spec import Spec
from warehouse.grid import Frame
from watchkeeper.feedback import about, called_no_problem
from watchkeeper.history import History, conclude, fired, history
from watchkeeper.stored import Context

WITHOUT_SCAN = (
    *("title", "owner", "tier", "alerts", "baseline", "slices", "protected", "retraining", "budget", "schedule"),
    *("retention", "labels.maturity", "labels.horizon_days", "features.arrives_by"),
)
"""Keys whose change needs no row; besides them, the importance of a feature, and a feature that is left out."""


@dataclass(frozen=True)
class Told:
    """One incident, and the day on which it fired under today's and under the changed rules (None: it didn't).

    ``feedback`` is who called it no problem, and why; empty where nobody did.
    """

    incident: Incident
    today: date | None
    changed: date | None
    feedback: str = ""


@dataclass(frozen=True)
class Replay:
    """What both sets of rules say of a model's ``days`` watched days; without changes, ``has_changes`` is False."""

    model: str
    start: date
    end: date
    days: int
    told: tuple[Told, ...]
    has_changes: bool

    def pages(self, *, changed: bool) -> int:
        """Return how many incidents fired under one set of rules."""
        return sum((each.changed if changed else each.today) is not None for each in self.told)

    def pages_per_week(self, *, changed: bool) -> float:
        """Return incidents fired per seven watched days."""
        return 7 * self.pages(changed=changed) / self.days


def replay(ctx: Context, spec: Spec, start: date, end: date, rules: Path | None = None) -> Replay:
    """Run limits and alert rules over the stored days of a span, by the model file and by ``rules`` beside it.

    Raises WatchkeeperError where no day was watched, and for a file of rules that needs rows to be read.
    """
    past = history(ctx, spec, start, end)
    today = _fired(past, spec)
    if rules is None:
        told = [Told(incident, incident.fired, None) for incident in today]
        told = _with_feedback(ctx, spec, told)
        return Replay(spec.model, start, end, len(past.days), told=tuple(told), has_changes=False)
    other = load_changes(rules, spec)
    problems = refused(spec, other, past.frame)
    if problems:
        raise WatchkeeperError("\n".join(f"{rules}: {problem}" for problem in problems))
    changed = _fired(past.under(other, new_baseline=other.baseline != spec.baseline), other)
    told = _with_feedback(ctx, spec, _beside(today, changed))
    return Replay(spec.model, start, end, len(past.days), told=tuple(told), has_changes=True)


def refused(spec: Spec, other: Spec, frame: Frame) -> list[str]:
    """Return a sentence for each changed key that can't be judged from what is stored."""
    before, after = _flat(spec.model_dump(by_alias=True)), _flat(other.model_dump(by_alias=True))
    differ = sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))
    left = [key for key in differ if not _without_scan(key, after)]
    found = [
        f"{key}: needs the tables to be read again; accepted are changes of {', '.join(WITHOUT_SCAN)}, "
        "of a feature's importance, and features left out"
        for key in left
    ]
    for key, names in (("slices", other.slices), ("protected", other.protected)):
        for name in names:
            if name not in frame.groups:
                have = ", ".join(frame.groups) or "none"
                found.append(f"{key}: '{name}' was never profiled, so its table must be read; profiled are {have}")
    found += [
        f"slices: '{name}' was profiled as a protected column only, without features; accepted are "
        f"{', '.join(frame.slices) or 'none'}"
        for name in other.slices
        if name in frame.groups and name not in frame.slices
    ]
    return found


def _without_scan(key: str, after: dict[str, Any]) -> bool:
    if key.startswith("features.columns."):
        name = key.removeprefix("features.columns.").rpartition(".")[0]
        gone = f"features.columns.{name}.kind" not in after and any(k.startswith("features.columns.") for k in after)
        return key.endswith(".importance") or gone
    return any(key == known or key.startswith(f"{known}.") for known in WITHOUT_SCAN)


def _flat(content: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested mappings as one, by dotted key."""
    result: dict[str, Any] = {}
    for key, value in content.items():
        inner = _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
        result |= inner
    return result


def _fired(past: History, spec: Spec) -> list[Incident]:
    return fired(conclude(spec, past.days, lambda day: past.measured(spec, day, only_what_pages=True)))


def _beside(today: Sequence[Incident], changed: Sequence[Incident]) -> list[Told]:
    """Pair incidents of the same cause and place whose times overlap; the rest stand alone."""
    left = list(changed)
    result = []
    for mine in today:
        same = next((other for other in left if _key(other) == _key(mine) and _overlap(other, mine)), None)
        if same is not None:
            left.remove(same)
        result.append(Told(mine, mine.fired, same.fired if same else None))
    result += [Told(other, None, other.fired) for other in left]
    return sorted(result, key=lambda t: (min(d for d in (t.today, t.changed) if d), t.incident.id))


def _with_feedback(ctx: Context, spec: Spec, told: Sequence[Told]) -> list[Told]:
    """Return what was told with what people said of the ledger's incidents of the same trouble."""
    called = called_no_problem(ctx.ledger, spec.model)
    said = [(each, about(each.incident, called)) for each in told]
    return [replace(each, feedback=f"{event.actor}: {event.reason}") if event else each for each, event in said]


def _key(incident: Incident) -> tuple[str, str, str]:
    return incident.cause, incident.feature, incident.slice


def _overlap(a: Incident, b: Incident) -> bool:
    return a.opened <= (b.resolved or date.max) and b.opened <= (a.resolved or date.max)


def as_content(found: Replay) -> dict[str, Any]:
    """Return a replay as plain values for machines; ``today`` and ``changed`` are the days on which each fired."""
    sides = {"today": False, "changed": True} if found.has_changes else {"today": False}
    return {
        "model": found.model, "from": found.start, "to": found.end, "days": found.days,
        **{
            name: {"pages": found.pages(changed=side), "pages_per_week": round(found.pages_per_week(changed=side), 3)}
            for name, side in sides.items()
        },
        "incidents": [
            {
                "cause": t.incident.cause, "feature": t.incident.feature, "slice": t.incident.slice,
                "opened": t.incident.opened, "today": t.today, "changed": t.changed, "summary": t.incident.summary,
                "not_a_problem": t.feedback,
            }
            for t in found.told
        ],
    }  # fmt: skip


def sentences(found: Replay) -> list[str]:
    """Return what a replay comes to, in words."""

    def pages(*, changed: bool) -> str:
        count = counted(found.pages(changed=changed), "page")
        return f"{count}, {found.pages_per_week(changed=changed):.2g} a week"

    said = [f"{found.model}, {counted(found.days, 'watched day')} from {found.start} to {found.end}."]
    no_problem = [t for t in found.told if t.feedback]
    if not found.has_changes:
        called = [f"People called {len(no_problem)} of them no problem."] if no_problem else []
        return [*said, f"Today's rules: {pages(changed=False)}.", *called]
    only_today = [t for t in found.told if t.changed is None]
    only_changed = [t for t in found.told if t.today is None]
    earlier = [(t.changed - t.today).days for t in found.told if t.today and t.changed and t.today != t.changed]
    said.append(f"Today's rules: {pages(changed=False)}. Changed rules: {pages(changed=True)}.")
    said.append(
        f"The changed rules miss {counted(len(only_today), 'incident')} of today's and add {len(only_changed)}."
    )
    if no_problem:
        still = sum(t.changed is not None for t in no_problem)
        said.append(f"Of {counted(len(no_problem), 'incident')} that people called no problem they still tell {still}.")
    if earlier:
        said.append(
            f"They tell {sum(d < 0 for d in earlier)} earlier and {sum(d > 0 for d in earlier)} later than today's."
        )
    return said


def cells(found: Replay, told: Told) -> list[str]:
    """Return a line of the table: when it fired under each set of rules, what it is, and what is wrong."""
    changed = _when(told.changed) if found.has_changes else ""
    where = told.incident.feature or told.incident.slice
    summary = told.incident.summary + (f" (no problem, says {told.feedback})" if told.feedback else "")
    return [_when(told.today), changed, str(told.incident.cause), where, plain(summary)]


def _when(day: date | None) -> str:
    return day_words(day) if day else "not told"
