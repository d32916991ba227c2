"""Payments of the Fraud Detection Handbook's simulator (April to June 2018), which nobody here wrote.

A day is drawn, with replacement, from the payments of one real day: so each keeps its weekday, its windows that are
still filling, and what sets it apart from other days, and any number of rows can be had. After the last real day its
last four weeks come round again. Seeds begin in another week of April, and draw other rows. The score is a logistic
regression's, fitted on other rows of April and May; faults in a column reach it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.incidents.source import BASELINE_DAYS, FEATURES, LABELS, Source, Targets
from models.errors import WatchkeeperError
from models.spec import AfterDays, Baseline, Column, Features, Labels, Score, Spec
from simulator.batch import STAGES, Batch, Incident, random_stream
from simulator.columns import Choice, Codes, Floats, Level, Number
from simulator.recipes import Recipe

MODEL, FILE, PLACE = "handbook_cards", "handbook_features_2018-04_to_2018-06.parquet", "WATCHKEEPER_REFERENCE_DATA"
FIRST, DAYS, AGAIN_DAYS = date(2018, 4, 1), 91, 28
BESIDE = Path(__file__).parents[3] / "shared" / "data"
TERMINALS, REGIONS = 10_000, 10
LABEL_DAYS = 10
SCENARIO = "_scenario"
"""Which of the handbook's kinds of fraud a row is; the bank's table doesn't have it."""
SCENARIO_DECAYING = 2

NUMBERS = {
    "amount_gbp": "TX_AMOUNT",
    **{f"customer_payments_{n}d": f"CUSTOMER_ID_NB_TX_{n}DAY_WINDOW" for n in (1, 7, 30)},
    **{f"customer_mean_gbp_{n}d": f"CUSTOMER_ID_AVG_AMOUNT_{n}DAY_WINDOW" for n in (1, 7, 30)},
    **{f"terminal_payments_{n}d": f"TERMINAL_ID_NB_TX_{n}DAY_WINDOW" for n in (1, 7, 30)},
    **{f"terminal_risk_{n}d": f"TERMINAL_ID_RISK_{n}DAY_WINDOW" for n in (1, 7, 30)},
}
FLAGS = {"is_weekend": "TX_DURING_WEEKEND", "is_night": "TX_DURING_NIGHT"}


def _even(levels: Sequence[Level]) -> Choice:
    return Choice(tuple(levels), (1.0,) * len(levels))


RECIPE = Recipe(
    model=MODEL,
    rows_a_day=0,
    fraud_share=0.008,
    hidden_share=0,
    threshold=0.05,
    block_at=0.98,
    version="handbook-lr",
    id="payment_id",
    claim="chargeback",
    claim_median_days=4,
    claim_spread=0.7,
    columns=MappingProxyType(
        {
            **{name: Number(1, 1, whole="payments" in name, decimals=4 if "risk" in name else 2) for name in NUMBERS},
            **{name: _even((False, True)) for name in FLAGS},
            "hour": _even(range(24)),
            "region": _even([f"r{n}" for n in range(REGIONS)]),
            "terminal": _even([f"T{n:05d}" for n in range(TERMINALS)]),
        }
    ),
)
WATCHED = MappingProxyType(
    {name: "number" if name in NUMBERS or name == "hour" else "category" for name in RECIPE.columns}
)
SHIFTED = ("customer_mean_gbp_7d", "amount_gbp", "customer_mean_gbp_1d", "customer_mean_gbp_30d")
TARGETS = Targets(
    nullable=("customer_mean_gbp_7d", "terminal_risk_7d", "customer_payments_7d", "amount_gbp", "terminal_payments_7d"),
    unit=("amount_gbp", "customer_mean_gbp_1d", "customer_mean_gbp_7d", "customer_mean_gbp_30d"),
    stale=("customer_mean_gbp_7d", "amount_gbp", "customer_payments_7d", "customer_mean_gbp_1d"),
    constant=("customer_payments_7d", "customer_mean_gbp_30d", "terminal_payments_7d", "customer_mean_gbp_1d"),
    renamed=("region",),
    extended=("region",),
    shifted=SHIFTED,
    swapped=(
        ("customer_payments_7d", "terminal_payments_7d"),
        ("customer_mean_gbp_1d", "customer_mean_gbp_30d"),
        ("amount_gbp", "customer_mean_gbp_7d"),
    ),
    slice=("region", "r3"),
    fraud_type=lambda batch: batch.columns[SCENARIO] == SCENARIO_DECAYING,
)


@dataclass(frozen=True)
class _Payments:
    """All payments by column, where each real day begins in them, and the score's weights."""

    columns: dict[str, Floats | Codes]
    fraud: NDArray[np.bool_]
    seconds: NDArray[np.int64]
    begins: NDArray[np.int64]
    middle: Floats
    spread: Floats
    weights: Floats
    base: float


def source(rows: int, seed: int) -> Source:
    """Return the handbook's days under a seed; raise WatchkeeperError where the file isn't there."""
    payments = _payments()
    skipped = 7 * (seed % 3)
    start = FIRST + timedelta(days=skipped)

    def drawn(day: date, incidents: Sequence[Incident]) -> Batch:
        batch = _ordinary(payments, rows, seed, day)
        live = [incident for incident in incidents if incident.active(MODEL, day)]
        for stage in STAGES:
            if stage == "score":
                batch.score = _score(payments, batch)
            for incident in live:
                if incident.stage == stage:
                    incident.apply(batch, random_stream(seed, MODEL, day, incident.kind))
        return batch

    return Source("handbook", rows, seed, start, MODEL, TARGETS, LABEL_DAYS, WATCHED, spec(start), drawn)


def spec(start: date) -> Spec:
    """Return a model file without checks, as for the miniature bank."""
    return Spec(
        model=MODEL,
        features=Features(
            table=FEATURES,
            time="event_time",
            columns={name: Column(kind=kind) for name, kind in WATCHED.items()},  # type: ignore[arg-type]  # see bank
        ),
        score=Score(
            threshold=RECIPE.threshold, amount="amount_gbp", version="model_version", action="action", blocked=["block"]
        ),
        labels=Labels(table=LABELS, negative=AfterDays(after_days=12), horizon_days=45),
        slices=["region"],
        baseline=Baseline(start=start, end=start + timedelta(days=BASELINE_DAYS - 1)),
    )


def real_day(day: date) -> int:
    """Return the number of the real day, from 0, whose payments a day is drawn from; it has the same weekday."""
    number = (day - FIRST).days
    again = DAYS - AGAIN_DAYS
    return number if number < DAYS else again + (number - again) % AGAIN_DAYS


def place() -> Path:
    """Return where the file is; raise WatchkeeperError where it isn't."""
    path = Path(os.environ.get(PLACE, BESIDE)) / FILE
    if not path.exists():
        raise WatchkeeperError(
            f"{PLACE} must name a folder that holds {FILE}; without it, ask for --sets bank large-bank"
        )
    return path


@cache
def _payments() -> _Payments:
    frame = pd.read_parquet(place()).sort_values("TX_DATETIME", kind="stable")
    columns: dict[str, Floats | Codes] = {
        name: frame[column].to_numpy(np.float64).round(4) for name, column in NUMBERS.items()
    }
    columns |= {name: frame[column].to_numpy(np.int32) for name, column in FLAGS.items()}
    columns["hour"] = frame["TX_DATETIME"].dt.hour.to_numpy(np.int32)
    columns["terminal"] = (frame["TERMINAL_ID"] % TERMINALS).to_numpy(np.int32)
    columns["region"] = np.asarray(columns["terminal"] % REGIONS, np.int32)
    columns[SCENARIO] = frame["TX_FRAUD_SCENARIO"].to_numpy(np.int32)
    numbers = ((frame["TX_DATETIME"] - pd.Timestamp(FIRST)) // pd.Timedelta(days=1)).to_numpy()
    seconds = (frame["TX_DATETIME"].dt.minute * 60 + frame["TX_DATETIME"].dt.second).to_numpy(np.int64)
    fraud = frame["TX_FRAUD"].to_numpy() == 1
    begins = np.searchsorted(numbers, np.arange(DAYS + 1)).astype(np.int64)
    return _Payments(columns, fraud, seconds, begins, *_fit(columns, fraud, begins))


def _inputs(columns: dict[str, Floats | Codes]) -> Floats:
    return np.stack([np.asarray(columns[name], np.float64) for name in (*NUMBERS, *FLAGS)], axis=1)


def _fit(
    columns: dict[str, Floats | Codes], fraud: NDArray[np.bool_], begins: NDArray[np.int64]
) -> tuple[Floats, Floats, Floats, float]:
    """Return the means and spreads of the inputs and the weights and base of the score, from every third payment."""
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415  only the handbook's days need it

    rows = np.arange(begins[8], begins[BASELINE_DAYS], 3)
    inputs = _inputs(columns)[rows]
    middle, spread = inputs.mean(axis=0), inputs.std(axis=0)
    fitted = LogisticRegression(max_iter=500).fit((inputs - middle) / spread, fraud[rows])
    return middle, spread, fitted.coef_[0], float(fitted.intercept_[0])


def _score(payments: _Payments, batch: Batch) -> Floats:
    """Return the probability of fraud; what is null counts as average."""
    inputs = np.nan_to_num((_inputs(batch.columns) - payments.middle) / payments.spread)
    return np.asarray(np.round(1 / (1 + np.exp(-np.clip(inputs @ payments.weights + payments.base, -30, 30))), 7))


def _ordinary(payments: _Payments, rows: int, seed: int, day: date) -> Batch:
    number = real_day(day)
    first, end = payments.begins[number], payments.begins[number + 1]
    usual = len(payments.fraud) / DAYS
    rng = random_stream(seed, MODEL, day, "rows")
    drawn = rng.integers(first, end, round(rows * (end - first) / usual))
    return Batch(
        recipe=replace(RECIPE, rows_a_day=rows),
        day=day,
        fraud=payments.fraud[drawn],
        columns={name: values[drawn] for name, values in payments.columns.items()},
        levels={name: column.levels for name, column in RECIPE.columns.items() if isinstance(column, Choice)},
        ids=int(f"{day:%Y%m%d}") * 1_000_000 + np.arange(len(drawn), dtype=np.int64),
        seconds=payments.seconds[drawn],
        score=np.empty(0),
        arrives=datetime.combine(day + timedelta(days=1), time(5)),
    )
