"""An incident that rested on labels which were late: once they are here, its message says what it rests on now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from catalogue import causes
from ledger.events import describe_first_broken_event
from ledger.records.events import Event
from ledger.records.incidents import Incident, Status
from ledger.records.measurements import Measurement, Verdict
from ledger.store import Ledger
from models.spec import Spec
from profiles.profile import Profile
from tests.monitors import scored
from warehouse.duckdb.warehouse import ParquetWarehouse
from watchkeeper import incident_actions
from watchkeeper.context import Context
from watchkeeper.pipeline import restating, watch
from watchkeeper.pipeline.day_cache import DayCache
from watchkeeper.pipeline.load_day import load_day, load_stored_days
from watchkeeper.pipeline.run_monitors import run_monitors
from watchkeeper.settings import Settings

OLD, REFERENCE = "60+", "30-59"
FRAME = scored.frame(age_band=(REFERENCE, OLD))
FIRED = scored.START + timedelta(days=59)
LATER = FIRED + timedelta(days=35)
BACKLOG_FROM = 24
"""From this day on whoever labels alerts is forty days behind."""


def spec() -> Spec:
    return scored.spec(
        labels={"table": "card/labels", "negative": {"after_days": 7}},
        protected={"age_band": {"reference": REFERENCE}},
        baseline={"from": scored.START, "to": scored.START + timedelta(days=19)},
    )


def columns(rng: np.random.Generator, rows: int) -> dict[str, Any]:
    return {"channel": rng.choice(["app", "web"], rows), "age_band": rng.choice([REFERENCE, OLD], rows)}


def bank(group: str | None = None) -> list[scored.Day]:
    """Return sixty days of payments; from BACKLOG_FROM on frauds among the alerts (of a group) are labelled late."""
    days = scored.bank(60, seed=5, columns=columns)
    for number, day in enumerate(days):
        behind = (day.score >= scored.THRESHOLD) & (number >= BACKLOG_FROM)
        if group:
            behind &= day.columns["age_band"] == group
        day.known_after_days = np.where(behind, 40, day.known_after_days)
    return days


@pytest.fixture
def ctx(tmp_path: Path) -> Iterator[Context]:
    ledger = Ledger.open(f"sqlite:///{tmp_path}/ledger.db")
    ledger.save_profile_schema("card", FRAME)
    (tmp_path / "card" / "features").mkdir(parents=True)  # everything was scanned before
    yield Context(Settings(site=tmp_path), ParquetWarehouse(tmp_path), ledger, datetime(2026, 4, 1, tzinfo=UTC))
    assert describe_first_broken_event(ledger.events()) == ""
    ledger.close()


def label(ctx: Context, days: list[scored.Day], as_of: date) -> None:
    ctx.ledger.save_cohorts("card", FRAME.id, as_of, {day.day: day.cohort(as_of) for day in days})


def fire(ctx: Context, days: list[scored.Day], cause: str, figure: str) -> Measurement:
    """Judge the day on which it fires by what is known then, and open an incident that rests on one figure."""
    for day in days:
        ctx.ledger.save_profiles("card", {day.day: Profile(FRAME.id, len(day.score), {}, day.cube())})
    label(ctx, days, FIRED)
    found = run_monitors(load_day(ctx.ledger, DayCache(), spec(), load_stored_days(ctx.ledger, spec(), FRAME), FIRED))
    ctx.ledger.save_measurements("card", FIRED, watch.MONITORS_OF_DAY, found)
    (judged,) = [m for m in found if m.figure == figure]
    assert judged.verdict is Verdict.BREACH
    incident = Incident("card-1", "card", cause, FIRED, FIRED, FIRED, Status.FIRING, slice=judged.slice, fired=FIRED,
                        figures=("decay/alert_rate//", figure), summary="it fell")  # fmt: skip
    ctx.ledger.save_incidents("card", FIRED, [incident])
    incident_actions.log_status_changes(ctx, spec())
    return judged


def told(ctx: Context, day: date) -> list[Event]:
    restating.log_restatements(ctx, spec(), load_stored_days(ctx.ledger, spec(), FRAME), day, DayCache())
    return [event for event in ctx.ledger.events() if event.kind == "restated"]


DECAY = ["precision", "false_positive_rate", "value_detection_rate", "pr_auc", "recall"]


@pytest.mark.parametrize("metric", DECAY)
def test_a_figure_of_decay_is_restated_once_when_its_labels_have_come(ctx: Context, metric: str) -> None:
    days = bank()
    judged = fire(ctx, days, causes.PERFORMANCE_DECAY, f"decay/{metric}//")
    assert told(ctx, FIRED + timedelta(days=1)) == [], "nothing new is known yet"
    label(ctx, days, LATER)
    for _ in range(2):
        (event,) = told(ctx, LATER)
    payload = event.payload
    assert (payload["metric"], payload["was"], payload["n_was"]) == (metric, judged.value, judged.n)
    assert judged.limit is not None
    assert judged.value is not None
    rises = metric == "false_positive_rate"
    assert (payload["value"] < judged.limit) is rises
    assert event.reason.startswith("with labels known by 5 Apr, ")
    assert "It would not have been a breach." in event.reason
    assert "the week to" in event.reason
    shown = incident_actions.current_incident_states(ctx, spec())["card-1"]
    assert shown.lines[0].startswith("Restated: with labels known by 5 Apr, ")


def test_what_is_restated_is_the_figure_of_the_same_cohorts_counted_from_their_labels(ctx: Context) -> None:
    """An oracle: precision over the week, from the payments themselves."""
    days = bank()
    fire(ctx, days, causes.PERFORMANCE_DECAY, "decay/precision//")
    label(ctx, days, LATER)
    (event,) = told(ctx, LATER)
    judged = {m.metric: m for m in ctx.ledger.measurements("card", as_of=FIRED, monitors=("decay",))}
    newest = FIRED - timedelta(days=int(judged["mature_until"].n))
    week = [day for day in days if newest - timedelta(days=7) < day.day <= newest]
    alerts = [(day.score >= scored.THRESHOLD) & ~day.blocked for day in week]
    caught = sum(int((at & day.fraud).sum()) for at, day in zip(alerts, week, strict=True))
    every = sum(int(at.sum()) for at in alerts)
    assert (event.payload["value"], event.payload["n"]) == (pytest.approx(caught / every), every)


def test_a_gap_between_groups_that_came_of_late_labels_is_restated(ctx: Context) -> None:
    days = bank(OLD)
    figure = f"fairness/false_positive_rate_ratio//age_band={OLD}"
    judged = fire(ctx, days, causes.FAIRNESS_GAP, figure)
    assert judged.value is not None
    assert judged.value > 1.25
    label(ctx, days, LATER)
    (event,) = told(ctx, LATER)
    assert event.payload["value"] == pytest.approx(1.0, abs=0.2)
    assert "in `age_band=60+` was " in event.reason
    assert "It would not have been a breach." in event.reason


def test_a_figure_that_cannot_be_had_again_is_not_restated(ctx: Context) -> None:
    """A partition was rewritten since: what was judged isn't there any more."""
    days = bank()
    fire(ctx, days, causes.PERFORMANCE_DECAY, "decay/precision//")
    for day in days[BACKLOG_FROM:]:
        other = scored.bank(1, seed=int(day.day.toordinal()), columns=columns)[0]
        ctx.ledger.save_profiles("card", {day.day: Profile(FRAME.id, len(other.score), {}, other.cube())})
    label(ctx, days, LATER)
    assert told(ctx, LATER) == []


def test_what_is_older_than_labels_may_be_late_is_not_restated(ctx: Context) -> None:
    days = bank()
    fire(ctx, days, causes.PERFORMANCE_DECAY, "decay/precision//")
    label(ctx, days, LATER)
    labels = spec().labels
    assert labels is not None
    assert told(ctx, FIRED + timedelta(days=labels.horizon_days + 1)) == []


def test_what_rests_on_no_label_is_not_restated(ctx: Context) -> None:
    days = bank()
    fire(ctx, days, causes.PERFORMANCE_DECAY, "decay/precision//")
    label(ctx, days, LATER)
    (incident,) = ctx.ledger.incidents("card")
    ctx.ledger.save_incidents("card", FIRED, [replace(incident, figures=("decay/alert_rate//",))])
    assert told(ctx, LATER) == []
