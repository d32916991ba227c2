"""A made-up ledger: two months of a fraud model's measurements, incidents, decisions and messages, by seed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import numpy as np

from ledger.records.measurements import Measurement, Verdict
from ledger.records.messages import Message
from ledger.records.retraining import Decision, RetrainingOutcome
from ledger.records.runs import Run
from ledger.store import Ledger
from models.spec import Spec
from tests.reports.charts.profiled import CATEGORIES, profiled
from tests.reports.incidents import decayed, flooded, gap

LAST = date(2026, 4, 30)
BASELINE = [date(2026, 2, day) for day in range(1, 15)]
FEATURES = {
    "amount_gbp": 0.22,
    "device_age_days": 0.18,
    "merchant_category": 0.15,
    "hour_of_day": 0.1,
    "payee_age_days": 0.09,
    "channel": 0.08,
    "payments_24h": 0.06,
    "amount_30d_mean": 0.05,
    "country_match": 0.04,
    "balance_share": 0.03,
}
BANDS = ("18-29", "30-59", "60+")
EXPECTATIONS = ("expect_column_values_to_not_be_null", "expect_column_values_to_be_between")
MATURE_DAYS = 14


def spec(model: str = "card_payments", **changes: object) -> Spec:
    """Return a model file like the demonstration's."""
    content: dict[str, object] = {
        "model": model,
        "title": {"card_payments": "Card payments, real-time score"}.get(model),
        "owner": "payments-fraud",
        "tier": 1,
        "features": {
            "table": f"{model}/features",
            "arrives_by": "06:00",
            "columns": {
                name: {"kind": "category" if name in CATEGORIES else "number", "importance": weight}
                for name, weight in FEATURES.items()
            },
        },
        "score": {"threshold": 0.85, "amount": "amount_gbp", "action": "action", "blocked": ["block"]},
        "labels": {"table": f"{model}/labels"},
        "slices": ["channel"],
        "protected": {"age_band": {"reference": "30-59"}, "sex": {"reference": "M"}},
        "baseline": {"from": date(2026, 1, 1), "to": date(2026, 2, 28)},
        "checks": [{"expect_column_values_to_be_unique": {"column": "payment_id"}}],
    }
    return Spec.model_validate(content | changes)


def fill(
    ledger: Ledger, model: Spec, days: int = 60, last: date = LAST, seed: int = 7, *, acknowledged: bool = True
) -> None:
    """Store ``days`` watched days up to ``last``: a null flood in the last four, a missing day, a decay.

    Somebody takes on each incident on the day it fires, unless nobody has ``acknowledged``.
    """
    rng = np.random.default_rng([seed, len(model.model)])
    span = [last - timedelta(days=i) for i in reversed(range(days))]
    flood, missing = span[-min(4, days)], span[-min(24, days)]
    for day in span:
        if day == missing and days > 24:
            found = [
                Measurement(
                    model.model,
                    day,
                    day,
                    "arrival",
                    "row_count",
                    value=0,
                    n=0,
                    limit=9_000,
                    verdict=Verdict.MISSING,
                    reason="no partition",
                )
            ]
        else:
            found = [*_arrival(model, day, rng), *_drift(model, day, day >= flood, rng), *_decay(model, day, rng)]
            found += _fairness(model, day, rng)
        _save(ledger, model, day, found)
        recent = [each for each in span if day - timedelta(days=16) <= each <= day]
        ledger.save_measurements(
            model.model,
            day,
            ("performance",),
            [*(m for each in recent for m in cohort(model, each, day, last)), *delays(model, day)],
        )
        ledger.save_measurements(model.model, day, ("nowcast", "estimate"), list(_foretold(model, day)))
        rows = 0 if day == missing and days > 24 else 19_204
        ledger.save_run(Run(model.model, day, f"{day:%Y%m%d}T0520-{rows}", rows, live=True, steps={}))
        _conclude(ledger, model, day, flood, acknowledged)
    profiled(ledger, model, [*BASELINE, *(day for day in span if day != missing or days <= 24)], flood, seed)
    ledger.save_decision(
        Decision(model.model, last, "refused", "", ("the data is broken: `device_age_days` is 31 % empty",))
    )


def delays(model: Spec, as_of: date) -> Iterator[Measurement]:
    """Yield the label-delay curve as of a day."""
    for age in (0, 1, 2, 3, 5, 7, 10, 14, 21, 28):
        for group, days in (("", 5), ("alert=raised", 3), ("alert=none", 8)):
            value = 1 - float(np.exp(-age / days))
            yield Measurement(
                model.model, as_of - timedelta(days=age), as_of, "performance", "label_delay", "", group, value,
                max(0, value - 0.03), min(1, value + 0.03), 900,
            )  # fmt: skip


def _save(ledger: Ledger, model: Spec, day: date, found: list[Measurement]) -> None:
    monitors = ("arrival", "schema", "check", "drift", "score", "decay", "fairness")
    ledger.save_measurements(model.model, day, monitors, found)


def _arrival(model: Spec, day: date, rng: np.random.Generator) -> Iterator[Measurement]:
    base = Measurement(model.model, day, day, "arrival", "row_count", n=19_204)
    yield replace(
        base, value=19_204 + float(rng.integers(-900, 900)), low=11_000, high=29_000, reason="usual for a Thursday"
    )
    yield replace(base, metric="arrival_delay_minutes", value=-38.0, limit=0, reason="arrived at 05:22, due at 06:00")
    yield replace(base, metric="duplicate_share", value=0.0, limit=0.001)
    for feature in FEATURES:
        for expectation in EXPECTATIONS:
            yield replace(
                base, monitor="check", metric=expectation, feature=feature, value=0.0, reason="0 of 19,204 rows fail"
            )


def _drift(model: Spec, day: date, flooded: bool, rng: np.random.Generator) -> Iterator[Measurement]:
    for feature in FEATURES:
        for group in ("", "channel=app", "channel=web", "channel=pos", "channel=moto"):
            bad = flooded and feature == "device_age_days"
            psi = float(rng.gamma(2, 0.008)) + (0.34 if bad else 0)
            nulls = float(rng.gamma(2, 0.001)) + (0.31 if bad else 0)
            for metric, value in (("psi", psi), ("null_share", nulls), ("ks", psi / 2), ("wasserstein", psi / 3)):
                limit = 0.02 if metric == "null_share" else 0.1
                if group and metric not in ("psi", "null_share"):
                    continue
                yield Measurement(
                    model.model,
                    day,
                    day,
                    "drift",
                    metric,
                    feature,
                    group,
                    value,
                    value * 0.85,
                    value * 1.2,
                    19_204,
                    limit,
                    Verdict.BREACH if value > limit else Verdict.OK,
                    f"{100 * value:.3g} % null; baseline 0.4 % of 1,133,000 rows in 59 days; limit 2 %",
                )
    for metric in ("psi", "ks", "jensen_shannon"):
        value = float(rng.gamma(2, 0.006)) + (0.05 if flooded else 0)
        yield Measurement(
            model.model, day, day, "score", metric, "score", "", value, value * 0.8, value * 1.3, 19_204, 0.1
        )


def _decay(model: Spec, day: date, rng: np.random.Generator) -> Iterator[Measurement]:
    figures = {
        "recall": 0.81,
        "precision": 0.32,
        "value_detection_rate": 0.84,
        "false_positive_rate": 0.011,
        "alert_rate": 0.018,
        "roc_auc": 0.953,
        "pr_auc": 0.61,
        "calibration_error": 0.0016,
    }
    for metric, middle in figures.items():
        value = middle * (1 + float(rng.normal(0, 0.01)))
        yield Measurement(
            model.model,
            day,
            day,
            "decay",
            metric,
            "",
            "",
            value,
            value * 0.95,
            value * 1.05,
            812,
            middle * 0.9,
            Verdict.OK,
            f"Now {value:.3g}, in the baseline {middle:.3g}.",
        )
    yield Measurement(model.model, day, day, "decay", "mature_until", value=MATURE_DAYS, n=MATURE_DAYS)
    yield Measurement(model.model, day, day, "decay", "mature_frauds", value=6_204, n=6_204)


def cohort(model: Spec, day: date, as_of: date, last: date) -> Iterator[Measurement]:
    """Yield a cohort day's figures as of a day: provisional until it is 14 days old."""
    rng = np.random.default_rng([day.toordinal(), (as_of - day).days])
    immature = (as_of - day).days < MATURE_DAYS
    for metric, middle in (
        ("recall", 0.81),
        ("precision", 0.32),
        ("value_detection_rate", 0.84),
        ("false_positive_rate", 0.011),
        ("alert_rate", 0.018),
    ):
        value = middle * (1 + float(rng.normal(0, 0.04)))
        waits = immature and metric != "alert_rate"
        hidden = waits and metric in ("precision", "false_positive_rate")
        figures = (None, None, None) if hidden else (value, value * 0.9, min(1.0, value * 1.09))
        yield Measurement(
            model.model,
            day,
            as_of,
            "performance",
            metric,
            value=figures[0],
            low=figures[1],
            high=figures[2],
            n=0 if hidden else 118,
            verdict=Verdict.IMMATURE if waits else Verdict.OK,
            reason="About 62% of its fraud is known." if waits else "",
        )


def _foretold(model: Spec, as_of: date) -> Iterator[Measurement]:
    """Yield what the newest week is estimated to be, and what each immature cohort day will come to."""
    for metric, middle in (("recall", 0.8), ("precision", 0.31), ("value_detection_rate", 0.83)):
        base = Measurement(
            model.model, as_of, as_of, "estimate", metric, "", "", middle, middle * 0.95, middle * 1.04, 400,
            verdict=Verdict.IMMATURE, reason="Estimated from scores.",
        )  # fmt: skip
        yield base
        for age in range(MATURE_DAYS):
            yield replace(base, day=as_of - timedelta(days=age), monitor="nowcast", value=middle * 0.98)


def _fairness(model: Spec, day: date, rng: np.random.Generator) -> Iterator[Measurement]:
    groups = [f"age_band={band}" for band in BANDS] + ["sex=F", "sex=M", "sex=(null)"]
    rates = {"selection_rate": 0.018, "true_positive_rate": 0.81, "false_positive_rate": 0.011, "precision": 0.32}
    for metric, middle in rates.items():
        for group in groups:
            small = group == "sex=(null)"
            unfair = group == "age_band=60+" and metric == "false_positive_rate" and day >= date(2026, 4, 10)
            value = None if small else middle * (2.6 if unfair else 1) * (1 + float(rng.normal(0, 0.03)))
            low, high = (None, None) if value is None else (value * 0.85, value * 1.15)
            verdict = Verdict.INSUFFICIENT if small else Verdict.OK
            base = Measurement(
                model.model,
                day,
                day,
                "fairness",
                metric,
                "",
                group,
                value,
                low,
                high,
                0 if small else 4_100,
                None,
                verdict,
                "91 payments, 200 needed" if small else "",
            )
            yield base
            if value is not None and group not in ("age_band=30-59", "sex=M"):
                ratio = value / middle
                yield replace(
                    base,
                    metric=f"{metric}_ratio",
                    value=ratio,
                    low=ratio * 0.8,
                    high=ratio * 1.2,
                    limit=1.25,
                    verdict=Verdict.BREACH if unfair else Verdict.OK,
                )
                yield replace(
                    base, metric=f"{metric}_difference", value=value - middle, low=-0.002, high=0.02, limit=0.1
                )


def _conclude(ledger: Ledger, model: Spec, day: date, flood: date, acknowledged: bool) -> None:
    found = [i for i in (flooded(model, day, flood), gap(model, day), decayed(model, day)) if i is not None]
    ledger.save_incidents(model.model, day, found)
    for incident in found:
        kind = "opened" if incident.fired == day else "resolved" if incident.resolved == day else ""
        if kind:
            ledger.enqueue(Message(incident.id, day, kind, "#fraud-models", incident.summary, []))
            message = next(m for m in ledger.messages(incident.id) if (m.day, m.kind) == (day, kind))
            if kind == "opened":
                ledger.record_attempt(message, sent_at=datetime.combine(day, time(6, 4), UTC), error="")
            if kind == "opened" and acknowledged:
                at = datetime.combine(day, time(6, 30), UTC)
                of = {"model": model.model, "incident": incident.id}
                ledger.append_event(at, "fired", "it held long enough", **of)
                done = ledger.append_event(at, "acknowledged", "looking at the feed", actor="on-call", **of)
                ledger.enqueue(Message(incident.id, day, f"handled {done.number}", "#fraud-models", "Acknowledged", []))


def retrain(ledger: Ledger, model: Spec, day: date = date(2026, 4, 27)) -> None:
    """Store a request for retraining because of the decay, and its outcome."""
    incident = f"{model.model}-performance_decay-2026-04-14"
    decision = Decision(
        model.model,
        day,
        "requested",
        incident,
        ("recall fell by 0.13", "812 mature frauds, 200 needed"),
        date(2026, 3, 1),
        date(2026, 4, 3),
        date(2026, 4, 13),
    )
    ledger.save_decision(decision)
    figure = {"champion": 0.512, "challenger": 0.634, "difference": 0.122, "low": 0.081, "high": 0.162, "n": 200.0}
    ledger.save_retraining_outcome(
        RetrainingOutcome(
            decision.request,
            model.model,
            day,
            "promoted",
            ("precision-recall AUC 0.512 -> 0.634",),
            date(2026, 3, 1),
            date(2026, 4, 3),
            date(2026, 4, 4),
            date(2026, 4, 13),
            "v7",
            "challenger-2026-04-27",
            {"pr_auc": figure, "recall": figure, "false_positive_rate_ratio age_band=60+": figure},
        )
    )
