"""What a model's figures are expected to be by its scores alone: calibrated on cohorts whose labels are known.

Confidence-based performance estimation (as NannyML's CBPE, here over score bins): a payment in score bin c is fraud
with chance p(c), so n payments there hold n p(c) frauds, and every figure follows from those counts. p is the isotonic
regression of the mature cohorts' fraud rates on their bins, so the score needs no calibration of its own.

Isotonic steps flatter a ranking on the days they were learnt from (the area becomes that of the convex hull). Each
figure is therefore moved by what it is off there: expected now + (true on mature days - expected on mature days), the
difference estimator of survey sampling.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import special

from catalogue.metrics.performance import FALSE_POSITIVE_RATE, PR_AUC, PRECISION, RECALL, ROC_AUC, VALUE_DETECTION_RATE
from monitors.stats.intervals import Estimate, compound_poisson_variance, wilson
from profiles.bins import Floats, Ints
from profiles.profile import COUNT, FRAUD, LEGITIMATE, OPEN, PENCE

BOOTSTRAP_REPLICATES = 200
SUPPORT_ROWS = 30
"""Beyond the outermost this many mature payments, at either end of the score, nothing is known of its fraud."""
MISFIT_BINS = 10


class PaymentSums(NamedTuple):
    """Payments by score bin (last axis, ascending), in counts and in pence: the frauds among them, and all."""

    frauds: Floats
    cases: Floats
    fraud_pence: Floats
    pence: Floats

    def resample(self, weights: Floats) -> PaymentSums:
        """Return the sums of days (first axis), each taken as often as its weight says.

        Args:
            weights: times each day is taken: (days), or (samples, days) for many at once.
        Returns:
            Sums: (score bins), or (samples, score bins).
        """
        return PaymentSums(*(weights @ own for own in self))


def labelled_payments(parts: Ints) -> PaymentSums:
    """Return the labelled payments of cube parts.

    Args:
        parts: (..., score bins, states, sums).
    Returns:
        Frauds among the labelled payments: (..., score bins).
    """
    frauds, cases = parts[..., FRAUD, :], parts[..., FRAUD, :] + parts[..., LEGITIMATE, :]
    return PaymentSums(*(own[..., what].astype(np.float64) for what in (COUNT, PENCE) for own in (frauds, cases)))


def unblocked_payments(part: Ints) -> PaymentSums:
    """Return the payments of a cube part that have or may get a label; none of them is said to be fraud.

    Args:
        part: (score bins, states, sums).
    Returns:
        Payments with 0 frauds: (score bins).
    """
    every = part[:, [OPEN, FRAUD, LEGITIMATE]].sum(axis=1).astype(np.float64)
    nothing = np.zeros(len(every))
    return PaymentSums(nothing, every[:, COUNT], nothing, every[:, PENCE])


def isotonic_shares(events: Floats, cases: Floats) -> Floats:
    """Return the share of events by bin that never falls with the score; bins without cases are interpolated.

    Args:
        events: cases with the event: (bins).
        cases: (bins), at least one above 0.
    Returns:
        Shares, 0 to 1: (bins).
    Raises:
        ValueError: where there are no cases.
    Source:
        pool adjacent violators, as ``sklearn.isotonic.IsotonicRegression``.
    Example:
        >>> isotonic_shares(np.array([1.0, 0.0, 9.0]), np.array([10.0, 10.0, 10.0])).tolist()
        [0.05, 0.05, 0.9]
    """
    from scipy.optimize import isotonic_regression  # noqa: PLC0415  takes half a second to import

    at = np.flatnonzero(cases)
    fit = isotonic_regression(events[at] / cases[at], weights=cases[at]).x
    return np.asarray(np.interp(np.arange(len(cases)), at, np.clip(fit, 0.0, 1.0)))


def learn_fraud_rates(learnt: PaymentSums) -> tuple[Floats, Floats]:
    """Return the fraud rate by score bin, of payments and of money.

    Money has a calibration of its own, for frauds are larger or smaller than other payments of the same score.

    Args:
        learnt: labelled payments: (score bins).
    Returns:
        The chance that a payment is fraud, and the share of pence that is: (score bins) each.
    Source:
        ``isotonic_shares``.
    """
    of_pence = isotonic_shares(learnt.fraud_pence, learnt.pence) if learnt.pence.any() else np.zeros_like(learnt.pence)
    return isotonic_shares(learnt.frauds, learnt.cases), of_pence


def expect_frauds(chance: tuple[Floats, Floats], cases: Floats, pence: Floats) -> PaymentSums:
    """Return payments with the frauds that are to be expected among them.

    Args:
        chance: the two rates of ``learn_fraud_rates``.
        cases: payments: (score bins).
        pence: their amount: (score bins).
    Returns:
        Payments with expected frauds, in counts and pence: (score bins).
    Source:
        confidence-based performance estimation; see the module.
    """
    return PaymentSums(cases * chance[0], cases, pence * chance[1], pence)


def compute_metrics(of: PaymentSums) -> dict[str, Floats]:
    """Return each estimated metric of counted or expected frauds; payments in one bin are tied.

    Args:
        of: payments: (..., score bins), the threshold in the middle.
    Returns:
        By metric its values, of the shape in front of the score bins; nan where undefined.
    Source:
        the definitions of ``figures`` and ``ranking``, for counts that need not be whole.
    """
    half = of.frauds.shape[-1] // 2
    frauds, legitimate = of.frauds, of.cases - of.frauds
    raised, caught = of.cases[..., half:].sum(-1), frauds[..., half:].sum(-1)
    all_frauds, all_legitimate = frauds.sum(-1), legitimate.sum(-1)
    below = np.cumsum(legitimate, -1) - legitimate / 2
    hits, alerts = (np.cumsum(own[..., ::-1], -1) for own in (frauds, of.cases))
    precisions = np.divide(hits, alerts, out=np.zeros_like(hits), where=alerts > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            RECALL: caught / all_frauds,
            PRECISION: caught / raised,
            FALSE_POSITIVE_RATE: legitimate[..., half:].sum(-1) / all_legitimate,
            ROC_AUC: (frauds * below).sum(-1) / (all_frauds * all_legitimate),
            PR_AUC: (frauds[..., ::-1] * precisions).sum(-1) / all_frauds,
            VALUE_DETECTION_RATE: of.fraud_pence[..., half:].sum(-1) / of.fraud_pence.sum(-1),
        }


def estimate_metrics(days: PaymentSums, now: PaymentSums, seed: int = 0) -> dict[str, Estimate]:
    """Return each metric that recent payments will turn out to have.

    The 95 % interval is for the figure that labels will show, so it holds both errors: of the calibration (days are
    drawn with replacement and everything is learnt again) and of which payments turn out to be fraud (a
    Poisson-binomial draw; amounts as a compound Poisson sum). It is Wilson's, of as many cases as have that error.

    Args:
        days: labelled payments of mature days: (days, score bins).
        now: the payments to estimate, see ``unblocked_payments``: (score bins).
        seed: of the random draws.
    Returns:
        Estimates by metric; n is the number of frauds expected. Undefined metrics are left out, all without a mature
        fraud.
    Source:
        difference estimator of survey sampling; bootstrap over days; see the module.
    """
    rng = np.random.default_rng(seed)
    count = len(days.frauds)
    weights = rng.multinomial(count, np.full(count, 1 / count), BOOTSTRAP_REPLICATES).astype(np.float64)
    learnt = [own for own in (days.resample(each) for each in (np.ones(count), *weights)) if own.frauds.any()]
    if not learnt:
        return {}
    chance = [learn_fraud_rates(own) for own in learnt]
    hoped = [expect_frauds(own, now.cases, now.pence) for own in chance]
    n, spread = round(float(hoped[0].frauds.sum())), _second_moments(days)
    came = [hoped[0], *(_draw_frauds(own, spread, rng) for own in hoped[1:])]
    fitted = [expect_frauds(of, own.cases, own.pence) for of, own in zip(chance, learnt, strict=True)]
    at, true, seen = (
        compute_metrics(PaymentSums(*map(np.stack, zip(*own, strict=True)))) for own in (came, learnt, fitted)
    )
    found = {}
    for metric, estimated in at.items():
        value, *replicates = estimated + true[metric] - seen[metric]
        finite = np.array(replicates)[np.isfinite(replicates)]
        if np.isfinite(value) and len(finite) > 1:
            centre, error = min(1.0, max(0.0, float(value))), float(finite.std(ddof=1))
            cases = centre * (1 - centre) / error**2 if 0 < centre < 1 and error > 0 else max(1, n)
            found[metric] = Estimate(centre, *wilson(centre * cases, cases), n, error)
    return found


def calibration_misfit(older: PaymentSums, newer: PaymentSums) -> tuple[float, float]:
    """Return how far newer days are from what older ones lead to expect, in ten bins of equal expected fraud.

    Args:
        older: labelled payments to calibrate on, with a fraud: (score bins).
        newer: labelled payments to compare with: (score bins).
    Returns:
        The frauds too many or too few, as a share of all expected, and the p-value of that much by chance.
    Source:
        chi-square test, its variance widened by the error of the older side.
    """
    hoped = expect_frauds(learn_fraud_rates(older), newer.cases, newer.pence).frauds
    total = float(hoped.sum())
    if total <= 0:
        return (0.0, 1.0) if not newer.frauds.any() else (1.0, 0.0)
    misfit_bins = np.minimum(MISFIT_BINS * (np.cumsum(hoped) - hoped / 2) / total, MISFIT_BINS - 1).astype(np.int64)
    due, came = (np.bincount(misfit_bins, own, minlength=MISFIT_BINS) for own in (hoped, newer.frauds))
    filled = due > 0
    square = float(((came - due)[filled] ** 2 / due[filled]).sum()) / (1 + total / older.frauds.sum())
    return float(np.abs(came - due).sum()) / total, float(special.chdtrc(int(filled.sum()), square))


def shares_outside_support(learnt: PaymentSums, now: PaymentSums) -> tuple[float, float]:
    """Return the share of payments, and of alerts, whose score lies beyond what mature payments had.

    Args:
        learnt: labelled payments of mature days: (score bins).
        now: the payments to estimate: (score bins).
    Returns:
        Two shares, 0 to 1; 0 without payments or alerts.
    """
    up, down = np.cumsum(learnt.cases), np.cumsum(learnt.cases[::-1])[::-1]
    beyond = now.cases * ((up < SUPPORT_ROWS) | (down < SUPPORT_ROWS))
    half = len(beyond) // 2
    every, raised = now.cases.sum(), now.cases[half:].sum()
    return (float(beyond.sum() / every) if every else 0.0), (float(beyond[half:].sum() / raised) if raised else 0.0)


def _draw_frauds(hoped: PaymentSums, spread: tuple[float, float], rng: np.random.Generator) -> PaymentSums:
    """Return payments with frauds drawn where they are expected, and their amounts."""
    chance = np.divide(hoped.frauds, hoped.cases, out=np.zeros_like(hoped.cases), where=hoped.cases > 0)
    frauds = rng.binomial(hoped.cases.astype(np.int64), np.minimum(chance, 1.0)).astype(np.float64)
    half, fraud_pence = len(frauds) // 2, hoped.fraud_pence.copy()
    for side, square in ((slice(half), spread[0]), (slice(half, None), spread[1])):
        mean, variance = fraud_pence[side].sum(), hoped.frauds[side].sum() * square
        if mean > 0 and variance > 0:
            fraud_pence[side] *= rng.gamma(mean**2 / variance, variance / mean) / mean
    return PaymentSums(frauds, hoped.cases, fraud_pence, hoped.pence)


def _second_moments(days: PaymentSums) -> tuple[float, float]:
    """Return the mean square of a fraud's pence below and above the threshold, from the variation between units."""
    half = days.frauds.shape[-1] // 2
    found = []
    for side in (slice(half), slice(half, None)):
        frauds = days.frauds[:, side].ravel()
        found.append(compound_poisson_variance(frauds, days.fraud_pence[:, side].ravel()) / max(1.0, frauds.sum()))
    return found[0], found[1]
