"""Faults done to stored profiles: arithmetic on counts, as if a day's feed had been broken in a known way.

Everyone and each slice are changed alike. What isn't counted can't change: the score stays as it was under a fault of
a feature, as do second moments, and expectations aren't run, for they need rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from catalogue import causes
from models.spec import Spec
from monitors.stats.vectors import bin_midpoints, number_vector, quantile_bin
from profiles.bins import UNSEEN, Floats, Grid, Ints
from profiles.profile import COUNT, EVERYONE, FRAUD, OPEN, PENCE, SCORE, BinCounts, Cohort, Counts, Cube, Group, Profile
from profiles.schema import ProfileSchema

ColumnCounts = Mapping[str, Counts]
DUPLICATED, LOST_ROWS, LOST_RECALL, SCORE_LOGIT, SHIFT_SD = 0.2, 0.5, 1 / 3, 0.3, 0.3
BILLION = 1e9


@dataclass(frozen=True)
class InjectedFault:
    """What is broken: in words, in which column, what cause should be named, and what it does to a day.

    ``touched`` is the share of payments whose fraud could be missed for it; None where that can't be said. ``repeated``
    is the share of rows whose id is another row's. ``labels`` changes what is known of a cohort, and is judged weeks
    later; ``profile`` is given the day's profile and its newest cohort.
    """

    name: str
    feature: str
    causes: tuple[str, ...]
    touched: float | None
    profile: Callable[[Profile, Cohort], Profile]
    labels: Callable[[Cohort], Cohort] | None = None
    repeated: float = 0.0
    late: bool = False


def faults_for_model(
    spec: Spec, schema: ProfileSchema, usual: Profile, before: Profile, cohorts: Mapping[date, Cohort], seed: int
) -> list[InjectedFault]:
    """Return the faults that a model's columns allow, each of columns drawn by ``seed``.

    ``usual`` is the sum of its baseline, ``before`` the profile of the day before the first broken one, ``cohorts`` the
    newest state of those that lose recall.
    """
    rng = np.random.default_rng(seed)
    everyone = usual.features.get(EVERYONE, {})
    numbers = [name for name in schema.numbers if name != spec.score.column and _varies(everyone.get(name))]
    categories = [name for name in schema.categories if _varies(everyone.get(name))]
    found: list[InjectedFault] = []
    if numbers:
        picked = [numbers[i] for i in rng.permutation(len(numbers))]
        found += _number_faults(schema, everyone, picked)
    if categories:
        found += _category_faults(everyone, categories[int(rng.integers(len(categories)))])
    found += _table_faults(before)
    if schema.score is not None:
        found += _score_faults(spec, schema.score, cohorts, rng)
    return found


def _varies(counts: Counts | None) -> bool:
    return counts is not None and len(counts.bins) > 1


def _number_faults(schema: ProfileSchema, usual: ColumnCounts, picked: Sequence[str]) -> list[InjectedFault]:
    def of(position: int) -> tuple[str, Grid]:
        name = picked[position % len(picked)]
        return name, schema.numbers[name]

    (a, _), (b, _), (c, c_grid), (d, d_grid), (e, e_grid), (f, f_grid) = (of(i) for i in range(6))
    fault = (causes.COLUMN_FAULT,)
    sd = SHIFT_SD * _standard_deviation(e_grid, usual[e])
    constant = _median_everywhere(d_grid, usual[d])
    found = [
        InjectedFault("3 % of a column null", a, fault, 0.03, _change_column(a, lambda own: with_nulls(own, 0.03))),
        InjectedFault("30 % of a column null", b, fault, 0.3, _change_column(b, lambda own: with_nulls(own, 0.3))),
        InjectedFault(
            "a unit 100 times larger", c, fault, 1.0,
            _change_column(c, lambda own: with_values_changed(c_grid, own, _hundredfold)),
        ),
        InjectedFault(
            "a constant column", d, fault, 1.0,
            _change_column(d, lambda own: with_values_changed(d_grid, own, constant)),
        ),
        InjectedFault(
            f"a mean {SHIFT_SD:g} sd higher", e, (causes.POPULATION_SHIFT,), None,
            _change_column(e, lambda own: with_values_changed(e_grid, own, lambda x: x + sd)),
        ),
    ]  # fmt: skip
    if len(picked) > 1:
        name = picked[4 % len(picked)] if f == e else e
        found.append(
            InjectedFault("two columns swapped", f, fault, 1.0, _swap_columns(f, f_grid, name, schema.numbers[name]))
        )
    return found


def _category_faults(usual: ColumnCounts, name: str) -> list[InjectedFault]:
    bins = BinCounts.of(usual[name].bins)
    commonest = int(bins.bins[bins.rows.argmax()])
    share = float(bins.rows.max() / bins.rows.sum())
    fault = (causes.COLUMN_FAULT,)
    rename = _change_column(name, lambda own: with_level_renamed(own, commonest))
    added = _change_column(name, lambda own: with_unseen_level(own, 0.04))
    return [
        InjectedFault("a level renamed", name, fault, share, rename),
        InjectedFault("a new level at 4 %", name, (*fault, causes.POPULATION_SHIFT), 0.04, added),
    ]


def _hundredfold(values: Floats) -> Floats:
    return 100 * values


def _table_faults(before: Profile) -> list[InjectedFault]:
    feed = (causes.INCOMPLETE_PARTITION,)
    return [
        InjectedFault(
            "yesterday's rows again", "", ("stale_partition", causes.FEED_FAULT), 1.0, lambda _day, _cohort: before
        ),
        InjectedFault(
            f"{DUPLICATED:.0%} of the rows twice".replace("%", " %"), "", (causes.DUPLICATE_ROWS,), None,
            lambda day, _: with_rows_scaled(day, 1 + DUPLICATED), repeated=DUPLICATED / (1 + DUPLICATED),
        ),
        InjectedFault(
            "half the rows missing", "", feed, LOST_ROWS, lambda day, _: with_rows_scaled(day, 1 - LOST_ROWS)
        ),
    ]  # fmt: skip


def _score_faults(
    spec: Spec, grid: Grid, cohorts: Mapping[date, Cohort], rng: np.random.Generator
) -> list[InjectedFault]:
    steps = round(SCORE_LOGIT / grid.width)
    shift = InjectedFault(
        f"a score {steps * grid.width:+.2g} logit", "", (causes.SCORE_SHIFT,), None,
        lambda day, _: _with_scores_shifted(day, spec.score.column, grid, steps),
        lambda cohort: replace(cohort, labels=_cube_shifted(cohort.labels, grid, steps)),
    )  # fmt: skip
    bins, share = _draw_lost_bins(cohorts, grid.half, rng)
    if spec.score.threshold is None or not bins.any():
        return [shift]
    decay = InjectedFault(
        f"{100 * share:.0f} % of the frauds that were caught missed", "", (causes.PERFORMANCE_DECAY,), share,
        lambda day, cohort: replace(day, cube=_cube_with_missed_frauds(day.cube, cohort.labels, bins)),
        lambda cohort: replace(cohort, labels=_labels_with_missed_frauds(cohort.labels, bins)),
        late=True,
    )  # fmt: skip
    return [shift, decay]


def _change_column(name: str, change: Callable[[Counts], Counts]) -> Callable[[Profile, Cohort], Profile]:
    def changed(day: Profile, _: Cohort) -> Profile:
        features = {
            group: {column: change(own) if column == name else own for column, own in columns.items()}
            for group, columns in day.features.items()
        }
        return replace(day, features=features)

    return changed


def _swap_columns(a: str, a_grid: Grid, b: str, b_grid: Grid) -> Callable[[Profile, Cohort], Profile]:
    def columns(own: ColumnCounts) -> ColumnCounts:
        if a not in own or b not in own:
            return own
        return {**own, a: rebinned(b_grid, a_grid, own[b]), b: rebinned(a_grid, b_grid, own[a])}

    return lambda day, _: replace(day, features={group: columns(own) for group, own in day.features.items()})


def with_nulls(counts: Counts, share: float) -> Counts:
    """Return counts of which a share of every bin is null."""
    bins = BinCounts.of(counts.bins)
    left = apportion_rows(bins.rows, round(float(bins.rows.sum()) * (1 - share)))
    lost = int((bins.rows - left).sum())
    return Counts(
        counts.nulls + lost, counts.nonfinite, round(counts.total * (1 - share)), _bin_counts(bins.bins, left)
    )


def with_level_renamed(counts: Counts, level: int) -> Counts:
    """Return counts of a category with a level's rows among the unseen."""
    bins = dict(counts.bins)
    rows = bins.pop(level, 0)
    bins[UNSEEN] = bins.get(UNSEEN, 0) + rows
    return replace(counts, bins=BinCounts.of({level: own for level, own in bins.items() if own}))


def with_unseen_level(counts: Counts, share: float) -> Counts:
    """Return counts of a category with a share of every level's rows among the unseen."""
    bins = BinCounts.of(counts.bins)
    left = dict(_bin_counts(bins.bins, apportion_rows(bins.rows, round(float(bins.rows.sum()) * (1 - share)))))
    left[UNSEEN] = left.get(UNSEEN, 0) + int(bins.rows.sum()) - sum(left.values())
    return replace(counts, bins=BinCounts.of({level: own for level, own in left.items() if own}))


def with_values_changed(grid: Grid, counts: Counts, change: Callable[[Floats], Floats]) -> Counts:
    """Return counts of a number with the value in the middle of each bin changed, and all its rows with it."""
    bins = BinCounts.of(counts.bins)
    values = np.asarray(change(_bin_midpoints(grid, bins.bins)), dtype=np.float64)
    return replace(
        counts,
        total=round(float((bins.rows * values).sum()) / grid.unit),
        bins=_bin_counts(grid.bin_of(values), bins.rows),
    )


def rebinned(source: Grid, target: Grid, counts: Counts) -> Counts:
    """Return one column's counts as they would be counted on another's grid."""
    bins = BinCounts.of(counts.bins)
    values = _bin_midpoints(source, bins.bins)
    total = round(float((bins.rows * values).sum()) / target.unit)
    return replace(counts, total=total, bins=_bin_counts(target.bin_of(values), bins.rows))


def with_rows_scaled(day: Profile, factor: float) -> Profile:
    """Return a profile of more or fewer rows of the same kind; score cubes, whose labels stay, are left as they are."""

    def counts(own: Counts) -> Counts:
        bins = BinCounts.of(own.bins)
        rows = apportion_rows(bins.rows, round(float(bins.rows.sum()) * factor))
        nulls, nonfinite = round(own.nulls * factor), round(own.nonfinite * factor)
        return Counts(nulls, nonfinite, round(own.total * factor), _bin_counts(bins.bins, rows))

    features = {group: {name: counts(own) for name, own in columns.items()} for group, columns in day.features.items()}
    return replace(day, rows=round(day.rows * factor), features=features)


def apportion_rows(rows: Ints, total: int) -> Ints:
    """Return rows scaled to a total, whole: rounded down, and the rest given to the largest remainders."""
    every = int(rows.sum())
    if not every:
        return rows
    shares = rows * (total / every)
    whole: Ints = np.floor(shares).astype(np.int64)
    rest = np.argsort(whole - shares, kind="stable")[: total - int(whole.sum())]
    whole[rest] += 1
    return whole


def _bin_counts(bins: Ints, rows: Ints) -> BinCounts:
    """Return rows by bin, those of equal bins together and empty ones left out."""
    places, which = np.unique(bins, return_inverse=True)
    sums = np.zeros(len(places), dtype=np.int64)
    np.add.at(sums, which, rows)
    return BinCounts(places[sums > 0], sums[sums > 0])


def _bin_midpoints(grid: Grid, bins: Ints) -> Floats:
    midpoints: Floats = bin_midpoints(grid)[bins + grid.half]
    return midpoints


def _standard_deviation(grid: Grid, counts: Counts) -> float:
    """Return the standard deviation of a number at bin resolution."""
    bins = BinCounts.of(counts.bins)
    values = _bin_midpoints(grid, bins.bins)
    mean = np.average(values, weights=bins.rows)
    return math.sqrt(float(np.average((values - mean) ** 2, weights=bins.rows)))


def _median_everywhere(grid: Grid, usual: Counts) -> Callable[[Floats], Floats]:
    vector = number_vector(grid, usual)
    return lambda values: np.full_like(values, bin_midpoints(grid)[quantile_bin(vector, 0.5)])


def _with_scores_shifted(day: Profile, column: str, grid: Grid, steps: int) -> Profile:
    """Return a day whose scores lie some bins higher."""

    def counts(own: Counts) -> Counts:
        bins = BinCounts.of(own.bins)
        higher = np.clip(bins.bins + steps, -grid.half, grid.half - 1)
        shares = (_bin_midpoints(grid, higher) - grid.centre) / grid.scale
        return replace(
            own,
            total=round(float((bins.rows * np.clip(shares, 0, 1)).sum()) * BILLION),
            bins=_bin_counts(higher, bins.rows),
        )

    features = {
        group: {name: counts(own) if name == column else own for name, own in columns.items()}
        for group, columns in day.features.items()
    }
    return replace(day, features=features, cube=_cube_shifted(day.cube, grid, steps))


def _cube_shifted(cube: Cube, grid: Grid, steps: int) -> Cube:
    """Return a cube with every score some bins higher; the last bin keeps what would leave."""
    shares = np.clip((_bin_midpoints(grid, np.arange(-grid.half, grid.half)) - grid.centre) / grid.scale, 0, 1)

    def part(own: Ints) -> Ints:
        result = np.zeros_like(own)
        result[steps:] = own[: len(own) - steps]
        result[-1] += own[len(own) - steps :].sum(axis=0)
        result[:, :, SCORE] = np.rint(result[:, :, COUNT] * shares[:, None] * BILLION)
        return result

    return Cube({group: part(own) for group, own in cube.bins.items()})


def _draw_lost_bins(cohorts: Mapping[date, Cohort], half: int, rng: np.random.Generator) -> tuple[Ints, float]:
    """Draw score bins that raise alerts, with about a third of the caught frauds; return them and their share."""
    caught = np.zeros(half, dtype=np.int64)
    for cohort in cohorts.values():
        if EVERYONE in cohort.labels.bins:
            caught += cohort.labels.bins[EVERYONE][half:, FRAUD, COUNT]
    order = rng.permutation(half)
    wanted = caught[order].cumsum() <= LOST_RECALL * caught.sum()
    bins = np.sort(order[wanted & (caught[order] > 0)]) + half
    return bins, float(caught[bins - half].sum() / max(1, caught.sum()))


def _labels_with_missed_frauds(labels: Cube, bins: Ints) -> Cube:
    """Return labels with the frauds of some alerted bins as far below the threshold as they were above it."""

    def part(own: Ints) -> Ints:
        result = own.copy()
        mirrored = len(own) - 1 - bins
        result[mirrored, FRAUD] += own[bins, FRAUD]  # no bin stands twice
        result[bins, FRAUD] = 0
        return result

    return Cube({group: part(own) for group, own in labels.bins.items()})


def _cube_with_missed_frauds(cube: Cube, labels: Cube, bins: Ints) -> Cube:
    """Return a scanned cube, all of it without labels, with the same frauds moved."""
    result: dict[Group, Ints] = {}
    for group, own in cube.bins.items():
        part = own.copy()
        if group in labels.bins:
            frauds = labels.bins[group][bins, FRAUD][:, [COUNT, PENCE, SCORE]]
            part[bins, OPEN] -= frauds
            part[len(own) - 1 - bins, OPEN] += frauds
        result[group] = part
    return Cube(result)
