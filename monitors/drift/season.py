"""Did the baseline's days of the same kind move likewise? Asked only of features whose distribution broke its limit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta

from catalogue.metrics.diagnostics import DIAGNOSTICS_MONITOR, SEASON
from catalogue.metrics.drift import PSI
from catalogue.metrics.drift_monitors import DRIFT_MONITOR
from ledger.records.measurements import Measurement, Verdict
from models.spec import Spec
from monitors import limits
from monitors.stats import distances
from monitors.stats.vectors import category_vector, decile_bins, number_vector, rows_by_psi_bin
from profiles.bins import Grid, Ints, Levels
from profiles.profile import EVERYONE, Counts, Profile, sum_profiles
from profiles.schema import ProfileSchema

LEAST_VALUES = 1_000
KINDS_OF_DAY: dict[str, Callable[[date, date], bool]] = {
    "the same day of the year": lambda day, other: (day.month, day.day) == (other.month, other.day),
    "the last day of a month": lambda day, other: _is_last_of_month(day) and _is_last_of_month(other),
    "the same day of the month": lambda day, other: day.day == other.day,
    "the same weekday": lambda day, other: day.weekday() == other.weekday(),
}
"""Kinds of days, the most particular first."""


def diagnose_season(
    spec: Spec,
    schema: ProfileSchema,
    day: date,
    profile: Profile,
    baseline: Mapping[date, Profile],
    found: Sequence[Measurement],
) -> list[Measurement]:
    """Return diagnostic ``season`` of each feature that drifted by PSI but looks as on such days of the baseline.

    Args:
        spec: the model file.
        schema: how partitions are profiled.
        day: the day.
        profile: its profile.
        baseline: profiles of the baseline by day.
        found: the day's drift measurements.
    Returns:
        Measurements: the PSI against days of the same kind, less what chance gives ((B - 1)(1/n + 1/m)), its limit half
        the minimum effect size of PSI. A feature without enough values on such days, or that looks unlike them, has
        none.
    """
    drifted = [
        m.feature
        for m in found
        if (m.monitor, m.metric, m.slice) == (DRIFT_MONITOR, PSI, "") and m.verdict is Verdict.BREACH
    ]
    return [
        diagnostic
        for feature in drifted
        for diagnostic in _season_diagnostic(spec, schema, day, profile, baseline, feature)
    ]


def _season_diagnostic(
    spec: Spec, schema: ProfileSchema, day: date, profile: Profile, baseline: Mapping[date, Profile], feature: str
) -> Iterator[Measurement]:
    bins: Grid | Levels | None = schema.numbers.get(feature) or schema.categories.get(feature)
    if bins is None:
        return
    limit = limits.minimum_effect(spec, PSI) / 2
    today = _column_vector(bins, profile, feature)
    for kind, alike in KINDS_OF_DAY.items():
        days = [other for other in baseline if other != day and alike(day, other)]
        like = _column_vector(bins, sum_profiles([baseline[other] for other in days], profile.schema_id), feature)
        if min(today.sum(), like.sum()) < LEAST_VALUES:
            continue
        value = max(0.0, _psi_beyond_chance(bins, today, like))
        if value <= limit:
            said = f"{len(days)} baseline days of the same kind ({kind}) look alike: PSI {value:.3f} against them"
            yield Measurement(
                spec.model, day, day, DIAGNOSTICS_MONITOR, SEASON, feature, value=value, n=int(today.sum()),
                limit=limit, reason=said,
            )  # fmt: skip
            return


def _column_vector(bins: Grid | Levels, profile: Profile, feature: str) -> Ints:
    counts = profile.features.get(EVERYONE, {}).get(feature, Counts())
    return number_vector(bins, counts) if isinstance(bins, Grid) else category_vector(bins, counts)


def _psi_beyond_chance(bins: Grid | Levels, today: Ints, like: Ints) -> float:
    if isinstance(bins, Grid):
        psi_bins = decile_bins(like)
        today, like = rows_by_psi_bin(today, psi_bins), rows_by_psi_bin(like, psi_bins)
    a, b = distances.occupied_bins(today, like)
    return float(distances.psi(a, b)) - (len(a) - 1) * (1 / int(a.sum()) + 1 / int(b.sum()))


def _is_last_of_month(day: date) -> bool:
    return (day + timedelta(days=1)).month != day.month
