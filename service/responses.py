"""What the API answers with, and how a long answer is read in pages."""

from __future__ import annotations

import json
import math
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from typing import Any, Literal

from pydantic import BaseModel

from ledger.records.incidents import Incident, Status
from ledger.records.measurements import Measurement, Verdict
from ledger.records.retraining import Decision, RetrainingOutcome
from service.problems import Refusal

Health = Literal["ok", "firing", "overdue", "unwatched"]


class ModelAnswer(BaseModel):
    """How one model's watch stands: 'overdue' and 'unwatched' mean that how the model is isn't known."""

    model: str
    title: str
    owner: str
    tier: int
    health: Health
    newest_day: date | None
    due_day: date
    open_incidents: list[str]


class MeasurementAnswer(BaseModel):
    """One figure, with the keys of ``watchkeeper measurements --json``."""

    model: str
    day: date
    as_of: date
    monitor: str
    metric: str
    feature: str
    slice: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    limit: float | None
    verdict: Verdict
    reason: str


class IncidentAnswer(BaseModel):
    """One incident in its newest state; money is in pounds a day, texts are plain."""

    id: str
    model: str
    status: Status
    cause: str
    feature: str
    slice: str
    opened: date
    fired: date | None
    last_bad: date
    resolved: date | None
    concluded: date
    bad_days: int
    clean_days: int
    data_fault: bool
    amount_gbp_per_day: float | None
    amount_low_gbp_per_day: float | None
    amount_high_gbp_per_day: float | None
    summary: str
    confidence: str
    first_step: str
    evidence: list[str]
    explains: int
    page: str


class RetrainingAnswer(BaseModel):
    """One retraining request; ``outcome`` is empty until there is one."""

    request: str
    model: str
    day: date
    incident: str
    reasons: list[str]
    fit_from: date | None
    fit_to: date | None
    evaluate_to: date | None
    excluded: list[date]
    approval: str
    outcome: str
    outcome_reasons: list[str]
    challenger: str


class Measurements(BaseModel):
    """One page of measurements; ``next`` is the ``after`` of the next page, None on the last."""

    items: list[MeasurementAnswer]
    next: str | None


class Incidents(BaseModel):
    """One page of incidents, the newest first."""

    items: list[IncidentAnswer]
    next: str | None


class Retrainings(BaseModel):
    """One page of retraining requests, the newest first."""

    items: list[RetrainingAnswer]
    next: str | None


def measurement_response(m: Measurement) -> MeasurementAnswer:
    """Return a measurement as JSON can hold it: a figure without a finite value has none, its reason stands."""
    numbers = {name: _finite(getattr(m, name)) for name in ("value", "low", "high", "limit")}
    return MeasurementAnswer.model_validate(asdict(m) | numbers)


def incident_response(i: Incident) -> IncidentAnswer:
    """Return an incident with what follows from its cause and id."""
    money = ("amount_gbp_per_day", "amount_low_gbp_per_day", "amount_high_gbp_per_day")
    numbers = {name: _finite(getattr(i, name)) for name in money}
    return IncidentAnswer.model_validate(
        asdict(i) | numbers | {"data_fault": i.data_fault, "page": i.page, "evidence": list(i.evidence)}
    )


def retraining_response(asked: Decision, outcome: RetrainingOutcome | None) -> RetrainingAnswer:
    """Return a retraining request and what became of it."""
    became = {
        "outcome": outcome.outcome if outcome else "",
        "outcome_reasons": list(outcome.reasons) if outcome else [],
        "challenger": outcome.challenger if outcome else "",
    }
    return RetrainingAnswer.model_validate(asdict(asked) | {"request": asked.request} | became)


def encode_cursor(key: Sequence[object]) -> str:
    """Return a natural key as the opaque text of a page's end."""
    return urlsafe_b64encode(json.dumps([str(part) for part in key]).encode()).decode().rstrip("=")


def decode_cursor(text: str | None, parts: int) -> list[str]:
    """Return the natural key that a cursor holds, empty for none; refuse with 422 what no page gave."""
    if not text:
        return []
    try:
        key = json.loads(urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4)))
    except (ValueError, RecursionError):
        key = None
    if not (isinstance(key, list) and len(key) == parts and all(isinstance(part, str) for part in key)):
        raise Refusal(422, "query.after: must be the 'next' of an earlier page")
    return key


def paginate(items: Sequence[Any], keys: Sequence[str], limit: int, start: str | None) -> tuple[list[Any], str | None]:
    """Return the items after a key, at most ``limit``, and the cursor of the next page.

    An item that is gone meanwhile ends nothing: the page is then the first one that there is.
    """
    begin = decode_cursor(start, 1)
    first = keys.index(begin[0]) + 1 if begin and begin[0] in keys else 0
    last = first + limit
    return list(items[first:last]), encode_cursor([keys[last - 1]]) if last < len(items) else None


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
