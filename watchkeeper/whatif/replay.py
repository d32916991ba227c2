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

from alerting.notifications.messages.incident_message import to_plain_text
from alerting.wording import format_day, pluralise
from ledger.records.incidents import Incident
from models.errors import WatchkeeperError
from models.load import load_changed_spec
from models.spec import Spec
from profiles.schema import ProfileSchema
from watchkeeper.context import Context
from watchkeeper.whatif.feedback import feedback_about, incidents_called_no_problem
from watchkeeper.whatif.history import History, conclude_days, fired_incidents, load_history

KEYS_WITHOUT_SCAN = (
    *("title", "owner", "tier", "alerts", "baseline", "slices", "protected", "retraining", "budget", "schedule"),
    *("retention", "labels.maturity", "labels.horizon_days", "features.arrives_by"),
)
"""Keys whose change needs no row; besides them, the importance of a feature, and a feature that is left out."""


@dataclass(frozen=True)
class ReplayedIncident:
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
    incidents: tuple[ReplayedIncident, ...]
    has_changes: bool

    def alert_count(self, *, changed: bool) -> int:
        """Return how many incidents fired under one set of rules."""
        return sum((each.changed if changed else each.today) is not None for each in self.incidents)

    def alerts_per_week(self, *, changed: bool) -> float:
        """Return incidents fired per seven watched days."""
        return 7 * self.alert_count(changed=changed) / self.days


def replay_days(ctx: Context, spec: Spec, start: date, end: date, rules: Path | None = None) -> Replay:
    """Run limits and alert rules over the stored days of a span, by the model file and by ``rules`` beside it.

    Raises WatchkeeperError where no day was watched, and for a file of rules that needs rows to be read.
    """
    past = load_history(ctx, spec, start, end)
    today = _incidents_fired_under(past, spec)
    if rules is None:
        incidents = [ReplayedIncident(incident, incident.fired, None) for incident in today]
        incidents = _with_feedback(ctx, spec, incidents)
        return Replay(spec.model, start, end, len(past.days), incidents=tuple(incidents), has_changes=False)
    other = load_changed_spec(rules, spec)
    problems = refused_changes(spec, other, past.schema)
    if problems:
        raise WatchkeeperError("\n".join(f"{rules}: {problem}" for problem in problems))
    changed = _incidents_fired_under(past.under(other, new_baseline=other.baseline != spec.baseline), other)
    incidents = _with_feedback(ctx, spec, _pair_incidents(today, changed))
    return Replay(spec.model, start, end, len(past.days), incidents=tuple(incidents), has_changes=True)


def refused_changes(spec: Spec, other: Spec, schema: ProfileSchema) -> list[str]:
    """Return a sentence for each changed key that can't be judged from what is stored."""
    before, after = _flatten(spec.model_dump(by_alias=True)), _flatten(other.model_dump(by_alias=True))
    differ = sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))
    left = [key for key in differ if not _needs_no_scan(key, after)]
    found = [
        f"{key}: needs the tables to be read again; accepted are changes of {', '.join(KEYS_WITHOUT_SCAN)}, "
        "of a feature's importance, and features left out"
        for key in left
    ]
    for key, names in (("slices", other.slices), ("protected", other.protected)):
        for name in names:
            if name not in schema.groups:
                have = ", ".join(schema.groups) or "none"
                found.append(f"{key}: '{name}' was never profiled, so its table must be read; profiled are {have}")
    found += [
        f"slices: '{name}' was profiled as a protected column only, without features; accepted are "
        f"{', '.join(schema.slices) or 'none'}"
        for name in other.slices
        if name in schema.groups and name not in schema.slices
    ]
    return found


def _needs_no_scan(key: str, after: dict[str, Any]) -> bool:
    if key.startswith("features.columns."):
        name = key.removeprefix("features.columns.").rpartition(".")[0]
        gone = f"features.columns.{name}.kind" not in after and any(k.startswith("features.columns.") for k in after)
        return key.endswith(".importance") or gone
    return any(key == known or key.startswith(f"{known}.") for known in KEYS_WITHOUT_SCAN)


def _flatten(content: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested mappings as one, by dotted key."""
    result: dict[str, Any] = {}
    for key, value in content.items():
        inner = _flatten(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
        result |= inner
    return result


def _incidents_fired_under(past: History, spec: Spec) -> list[Incident]:
    return fired_incidents(conclude_days(spec, past.days, lambda day: past.measured(spec, day, only_what_alerts=True)))


def _pair_incidents(today: Sequence[Incident], changed: Sequence[Incident]) -> list[ReplayedIncident]:
    """Pair incidents of the same cause and place whose times overlap; the rest stand alone."""
    left = list(changed)
    result = []
    for mine in today:
        same = next(
            (other for other in left if _incident_key(other) == _incident_key(mine) and _overlaps(other, mine)), None
        )
        if same is not None:
            left.remove(same)
        result.append(ReplayedIncident(mine, mine.fired, same.fired if same else None))
    result += [ReplayedIncident(other, None, other.fired) for other in left]
    return sorted(result, key=lambda t: (min(d for d in (t.today, t.changed) if d), t.incident.id))


def _with_feedback(ctx: Context, spec: Spec, incidents: Sequence[ReplayedIncident]) -> list[ReplayedIncident]:
    """Return what was reported with what people said of the ledger's incidents of the same trouble."""
    called = incidents_called_no_problem(ctx.ledger, spec.model)
    said = [(each, feedback_about(each.incident, called)) for each in incidents]
    return [replace(each, feedback=f"{event.actor}: {event.reason}") if event else each for each, event in said]


def _incident_key(incident: Incident) -> tuple[str, str, str]:
    return incident.cause, incident.feature, incident.slice


def _overlaps(a: Incident, b: Incident) -> bool:
    return a.opened <= (b.resolved or date.max) and b.opened <= (a.resolved or date.max)


def replay_content(found: Replay) -> dict[str, Any]:
    """Return a replay as plain values for machines; ``today`` and ``changed`` are the days on which each fired."""
    sides = {"today": False, "changed": True} if found.has_changes else {"today": False}
    return {
        "model": found.model, "from": found.start, "to": found.end, "days": found.days,
        **{
            name: {
                "pages": found.alert_count(changed=side),
                "pages_per_week": round(found.alerts_per_week(changed=side), 3),
            }
            for name, side in sides.items()
        },
        "incidents": [
            {
                "cause": t.incident.cause, "feature": t.incident.feature, "slice": t.incident.slice,
                "opened": t.incident.opened, "today": t.today, "changed": t.changed, "summary": t.incident.summary,
                "not_a_problem": t.feedback,
            }
            for t in found.incidents
        ],
    }  # fmt: skip


def describe_replay(found: Replay) -> list[str]:
    """Return what a replay comes to, in words."""

    def alerts_sentence(*, changed: bool) -> str:
        count = pluralise(found.alert_count(changed=changed), "page")
        return f"{count}, {found.alerts_per_week(changed=changed):.2g} a week"

    said = [f"{found.model}, {pluralise(found.days, 'watched day')} from {found.start} to {found.end}."]
    no_problem = [t for t in found.incidents if t.feedback]
    if not found.has_changes:
        called = [f"People called {len(no_problem)} of them no problem."] if no_problem else []
        return [*said, f"Today's rules: {alerts_sentence(changed=False)}.", *called]
    only_today = [t for t in found.incidents if t.changed is None]
    only_changed = [t for t in found.incidents if t.today is None]
    earlier = [(t.changed - t.today).days for t in found.incidents if t.today and t.changed and t.today != t.changed]
    said.append(f"Today's rules: {alerts_sentence(changed=False)}. Changed rules: {alerts_sentence(changed=True)}.")
    said.append(
        f"The changed rules miss {pluralise(len(only_today), 'incident')} of today's and add {len(only_changed)}."
    )
    if no_problem:
        still = sum(t.changed is not None for t in no_problem)
        said.append(
            f"Of {pluralise(len(no_problem), 'incident')} that people called no problem they still report {still}."
        )
    if earlier:
        said.append(
            f"They report {sum(d < 0 for d in earlier)} earlier and {sum(d > 0 for d in earlier)} later than today's."
        )
    return said


def replay_row(found: Replay, replayed: ReplayedIncident) -> list[str]:
    """Return a line of the table: when it fired under each set of rules, what it is, and what is wrong."""
    changed = _day_or_not_reported(replayed.changed) if found.has_changes else ""
    where = replayed.incident.feature or replayed.incident.slice
    summary = replayed.incident.summary + (f" (no problem, says {replayed.feedback})" if replayed.feedback else "")
    return [_day_or_not_reported(replayed.today), changed, str(replayed.incident.cause), where, to_plain_text(summary)]


def _day_or_not_reported(day: date | None) -> str:
    return format_day(day) if day else "not reported"
