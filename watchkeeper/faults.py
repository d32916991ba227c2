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

from ledger.records import Cause
from models.spec import Spec
from monitors.bins import number_vector, places, quantile_cell
from warehouse.grid import UNSEEN, Floats, Frame, Grid, Ints
from warehouse.profile import COUNT, EVERYONE, FRAUD, OPEN, PENCE, SCORE, Cells, Cohort, Counts, Cube, Group, Profile

Columns = Mapping[str, Counts]
DUPLICATED, LOST_ROWS, LOST_RECALL, SCORE_LOGIT, SHIFT_SD = 0.2, 0.5, 1 / 3, 0.3, 0.3
BILLION = 1e9


@dataclass(frozen=True)
class Fault:
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


def faults(
    spec: Spec, frame: Frame, usual: Profile, before: Profile, cohorts: Mapping[date, Cohort], seed: int
) -> list[Fault]:
    """Return the faults that a model's columns allow, each of columns drawn by ``seed``.

    ``usual`` is the sum of its baseline, ``before`` the profile of the day before the first broken one, ``cohorts`` the
    newest state of those that lose recall.
    """
    rng = np.random.default_rng(seed)
    everyone = usual.features.get(EVERYONE, {})
    numbers = [name for name in frame.numbers if name != spec.score.column and _varies(everyone.get(name))]
    categories = [name for name in frame.categories if _varies(everyone.get(name))]
    found: list[Fault] = []
    if numbers:
        picked = [numbers[i] for i in rng.permutation(len(numbers))]
        found += _of_numbers(frame, everyone, picked)
    if categories:
        found += _of_category(everyone, categories[int(rng.integers(len(categories)))])
    found += _of_tables(before)
    if frame.score is not None:
        found += _of_scores(spec, frame.score, cohorts, rng)
    return found


def _varies(counts: Counts | None) -> bool:
    return counts is not None and len(counts.cells) > 1


def _of_numbers(frame: Frame, usual: Columns, picked: Sequence[str]) -> list[Fault]:
    def of(place: int) -> tuple[str, Grid]:
        name = picked[place % len(picked)]
        return name, frame.numbers[name]

    (a, _), (b, _), (c, c_grid), (d, d_grid), (e, e_grid), (f, f_grid) = (of(i) for i in range(6))
    fault = (Cause.COLUMN_FAULT,)
    sd = SHIFT_SD * _spread(e_grid, usual[e])
    constant = _one_value(d_grid, usual[d])
    found = [
        Fault("3 % of a column null", a, fault, 0.03, _column(a, lambda own: nulled(own, 0.03))),
        Fault("30 % of a column null", b, fault, 0.3, _column(b, lambda own: nulled(own, 0.3))),
        Fault("a unit 100 times larger", c, fault, 1.0, _column(c, lambda own: moved(c_grid, own, _hundredfold))),
        Fault("a constant column", d, fault, 1.0, _column(d, lambda own: moved(d_grid, own, constant))),
        Fault(
            f"a mean {SHIFT_SD:g} sd higher", e, (Cause.POPULATION_SHIFT,), None,
            _column(e, lambda own: moved(e_grid, own, lambda x: x + sd)),
        ),
    ]  # fmt: skip
    if len(picked) > 1:
        name = picked[4 % len(picked)] if f == e else e
        found.append(Fault("two columns swapped", f, fault, 1.0, _swapped(f, f_grid, name, frame.numbers[name])))
    return found


def _of_category(usual: Columns, name: str) -> list[Fault]:
    cells = Cells.of(usual[name].cells)
    commonest = int(cells.cells[cells.rows.argmax()])
    share = float(cells.rows.max() / cells.rows.sum())
    fault = (Cause.COLUMN_FAULT,)
    rename = _column(name, lambda own: renamed(own, commonest))
    added = _column(name, lambda own: with_unseen(own, 0.04))
    return [
        Fault("a level renamed", name, fault, share, rename),
        Fault("a new level at 4 %", name, (*fault, Cause.POPULATION_SHIFT), 0.04, added),
    ]


def _hundredfold(values: Floats) -> Floats:
    return 100 * values


def _of_tables(before: Profile) -> list[Fault]:
    feed = (Cause.INCOMPLETE_PARTITION,)
    return [
        Fault("yesterday's rows again", "", ("stale_partition", Cause.FEED_FAULT), 1.0, lambda _day, _cohort: before),
        Fault(
            f"{DUPLICATED:.0%} of the rows twice".replace("%", " %"), "", (Cause.DUPLICATE_ROWS,), None,
            lambda day, _: resized(day, 1 + DUPLICATED), repeated=DUPLICATED / (1 + DUPLICATED),
        ),
        Fault("half the rows missing", "", feed, LOST_ROWS, lambda day, _: resized(day, 1 - LOST_ROWS)),
    ]  # fmt: skip


def _of_scores(spec: Spec, grid: Grid, cohorts: Mapping[date, Cohort], rng: np.random.Generator) -> list[Fault]:
    steps = round(SCORE_LOGIT / grid.width)
    shift = Fault(
        f"a score {steps * grid.width:+.2g} logit", "", (Cause.SCORE_SHIFT,), None,
        lambda day, _: _scored(day, spec.score.column, grid, steps),
        lambda cohort: replace(cohort, labels=_shifted(cohort.labels, grid, steps)),
    )  # fmt: skip
    cells, share = _lost_cells(cohorts, grid.half, rng)
    if spec.score.threshold is None or not cells.any():
        return [shift]
    decay = Fault(
        f"{100 * share:.0f} % of the frauds that were caught missed", "", (Cause.PERFORMANCE_DECAY,), share,
        lambda day, cohort: replace(day, cube=_with_missed(day.cube, cohort.labels, cells)),
        lambda cohort: replace(cohort, labels=_missed(cohort.labels, cells)),
        late=True,
    )  # fmt: skip
    return [shift, decay]


def _column(name: str, change: Callable[[Counts], Counts]) -> Callable[[Profile, Cohort], Profile]:
    def changed(day: Profile, _: Cohort) -> Profile:
        features = {
            group: {column: change(own) if column == name else own for column, own in columns.items()}
            for group, columns in day.features.items()
        }
        return replace(day, features=features)

    return changed


def _swapped(a: str, a_grid: Grid, b: str, b_grid: Grid) -> Callable[[Profile, Cohort], Profile]:
    def columns(own: Columns) -> Columns:
        if a not in own or b not in own:
            return own
        return {**own, a: recelled(b_grid, a_grid, own[b]), b: recelled(a_grid, b_grid, own[a])}

    return lambda day, _: replace(day, features={group: columns(own) for group, own in day.features.items()})


def nulled(counts: Counts, share: float) -> Counts:
    """Return counts of which a share of every cell is null."""
    cells = Cells.of(counts.cells)
    left = apportioned(cells.rows, round(float(cells.rows.sum()) * (1 - share)))
    lost = int((cells.rows - left).sum())
    return Counts(counts.nulls + lost, counts.nonfinite, round(counts.total * (1 - share)), _cells(cells.cells, left))


def renamed(counts: Counts, level: int) -> Counts:
    """Return counts of a category with a level's rows among the unseen."""
    cells = dict(counts.cells)
    rows = cells.pop(level, 0)
    cells[UNSEEN] = cells.get(UNSEEN, 0) + rows
    return replace(counts, cells=Cells.of({cell: own for cell, own in cells.items() if own}))


def with_unseen(counts: Counts, share: float) -> Counts:
    """Return counts of a category with a share of every level's rows among the unseen."""
    cells = Cells.of(counts.cells)
    left = dict(_cells(cells.cells, apportioned(cells.rows, round(float(cells.rows.sum()) * (1 - share)))))
    left[UNSEEN] = left.get(UNSEEN, 0) + int(cells.rows.sum()) - sum(left.values())
    return replace(counts, cells=Cells.of({cell: own for cell, own in left.items() if own}))


def moved(grid: Grid, counts: Counts, change: Callable[[Floats], Floats]) -> Counts:
    """Return counts of a number with the value in the middle of each cell changed, and all its rows with it."""
    cells = Cells.of(counts.cells)
    values = np.asarray(change(_middles(grid, cells.cells)), dtype=np.float64)
    return replace(
        counts,
        total=round(float((cells.rows * values).sum()) / grid.unit),
        cells=_cells(grid.cell(values), cells.rows),
    )


def recelled(source: Grid, target: Grid, counts: Counts) -> Counts:
    """Return one column's counts as they would be counted on another's grid."""
    cells = Cells.of(counts.cells)
    values = _middles(source, cells.cells)
    total = round(float((cells.rows * values).sum()) / target.unit)
    return replace(counts, total=total, cells=_cells(target.cell(values), cells.rows))


def resized(day: Profile, factor: float) -> Profile:
    """Return a profile of more or fewer rows of the same kind; score cubes, whose labels stay, are left as they are."""

    def counts(own: Counts) -> Counts:
        cells = Cells.of(own.cells)
        rows = apportioned(cells.rows, round(float(cells.rows.sum()) * factor))
        nulls, nonfinite = round(own.nulls * factor), round(own.nonfinite * factor)
        return Counts(nulls, nonfinite, round(own.total * factor), _cells(cells.cells, rows))

    features = {group: {name: counts(own) for name, own in columns.items()} for group, columns in day.features.items()}
    return replace(day, rows=round(day.rows * factor), features=features)


def apportioned(rows: Ints, total: int) -> Ints:
    """Return rows scaled to a total, whole: rounded down, and the rest given to the largest remainders."""
    every = int(rows.sum())
    if not every:
        return rows
    shares = rows * (total / every)
    whole: Ints = np.floor(shares).astype(np.int64)
    rest = np.argsort(whole - shares, kind="stable")[: total - int(whole.sum())]
    whole[rest] += 1
    return whole


def _cells(cells: Ints, rows: Ints) -> Cells:
    """Return rows by cell, those of equal cells together and empty ones left out."""
    places, which = np.unique(cells, return_inverse=True)
    sums = np.zeros(len(places), dtype=np.int64)
    np.add.at(sums, which, rows)
    return Cells(places[sums > 0], sums[sums > 0])


def _middles(grid: Grid, cells: Ints) -> Floats:
    middles: Floats = places(grid)[cells + grid.half]
    return middles


def _spread(grid: Grid, counts: Counts) -> float:
    """Return the standard deviation of a number at cell resolution."""
    cells = Cells.of(counts.cells)
    values = _middles(grid, cells.cells)
    mean = np.average(values, weights=cells.rows)
    return math.sqrt(float(np.average((values - mean) ** 2, weights=cells.rows)))


def _one_value(grid: Grid, usual: Counts) -> Callable[[Floats], Floats]:
    vector = number_vector(grid, usual)
    return lambda values: np.full_like(values, places(grid)[quantile_cell(vector, 0.5)])


def _scored(day: Profile, column: str, grid: Grid, steps: int) -> Profile:
    """Return a day whose scores lie some cells higher."""

    def counts(own: Counts) -> Counts:
        cells = Cells.of(own.cells)
        higher = np.clip(cells.cells + steps, -grid.half, grid.half - 1)
        shares = (_middles(grid, higher) - grid.centre) / grid.scale
        return replace(
            own,
            total=round(float((cells.rows * np.clip(shares, 0, 1)).sum()) * BILLION),
            cells=_cells(higher, cells.rows),
        )

    features = {
        group: {name: counts(own) if name == column else own for name, own in columns.items()}
        for group, columns in day.features.items()
    }
    return replace(day, features=features, cube=_shifted(day.cube, grid, steps))


def _shifted(cube: Cube, grid: Grid, steps: int) -> Cube:
    """Return a cube with every score some cells higher; the last cell keeps what would leave."""
    shares = np.clip((_middles(grid, np.arange(-grid.half, grid.half)) - grid.centre) / grid.scale, 0, 1)

    def part(own: Ints) -> Ints:
        result = np.zeros_like(own)
        result[steps:] = own[: len(own) - steps]
        result[-1] += own[len(own) - steps :].sum(axis=0)
        result[:, :, SCORE] = np.rint(result[:, :, COUNT] * shares[:, None] * BILLION)
        return result

    return Cube({group: part(own) for group, own in cube.cells.items()})


def _lost_cells(cohorts: Mapping[date, Cohort], half: int, rng: np.random.Generator) -> tuple[Ints, float]:
    """Draw score cells that raise alerts, with about a third of the caught frauds; return them and their share."""
    caught = np.zeros(half, dtype=np.int64)
    for cohort in cohorts.values():
        if EVERYONE in cohort.labels.cells:
            caught += cohort.labels.cells[EVERYONE][half:, FRAUD, COUNT]
    order = rng.permutation(half)
    wanted = caught[order].cumsum() <= LOST_RECALL * caught.sum()
    cells = np.sort(order[wanted & (caught[order] > 0)]) + half
    return cells, float(caught[cells - half].sum() / max(1, caught.sum()))


def _missed(labels: Cube, cells: Ints) -> Cube:
    """Return labels with the frauds of some alerted cells as far below the threshold as they were above it."""

    def part(own: Ints) -> Ints:
        result = own.copy()
        mirrored = len(own) - 1 - cells
        result[mirrored, FRAUD] += own[cells, FRAUD]  # no cell stands twice
        result[cells, FRAUD] = 0
        return result

    return Cube({group: part(own) for group, own in labels.cells.items()})


def _with_missed(cube: Cube, labels: Cube, cells: Ints) -> Cube:
    """Return a scanned cube, all of it without labels, with the same frauds moved."""
    result: dict[Group, Ints] = {}
    for group, own in cube.cells.items():
        part = own.copy()
        if group in labels.cells:
            frauds = labels.cells[group][cells, FRAUD][:, [COUNT, PENCE, SCORE]]
            part[cells, OPEN] -= frauds
            part[len(own) - 1 - cells, OPEN] += frauds
        result[group] = part
    return Cube(result)
