"""The reference challenger: gradient-boosted trees on the model's own features, and its comparison with the champion.

A real bank has its own training pipeline; this one shows what such a pipeline must prove before it promotes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy import special

from models.spec import JOINT_SEPARATOR, Spec

if TYPE_CHECKING:
    import pandas as pd

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
RESAMPLES = 400
MIN_DAYS = 5
"""Fewer days don't show by how much days differ."""
MIN_FRAUDS = 30
"""Smaller groups' recalls are not compared."""
CALIBRATION_BINS = 10
FAIR_RATIO = 1.25
"""A challenger whose worst false-positive-rate ratio is above this must not be less fair than the champion."""


@dataclass(frozen=True)
class Judgement:
    """Whether the challenger is better, why, and each figure: champion, challenger, difference with interval, n."""

    better: bool
    reasons: tuple[str, ...]
    figures: dict[str, dict[str, float]]


def fit_challenger(spec: Spec, rows: pd.DataFrame, seed: int) -> Any:
    """Return a fitted scikit-learn pipeline; ``rows`` has the features and the boolean column ``label``."""
    from sklearn.compose import ColumnTransformer  # noqa: PLC0415  scikit-learn is only needed to train
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415
    from sklearn.model_selection import StratifiedKFold  # noqa: PLC0415
    from sklearn.pipeline import Pipeline  # noqa: PLC0415
    from sklearn.preprocessing import OrdinalEncoder, TargetEncoder  # noqa: PLC0415
    from threadpoolctl import threadpool_limits  # noqa: PLC0415

    numbers = [name for name, column in spec.features.columns.items() if column.kind == "number"]
    categories = [name for name, column in spec.features.columns.items() if column.kind == "category"]
    small = [name for name in categories if rows[name].nunique() <= 50]
    large = [name for name in categories if name not in small]
    encode = ColumnTransformer(
        [
            ("numbers", "passthrough", numbers),
            ("small", OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), small),
            (
                "large",
                TargetEncoder(target_type="binary", cv=StratifiedKFold(5, shuffle=True, random_state=seed)),
                large,
            ),
        ]
    )
    trees = HistGradientBoostingClassifier(max_iter=150, learning_rate=0.08, l2_regularization=1.0, random_state=seed)
    with threadpool_limits(1):  # the trees' threads spin while they wait, which costs more than it saves beside others
        return Pipeline([("encode", encode), ("trees", trees)]).fit(
            _feature_inputs(spec, rows), rows["label"].to_numpy(bool)
        )


def score_with_challenger(spec: Spec, model: Any, rows: pd.DataFrame) -> Floats:
    """Return the challenger's probability of fraud for each row."""
    from threadpoolctl import threadpool_limits  # noqa: PLC0415

    with threadpool_limits(1):
        result: Floats = model.predict_proba(_feature_inputs(spec, rows))[:, 1]
    return result


def compare_with_champion(spec: Spec, rows: pd.DataFrame, challenger: Floats, seed: int) -> Judgement:
    """Compare champion and challenger on the same payments, at the champion's number of alerts.

    ``rows`` has the day, the champion's score, the amount, the protected columns and ``label``. Each difference
    (challenger - champion) has a 95 % interval by the paired bootstrap over days, for payments of a day are alike
    (Efron and Tibshirani 1993, chapter 13; with few days Student's t in place of the percentiles, as in Cameron,
    Gelbach and Miller 2008). Better means: precision-recall AUC surely higher; value caught, false-positive rate and
    calibration not surely worse; no group's false-positive rate further from the reference's than the champion's,
    or than 1.25; and no group's frauds surely less often caught, beside the reference's, than before.
    """
    sides = {"champion": rows[spec.score.column].to_numpy(float), "challenger": challenger}
    label = rows["label"].to_numpy(bool)
    amount = (
        rows[spec.score.amount].fillna(0).clip(lower=0).to_numpy(float) if spec.score.amount else np.ones(len(rows))
    )
    days, day = np.unique(rows[spec.features.day].astype(str).to_numpy(), return_inverse=True)
    alerts = _same_number_of_alerts(sides, spec.score.threshold)
    times = np.random.default_rng(seed).multinomial(len(days), np.full(len(days), 1 / len(days)), RESAMPLES)
    figures = {
        name: _compare_sides(metric, sides, alerts, times.astype(float))
        for name, metric in _comparison_metrics(spec, label, amount, day, _protected_groups(spec, rows)).items()
    }
    return _judgement_from(figures, int(label.sum()), len(days))


def _judgement_from(figures: dict[str, dict[str, float]], frauds: int, days: int) -> Judgement:
    auc, value = figures["pr_auc"], figures["value_detection_rate"]
    rate, gap = figures["false_positive_rate"], figures.get("calibration_error")
    failures = []
    if days < MIN_DAYS:
        failures.append(f"only {days} days to judge on; at least {MIN_DAYS} are wanted")
    if not auc["low"] > 0:
        failures.append(f"precision-recall AUC is not surely higher ({_describe_difference(auc)})")
    if value["high"] < 0:
        failures.append(f"less of the money at risk is caught ({_describe_difference(value)})")
    if rate["low"] > 0:
        failures.append(f"more legitimate payments raise an alert ({_describe_difference(rate)})")
    if gap is not None and gap["low"] > 0:
        failures.append(f"scores are further from the share of fraud ({_describe_difference(gap)})")
    failures += [
        f"less fair than the champion: {name} {_describe_difference(figure)}"
        for name, figure in _unfair_ratios(figures)
    ]
    reasons = failures or [
        f"precision-recall AUC {_describe_difference(auc)} on {frauds:,} frauds of {days} unseen days",
        f"share of fraud value caught at the same number of alerts {_describe_difference(value)}",
        "no group's false-positive rate moved away from the reference group's",
    ]
    return Judgement(not failures, tuple(reasons), figures)


def _unfair_ratios(figures: Mapping[str, dict[str, float]]) -> Iterator[tuple[str, dict[str, float]]]:
    for name, figure in figures.items():
        metric = name.partition(" ")[0]
        champion, challenger = _distance_from_one(figure["champion"]), _distance_from_one(figure["challenger"])
        if metric == "false_positive_rate_ratio" and challenger > max(champion, FAIR_RATIO):
            yield name, figure
        if metric == "recall_ratio" and figure["challenger"] < 1 / FAIR_RATIO and figure["high"] < 0:
            yield name, figure


def _describe_difference(figure: Mapping[str, float]) -> str:
    return (
        f"{figure['champion']:.3f} -> {figure['challenger']:.3f}, "
        f"difference {figure['difference']:+.3f} ({figure['low']:+.3f} to {figure['high']:+.3f})"
    )


def _distance_from_one(ratio: float) -> float:
    """Return how far a ratio is from 1, either way; a group without a figure says nothing."""
    return 1.0 if not np.isfinite(ratio) or ratio <= 0 else max(ratio, 1 / ratio)


Statistic = Callable[[Floats], float]
"""How many times each day is counted -> figure of one side."""
Metric = Callable[[Floats, Flags], Statistic]
"""(score, alerted) of one side -> its figure."""


def _comparison_metrics(
    spec: Spec, label: Flags, amount: Floats, day: Ints, groups: Mapping[str, tuple[Flags, Flags]]
) -> dict[str, Metric]:
    def share(of: Flags, weight: Floats | None = None) -> Metric:
        return lambda _, alerted: _weighted_share(day, alerted & of, of, weight)

    def ratio(of: Flags, group: Flags, reference: Flags) -> Metric:
        def metric(_: Floats, alerted: Flags) -> Statistic:
            mine, theirs = (_weighted_share(day, alerted & of & part, of & part) for part in (group, reference))
            return lambda times: _ratio(mine(times), theirs(times))

        return metric

    metrics: dict[str, Metric] = {
        "pr_auc": lambda score, _: average_precision(day, score, label),
        "recall": share(label),
        "false_positive_rate": share(~label),
        "value_detection_rate": share(label, amount),
    }
    if spec.score.range == (0.0, 1.0):  # otherwise the score is no probability
        metrics["calibration_error"] = lambda score, _: _calibration_error(day, score, label)
        metrics["brier_score"] = lambda score, _: _weighted_share(day, (score - label) ** 2, np.ones(len(day)))
    for name, pair in groups.items():
        metrics[f"false_positive_rate_ratio {name}"] = ratio(~label, *pair)
        if min((label & part).sum() for part in pair) >= MIN_FRAUDS:
            metrics[f"recall_ratio {name}"] = ratio(label, *pair)
    return metrics


def average_precision(day: Ints, score: Floats, label: Flags) -> Statistic:
    """Return average precision as a function of how many times each day counts.

    As scikit-learn's ``average_precision_score``: the sum of precision x step in recall over distinct scores. Recall
    steps only at scores of frauds, so for each day it is enough to count the payments at or above each of those.
    """
    cuts = np.unique(score[label])
    reached = np.searchsorted(cuts, score, side="right")
    shape = (int(day.max()) + 1, len(cuts) + 1)
    flat_index = day * shape[1] + reached
    alerts, caught = (
        np.bincount(flat_index[of], minlength=shape[0] * shape[1]).reshape(shape)[:, :0:-1].cumsum(axis=1).astype(float)
        for of in (np.ones(len(label), bool), label)
    )

    def figure(times: Floats) -> float:
        raised, found = times @ alerts, times @ caught
        if not len(found) or not found[-1]:
            return float("nan")
        precision = np.divide(found, raised, out=np.zeros_like(found), where=raised > 0)
        return float(np.sum(np.diff(found, prepend=0.0) * precision) / found[-1])

    return figure


def _weighted_share(day: Ints, part: Floats | Flags, of: Floats | Flags, weight: Floats | None = None) -> Statistic:
    """Return the share of ``of`` that is ``part``, both by payment, from their sums by day."""
    above, below = (np.bincount(day, each if weight is None else each * weight) for each in (part, of))
    return lambda times: _ratio(float(times @ above), float(times @ below))


def _calibration_error(day: Ints, score: Floats, label: Flags) -> Statistic:
    """Return the mean gap of score and fraud share over ten bins of equal mass (expected calibration error)."""
    order = np.argsort(score, kind="stable")
    bins = np.empty(len(score), dtype=np.int64)
    bins[order] = np.arange(len(score)) * CALIBRATION_BINS // len(score)
    shape = (int(day.max()) + 1, CALIBRATION_BINS)
    gaps, rows = (
        np.bincount(day * CALIBRATION_BINS + bins, each, shape[0] * CALIBRATION_BINS).reshape(shape)
        for each in (score - label, np.ones(len(day)))
    )
    return lambda times: _ratio(float(np.abs(times @ gaps).sum()), float((times @ rows).sum()))


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")


def _compare_sides(
    metric: Metric, sides: Mapping[str, Floats], alerts: Mapping[str, Flags], times: Floats
) -> dict[str, float]:
    champion, challenger = (metric(sides[side], alerts[side]) for side in ("champion", "challenger"))
    days = times.shape[1]
    once = np.ones(days)
    now, new = champion(once), challenger(once)
    half = math.nan
    drawn = np.array([challenger(each) - champion(each) for each in times])
    if days > 1 and np.isfinite(drawn).sum() > 1:
        # The bootstrap's variance is that of n days with divisor n; Student's t is for n - 1.
        error = float(np.nanstd(drawn)) * math.sqrt(days / (days - 1))
        half = float(special.stdtrit(days - 1, 0.975)) * error
    return {
        "champion": now,
        "challenger": new,
        "difference": new - now,
        "low": new - now - half,
        "high": new - now + half,
        "n": float(len(sides["champion"])),
    }


def _same_number_of_alerts(sides: Mapping[str, Floats], threshold: float | None) -> dict[str, Flags]:
    """Let both raise the champion's number of alerts, as investigators can look at no more; ties by row order."""
    champion = sides["champion"]
    alerted = champion >= (np.quantile(champion, 0.99) if threshold is None else threshold)
    top = np.argsort(-sides["challenger"], kind="stable")[: int(alerted.sum())]
    chosen = np.zeros(len(champion), dtype=bool)
    chosen[top] = True
    return {"champion": alerted, "challenger": chosen}


def _protected_groups(spec: Spec, rows: pd.DataFrame) -> dict[str, tuple[Flags, Flags]]:
    """Return, for each large enough protected group or joint group, its rows and the reference group's rows."""
    groups: dict[str, tuple[Flags, Flags]] = {}
    for column, protected in spec.compared.items():
        parts = [rows[name].astype("string") for name in spec.pairs.get(column, (column,))]
        values = parts[0] if len(parts) == 1 else parts[0] + JOINT_SEPARATOR + parts[1]
        reference = (values == protected.reference).fillna(value=False).to_numpy(bool)
        for value in sorted(set(values.dropna()) - {protected.reference}):
            group = (values == value).fillna(value=False).to_numpy(bool)
            if group.sum() >= protected.min_rows:
                groups[f"{column}={value}"] = (group, reference)
    return groups


def _feature_inputs(spec: Spec, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the feature columns: numbers finite or missing, categories as text with nulls as a level."""
    import pandas as pd  # noqa: PLC0415  takes as long as all the other imports of the command line

    columns = {}
    for name, column in spec.features.columns.items():
        if column.kind == "number":
            columns[name] = pd.to_numeric(rows[name], errors="coerce").astype(float).replace([np.inf, -np.inf], np.nan)
        else:
            columns[name] = rows[name].astype("string").fillna("(null)").astype(object)
    return pd.DataFrame(columns)
