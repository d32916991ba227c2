"""The miniature bank's model of app scams, with four traps among its columns and days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from benchmarks.incidents.source import BASELINE_DAYS, FEATURES, LABELS, Source, Targets
from models.spec import AfterDays, Baseline, Column, Features, Labels, Protected, Score, Spec
from simulator.batch import BANK_OPENED, Batch, Incident, draw_batch
from simulator.columns import Choice, Number, zipf_choice
from simulator.recipes import APP_SCAMS, Recipe

MODEL = "app_scams"
WINDOW_DAYS = 90
WINDOW_BEGAN_DAYS = 15
"""The window feature's history begins so many days before the baseline, so it fills until long after it."""
RARE_LEVELS = 5_000
LABEL_DAYS = 10
DECEMBER = 0.35
"""By how much December's volume exceeds November's."""

RECIPE = replace(
    APP_SCAMS,
    columns=MappingProxyType(
        {
            **APP_SCAMS.columns,
            "channel": Choice(("app", "web", "phone", "branch"), (0.6, 0.25, 0.1, 0.05), (0.9, 1.5, 0.8, 0.3)),
            "is_weekend": Choice((False, True), (0.7, 0.3)),
            "payments_window_90d": Number(25, 0.5, decimals=1),
            "merchant": zipf_choice("M", RARE_LEVELS, tilt=0.0, seed=14, exponent=0.8),
        }
    ),
)
PROTECTED = ("age_band", "sex")
WATCHED = MappingProxyType(
    {
        name: "number" if isinstance(column, Number) or name == "hour" else "category"
        for name, column in RECIPE.columns.items()
        if name not in PROTECTED
    }
)


def _purchase_scams(batch: Batch) -> NDArray[np.bool_]:
    """Tell the payments whose reason is goods or investment: near half of all frauds."""
    reasons = batch.levels["payment_reason"]
    codes = [reasons.index(level) for level in ("goods", "investment")]
    return np.isin(batch.columns["payment_reason"], codes)


TARGETS = Targets(
    nullable=("session_minutes", "balance_share", "beneficiary_age_days", "amount_to_median_ratio", "account_age_days"),
    unit=("amount_gbp", "account_age_days", "session_minutes", "balance_share", "amount_to_median_ratio"),
    stale=("amount_gbp", "session_minutes", "balance_share", "account_age_days", "amount_to_median_ratio"),
    constant=("session_minutes", "account_age_days", "amount_to_median_ratio", "logins_7d", "balance_share"),
    renamed=("channel", "payment_reason"),
    extended=("payment_reason", "channel"),
    shifted=("session_minutes", "account_age_days", "balance_share", "amount_to_median_ratio", "amount_gbp"),
    swapped=(
        ("session_minutes", "amount_to_median_ratio"),
        ("logins_7d", "payments_24h"),
        ("account_age_days", "beneficiary_age_days"),
    ),
    slice=("channel", "phone"),
    fraud_type=_purchase_scams,
)


def source(rows: int, seed: int) -> Source:
    """Return the bank's days under a seed; seeds begin on different days of the year, so that some see December."""
    start = BANK_OPENED + timedelta(days=9 * (seed % 40))

    def drawn(day: date, incidents: Sequence[Incident]) -> Batch:
        always = Incident("traps", MODEL, BANK_OPENED, None, "people", lambda batch, _: _set_traps(batch, start))
        return draw_batch(_recipe(rows, day), day, seed, [always, *incidents])

    return Source("bank", rows, seed, start, MODEL, TARGETS, LABEL_DAYS, WATCHED, spec(start), drawn)


def spec(start: date) -> Spec:
    """Return a model file without checks: what is found is found by the monitors at their defaults."""
    return Spec(
        model=MODEL,
        features=Features(
            table=FEATURES,
            id="payment_id",
            time="event_time",
            columns={
                name: Column(kind=kind)  # type: ignore[arg-type]  # one of the two
                for name, kind in WATCHED.items()
            },
        ),
        score=Score(
            threshold=RECIPE.threshold, amount="amount_gbp", version="model_version", action="action", blocked=["block"]
        ),
        labels=Labels(table=LABELS, negative=AfterDays(after_days=12), horizon_days=45),
        slices=["channel"],
        protected={"age_band": Protected(reference="30-59"), "sex": Protected(reference="M")},
        baseline=Baseline(start=start, end=start + timedelta(days=BASELINE_DAYS - 1)),
    )


def december(day: date) -> float:
    """Return how many times the usual payments there are: more from late November on, fewer after Christmas."""
    if day.month == 11:
        return 1 + DECEMBER * max(0, day.day - 23) / 7
    if day.month != 12:
        return 1.0
    return 1 + DECEMBER if day.day <= 24 else 0.9


def _recipe(rows: int, day: date) -> Recipe:
    return replace(RECIPE, rows_a_day=round(rows * december(day)))


def _set_traps(batch: Batch, start: date) -> None:
    """Set what is the same for a whole day, and what a window that began lately has counted so far."""
    batch.columns["is_weekend"] = np.full(len(batch.fraud), int(batch.day.weekday() >= 5), np.int32)
    filled = min(1.0, ((batch.day - start).days + WINDOW_BEGAN_DAYS) / WINDOW_DAYS)
    batch.columns["payments_window_90d"] = np.round(batch.columns["payments_window_90d"] * filled, 1)
