"""How often 95 % intervals hold the truth: ``python -m benchmarks.nowcasts [simulations]`` prints a table.

Each simulation draws Poisson many frauds, 99 times as many legitimate payments, scores, log-normal amounts and label
delays, and asks whether the interval holds the value that the model would have on endless payments. The delay curve is
learnt anew in each, from 90 cohorts of the same size.
"""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from scipy import special

from monitors.performance import figures, nowcast
from monitors.performance.maturity import LabelDelayCurve, learn_delay_curve
from monitors.stats import intervals
from monitors.stats.intervals import Estimate
from profiles.bins import Floats, Ints, score_grid
from profiles.profile import COUNT, FRAUD, LEGITIMATE, MISSED, OPEN, PENCE, SCORE, Cohort

FRAUDS = (5, 50, 500)
RARITY = 99
"""Legitimate payments for each fraud."""
START, COHORTS, HORIZON_DAYS = date(2026, 1, 1), 90, 120
AGES_DAYS = (5, 10, 20)
GRID = score_grid(0.0, 1.0, 0.5)
FRAUD_SCORE, LEGITIMATE_SCORE = (2.0, 1.0), (1.0, 8.0)
"""Beta distributions of scores."""
AMOUNT_SPREAD = 1.0
"""Standard deviation of the logarithm of an amount."""
METRICS = ("recall", "precision", "false_positive_rate", "alert_rate", "roc_auc", "pr_auc", "value_detection_rate",
           "recall_at_false_positive_rate", "false_positive_ratio", "brier_score")  # fmt: skip


@dataclass(frozen=True)
class Drawn:
    """Payments with their outcome, score, amount in pence, and the day on which a fraud is known."""

    fraud: Ints
    score: Floats
    pence: Floats
    known_after_days: Ints


def draw(rng: np.random.Generator, frauds: int, *, with_legitimate: bool = True) -> Drawn:
    """Draw a cohort."""
    m, n = rng.poisson(frauds), rng.poisson(RARITY * frauds) if with_legitimate else 0
    score = np.r_[rng.beta(*FRAUD_SCORE, m), rng.beta(*LEGITIMATE_SCORE, n)]
    late = np.ceil(rng.lognormal(math.log(9), 0.66, m + n))
    delay = np.where(score >= 0.5, rng.integers(0, 6, m + n), late).astype(np.int64)
    pence = np.rint(100 * rng.lognormal(4, AMOUNT_SPREAD, m + n))
    return Drawn(np.repeat([1, 0], [m, n]), score, pence, delay)


def part_of(drawn: Drawn, age_days: int = HORIZON_DAYS) -> Ints:
    """Return the cube's array of a cohort at an age; what has no label yet is open until the horizon."""
    known = (drawn.fraud == 1) & (drawn.known_after_days <= age_days)
    state = np.where(known, FRAUD, LEGITIMATE if age_days >= HORIZON_DAYS else OPEN)
    part = np.zeros((2 * GRID.half, 4, 3), np.int64)
    at = GRID.bin_of(drawn.score) + GRID.half, state
    for what, sums in ((COUNT, np.ones(len(state))), (PENCE, drawn.pence), (SCORE, np.rint(1e9 * drawn.score))):
        np.add.at(part[:, :, what], at, sums.astype(np.int64))
    return part


def truths() -> dict[str, float]:
    """Return what each metric is on endless payments."""
    caught, false_alarm = (float(special.betaincc(*of, 0.5)) for of in (FRAUD_SCORE, LEGITIMATE_SCORE))
    raised = (caught + RARITY * false_alarm) / (1 + RARITY)
    strict = float(special.betaincinv(*LEGITIMATE_SCORE, 1 - 0.01))
    many = draw(np.random.default_rng(1), 40_000)
    part, counts = part_of(many), figures.count_confusion(part_of(many))
    found = {metric: figures.compute_metric(metric, part, counts) for metric in ("roc_auc", "pr_auc", "brier_score")}
    precision = caught / (caught + RARITY * false_alarm)
    return {
        "recall": caught,
        "precision": precision,
        "false_positive_rate": false_alarm,
        "alert_rate": raised,
        "value_detection_rate": caught,
        "recall_at_false_positive_rate": float(special.betaincc(*FRAUD_SCORE, strict)),
        "false_positive_ratio": (1 - precision) / precision,
    } | {metric: one.value for metric, one in found.items() if one is not None}


def history(rng: np.random.Generator, frauds: int) -> tuple[LabelDelayCurve, float]:
    """Return the delay curve of 90 cohorts, and the spread of the amounts of their frauds."""
    cohorts, amounts = {}, [0.0]
    for age_days in range(COHORTS):
        drawn = draw(rng, frauds, with_legitimate=False)
        known = drawn.known_after_days <= age_days
        missed = known & (drawn.score < 0.5)
        amounts += drawn.pence[known].tolist()
        delays, late = (dict(Counter(drawn.known_after_days[at].tolist())) for at in (known, missed))
        cohorts[START + timedelta(days=COHORTS - 1 - age_days)] = Cohort(delays=delays, delays_by_group={MISSED: late})
    spread = len(amounts) * float(np.square(amounts).sum()) / sum(amounts) ** 2
    return learn_delay_curve(cohorts, START + timedelta(days=COHORTS - 1), HORIZON_DAYS), spread


def simulated(rng: np.random.Generator, frauds: int) -> Iterator[tuple[str, str, Estimate | None]]:
    """Yield the estimates of one simulation: of a mature cohort, and of one at each age."""
    drawn = draw(rng, frauds)
    part = part_of(drawn)
    for metric in METRICS:
        yield metric, "mature", figures.compute_metric(metric, part, figures.count_confusion(part))
    curve, spread = history(rng, frauds)
    for age_days in AGES_DAYS:
        young = part_of(drawn, age_days)
        for metric in ("recall", "precision", "value_detection_rate"):
            yield metric, f"{age_days} days old", nowcast.nowcast_metric(metric, young, curve, age_days, spread)


def measure(simulations: int) -> dict[tuple[str, str, int], tuple[float, int]]:
    """Return, by metric, age and frauds, the share of intervals that hold the truth, and how many there were."""
    truth, held = truths(), dict[tuple[str, str, int], list[bool]]()
    for frauds in FRAUDS:
        rng = np.random.default_rng([frauds, 2026])
        for _ in range(simulations):
            for metric, age, found in simulated(rng, frauds):
                if found is not None:
                    holds = found.low <= truth[metric] <= found.high
                    held.setdefault((metric, age, frauds), []).append(holds)
    return {key: (sum(holds) / len(holds), len(holds)) for key, holds in held.items()}


def main() -> None:
    """Print the table: per cent of the intervals that hold the truth."""
    simulations = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    found = measure(simulations)
    print(f"Per cent of {simulations:,} intervals that hold the truth, by frauds in the cohort (aim: 93 to 97)\n")
    print("| metric | cohort | " + " | ".join(f"{frauds} frauds" for frauds in FRAUDS) + " |")
    print("|---|---|" + "---:|" * len(FRAUDS))
    for metric, age in dict.fromkeys(key[:2] for key in found):
        shares = [found.get((metric, age, frauds), (math.nan, 0))[0] for frauds in FRAUDS]
        print(f"| {metric} | {age} | " + " | ".join(f"{100 * share:.1f}" for share in shares) + " |")


if __name__ == "__main__":
    assert intervals.ALPHA == 0.05
    main()
