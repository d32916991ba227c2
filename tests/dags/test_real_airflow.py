"""The loop that closes: a real scheduler watches a day, the day asks for retraining, the asset starts it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from demo.airflow import Airflow
from ledger.records import Cause, Status
from ledger.store import Ledger
from simulator.bank import build
from simulator.script import DEMO
from tests.dags.conftest import REPOSITORY
from watchkeeper import watch
from watchkeeper.settings import Settings

MODEL, LIVE = "app_scams", date(2026, 4, 28)
DAGS = (f"watch__{MODEL}", f"retrain__{MODEL}")


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Return the settings of a bank whose model misses a new fraud pattern, watched up to the day before."""
    folder = tmp_path_factory.mktemp("loop")
    (folder / "models").mkdir()
    shutil.copy(REPOSITORY / "models" / f"{MODEL}.yaml", folder / "models")
    build(folder / "bank", [MODEL], date(2026, 1, 1), LIVE, 7, [s.incident for s in DEMO if s.model == MODEL])
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
    ctx = watch.context(settings, live=False)
    (spec,) = watch.known_specs(settings)
    for days_before in (3, 2, 1):
        watch.watch(ctx, spec, LIVE - timedelta(days=days_before))
    ctx.ledger.close()
    return settings


@pytest.fixture(scope="module")
def airflow(settings: Settings) -> Iterator[Airflow]:
    """Return a real Airflow that has run the live day and the retraining that it asked for."""
    home = settings.site.parent / "airflow"
    given = {f"WATCHKEEPER_{name.upper()}": str(value) for name, value in vars(settings).items() if value}
    started = Airflow.start(home, given)
    try:
        started.wait_until_healthy()
        _wait(started, dict.fromkeys(DAGS, 1))
        yield started
    finally:
        started.stop()


def _wait(airflow: Airflow, wanted: dict[str, int], limit_seconds: float = 420) -> None:
    """Return when each DAG has the wanted number of successful runs; fail with what there is otherwise."""
    until = time.monotonic() + limit_seconds
    while time.monotonic() < until:
        states = {dag: sorted(airflow.runs(dag).values()) for dag in wanted}
        assert not any("failed" in found for found in states.values()), states
        if all(found.count("success") >= wanted[dag] for dag, found in states.items()):
            return
        time.sleep(2)
    pytest.fail(f"Airflow did not end in time: {states}")


@pytest.mark.timeout(900)
def test_a_new_fraud_pattern_is_watched_asked_about_and_retrained_by_a_real_airflow(
    settings: Settings, airflow: Airflow
) -> None:
    ledger = Ledger.open(settings.ledger)
    run = ledger.run(MODEL, LIVE)
    assert run is not None
    assert run.live
    (incident,) = [i for i in ledger.incidents(MODEL) if i.status is Status.FIRING]
    assert incident.cause is Cause.PERFORMANCE_DECAY
    (decision,) = ledger.decisions(MODEL)
    assert (decision.verdict, decision.incident) == ("requested", incident.id)
    (outcome,) = ledger.retrained(MODEL)
    assert outcome.outcome == "promoted"
    assert outcome.fit_to < outcome.evaluated_from, "the challenger must be judged on days it has not seen"
    assert (settings.registry / MODEL / "champion.json").exists()
    assert ledger.baseline(watch.known_specs(settings)[0]).reason.endswith("promoted")
    assert settings.messages.read_text().count(f"opened {incident.id}") == 1
    assert (settings.site / incident.page).exists()
    events = airflow.ask("/api/v2/assets/events")["asset_events"]
    assert [event["extra"]["incident"] for event in events] == [incident.id]


@pytest.mark.timeout(900)
def test_a_second_event_finds_nothing_to_do(settings: Settings, airflow: Airflow) -> None:
    ledger = Ledger.open(settings.ledger)
    before = ledger.retrained(MODEL)
    (asset,) = [a for a in airflow.ask("/api/v2/assets")["assets"] if a["name"] == f"retraining__{MODEL}"]
    airflow.ask("/api/v2/assets/events", {"asset_id": asset["id"], "extra": {}})
    _wait(airflow, {DAGS[1]: 2})
    assert ledger.retrained(MODEL) == before
