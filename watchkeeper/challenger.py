"""The reference challenger: gradient-boosted trees on the model's own features, and its comparison with the champion.

A real bank has its own training pipeline; this one shows what such a pipeline must prove before it promotes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.spec import Spec

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
RESAMPLES = 100
LEAST_FAIR_RATIO = 1.25
"""A challenger whose worst false-positive-rate ratio is above this must not be less fair than the champion."""


@dataclass(frozen=True)
class Judgement:
    """Whether the challenger is better, why, and each figure: champion, challenger, difference with interval, n."""

    better: bool
    reasons: tuple[str, ...]
    figures: dict[str, dict[str, float]]


def fit(spec: Spec, rows: pd.DataFrame, seed: int) -> Any:
    """Return a fitted scikit-learn pipeline; ``rows`` has the features and the boolean column ``label``."""
    from sklearn.compose import ColumnTransformer  # noqa: PLC0415  scikit-learn is only needed to train
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415
    from sklearn.model_selection import StratifiedKFold  # noqa: PLC0415
    from sklearn.pipeline import Pipeline  # noqa: PLC0415
    from sklearn.preprocessing import OrdinalEncoder, TargetEncoder  # noqa: PLC0415

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
    return Pipeline([("encode", encode), ("trees", trees)]).fit(_inputs(spec, rows), rows["label"].to_numpy(bool))


def scores(spec: Spec, model: Any, rows: pd.DataFrame) -> Floats:
    """Return the challenger's probability of fraud for each row."""
    result: Floats = model.predict_proba(_inputs(spec, rows))[:, 1]
    return result


def judge(spec: Spec, rows: pd.DataFrame, challenger: Floats, seed: int) -> Judgement:
    """Compare champion and challenger on the same payments, at the champion's number of alerts.

    ``rows`` has the champion's score, the amount, the protected columns and ``label``. Each difference
    (challenger - champion) has a 95 % interval by the paired bootstrap over payments (Efron and Tibshirani 1993,
    chapter 13; Poisson weights). Better means: precision-recall AUC surely higher, money caught not surely lower,
    and no group's false-positive rate further from the reference's than the champion's, or than 1.25.
    """
    sides = {"champion": rows[spec.score.column].to_numpy(float), "challenger": challenger}
    label = rows["label"].to_numpy(bool)
    amount = (
        rows[spec.score.amount].fillna(0).clip(lower=0).to_numpy(float) if spec.score.amount else np.ones(len(rows))
    )
    alerts = _same_number_of_alerts(sides, spec.score.threshold)
    weights = np.random.default_rng(seed).poisson(1.0, (RESAMPLES, len(rows))).astype(float)
    figures = {
        name: _compared(metric, sides, alerts, weights)
        for name, metric in _metrics(label, amount, _groups(spec, rows)).items()
    }
    return _verdict(figures, int(label.sum()))


def _verdict(figures: dict[str, dict[str, float]], frauds: int) -> Judgement:
    auc, value = figures["pr_auc"], figures["value_detection_rate"]
    unfair = [
        name
        for name, figure in figures.items()
        if name.startswith("false_positive_rate_ratio")
        and _distance(figure["challenger"]) > max(_distance(figure["champion"]), LEAST_FAIR_RATIO)
    ]
    failures = []
    if not auc["low"] > 0:
        failures.append(f"precision-recall AUC is not surely higher ({_told(auc)})")
    if value["high"] < 0:
        failures.append(f"less of the money at risk is caught ({_told(value)})")
    failures += [f"less fair than the champion: {name} is {figures[name]['challenger']:.2f}" for name in unfair]
    reasons = failures or [
        f"precision-recall AUC {_told(auc)} on {frauds:,} frauds of unseen days",
        f"share of fraud value caught at the same number of alerts {_told(value)}",
        "no group's false-positive rate moved away from the reference group's",
    ]
    return Judgement(not failures, tuple(reasons), figures)


def _told(figure: Mapping[str, float]) -> str:
    return (
        f"{figure['champion']:.3f} -> {figure['challenger']:.3f}, "
        f"difference {figure['difference']:+.3f} ({figure['low']:+.3f} to {figure['high']:+.3f})"
    )


def _distance(ratio: float) -> float:
    """Return how far a ratio is from 1, either way; a group without a figure says nothing."""
    return 1.0 if not np.isfinite(ratio) or ratio <= 0 else max(ratio, 1 / ratio)


Figure = Callable[[Floats], float]
"""Weight of each payment -> figure of one side."""
Metric = Callable[[Floats, Flags], Figure]
"""(score, alerted) of one side -> its figure."""


def _metrics(label: Flags, amount: Floats, groups: Mapping[str, tuple[Flags, Flags]]) -> dict[str, Metric]:
    def ratio(group: Flags, reference: Flags) -> Metric:
        def metric(_: Floats, alerted: Flags) -> Figure:
            return lambda w: _ratio(_share(alerted, group & ~label, w), _share(alerted, reference & ~label, w))

        return metric

    metrics: dict[str, Metric] = {
        "pr_auc": lambda score, _: average_precision(score, label),
        "recall": lambda _, alerted: lambda w: _share(alerted, label, w),
        "false_positive_rate": lambda _, alerted: lambda w: _share(alerted, ~label, w),
        "value_detection_rate": lambda _, alerted: lambda w: _share(alerted, label, w * amount),
    }
    ratios = {f"false_positive_rate_ratio {name}": ratio(*pair) for name, pair in groups.items()}
    return {**metrics, **ratios}


def average_precision(score: Floats, label: Flags) -> Figure:
    """Return average precision as a function of weights: sum of precision x step in recall over distinct scores.

    As scikit-learn's ``average_precision_score``, but sorted once for all resamples.
    """
    order = np.argsort(-score, kind="stable")
    last_of_tie = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)
    fraud = label[order]

    def figure(weight: Floats) -> float:
        mine = weight[order]
        alerts, caught = np.cumsum(mine)[last_of_tie], np.cumsum(mine * fraud)[last_of_tie]
        if not caught[-1]:
            return float("nan")
        precision = np.divide(caught, alerts, out=np.zeros_like(caught), where=alerts > 0)
        return float(np.sum(np.diff(caught, prepend=0.0) * precision) / caught[-1])

    return figure


def _share(part: Flags, of: Flags, weight: Floats) -> float:
    return _ratio(float(weight[part & of].sum()), float(weight[of].sum()))


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")


def _compared(
    metric: Metric, sides: Mapping[str, Floats], alerts: Mapping[str, Flags], weights: Floats
) -> dict[str, float]:
    champion, challenger = (metric(sides[side], alerts[side]) for side in ("champion", "challenger"))
    ones = np.ones(weights.shape[1])
    now, new = champion(ones), challenger(ones)
    low, high = np.nanquantile([challenger(weight) - champion(weight) for weight in weights], [0.025, 0.975])
    return {
        "champion": now,
        "challenger": new,
        "difference": new - now,
        "low": float(low),
        "high": float(high),
        "n": float(weights.shape[1]),
    }


def _same_number_of_alerts(sides: Mapping[str, Floats], threshold: float | None) -> dict[str, Flags]:
    """Let both raise the champion's number of alerts, as investigators can look at no more; ties by row order."""
    champion = sides["champion"]
    alerted = champion >= (np.quantile(champion, 0.99) if threshold is None else threshold)
    top = np.argsort(-sides["challenger"], kind="stable")[: int(alerted.sum())]
    chosen = np.zeros(len(champion), dtype=bool)
    chosen[top] = True
    return {"champion": alerted, "challenger": chosen}


def _groups(spec: Spec, rows: pd.DataFrame) -> dict[str, tuple[Flags, Flags]]:
    """Return, for each large enough protected group, its rows and the reference group's rows."""
    groups: dict[str, tuple[Flags, Flags]] = {}
    for column, protected in spec.protected.items():
        values = rows[column].astype("string")
        reference = (values == protected.reference).fillna(value=False).to_numpy(bool)
        for value in sorted(set(values.dropna()) - {protected.reference}):
            group = (values == value).fillna(value=False).to_numpy(bool)
            if group.sum() >= protected.min_rows:
                groups[f"{column}={value}"] = (group, reference)
    return groups


def _inputs(spec: Spec, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the feature columns: numbers finite or missing, categories as text with nulls as a level."""
    columns = {}
    for name, column in spec.features.columns.items():
        if column.kind == "number":
            columns[name] = pd.to_numeric(rows[name], errors="coerce").astype(float).replace([np.inf, -np.inf], np.nan)
        else:
            columns[name] = rows[name].astype("string").fillna("(null)").astype(object)
    return pd.DataFrame(columns)
