"""What the pages of one model need from the ledger, each part read once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property

import catalogue
from catalogue.metrics.drift_monitors import DRIFT_MONITOR
from ledger.measurements import VerdictTally
from ledger.records.incidents import Incident
from ledger.records.measurements import Measurement
from ledger.records.retraining import Decision, RetrainingOutcome
from ledger.records.runs import Run
from ledger.store import Ledger
from models.spec import Spec
from reports.charts.svg import DayScale
from reports.views.measurements import URGENT
from reports.views.profile_view import ProfileView
from reports.views.strip import StripDay, count_verdicts, strip_day_of

STRIP_DAYS = 90
"""Days that a strip, a heat map or a figure over time goes back."""
FULL_PAGE_DAYS = 31
"""Newest days whose pages show every figure; an older one shows what asked for something, and counts the rest."""
Runbook = Callable[[str], str]
"""Returns the address of what to do about a cause, by its key; '' where there is none."""


def no_runbook(_: str) -> str:
    """Return no address: nobody said where the documentation is."""
    return ""


def no_drilldown(_: Incident) -> bool:
    """Return that an incident has no Evidently report beside its page."""
    return False


@dataclass
class ModelView:
    """One model's part of the ledger, the last ``STRIP_DAYS`` days up to its newest watched day."""

    ledger: Ledger
    spec: Spec
    known: dict[date, StripDay] = field(default_factory=dict)
    """Days of the strip whose pages stand, from the page of all days."""
    runbook: Runbook = no_runbook
    has_drilldown: Callable[[Incident], bool] = no_drilldown
    """Whether an incident has an Evidently report beside its page."""
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
    def profiles(self) -> ProfileView:
        """Return the stored profiles of the days that charts show, and of the baseline."""
        return ProfileView(self.ledger, self.spec, self.first, self.last)

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
            for m in self.everyone(DRIFT_MONITOR, metric):
                found.setdefault(m.feature, []).append(m)
            self._features[metric] = found
        return self._features[metric].get(feature, [])

    @cached_property
    def features(self) -> list[str]:
        """Return the features that are profiled or measured, the most important first."""
        known = self.profiles.columns
        watched = (catalogue.metrics.drift.PSI, catalogue.metrics.drift.NULL_SHARE)
        measured = {m.feature for metric in watched for m in self.everyone(DRIFT_MONITOR, metric) if m.feature}
        columns = self.spec.features.columns
        weight = {name: (columns[name].importance or 0.0) if name in columns else 0.0 for name in known | measured}
        return sorted(weight, key=lambda name: (-weight[name], name))

    def judged(self, day: date) -> list[Measurement]:
        """Return what the watch of a day measured about that day."""
        return self.ledger.measurements(self.spec.model, as_of=day, monitors=catalogue.day_monitors())

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
        return self.ledger.tally(self.spec.model, self._unknown[0], self._unknown[-1], catalogue.day_monitors())

    @cached_property
    def urgent(self) -> dict[date, list[Measurement]]:
        """Return what asked for something on the days whose pages don't stand and don't show every figure."""
        old = [day for day in self._unknown if not self.whole(day)]
        found: dict[date, list[Measurement]] = {day: [] for day in old}
        if old:
            for m in self.ledger.measurements(
                self.spec.model, as_of_from=old[0], as_of_to=old[-1], monitors=catalogue.day_monitors(), verdicts=URGENT
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
        """Return each watched day as a day of the strip, in order."""
        return {
            day: strip_day_of(
                day,
                self.known[day].counts if day in self.known else count_verdicts(self.tallies.get(day, {})),
                self.incidents,
            )
            for day in self.runs
        }

    @cached_property
    def strip(self) -> list[StripDay]:
        """Return the last ``STRIP_DAYS`` days; days without a run are 'unwatched'."""
        if self.first is None or self.last is None:
            return []
        span = [self.first + timedelta(days=i) for i in range((self.last - self.first).days + 1)]
        return [self.strip_days.get(day) or StripDay(day, "unwatched", {}) for day in span]
