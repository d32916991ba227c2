"""From rows with a propensity to figures over all payments, through a whole watch."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from ledger.records.measurements import Verdict
from models.spec import Spec
from watchkeeper.pipeline import watch
from watchkeeper.settings import Settings

FIRST, DAYS = date(2026, 1, 1), 40
LAST = FIRST + timedelta(days=DAYS - 1)
MODEL = Spec.model_validate(
    {
        "model": "cards",
        "features": {"table": "cards/features", "columns": {"amount_gbp": {"kind": "number"}}},
        "score": {"threshold": 0.5, "amount": "amount_gbp", "action": "action", "blocked": ["block"],
                  "propensity": "let_through"},
        "labels": {"table": "cards/labels", "negative": {"after_days": 5}, "horizon_days": 30},
        "baseline": {"from": FIRST, "to": FIRST + timedelta(days=13)},
    }
)  # fmt: skip


def write(folder: Path, day: date, rows: pd.DataFrame) -> None:
    (folder / f"day={day}").mkdir(parents=True)
    rows.to_parquet(folder / f"day={day}" / "part-0.parquet", index=False)


def bank(root: Path) -> float:
    """Write a bank that blocks all but a quarter of its riskiest payments; return the recall that all labels show."""
    rng, caught = np.random.default_rng(41), []
    for number in range(DAYS):
        day, n = FIRST + timedelta(days=number), 500
        chance = rng.beta(0.4, 3, n)
        fraud, p = rng.random(n) < chance, np.where(chance >= 0.6, 0.25, 1.0)
        blocked = rng.random(n) >= p
        ids = np.arange(n) + 1000 * number
        rows = {"payment_id": ids, "amount_gbp": rng.lognormal(3, 1, n).round(2), "score": chance, "let_through": p}
        write(root / "cards/features", day, pd.DataFrame({**rows, "action": np.where(blocked, "block", "allow")}))
        told = ids[fraud & ~blocked]
        known_at = pd.Timestamp(day) + pd.Timedelta(days=1)
        write(root / "cards/labels", day, pd.DataFrame({"payment_id": told, "is_fraud": True, "known_at": known_at}))
        caught.append((chance >= 0.5)[fraud])
    return float(np.concatenate(caught).mean())


def test_a_watched_day_says_what_the_model_does_on_all_payments(tmp_path: Path) -> None:
    recall = bank(tmp_path / "bank")
    ctx = watch.open_context(Settings(
        models=tmp_path, warehouse=str(tmp_path / "bank"), ledger=f"sqlite:///{tmp_path}/ledger.db",
        site=tmp_path / "site", registry=tmp_path / "registry", messages=tmp_path / "messages.txt",
        heartbeat=tmp_path / "heartbeat.json",
        now="2026-03-01T00:00:00",
    ))  # fmt: skip
    watch.watch_day(ctx, MODEL, LAST)
    found = {(m.monitor, m.metric, m.slice): m for m in ctx.ledger.measurements("cards", as_of=LAST)}
    weighted, plain = found["selective", "recall", ""], found["decay", "recall", ""]
    assert weighted.verdict is Verdict.OK
    assert weighted.low is not None
    assert weighted.high is not None
    assert weighted.low < recall < weighted.high
    assert plain.value is not None
    assert plain.value < weighted.low
    assert "Left out, for they get no label" in plain.reason
    assert found["selective", "traffic_share", "action=block"].value is not None
