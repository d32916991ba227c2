"""How often 95 % intervals contain the truth: ``python -m benchmarks.coverage`` prints the table of decision 015.

Banks of which everything is known are drawn a thousand times each with 5, 50 and 500 frauds on average, and each
figure's interval is asked whether it holds the figure of the bank itself. Counts come in steps, so at one true rate an
interval contains the truth more or less often than at the next, whatever its method (Brown, Cai & DasGupta, Statistical
Science 2001): what it can keep to is the average over rates, so there are several banks.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import lru_cache

import numpy as np

import catalogue
from monitors.performance import figures, thresholds
from monitors.stats import intervals
from monitors.stats.intervals import Estimate, Interval
from profiles.bins import Floats, Ints, score_grid
from profiles.profile import COUNT, FRAUD, LEGITIMATE, PENCE, SCORE

FRAUDS = (5, 50, 500)
DRAWS = 1000
"""Of each bank."""
HIGH = (0.003, 0.006, 0.012, 0.024)
"""Shares of payments with a high score, by bank: the more, the more of the fraud is caught."""
RATES = (0.4, 0.5, 0.6, 0.7)
"""True shares, by bank, where a share alone is drawn."""
RARE = (0.01, 0.02, 0.03, 0.04)
GRID = score_grid(0.0, 1.0, 0.5)
CELLS = 2 * GRID.half
AT_LEAST = ("share by group (exact)",)
"""Contains the truth in more than 97 % at few cases, for at every single rate it does in at least 95 %."""

Draw = Callable[[np.random.Generator, int, int], tuple[float, Estimate | Interval | None]]


@lru_cache(maxsize=16)
def _scores(shift: float, high: float) -> tuple[Floats, Floats, Floats]:
    """Return the shares of frauds and of legitimate payments by score cell, and the cells' scores.

    Of all payments a share scores ``high``, the others low; fraud is as likely as the score says, or, ``shift`` in
    logit units apart, more likely: about one payment in a hundred.
    """
    middle = np.clip([GRID.midpoint(cell) for cell in range(-GRID.half, GRID.half)], 1e-5, 1 - 1e-5)
    width = np.diff(np.clip([GRID.edge(cell) for cell in range(-GRID.half, GRID.half + 1)], 0, 1))
    below, above = 400 * (1 - middle) ** 399, 20 * middle**3 * (1 - middle)
    mass = ((1 - high) * below + high * above) * width
    true = 1 / (1 + np.exp(-np.log(middle / (1 - middle)) - shift))
    return mass * true, mass * (1 - true), middle


def part(rng: np.random.Generator, frauds: int, shift: float = 0.0, high: float = 0.012) -> Ints:
    """Return a drawn part of a score cube with about so many frauds; their amounts are log-normal (sigma 1)."""
    fraud, legitimate, middle = _scores(shift, high)
    scale = frauds / fraud.sum()
    drawn = np.zeros((CELLS, 4, 3), np.int64)
    drawn[:, FRAUD, COUNT] = rng.poisson(scale * fraud)
    drawn[:, LEGITIMATE, COUNT] = rng.poisson(scale * legitimate)
    bins = np.repeat(np.arange(CELLS), drawn[:, FRAUD, COUNT])
    np.add.at(drawn[:, FRAUD, PENCE], bins, np.rint(100 * rng.lognormal(4, 1, len(bins))).astype(np.int64))
    drawn[:, :, SCORE] = np.rint(drawn[:, :, COUNT] * middle[:, None] * thresholds.BILLION)
    return drawn


@lru_cache(maxsize=128)
def truth(metric: str, shift: float = 0.0, high: float = 0.012) -> float:
    """Return a metric of the bank itself."""
    fraud, legitimate, middle = _scores(shift, high)
    every = np.zeros((CELLS, 4, 3), np.int64)
    every[:, FRAUD, COUNT], every[:, LEGITIMATE, COUNT] = np.rint(1e9 * fraud), np.rint(1e9 * legitimate)
    every[:, FRAUD, PENCE] = every[:, FRAUD, COUNT]
    every[:, :, SCORE] = np.rint(every[:, :, COUNT] * middle[:, None] * thresholds.BILLION)
    if metric == "calibration_error":
        return 0.0 if not shift else _calibration(fraud, legitimate, middle)
    found = figures.compute_metric(metric, every, figures.count_confusion(every))
    assert found is not None
    return found.value


def _calibration(fraud: Floats, legitimate: Floats, middle: Floats) -> float:
    mass = fraud + legitimate
    bins = np.minimum(
        thresholds.CALIBRATION_BINS * (np.cumsum(mass) - mass / 2) / mass.sum(), thresholds.CALIBRATION_BINS - 1
    ).astype(np.int64)
    gap = np.bincount(bins, fraud - mass * middle, minlength=thresholds.CALIBRATION_BINS)
    return float(np.abs(gap).sum() / mass.sum())


def _metric(name: str, shift: float = 0.0) -> Draw:
    def draw(rng: np.random.Generator, frauds: int, bank: int) -> tuple[float, Estimate | None]:
        drawn = part(rng, frauds, shift, HIGH[bank])
        return truth(name, shift, HIGH[bank]), figures.compute_metric(name, drawn, figures.count_confusion(drawn))

    return draw


def _change(name: str) -> Draw:
    """Draw a week against a baseline of four times as many frauds; nothing changed."""

    def draw(rng: np.random.Generator, frauds: int, bank: int) -> tuple[float, Interval | None]:
        found = []
        for size in (frauds, 4 * frauds):
            drawn = part(rng, size, high=HIGH[bank])
            found.append(figures.compute_metric(name, drawn, figures.count_confusion(drawn)))
        now, before = found
        return 0.0, intervals.difference_interval(now, before) if now and before else None

    return draw


def _exact(rng: np.random.Generator, frauds: int, bank: int) -> tuple[float, Estimate]:
    n = max(1, int(rng.poisson(frauds)))
    return RATES[bank], intervals.share_estimate(int(rng.binomial(n, RATES[bank])), n, exact=True)


def _groups(shares: tuple[float, ...], times: float, *, ratio: bool) -> Draw:
    """Draw a group with about so many events, and a reference group four times as large with one of some shares."""

    def draw(rng: np.random.Generator, events: int, bank: int) -> tuple[float, Interval | None]:
        share = shares[bank]
        n, m = round(events / (share * times)), round(4 * events / (share * times))
        x, y = int(rng.binomial(n, share * times)), int(rng.binomial(m, share))
        if ratio:
            return times, intervals.ratio_interval(x, n, y, m)
        return share * (times - 1), intervals.newcombe_interval(x, n, y, m)

    return draw


def _money(rng: np.random.Generator, frauds: int, _: int) -> tuple[float, Estimate | None]:
    """Draw a week's fraud in GBP; a week without any has no figure, as in ``monitors.performance.decay``."""
    days = [rng.lognormal(4, 1, rng.poisson(frauds / 7)).sum() for _ in range(7)]
    return frauds / 7 * float(np.exp(4.5)), intervals.daily_mean_estimate(np.array(days)) if sum(days) else None


FIGURES: dict[str, Draw] = {
    **{name: _metric(name) for name in catalogue.labels_needed()},
    "calibration_error, miscalibrated": _metric("calibration_error", 0.7),
    **{f"change of {name}": _change(name) for name in ("roc_auc", "pr_auc", "value_detection_rate")},
    "share by group (exact)": _exact,
    "difference of shares, equal": _groups(RARE, 1.0, ratio=False),
    "difference of shares, doubled": _groups(RARE, 2.0, ratio=False),
    "ratio of shares, equal": _groups(RARE, 1.0, ratio=True),
    "ratio of shares, doubled": _groups(RARE, 2.0, ratio=True),
    "ratio of true-positive rates": _groups(RATES, 1.25, ratio=True),
    "fraud_gbp_per_day": _money,
}


def coverage(name: str, frauds: int, draws: int = DRAWS, seed: int = 15) -> float:
    """Return the share of draws whose interval contains the truth; those without a figure are left out."""
    rng = np.random.default_rng([seed, frauds, *name.encode()])
    held = []
    for i in range(draws * len(HIGH)):
        true, found = FIGURES[name](rng, frauds, i % len(HIGH))
        if found is not None:
            low, high = (found.low, found.high)
            held.append(low - 1e-9 <= true <= high + 1e-9)
    return float(np.mean(held))


def table(draws: int = DRAWS) -> Iterator[str]:
    """Yield the lines of the table, in Markdown."""
    yield f"| figure | {' | '.join(f'{frauds} frauds' for frauds in FRAUDS)} |"
    yield f"|---|{'---:|' * len(FRAUDS)}"
    for name in FIGURES:
        yield f"| {name} | {' | '.join(f'{100 * coverage(name, frauds, draws):.1f} %' for frauds in FRAUDS)} |"


if __name__ == "__main__":
    for line in table(int(sys.argv[1]) if len(sys.argv) > 1 else DRAWS):
        print(line, flush=True)
