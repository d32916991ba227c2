"""What the pages of one model need from the ledger, each part read once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from ledger.measurements import VerdictTally
from ledger.records.incidents import Incident, Status
from ledger.records.measurements import Measurement, Verdict
from ledger.records.retraining import Decision, RetrainingOutcome
from ledger.records.runs import Run
from ledger.store import Ledger
from models.spec import Spec
from profiles.profile import EVERYONE, Counts, Group, Profile, sum_profiles
from profiles.schema import ProfileSchema
from reports.charts.svg import DayScale

STRIP_DAYS = 90
"""Days that a strip, a heat map or a figure over time goes back."""
FULL_PAGE_DAYS = 31
"""Newest days whose pages show every figure; an older one shows what asked for something, and counts the rest."""
NOW_DAYS = 7
"""Newest days whose payments are 'now', beside the baseline's: every weekday once."""
SAME_DAY_MONITORS = (
    "arrival", "schema", "check", "fault", "drift", "slow", "score", "decay", "estimate", "selective", "fairness",
    "custom",
)  # fmt: skip
"""Monitors whose figures are about the day they are known on; performance is about cohort days before."""
MEASUREMENT_KEYS = (
    "model", "day", "as_of", "monitor", "metric", "feature", "slice",
    "value", "low", "high", "n", "limit", "verdict", "reason",
)  # fmt: skip
URGENT = (Verdict.BREACH, Verdict.ERRORED, Verdict.MISSING)
"""Verdicts that ask for something."""
Runbook = Callable[[str], str]
"""Returns the address of what to do about a cause, '' where there is none."""
STATES_WORST_FIRST = ("breach", "errored", "missing", "ok", "insufficient", "immature")
"""Which verdict a day shows: bad news, then what hid, then good news; the rest says nothing and never wins."""


@dataclass(frozen=True)
class StripDay:
    """One day of a health strip: its worst verdict ('incident' where a breach fired), and how many of each."""

    day: date
    state: str
    counts: dict[str, int]

    @property
    def watched(self) -> bool:
        """Return whether the day was watched and so has a page."""
        return self.state != "unwatched"


def no_runbook(_: str) -> str:
    """Return no address: nobody said where the documentation is."""
    return ""


@dataclass
class ModelView:
    """One model's part of the ledger, the last ``STRIP_DAYS`` days up to its newest watched day."""

    ledger: Ledger
    spec: Spec
    known: dict[date, StripDay] = field(default_factory=dict)
    """Cells of days whose pages stand, from the page of all days."""
    runbook: Runbook = no_runbook
    _series: dict[tuple[str, str], list[Measurement]] = field(default_factory=dict, repr=False)
    _features: dict[str, dict[str, list[Measurement]]] = field(default_factory=dict, repr=False)

    @cached_property
    def runs(self) -> dict[date, Run]:
        """Return the watched days in order."""
        return {run.day: run for run in sorted(self.ledger.runs(self.spec.model), key=lambda run: run.day)}

    @property
    def last(self) -> date | None:
        """Return the newest watched day."""
        return next(reversed(self.runs), None)

    @property
    def first(self) -> date | None:
        """Return the first day that strips and figures show."""
        if self.last is None:
            return None
        return max(self.last - timedelta(days=STRIP_DAYS - 1), min(self.runs))

    @cached_property
    def incidents(self) -> list[Incident]:
        """Return the incidents, open ones first, the newest first."""
        found = self.ledger.incidents(self.spec.model)
        return sorted(found, key=lambda i: (not i.live, -i.opened.toordinal(), i.id))

    @cached_property
    def decisions(self) -> list[Decision]:
        """Return the retraining decisions, the newest first."""
        return sorted(self.ledger.decisions(self.spec.model), key=lambda d: d.day, reverse=True)

    @cached_property
    def outcomes(self) -> dict[str, RetrainingOutcome]:
        """Return what became of retraining requests, by request."""
        return {found.request: found for found in self.ledger.retraining_outcomes(self.spec.model)}

    @cached_property
    def span(self) -> DayScale | None:
        """Return the days that strips and figures show, as a scale that all of them share."""
        return None if self.first is None or self.last is None else DayScale(self.first, self.last)

    @cached_property
    def profile_schema(self) -> ProfileSchema | None:
        """Return what the cells of the model's profiles mean; None before it was first watched."""
        return self.ledger.profile_schema(self.spec.model)

    @cached_property
    def profiles(self) -> dict[date, Profile]:
        """Return the stored profiles of the days that figures show, in order."""
        if self.profile_schema is None or self.first is None or self.last is None:
            return {}
        return self.ledger.profiles(self.spec.model, self.profile_schema.id, self.first, self.last)

    @cached_property
    def now(self) -> Profile:
        """Return the sum of the newest days' profiles, ``NOW_DAYS`` at most."""
        newest = [self.profiles[day] for day in list(self.profiles)[-NOW_DAYS:]]
        return sum_profiles(newest, self.profile_schema.id if self.profile_schema else "")

    @cached_property
    def baseline(self) -> Profile:
        """Return the sum of the profiles of the baseline in force."""
        if self.profile_schema is None:
            return sum_profiles([], "")
        chosen = self.ledger.baseline(self.spec, self.last)
        wanted = self.ledger.profiles(self.spec.model, self.profile_schema.id, chosen.start, chosen.end)
        excluded = set(self.spec.baseline.exclude)
        return sum_profiles([profile for day, profile in wanted.items() if day not in excluded], self.profile_schema.id)

    def counts(self, column: str) -> dict[date, Counts]:
        """Return a column's counts on each day of which there is a profile."""
        found = {day: column_counts_of(profile, column) for day, profile in self.profiles.items()}
        return {day: counts for day, counts in found.items() if counts.rows}

    def series(self, monitor: str, metric: str) -> list[Measurement]:
        """Return a metric's newest figure of each day that figures show, in order of days."""
        key = (monitor, metric)
        if key not in self._series:
            found = self.ledger.measurements(
                self.spec.model,
                day_from=self.first,
                day_to=self.last,
                monitors=(monitor,),
                metric=metric,
                newest=True,
            )
            self._series[key] = sorted(found, key=lambda m: (m.feature, m.slice, m.day))
        return self._series[key]

    def everyone(self, monitor: str, metric: str) -> list[Measurement]:
        """Return a metric's newest figure of each day for all payments together."""
        return [m for m in self.series(monitor, metric) if not m.slice]

    def of_feature(self, metric: str, feature: str) -> list[Measurement]:
        """Return the newest figure of each day of a feature's drift metric, for all payments together."""
        if metric not in self._features:
            found: dict[str, list[Measurement]] = {}
            for m in self.everyone("drift", metric):
                found.setdefault(m.feature, []).append(m)
            self._features[metric] = found
        return self._features[metric].get(feature, [])

    @cached_property
    def features(self) -> list[str]:
        """Return the features that are profiled or measured, the most important first."""
        profile_schema = self.profile_schema
        known = (
            {*profile_schema.numbers, *profile_schema.categories, *profile_schema.embeddings}
            if profile_schema
            else set()
        )
        measured = {m.feature for metric in ("psi", "null_share") for m in self.everyone("drift", metric) if m.feature}
        columns = self.spec.features.columns
        weight = {name: (columns[name].importance or 0.0) if name in columns else 0.0 for name in known | measured}
        return sorted(weight, key=lambda name: (-weight[name], name))

    def judged(self, day: date) -> list[Measurement]:
        """Return what the watch of a day measured about that day."""
        return self.ledger.measurements(self.spec.model, as_of=day, monitors=SAME_DAY_MONITORS)

    def whole(self, day: date) -> bool:
        """Return whether a day is young enough for a page with every figure."""
        return self.last is not None and (self.last - day).days < FULL_PAGE_DAYS

    @cached_property
    def _unknown(self) -> list[date]:
        return [day for day in self.runs if day not in self.known]

    @cached_property
    def tallies(self) -> dict[date, VerdictTally]:
        """Return how many figures of each monitor had which verdict on the days whose pages don't stand."""
        if not self._unknown:
            return {}
        return self.ledger.tally(self.spec.model, self._unknown[0], self._unknown[-1], SAME_DAY_MONITORS)

    @cached_property
    def urgent(self) -> dict[date, list[Measurement]]:
        """Return what asked for something on the days whose pages don't stand and don't show every figure."""
        old = [day for day in self._unknown if not self.whole(day)]
        found: dict[date, list[Measurement]] = {day: [] for day in old}
        if old:
            for m in self.ledger.measurements(
                self.spec.model, as_of_from=old[0], as_of_to=old[-1], monitors=SAME_DAY_MONITORS, verdicts=URGENT
            ):
                if m.as_of in found:
                    found[m.as_of].append(m)
        return found

    @cached_property
    def newest(self) -> list[Measurement]:
        """Return what the newest watch measured."""
        return self.judged(self.last) if self.last else []

    @cached_property
    def strip_days(self) -> dict[date, StripDay]:
        """Return a cell for each watched day, in order."""
        return {day: self._strip_day(day) for day in self.runs}

    @cached_property
    def strip(self) -> list[StripDay]:
        """Return a cell for each of the last ``STRIP_DAYS`` days; days without a run are 'unwatched'."""
        if self.first is None or self.last is None:
            return []
        span = [self.first + timedelta(days=i) for i in range((self.last - self.first).days + 1)]
        return [self.strip_days.get(day) or StripDay(day, "unwatched", {}) for day in span]

    def _strip_day(self, day: date) -> StripDay:
        numbers = self.known[day].counts if day in self.known else count_verdicts(self.tallies.get(day, {}))
        state = next((verdict for verdict in STATES_WORST_FIRST if numbers.get(verdict)), "ok")
        if any(incident_covers(incident, day) for incident in self.incidents):
            state = "incident"
        return StripDay(day, state, numbers)


def count_verdicts(tally: VerdictTally) -> dict[str, int]:
    """Return how many figures had which verdict, over all monitors."""
    total: Counter[str] = Counter()
    for of_monitor in tally.values():
        total.update(of_monitor)
    return dict(sorted(total.items()))


def column_counts_of(profile: Profile, column: str, group: Group = EVERYONE) -> Counts:
    """Return a column's counts in a profile, empty where it has none."""
    return profile.features.get(group, {}).get(column, Counts())


def incident_covers(incident: Incident, day: date) -> bool:
    """Return whether a day is one of an incident's, from its first to its last bad day, if it ever fired."""
    return incident.fired is not None and incident.opened <= day <= incident.last_bad


def firing_incidents(incidents: Iterable[Incident]) -> list[Incident]:
    """Return the incidents that are firing, the dearest first."""
    found = [incident for incident in incidents if incident.status is Status.FIRING]
    return sorted(found, key=lambda i: -(i.amount_gbp_per_day or 0))


def with_verdict(measurements: Iterable[Measurement], *verdicts: Verdict) -> list[Measurement]:
    """Return the measurements that have one of some verdicts."""
    return [m for m in measurements if m.verdict in verdicts]


def measurement_as_json(m: Measurement) -> dict[str, Any]:
    """Return a measurement with the keys that the documentation promises."""
    return {key: getattr(m, key) for key in MEASUREMENT_KEYS}


def measurements_as_json(measurements: Sequence[Measurement]) -> list[dict[str, Any]]:
    """Return measurements for a page's JSON."""
    return [measurement_as_json(m) for m in measurements]
