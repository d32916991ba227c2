"""Small made-up records of a ledger."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np

from catalogue import causes
from ledger.records.incidents import Incident, Status
from ledger.records.measurements import Measurement, Verdict
from ledger.records.messages import Message
from ledger.records.runs import Run
from models.spec import Spec
from profiles.bins import Levels, number_grid, score_grid
from profiles.profile import COUNT, EVERYONE, FRAUD, Cohort, Counts, Cube, Profile
from profiles.schema import ProfileSchema

MODEL = "card_payments"
DAY = date(2026, 3, 2)
KINDS = ("opened", "updated", "resolved")
SPEC = Spec.model_validate(
    {"model": MODEL, "features": {"table": "t"}, "baseline": {"from": date(2026, 1, 1), "to": date(2026, 1, 31)}}
)


def days(count: int, start: date = DAY) -> list[date]:
    return [start + timedelta(days=i) for i in range(count)]


def measurement(**changes: object) -> Measurement:
    usual = Measurement(
        MODEL, DAY, DAY, "drift", "psi", "amount_gbp", "", 0.31, 0.28, 0.34, 19_204, 0.1, Verdict.BREACH, "31 % null"
    )
    return replace(usual, **changes)  # type: ignore[arg-type]  # fields by name, of many types


def incident(**changes: object) -> Incident:
    usual = Incident(
        f"{MODEL}-column_fault-amount_gbp-{DAY}", MODEL, causes.COLUMN_FAULT, DAY, DAY, DAY, Status.FIRING,
        "amount_gbp",
        "channel=app", DAY, None, 0, 1, 41_200.0, 28_100.0, 55_400.0, "`amount_gbp` stopped arriving", "certain",
        "Look at the feed", ("31 % null", "PSI 0.34"), ("drift/null_share/amount_gbp/",), 14,
    )  # fmt: skip
    return replace(usual, **changes)  # type: ignore[arg-type]  # fields by name, of many types


def message(**changes: object) -> Message:
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "it's \u00a341k \U0001f534"}}]
    usual = Message(incident().id, DAY, "opened", "#fraud-models", "it stopped", blocks, "since Monday")
    return replace(usual, **changes)  # type: ignore[arg-type]  # fields by name, of many types


def run(**changes: object) -> Run:
    usual = Run(MODEL, DAY, "v1", 19_204, live=True, steps={"conclude": "1 firing incident"})
    return replace(usual, **changes)  # type: ignore[arg-type]  # fields by name, of many types


def frame(schema_id: str = "f1") -> ProfileSchema:
    numbers = {"amount_gbp": number_grid((1.0, 20.0, 900.0))}
    categories = {"channel": Levels(("app", "web"), frozenset({"app", "web", "fax"}))}
    return ProfileSchema(
        schema_id, numbers, categories, score_grid(0, 1, 0.85), ("channel",), {"channel": ("app", "web", None)}
    )


def profile(rows: int = 100, schema_id: str = "f1") -> Profile:
    counts = Counts(nulls=3, total=7 * rows, bins={-2: 40, 5: rows - 43})
    return Profile(schema_id, rows, {EVERYONE: {"amount_gbp": counts}}, cube(rows))


def cube(count: int) -> Cube:
    bins = np.zeros((8, 4, 3), dtype=np.int64)
    bins[6, FRAUD, COUNT] = count
    return Cube({EVERYONE: bins})


def cohort(frauds: int) -> Cohort:
    """Return what is known once that many frauds are, each a day after the payment."""
    return Cohort(cube(frauds), {1: frauds})
