"""Did the baseline's days of the same kind move likewise? Asked only of features whose distribution broke its limit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta

from ledger.records import Measurement, Verdict
from models.spec import Spec
from monitors import distances, limits
from monitors.bins import binned, category_vector, deciles, number_vector
from warehouse.grid import Frame, Grid, Ints, Levels
from warehouse.profile import EVERYONE, Counts, Profile, total

MONITOR = "clue"
LEAST_VALUES = 1_000
KINDS: dict[str, Callable[[date, date], bool]] = {
    "the same day of the year": lambda day, other: (day.month, day.day) == (other.month, other.day),
    "the last day of a month": lambda day, other: _is_last(day) and _is_last(other),
    "the same day of the month": lambda day, other: day.day == other.day,
    "the same weekday": lambda day, other: day.weekday() == other.weekday(),
}
"""Kinds of days, the most particular first."""


def measure(
    spec: Spec,
    frame: Frame,
    day: date,
    profile: Profile,
    baseline: Mapping[date, Profile],
    found: Sequence[Measurement],
) -> list[Measurement]:
    """Return a clue ``season`` for each feature that drifted by PSI but looks as on such days of the baseline.

    Its value is the PSI against those days, less what chance gives ((B - 1)(1/n + 1/m)), its limit half the effect
    floor of PSI; a feature without enough values on such days, or that looks unlike them, has no clue.
    """
    drifted = [
        m.feature
        for m in found
        if (m.monitor, m.metric, m.slice) == ("drift", "psi", "") and m.verdict is Verdict.BREACH
    ]
    return [clue for feature in drifted for clue in _clue(spec, frame, day, profile, baseline, feature)]


def _clue(
    spec: Spec, frame: Frame, day: date, profile: Profile, baseline: Mapping[date, Profile], feature: str
) -> Iterator[Measurement]:
    cells: Grid | Levels | None = frame.numbers.get(feature) or frame.categories.get(feature)
    if cells is None:
        return
    limit = limits.floor(spec, "psi") / 2
    today = _vector(cells, profile, feature)
    for kind, alike in KINDS.items():
        days = [other for other in baseline if other != day and alike(day, other)]
        like = _vector(cells, total([baseline[other] for other in days], profile.frame), feature)
        if min(today.sum(), like.sum()) < LEAST_VALUES:
            continue
        value = max(0.0, _psi(cells, today, like))
        if value <= limit:
            said = f"{len(days)} baseline days of the same kind ({kind}) look alike: PSI {value:.3f} against them"
            yield Measurement(
                spec.model, day, day, MONITOR, "season", feature, value=value, n=int(today.sum()), limit=limit,
                reason=said,
            )  # fmt: skip
            return


def _vector(cells: Grid | Levels, profile: Profile, feature: str) -> Ints:
    counts = profile.features.get(EVERYONE, {}).get(feature, Counts())
    return number_vector(cells, counts) if isinstance(cells, Grid) else category_vector(cells, counts)


def _psi(cells: Grid | Levels, today: Ints, like: Ints) -> float:
    if isinstance(cells, Grid):
        bins = deciles(like)
        today, like = binned(today, bins), binned(like, bins)
    a, b = distances.occupied(today, like)
    return float(distances.psi(a, b)) - (len(a) - 1) * (1 / int(a.sum()) + 1 / int(b.sum()))


def _is_last(day: date) -> bool:
    return (day + timedelta(days=1)).month != day.month
