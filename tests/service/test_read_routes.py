from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from httpx import Client
from prometheus_client.parser import text_string_to_metric_families

from ledger.records.measurements import Measurement
from ledger.store import Ledger
from models.load import load_model_file
from tests.ledger.made import DAY, MODEL, incident, measurement, run
from tests.service.conftest import HOSTILE, NOW, OLD, measurements
from watchkeeper.cli import show
from watchkeeper.pipeline.heartbeat import write_heartbeat
from watchkeeper.settings import Settings

FIGURES = f"/v1/models/{MODEL}/measurements"


def test_a_models_status_names_its_newest_day_and_open_incidents(ask: Client) -> None:
    found = ask.get(f"/v1/models/{MODEL}").json()
    assert (found["health"], found["newest_day"], found["open_incidents"]) == ("firing", str(DAY), [incident().id])
    assert [(m["model"], m["health"]) for m in ask.get("/v1/models").json()] == [
        ("app_scams", "unwatched"),
        (MODEL, "firing"),
    ]


def test_a_model_is_overdue_once_a_day_was_not_watched_by_the_second_next(ask: Client, ledger: Ledger) -> None:
    late = DAY + timedelta(days=2) == NOW.date()
    assert late, "the newest day may be two days old"
    assert ask.get(f"/v1/models/{MODEL}").json()["health"] == "firing"
    ledger.database.write(sa.text("UPDATE runs SET day = '2026-03-01'"))
    assert ask.get(f"/v1/models/{MODEL}").json()["health"] == "overdue"


def test_the_heartbeat_fails_while_a_model_is_not_watched(ask: Client, ledger: Ledger, settings: Settings) -> None:
    silent = ask.get("/v1/heartbeat")
    assert (silent.status_code, silent.headers["content-type"]) == (503, "application/problem+json")
    assert "app_scams (last never, due 2026-03-02)" in silent.json()["detail"]
    ledger.save_run(run(model="app_scams"))
    assert ask.get("/v1/heartbeat").json()["alive"] is True


def test_the_heartbeat_fails_while_a_watched_day_was_not_told_of_to_the_end(
    ask: Client, ledger: Ledger, settings: Settings
) -> None:
    """The watch died between concluding and delivering: its file is older than the ledger."""
    both = [load_model_file(settings.models / f"{name}.yaml") for name in (MODEL, "app_scams")]
    ledger.save_run(run(model="app_scams", day=date(2026, 3, 1)))
    write_heartbeat(settings.heartbeat, ledger, both, NOW)
    ledger.save_run(run(model="app_scams"))
    silent = ask.get("/v1/heartbeat")
    assert (silent.status_code, silent.json()["detail"]) == (
        503,
        "watched, but not everybody notified: app_scams (due 2026-03-02)",
    )
    write_heartbeat(settings.heartbeat, ledger, both, NOW)
    assert ask.get("/v1/heartbeat").json()["alive"] is True
    settings.heartbeat.write_text("{")
    assert "can't be read as a heartbeat" in ask.get("/v1/heartbeat").json()["detail"]


def test_health_names_model_files_that_cannot_be_used(ask: Client, settings: Settings) -> None:
    (settings.models / "broken.yaml").write_text("model: broken\n")
    found = ask.get("/v1/health").json()
    assert (found["ledger"], found["models"]) == ("ok", 2)
    assert "features" in found["broken_model_files"][0]
    assert len(ask.get("/v1/models").json()) == 2, "the others are answered for"


def test_a_ledger_that_cannot_be_reached_is_503(settings: Settings, ask: Client, ledger: Ledger) -> None:
    ledger.database.write(sa.text("DROP TABLE runs"))
    answer = ask.get("/v1/health")
    assert answer.status_code == 503
    assert "the ledger can't be read" in answer.json()["detail"]


def every_page(ask: Client, url: str, limit: int, **query: str) -> list[dict[str, object]]:
    found, after = [], {}
    while True:
        answer = ask.get(url, params={"limit": str(limit), **query, **after})
        assert answer.status_code == 200, answer.text
        assert len(answer.json()["items"]) <= limit
        found += answer.json()["items"]
        if answer.json()["next"] is None:
            return found
        after = {"after": answer.json()["next"]}


@pytest.mark.parametrize("limit", [1, 5, 12, 1000])
def test_pages_hold_each_measurement_once_and_in_order(ask: Client, limit: int) -> None:
    found = every_page(ask, FIGURES, limit)
    assert len(found) == 12
    assert found == every_page(ask, FIGURES, 1000)
    assert set(found[0]) == set(show.MEASUREMENT_KEYS)


def as_json(m: Measurement) -> dict[str, object]:
    found: dict[str, object] = json.loads(json.dumps(show.measurement_row(m), default=str))
    return found


def test_measurements_are_found_by_each_filter(ask: Client, ledger: Ledger) -> None:
    next_day = DAY + timedelta(days=1)
    restated = measurement(feature="feature_03", as_of=next_day, value=0.9)
    ledger.save_measurements(MODEL, next_day, ("drift",), [restated, measurement(day=next_day, as_of=next_day)])
    usual = [as_json(m) for m in measurements()[:10]]
    assert every_page(ask, FIGURES, 100, metric="psi", monitor="drift", as_of=str(DAY)) == usual
    assert every_page(ask, FIGURES, 100, feature="feature_03", newest="true") == [as_json(restated)]
    assert every_page(ask, FIGURES, 4, feature="feature_03") == [usual[3], as_json(restated)]
    assert len(every_page(ask, FIGURES, 100, day_from=str(next_day))) == 1
    assert len(every_page(ask, FIGURES, 100, day_to=str(DAY))) == 13
    assert [m["metric"] for m in every_page(ask, FIGURES, 100, verdict="errored")] == ["ratio"]


def test_a_figure_without_a_finite_value_is_none_with_its_verdict(ask: Client) -> None:
    (found,) = every_page(ask, FIGURES, 100, metric="ratio")
    assert (found["value"], found["verdict"]) == (None, "errored")


def test_hostile_values_come_back_as_data_and_are_found_as_data(ask: Client) -> None:
    (found,) = every_page(ask, FIGURES, 100, slice=HOSTILE, feature=HOSTILE)
    assert (found["feature"], found["reason"]) == (HOSTILE, HOSTILE)
    assert every_page(ask, "/v1/incidents", 100, status="resolved")[0]["summary"] == HOSTILE
    answer = ask.get(f"/v1/incidents/{HOSTILE.replace('/', '')}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert len(every_page(ask, "/v1/incidents", 100)) == 2, "the table is still there"


def test_incidents_come_newest_first_and_by_status_and_model(ask: Client) -> None:
    assert [i["id"] for i in every_page(ask, "/v1/incidents", 1)] == [incident().id, OLD]
    assert [i["id"] for i in every_page(ask, "/v1/incidents", 9, status="firing")] == [incident().id]
    assert every_page(ask, "/v1/incidents", 9, model="app_scams") == []
    found = ask.get(f"/v1/incidents/{incident().id}").json()
    assert (found["cause"], found["data_fault"], found["amount_gbp_per_day"]) == ("column_fault", True, 41_200.0)


def test_an_incident_that_is_not_there_is_404_with_the_nearest_id(ask: Client) -> None:
    answer = ask.get(f"/v1/incidents/{OLD}x")
    assert answer.status_code == 404
    assert answer.json()["detail"] == f"there is no incident '{OLD}x'; did you mean '{OLD}'?"


def test_retraining_requests_carry_their_outcome(ask: Client) -> None:
    found = every_page(ask, "/v1/retraining", 1)
    assert [(r["request"], r["outcome"]) for r in found] == [
        (f"{MODEL}/{DAY}", ""),
        (f"{MODEL}/{DAY - timedelta(days=30)}", "promoted"),
    ]
    assert [r["day"] for r in every_page(ask, "/v1/retraining", 9, open="true")] == [str(DAY)]
    one = ask.get(f"/v1/retraining/{MODEL}/{DAY}").json()
    assert (one["incident"], one["reasons"], one["approval"]) == (incident().id, ["it decays"], "required")
    assert ask.get(f"/v1/retraining/{MODEL}/2026-01-01").status_code == 404


def test_an_answer_that_did_not_change_is_not_sent_again(ask: Client, ledger: Ledger) -> None:
    first = ask.get("/v1/incidents")
    tag = first.headers["etag"]
    again = ask.get("/v1/incidents", headers={"If-None-Match": f'"other", W/{tag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    ledger.save_incidents(MODEL, DAY, [replace(incident(), bad_days=2)])
    changed = ask.get("/v1/incidents", headers={"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag
    assert "etag" not in ask.get("/v1/incidents/none").headers


def test_prometheus_reads_how_the_watch_stands(ask: Client) -> None:
    answer = ask.get("/v1/metrics")
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    assert samples["watchkeeper_overdue", MODEL] == 0
    assert samples["watchkeeper_overdue", "app_scams"] == 1
    assert samples["watchkeeper_incidents", MODEL, "firing"] == 1
    assert samples["watchkeeper_incidents", "app_scams", "firing"] == 0
    assert samples["watchkeeper_at_stake_gbp_per_day", MODEL] == 41_200
    assert samples["watchkeeper_newest_watched_day_seconds", MODEL] == 1772409600
    assert samples["watchkeeper_messages_waiting",] == 1


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("limit=0", "query.limit: input should be greater than or equal to 1, not '0'"),
        ("monitr=psi", "query.monitr: extra inputs are not permitted, not 'psi'"),
        ("day_from=yesterday", "query.day_from: input should be a valid date"),
        ("after=x", "query.after: must be the 'next' of an earlier page"),
        ("after=WyJhIl0", "query.after: must be the 'next' of an earlier page"),
        ("after=WyJhIiwiYiIsImMiLCJkIiwiZSIsImYiLCJnIl0", "query.after: must be the 'next' of an earlier page"),
    ],
)
def test_what_cannot_be_asked_is_said_in_one_sentence(ask: Client, query: str, said: str) -> None:
    answer = ask.get(f"{FIGURES}?{query}")
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert answer.json()["detail"].startswith(said)
    assert answer.json()["title"] in {"Unprocessable Content", "Unprocessable Entity"}
