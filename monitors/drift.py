"""Has a feature or the score moved since the baseline? One pass over a day's profile, without any row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial

from ledger.records import Measurement, Verdict
from models.spec import Spec
from monitors import comparisons, limits
from monitors.bins import binned, category_vector, deciles, number_vector, places, quantile_cell
from monitors.comparisons import Comparison
from monitors.scoring import slice_name
from warehouse.grid import UNSEEN, Frame, Grid, Ints, Levels
from warehouse.profile import EVERYONE, Counts, Group, Profile

LEAST_VALUES = 100
"""Fewer finite values than this, on either side, are never judged."""

SHARES = {"null_share": "null", "nonfinite_share": "not finite", "unseen_share": "in levels the baseline never saw"}
DISTANCES = {
    "psi": "PSI",
    "jensen_shannon": "Jensen-Shannon distance",
    "wasserstein": "Wasserstein distance in standard deviations",
    "ks": "KS statistic",
}
NUMBER = ("psi", "jensen_shannon", "wasserstein", "ks", "null_share", "nonfinite_share", "scale_ratio")
SCORE = NUMBER[:-1]
CATEGORY = ("psi", "jensen_shannon", "null_share", "unseen_share")
IN_SLICES = ("psi", "null_share", "unseen_share")
"""Metrics that are also measured in each slice, where they apply."""


@dataclass(frozen=True)
class _Subject:
    """One column of one group of payments, today (None: the column is missing) and in the baseline."""

    monitor: str
    feature: str
    slice: str
    cells: Grid | Levels
    metrics: tuple[str, ...]
    today: Counts | None
    baseline: Counts


@dataclass(frozen=True)
class _Finding:
    """What one metric came to; ``figure`` is None where it couldn't be measured."""

    metric: str
    verdict: Verdict
    reason: str
    figure: Comparison | None = None


def measure(
    spec: Spec, frame: Frame, day: date, profile: Profile, baseline: Profile, baseline_days: int
) -> list[Measurement]:
    """Compare a day's profile with the baseline's (the sum of ``baseline_days`` days) and return every figure.

    Monitor 'drift' for each feature and 'score' for the score: for everyone, and for each slice group that both
    profiles have (PSI, null and unseen share only). A figure breaches when it is significant, at the share of
    the false-alarm budget that is left to one of the day's tests, and beyond its effect floor after what chance
    alone gives is taken off. Fewer than 100 values, or too few to tell the floor from chance: insufficient;
    a column that isn't in the profile: missing. ``n`` is rows.
    """
    subjects = list(_subjects(spec, frame, profile, baseline))
    alpha = limits.alpha(spec, sum(len(subject.metrics) for subject in subjects))
    measurement = partial(Measurement, spec.model, day, day)
    result = []
    for subject in subjects:
        rows = subject.today.rows if subject.today else 0
        for found in _findings(spec, subject, alpha, baseline_days):
            value, low, high, limit = found.figure[:4] if found.figure else (None, None, None, None)
            result.append(
                measurement(
                    subject.monitor, found.metric, subject.feature, subject.slice,
                    value, low, high, rows, limit, found.verdict, found.reason,
                )
            )  # fmt: skip
    return result


def _subjects(spec: Spec, frame: Frame, profile: Profile, baseline: Profile) -> Iterator[_Subject]:
    columns: list[tuple[str, str, Grid | Levels, tuple[str, ...]]] = [
        *(("drift", name, grid, NUMBER) for name, grid in frame.numbers.items()),
        *(("drift", name, levels, CATEGORY) for name, levels in frame.categories.items()),
    ]
    if frame.score is not None:
        columns.append(("score", spec.score.column, frame.score, SCORE))
    for group in _groups(frame, profile, baseline):
        today, before = profile.features.get(group, {}), baseline.features.get(group, {})
        for monitor, name, cells, metrics in columns:
            counts = today.get(name, None if profile.rows else Counts())
            if group == EVERYONE:
                yield _Subject(monitor, name, "", cells, metrics, counts, before.get(name, Counts()))
            elif counts is not None and name != group[0]:
                kept = tuple(metric for metric in metrics if metric in IN_SLICES)
                yield _Subject(monitor, name, slice_name(group), cells, kept, counts, before.get(name, Counts()))


def _groups(frame: Frame, profile: Profile, baseline: Profile) -> Iterator[Group]:
    yield EVERYONE
    for group in profile.features:
        if group[0] in frame.slices and group in baseline.features:
            yield group


def _findings(spec: Spec, subject: _Subject, alpha: float, baseline_days: int) -> Iterator[_Finding]:
    today, baseline = subject.today, subject.baseline
    if today is None:
        reason = "the column is not in the partition"
        yield from (_Finding(metric, Verdict.MISSING, reason) for metric in subject.metrics)
        return
    vectors = None
    if min(today.finite, baseline.finite) >= LEAST_VALUES:
        vectors = _vector(subject.cells, today), _vector(subject.cells, baseline)
    for metric in subject.metrics:
        floor = limits.floor(spec, metric)
        if metric in SHARES:
            yield _share(metric, today, baseline, floor, alpha, baseline_days)
        elif vectors is None:
            yield _Finding(metric, Verdict.INSUFFICIENT, _too_few(today.finite, baseline.finite, "finite values"))
        elif metric in DISTANCES:
            yield _distance(metric, subject, vectors, floor, alpha)
        elif isinstance(subject.cells, Grid):
            yield from _scale(subject.cells, today, baseline, vectors, floor, alpha)


def _vector(cells: Grid | Levels, counts: Counts) -> Ints:
    return number_vector(cells, counts) if isinstance(cells, Grid) else category_vector(cells, counts)


def _too_few(today: int, baseline: int, what: str) -> str:
    who, count = ("today has", today) if today < LEAST_VALUES else ("the baseline has", baseline)
    return f"{who} {count} {what}; at least {LEAST_VALUES} are needed"


def _share(metric: str, today: Counts, baseline: Counts, floor: float, alpha: float, baseline_days: int) -> _Finding:
    """Judge the rise of a share: of all rows, and for unseen levels of the rows that have a value."""
    (count, rows), (before, rows_before) = _part(metric, today), _part(metric, baseline)
    if min(rows, rows_before) < LEAST_VALUES:
        return _Finding(metric, Verdict.INSUFFICIENT, _too_few(rows, rows_before, "rows"))
    figure = comparisons.share(count, rows, before, rows_before, floor, alpha)
    verdict = _judge(figure, alpha)
    reason = (
        f"{_percent(figure.value)} {SHARES[metric]}; baseline {_percent(before / rows_before)} of {rows_before:,} rows"
        f" in {baseline_days} days; limit {_percent(figure.limit)}"
    )
    if verdict == Verdict.INSUFFICIENT:
        reason += f"; chance alone reaches {_percent(figure.critical)} in {rows:,} rows"
    return _Finding(metric, verdict, reason, figure)


def _part(metric: str, counts: Counts) -> tuple[int, int]:
    if metric == "unseen_share":
        return counts.cells.get(UNSEEN, 0), counts.finite
    return (counts.nulls if metric == "null_share" else counts.nonfinite), counts.rows


def _distance(metric: str, subject: _Subject, vectors: tuple[Ints, Ints], floor: float, alpha: float) -> _Finding:
    """Judge a distance of two distributions; PSI of a number is taken on the baseline's deciles."""
    today, baseline = vectors
    if metric == "psi" and isinstance(subject.cells, Grid):
        bins = deciles(baseline)
        figure = comparisons.psi(binned(today, bins), binned(baseline, bins), floor, alpha)
    elif metric == "wasserstein" and isinstance(subject.cells, Grid):
        figure = comparisons.wasserstein(today, baseline, places(subject.cells), floor, alpha)
    else:
        compare = {"psi": comparisons.psi, "jensen_shannon": comparisons.jensen_shannon, "ks": comparisons.ks}[metric]
        figure = compare(today, baseline, floor, alpha)
    verdict = _judge(figure, alpha)
    reason = (
        f"{DISTANCES[metric]} {figure.value:.3f} against {baseline.sum():,} baseline values; limit {figure.limit:.3f}"
    )
    if verdict == Verdict.INSUFFICIENT:
        reason += f"; chance alone reaches {figure.critical:.3f} in {today.sum():,} values"
    elif verdict == Verdict.BREACH:
        reason += f"; {_move(subject.cells, today, baseline)}"
    return _Finding(metric, verdict, reason, figure)


def _judge(figure: Comparison, alpha: float) -> Verdict:
    beyond, significant = figure.value > figure.limit, figure.p_value < alpha
    return limits.judge(beyond=beyond, significant=significant, telling=figure.critical <= figure.limit)


def _move(cells: Grid | Levels, today: Ints, baseline: Ints) -> str:
    """Say what moved most: a number's median, or the level whose share changed most."""
    if isinstance(cells, Grid):
        now, before = (float(places(cells)[quantile_cell(vector, 0.5)]) for vector in (today, baseline))
        if now == before:
            return f"the median stays about {_number(before)}, the shape changed"
        return f"median about {_number(now)}, baseline {_number(before)}"
    p, q = today / today.sum(), baseline / baseline.sum()
    most = int(abs(p - q).argmax())
    level = [*(f"'{level}'" for level in cells.top), "unseen levels", "rare levels"][most]
    return f"most by {level}: {_percent(p[most])}, baseline {_percent(q[most])}"


def _scale(
    grid: Grid, today: Counts, baseline: Counts, vectors: tuple[Ints, Ints], floor: float, alpha: float
) -> Iterator[_Finding]:
    means = (today.total * grid.unit / today.finite, baseline.total * grid.unit / baseline.finite)
    figure = comparisons.scale(*vectors, grid, means, floor)
    if figure is None:
        return
    beyond = not 1 / figure.limit <= figure.value <= figure.limit
    verdict = limits.judge(beyond=beyond, significant=figure.p_value < alpha)
    reason = f"typical value {figure.value:.3g} times the baseline's; limit {figure.limit:g} times either way"
    yield _Finding("scale_ratio", verdict, reason, figure)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
