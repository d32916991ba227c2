"""The loop that closes, in a real Airflow: decay -> approval -> challenger -> promotion -> resolved; and what it must
not do: retrain on broken data, twice, without approval, or to something worse."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import yaml

from catalogue import causes
from demo.airflow import Airflow
from ledger.records.incidents import Status
from ledger.records.retraining import Decision, RetrainingOutcome
from ledger.store import Ledger
from simulator.bank import build_bank
from simulator.script import DEMO_SCRIPT
from tests.dags.conftest import REPOSITORY
from watchkeeper.pipeline import watch
from watchkeeper.retraining import challenger
from watchkeeper.retraining.registry import LocalRegistry
from watchkeeper.settings import Settings

MODEL, TWIN, LIVE = "app_scams", "scams_twin", date(2026, 4, 28)
MATURE_AGAIN = (date(2026, 5, 18), date(2026, 5, 19))
"""Days on which the week that is judged is all of the new champion's."""
WATCH, RETRAIN = f"watch__{MODEL}", f"retrain__{MODEL}"
POOR, UNWANTED = date(2026, 3, 20), date(2026, 3, 21)
"""Days of requests whose two days of fit data teach a challenger too little."""

pytestmark = pytest.mark.timeout(1500)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Return the settings of a bank whose model misses a new fraud pattern, watched up to the day before.

    Its twin has the same payments, but for a column that is half null on the live day.
    """
    folder = tmp_path_factory.mktemp("loop")
    (folder / "models").mkdir()
    content = yaml.safe_load((REPOSITORY / "demo" / "models" / f"{MODEL}.yaml").read_text())
    content["retraining"]["approval"] = "required"
    twin = content | {"model": TWIN, "title": "Twin", "features": content["features"] | {"table": f"{TWIN}/features"}}
    for each in (content, twin):
        (folder / "models" / f"{each['model']}.yaml").write_text(yaml.safe_dump(each, sort_keys=False))
    build_bank(
        folder / "bank",
        [MODEL],
        date(2026, 1, 1),
        max(MATURE_AGAIN),
        7,
        [s.incident for s in DEMO_SCRIPT if s.model == MODEL],
    )
    shutil.copytree(folder / "bank" / MODEL / "features", folder / "bank" / TWIN / "features")
    _rewrite(
        folder / "bank" / TWIN, LIVE, "beneficiary_age_days", lambda table: _half_null(table["beneficiary_age_days"])
    )
    settings = Settings(
        models=folder / "models",
        warehouse=str(folder / "bank"),
        ledger=f"sqlite:///{folder}/ledger.db",
        site=folder / "site",
        registry=folder / "registry",
        messages=folder / "messages.txt",
        heartbeat=folder / "heartbeat.json",
        schedule_from=str(LIVE),
        schedule_to=str(LIVE),
    )
    ctx = watch.open_context(settings, live=False)
    (spec,) = watch.load_specs(settings, [MODEL])
    for days_before in (3, 2, 1):
        watch.watch_day(ctx, spec, LIVE - timedelta(days=days_before))
    ctx.ledger.close()
    return settings


@pytest.fixture(scope="module")
def airflow(settings: Settings) -> Iterator[Airflow]:
    """Return a real Airflow that has run the live day of both models and waits for approval of a retraining."""
    home = settings.site.parent / "airflow"
    given = {f"WATCHKEEPER_{name.upper()}": str(value) for name, value in vars(settings).items() if value}
    started = Airflow.start(home, given)
    try:
        started.wait_until_healthy(300)
        _wait(started, {WATCH: 1, f"watch__{TWIN}": 1})
        yield started
    finally:
        started.stop()


@pytest.fixture(scope="module")
def promoted(settings: Settings, airflow: Airflow) -> RetrainingOutcome:
    """Return the outcome of the live day's request, after a person approved of it in Airflow."""
    ledger = Ledger.open(settings.ledger)
    assert ledger.retraining_outcomes() == [], "nothing may be trained before somebody approves"
    assert "Retraining is waiting for approval: " in _until(settings.messages.read_text, "waiting for approval")
    _answer(airflow, "Approve", runs=1)
    (outcome,) = ledger.retraining_outcomes(MODEL)
    return outcome


def test_a_new_fraud_pattern_is_retrained_once_a_person_approved(
    settings: Settings, promoted: RetrainingOutcome
) -> None:
    ledger = Ledger.open(settings.ledger)
    (incident,) = [i for i in ledger.incidents(MODEL) if i.status is Status.FIRING]
    (decision,) = ledger.decisions(MODEL)
    assert incident.cause == causes.PERFORMANCE_DECAY
    assert (decision.verdict, decision.incident) == ("requested", incident.id)
    assert decision.gain_gbp_per_day == incident.amount_gbp_per_day
    assert promoted.outcome == "promoted", promoted.reasons
    assert promoted.approved_by
    assert promoted.fit_to < promoted.evaluated_from, "the challenger must be judged on days it has not seen"
    assert LocalRegistry(settings.registry).stages(MODEL) == {promoted.challenger: "champion"}
    assert ledger.baseline(watch.load_specs(settings, [MODEL])[0]).reason.endswith("promoted")
    told = settings.messages.read_text()
    assert [told.count(f"{kind} {incident.id}") for kind in ("opened", "asked", "answered")] == [1, 1, 1]
    assert f"http://localhost:{_port(told)}/dags/{RETRAIN}/runs/" in told
    assert f"challenger {promoted.challenger} is promoted" in told
    assert (settings.site / incident.page).exists()


def test_a_data_fault_is_refused_and_starts_nothing(settings: Settings, airflow: Airflow) -> None:
    ledger = Ledger.open(settings.ledger)
    (decision,) = ledger.decisions(TWIN)
    assert decision.verdict == "refused"
    assert decision.reasons[0].startswith("data fault in `beneficiary_age_days`")
    assert airflow.runs(f"retrain__{TWIN}") == {}
    assert ledger.retraining_outcomes(TWIN) == []


def test_a_worse_challenger_changes_nothing(settings: Settings, airflow: Airflow, promoted: RetrainingOutcome) -> None:
    _request(settings, airflow, POOR)
    _answer(airflow, "Approve", runs=2)
    ledger = Ledger.open(settings.ledger)
    poor = next(outcome for outcome in ledger.retraining_outcomes(MODEL) if outcome.day == POOR)
    assert poor.outcome == "kept champion"
    stages = LocalRegistry(settings.registry).stages(MODEL)
    assert stages == {promoted.challenger: "champion", poor.challenger: "archived"}
    assert len(ledger.baselines(MODEL)) == 1


def test_what_a_person_rejects_is_not_trained(
    settings: Settings, airflow: Airflow, promoted: RetrainingOutcome
) -> None:
    _request(settings, airflow, UNWANTED)
    _answer(airflow, "Reject", runs=3)
    rejected = next(o for o in Ledger.open(settings.ledger).retraining_outcomes(MODEL) if o.day == UNWANTED)
    assert (rejected.outcome, rejected.challenger, bool(rejected.approved_by)) == ("not approved", "", True)
    assert rejected.reasons[0].endswith("rejected it")


def test_a_second_event_finds_nothing_to_do(settings: Settings, airflow: Airflow, promoted: RetrainingOutcome) -> None:
    ledger = Ledger.open(settings.ledger)
    before, runs = ledger.retraining_outcomes(MODEL), len(airflow.runs(RETRAIN))
    _event(airflow)
    _wait(airflow, {RETRAIN: runs + 1})
    assert ledger.retraining_outcomes(MODEL) == before


def test_the_incident_is_resolved_when_the_new_champions_own_days_are_sound(
    settings: Settings, airflow: Airflow, promoted: RetrainingOutcome
) -> None:
    """The promoted challenger scores the payments from the next day on, as its bank would have it."""
    (spec,) = watch.load_specs(settings, [MODEL])
    model = LocalRegistry(settings.registry).load(MODEL, promoted.challenger)
    for after in range(1, (max(MATURE_AGAIN) - LIVE).days + 1):
        _rewrite(
            Path(settings.warehouse) / MODEL,
            LIVE + timedelta(days=after),
            spec.score.column,
            lambda table: pa.array(challenger.score_with_challenger(spec, model, table.to_pandas())),
        )
    for number, day in enumerate(MATURE_AGAIN):
        airflow.ask(f"/api/v2/dags/{WATCH}/dagRuns", {"logical_date": None, "conf": {"day": str(day)}})
        _wait(airflow, {WATCH: 2 + number})
    ledger = Ledger.open(settings.ledger)
    decay = next(i for i in ledger.incidents(MODEL) if i.cause == causes.PERFORMANCE_DECAY and i.opened < LIVE)
    assert (decay.status, decay.resolved) == (Status.RESOLVED, max(MATURE_AGAIN))
    assert not [i for i in ledger.incidents(MODEL) if i.cause == causes.SCORE_SHIFT], "another model scores otherwise"
    kinds = [message.kind for message in ledger.messages(decay.id)]
    assert [kinds[0], kinds[-1]] == ["opened", "resolved"]
    assert {"asked", "answered"} <= set(kinds), "its thread tells the story from the question to the end"


def _request(settings: Settings, airflow: Airflow, day: date) -> None:
    """Ask for a retraining on two days of data, and wake the DAG."""
    window = (date(2026, 1, 1), date(2026, 1, 2), date(2026, 1, 9))
    ledger = Ledger.open(settings.ledger)
    ledger.save_decision(Decision(MODEL, day, "requested", "an-incident", ("a test",), *window))
    ledger.close()
    _event(airflow)


def _event(airflow: Airflow) -> None:
    (asset,) = [a for a in airflow.ask("/api/v2/assets")["assets"] if a["name"] == f"retraining__{MODEL}"]
    airflow.ask("/api/v2/assets/events", {"asset_id": asset["id"], "extra": {}})


def _answer(airflow: Airflow, choice: str, *, runs: int, limit_seconds: float = 600) -> None:
    """Answer the run that waits for a person, and return when there are so many successful runs.

    Airflow 3.3 takes some seconds to see that the process which asked has ended. What is answered before, faster than a
    person could, it takes for lost and asks again a minute later: then it is answered again.
    """
    until = time.monotonic() + limit_seconds
    while list(airflow.runs(RETRAIN).values()).count("success") < runs:
        assert time.monotonic() < until, f"Airflow did not end in time: {airflow.runs(RETRAIN)}\n{airflow.log_end()}"
        if waiting := _waiting(airflow):
            time.sleep(8)
            path = f"/api/v2/dags/{RETRAIN}/dagRuns/{quote(waiting)}/taskInstances/approve/-1/hitlDetails"
            airflow.ask(path, {"chosen_options": [choice], "params_input": {}}, method="PATCH")
        time.sleep(1)


def _waiting(airflow: Airflow) -> str:
    """Return the run whose approval waits for a person; empty while there is none."""
    for run, state in airflow.runs(RETRAIN).items():
        if state == "running":
            tasks = _tasks(airflow, RETRAIN, quote(run))
            if any((t["task_id"], t["state"]) == ("approve", "awaiting_input") for t in tasks):
                return run
    return ""


def _tasks(airflow: Airflow, dag: str, run: str) -> list[dict[str, Any]]:
    tasks: list[dict[str, Any]] = airflow.ask(f"/api/v2/dags/{dag}/dagRuns/{run}/taskInstances")["task_instances"]
    return tasks


def _until(look: Callable[[], str], wanted: str, limit_seconds: float = 300) -> str:
    """Return what is seen once it isn't empty and holds the wanted text."""
    until = time.monotonic() + limit_seconds
    while time.monotonic() < until:
        seen = look()
        if seen and wanted in seen:
            return seen
        time.sleep(1)
    pytest.fail(f"nothing was seen that holds '{wanted}'")


def _wait(airflow: Airflow, wanted: dict[str, int], limit_seconds: float = 600) -> None:
    """Return when each DAG has the wanted number of successful runs; fail with what there is otherwise."""
    until = time.monotonic() + limit_seconds
    while time.monotonic() < until:
        states = {dag: sorted(airflow.runs(dag).values()) for dag in wanted}
        assert not any("failed" in found for found in states.values()), states
        if all(found.count("success") >= wanted[dag] for dag, found in states.items()):
            return
        time.sleep(1)
    tasks = {dag: [(t["dag_run_id"], t["task_id"], t["state"]) for t in _tasks(airflow, dag, "~")] for dag in wanted}
    pytest.fail(f"Airflow did not end in time: {states}\n{tasks}\n{airflow.log_end()}")


def _rewrite(table: Path, day: date, column: str, made: Callable[[pa.Table], pa.Array | pa.ChunkedArray]) -> None:
    """Replace a column of a day's partition, which has come when it came."""
    (file,) = (table / "features" / f"day={day}").glob("*.parquet")
    content, came = pq.ParquetFile(file).read(), file.stat()
    number = content.column_names.index(column)
    pq.write_table(content.set_column(number, column, made(content).cast(content.schema.field(number).type)), file)
    os.utime(file, ns=(came.st_atime_ns, came.st_mtime_ns))


def _half_null(column: pa.ChunkedArray) -> pa.ChunkedArray:
    every_other = pa.array(np.arange(len(column)) % 2 == 0)
    return pc.if_else(every_other, pa.scalar(None, column.type), column)


def _port(told: str) -> str:
    return told.partition("http://localhost:")[2].partition("/")[0]
