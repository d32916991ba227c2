"""What a day's monitors are given: everything that is known of the day and of the days it is held against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from ledger.records.measurements import Measurement
from ledger.records.retraining import BaselineChange
from models.spec import HISTORY_DAYS, Spec
from profiles.profile import Cohort, Cube, Profile
from profiles.schema import ProfileSchema

if TYPE_CHECKING:  # the modules of these register monitors, which take what stands here
    from monitors.custom import MetricFunction
    from monitors.drift.calibration import Calibration
    from monitors.drift.slow_drift import SlowDriftBaseline
    from monitors.faults.baseline_behaviour import BaselineBehaviour, DayVectors
    from monitors.performance.maturity import LabelDelayCurve
    from warehouse.sql.top_entities import RankedCard


@dataclass(frozen=True)
class DayProfile:
    """The day's rows, as counts, and what the days that they are held against came to.

    ``vectors`` are the day's rows by bin of each column, ``recent`` those of the stored days of the weeks before.
    ``calibration``, ``behaviour`` and ``levels`` were learned from the baseline's days, the latter two without the day
    itself.
    """

    profile: Profile
    vectors: DayVectors
    recent: Mapping[date, DayVectors]
    calibration: Calibration
    behaviour: BaselineBehaviour
    levels: SlowDriftBaseline


@dataclass(frozen=True)
class ScoredDays:
    """Scores and labels of the baseline's days and of all days that labels may still change, as known on the day.

    ``cubes`` are payments by score bin and label, of every day with a profile; ``cohorts`` what labels say of a day.
    ``baseline_days`` are the baseline's days with a cube. ``changed`` are the cohort days whose figures may differ
    from those known the day before. ``estimates`` are the measurements of monitor 'estimate' of the days before.
    """

    cohorts: Mapping[date, Cohort]
    cubes: Mapping[date, Cube]
    curve: LabelDelayCurve
    baseline_days: frozenset[date]
    changed: frozenset[date] = frozenset()
    estimates: Sequence[Measurement] = ()


class CardRanking(NamedTuple):
    """The cards with the highest scores of the newest mature ``days``, ranked in the warehouse."""

    days: Sequence[date]
    cards: Sequence[RankedCard]


@dataclass(frozen=True)
class DayInputs:
    """One model's day, loaded once for all of its monitors.

    ``row_counts`` are the rows of each day that ever had a profile. ``profiles`` are those of the days up to this one
    that a monitor may look at, and ``baseline`` those of the baseline in force, in order of day. ``own`` is None
    where the day has no row, and ``scored`` where the model has no score. While a new champion's days are gathered
    to be its baseline, ``gathering`` says which, and ``champion_days`` are those before this one. ``metric_functions``
    are the bank's own by the name of the metric (a text: why there is none), ``cards`` None where none were ranked.
    """

    spec: Spec
    schema: ProfileSchema
    day: date
    row_counts: Mapping[date, int]
    profiles: Mapping[date, Profile]
    baseline: Mapping[date, Profile]
    own: DayProfile | None = None
    scored: ScoredDays | None = None
    gathering: BaselineChange | None = None
    champion_days: Mapping[date, Profile] = field(default_factory=dict)
    metric_functions: Mapping[str, MetricFunction | str] = field(default_factory=dict)
    cards: CardRanking | None = None

    @property
    def profile(self) -> Profile | None:
        """Return the day's profile, None where there is none or it has no row."""
        return self.own.profile if self.own else None


def cohort_horizon_days(spec: Spec) -> int:
    """Return how many days back cohorts may still change, or row counts are looked at.

    Args:
        spec: the model file.
    Returns:
        Days, at least HISTORY_DAYS.
    """
    return max(spec.labels.horizon_days if spec.labels else 0, HISTORY_DAYS)
