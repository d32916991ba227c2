"""How figures, days and names from data are put into sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date

from ledger.records.measurements import Measurement

MAX_NAME_CHARACTERS = 80
"""Longer names and values are cut, so that one value can't drown a message."""

METRIC_WORDS = {
    "false_positive_rate": "false-positive rate",
    "true_positive_rate": "true-positive rate",
    "calibration_gap": "mean score less fraud share",
    "psi": "PSI",
    "jensen_shannon": "Jensen-Shannon distance",
    "wasserstein": "Wasserstein distance",
    "ks": "KS statistic",
    "null_share": "null share",
    "nonfinite_share": "non-finite share",
    "unseen_share": "share of unseen levels",
    "top_score_share": "share of scores in the top 1 %",
    "top_score_psi": "PSI within the top 1 % of scores",
    "correlation_shift": "largest change of a correlation",
    "reconstruction_error": "PCA reconstruction error against the baseline's",
    "frechet_distance": "Frechet distance",
    "scale_ratio": "typical value against the baseline's",
    "repeated_share": "share of columns that repeat an earlier day",
    "repeated_column": "likeness to an earlier day",
    "constant_share": "share of the most frequent value",
    "swapped_column": "likeness to another column",
    "spike_share": "excess of one value",
    "cluster_share": "new cluster of values",
    "scaled_share": "share in another unit",
    "renamed_share": "share under new names",
    "slow_drift": "slow drift",
    "recall_at_false_positive_rate": "recall at a fixed false-positive rate",
    "false_positive_ratio": "false alarms for each fraud caught",
    "brier_score": "Brier score",
    "card_precision": "precision of the top cards",
    "pr_auc": "PR-AUC",
    "roc_auc": "ROC-AUC",
    "value_detection_rate": "value detected",
}
"""Metrics whose name in words isn't their key with spaces."""


def metric_words(metric: str) -> str:
    """Return a metric's name as people say it; an expectation keeps its Great Expectations name."""
    return METRIC_WORDS.get(metric, metric if metric.startswith("expect_") else metric.replace("_", " "))


def quote_name(name: str) -> str:
    """Return a name or value from data between backticks, on one line, cut, with no backtick of its own."""
    flat = "".join(c if c.isprintable() else " " for c in name).replace("`", "'").strip()
    return f"`{flat if len(flat) <= MAX_NAME_CHARACTERS else flat[: MAX_NAME_CHARACTERS - 1] + '…'}`"


def format_percent(share: float) -> str:
    """Return a share in whole per cent, with three digits where it is small or nearly all: ``31 %``, ``0.312 %``."""
    return f"{100 * share:.0f} %" if 0.0995 <= share < 0.99 else f"{100 * share:.3g} %"


def format_pounds(amount_gbp: float) -> str:
    """Return pounds to two or three digits, as in ``GBP 812``, ``GBP 4.1k``, ``GBP 41k``, ``GBP 1.2m``."""
    sign, size = ("-" if amount_gbp < 0 else ""), abs(amount_gbp)
    for unit, letter in ((1e6, "m"), (1e3, "k")):
        if round(size, -1) >= unit:
            return f"GBP {sign}{size / unit:.{1 if size < 9.95 * unit else 0}f}{letter}"
    return f"GBP {sign}{size:.0f}"


def format_day(day: date) -> str:
    """Return a day as people say it, as in ``Tue 3 Mar``."""
    return f"{day:%a} {day.day} {day:%b}"


def pluralise(count: int, thing: str) -> str:
    """Return a count and its thing, as in ``1 day`` or ``3 days``."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def join_items(items: Sequence[str], most: int = 4) -> str:
    """Return items as a list in a sentence, as in ``a, b and 3 more``."""
    if len(items) > most:
        return f"{', '.join(items[:most])} and {len(items) - most} more"
    return " and ".join([", ".join(items[:-1]), items[-1]]) if len(items) > 1 else "".join(items)


def format_factor(ratio: float) -> str:
    """Return a scale error as a power of ten (``100 times too large``), or as it is where it isn't near one."""
    size = ratio if ratio >= 1 else 1 / ratio
    power = round(math.log10(size))
    near = power >= 1 and abs(math.log10(size) - power) <= 0.15
    return f"{10**power if near else round(size, 1):,} times too {'large' if ratio >= 1 else 'small'}"


def describe_figure(m: Measurement) -> str:
    """Return which figure a measurement is, as in ``PSI of `amount_gbp` in `channel=app```."""
    estimated = "estimated " if m.monitor == "estimate" else ""
    of = f" of {quote_name(m.feature)}" if m.feature else ""
    within = f" in {quote_name(m.slice)}" if m.slice else ""
    name = estimated + metric_words(m.metric)
    return f"{name if m.monitor == 'check' else name[:1].upper() + name[1:]}{of}{within}"
