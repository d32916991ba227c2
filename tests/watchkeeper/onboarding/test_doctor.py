from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from tests.alerting.conftest import slack
from tests.alerting.notifications.channels.slack.server import TOKEN, Slack
from tests.watchkeeper.conftest import MODEL, Say
from watchkeeper.onboarding import doctor, installed
from watchkeeper.pipeline import watch
from watchkeeper.settings import Settings

__all__ = ["slack"]


def states(settings: Settings) -> dict[str, doctor.Finding]:
    """Return what was found by what was looked at; of several findings, the worst."""
    order = (doctor.OK, doctor.LOOK, doctor.BROKEN)
    found = doctor.examine_installation(settings, lambda each: watch.open_context(each, live=False))
    return {f.looked_at: f for f in sorted(found, key=lambda f: order.index(f.state))}


def test_it_tells_labels_by_their_delays_and_their_share(settings: Settings) -> None:
    found = states(settings)[f"{MODEL}: labels"]
    assert found.state == doctor.OK
    assert "payments of the last 7 baseline days" in found.told
    assert "have a label, half of the frauds after" in found.told


def test_an_excluded_day_is_no_baseline_day_that_is_there(settings: Settings) -> None:
    changed(settings, lambda content: content["baseline"].update(exclude=[content["baseline"]["from"]]))
    there, wanted = states(settings)[f"{MODEL}: {MODEL}/features"].told.split(": ")[-1].split()[0:3:2]
    assert there == wanted


def test_a_ledger_that_can_not_be_opened_is_not_the_warehouses_fault(settings: Settings) -> None:
    found = states(replace(settings, ledger="sqlite:////nowhere/x.db"))
    assert found["ledger"].state == doctor.BROKEN
    assert "warehouse" not in found


def test_labels_of_other_ids_are_broken_and_it_says_which_keys_to_look_at(settings: Settings) -> None:
    changed(settings, lambda content: content["labels"].update(id="known_at"))
    found = states(settings)[f"{MODEL}: labels"]
    assert (found.state, "none of an id of the last baseline days' payments" in found.told) == (doctor.BROKEN, True)
    assert "labels.id 'known_at'" in found.todo


def test_a_model_without_labels_is_to_be_looked_at_and_not_broken(settings: Settings) -> None:
    changed(settings, lambda content: content.pop("labels"))
    assert states(settings)[f"{MODEL}: labels"].state == doctor.LOOK


def test_a_column_that_the_table_has_not_is_broken(settings: Settings) -> None:
    changed(settings, lambda content: content["features"]["columns"].update(nowhere={"kind": "number"}))
    found = states(settings)[f"{MODEL}: {MODEL}/features"]
    assert (found.state, "'nowhere'" in found.told) == (doctor.BROKEN, True)


def test_a_site_that_can_not_be_written_is_broken_and_names_its_setting(settings: Settings) -> None:
    found = states(replace(settings, site=Path("/dev/full/site")))["site"]
    assert (found.state, "WATCHKEEPER_SITE" in found.told) == (doctor.BROKEN, True)


def test_a_clock_that_stands_still_and_a_table_of_tomorrow_are_told(
    settings: Settings, broken_bank: Callable[..., Path]
) -> None:
    assert states(settings)["clock"].state == doctor.LOOK
    moving = replace(settings, now="")
    assert states(moving)["clock"].state == doctor.OK
    root = broken_bank()
    today = root / MODEL / "features" / f"day={time.strftime('%Y-%m-%d', time.gmtime())}"
    today.mkdir()
    source = next((root / MODEL / "features" / "day=2026-01-20").glob("*.parquet"))
    (today / "part-0.parquet").write_bytes(source.read_bytes())
    os.utime(today / "part-0.parquet", (time.time() + 7200,) * 2)
    found = states(replace(moving, warehouse=str(root)))["clock"]
    assert (found.state, "which is to come" in found.told) == (doctor.BROKEN, True)


def test_slack_is_asked_who_the_token_is_and_what_it_may(settings: Settings, slack: Slack) -> None:
    def told(token: str, scopes: str, now: datetime | None = None) -> doctor.Finding:
        body = json.dumps({"ok": token == TOKEN, "team": "bank", "error": "invalid_auth"})
        slack.next = [(200, {"X-OAuth-Scopes": scopes}, body)]
        given = replace(settings, slack_token=token, slack_base_url=slack.url, now="")
        return [*doctor._check_channels(given, now or datetime.now(UTC))][-1]

    every = "chat:write,channels:history,channels:read,files:write"
    assert (told(TOKEN, every).state, told(TOKEN, every).told) == (doctor.OK, "signed in to bank with all scopes")
    assert told(TOKEN, "chat:write").state == doctor.LOOK
    assert "channels:history, channels:read" in told(TOKEN, "chat:write").told
    assert told(TOKEN, "channels:read").state == doctor.BROKEN
    pictureless = told(TOKEN, every.removesuffix(",files:write"))
    assert (pictureless.state, pictureless.told) == (
        doctor.LOOK,
        "the token lacks files:write; messages come without a picture",
    )
    assert "invalid_auth" in told("another", every).told
    late = told(TOKEN, every, datetime(2026, 1, 1, tzinfo=UTC))
    assert (late.state, "clock differs from Slack's by" in late.told) == (doctor.BROKEN, True)
    assert TOKEN not in str(late)


def test_the_routes_and_every_further_channel_are_looked_at(settings: Settings, tmp_path: Path) -> None:
    assert states(settings)["routes"].state == doctor.OK
    assert "no such file" in states(replace(settings, routes=tmp_path / "none.yaml"))["routes"].told
    file = tmp_path / "routes.yaml"
    file.write_text("default: '#a'\nchannels: {on-call: {kind: pagerduty}, log: {kind: console}}\n")
    found = states(replace(settings, routes=file))
    assert (found["channel on-call"].state, found["channel log"].state) == (doctor.BROKEN, doctor.OK)
    assert "set WATCHKEEPER_SECRET_ON_CALL" in found["channel on-call"].told
    assert found["channel on-call"].todo == "see docs/how-to/pagerduty.md"
    known = replace(settings, routes=file, secrets={"WATCHKEEPER_SECRET_ON_CALL": "key"})
    assert states(known)["channel on-call"].state == doctor.OK


def test_without_a_folder_of_model_files_it_says_what_to_set_and_looks_at_the_rest(settings: Settings) -> None:
    found = states(replace(settings, models=None))
    assert (found["model files"].state, found["ledger"].state) == (doctor.BROKEN, doctor.OK)
    assert found["model files"].told.startswith("WATCHKEEPER_MODELS is not set: name the folder of your model files")


def test_another_python_or_package_than_was_tested_is_told(tmp_path: Path) -> None:
    assert [state for state, *_ in installed.check_versions(tmp_path)] == ["look"]
    (tmp_path / "requirements.lock").write_text(
        "pydantic==0.1 \\\n    --hash=x\nnot-there==1.0\nrich==0.1 ; python_version < '3'\n"
    )
    ((state, told, todo),) = installed.check_versions(tmp_path)
    assert (state, todo) == ("look", "make install")
    assert "pydantic" in told
    assert "instead of 0.1" in told
    assert "rich" not in told
    (tmp_path / "pyproject.toml").write_text("[project]\nrequires-python = '<3'\n")
    assert [(state, todo) for state, _, todo in installed.check_versions(tmp_path)] == [("broken", "use Python <3")]


def test_airflow_is_looked_at_where_it_is_set_up(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AIRFLOW_HOME", "AIRFLOW__CORE__DAGS_FOLDER", "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST"):
        monkeypatch.delenv(name, raising=False)
    home = settings.home

    def state() -> str:
        return next(installed.check_airflow(home))[0]

    assert state() == "ok"
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    assert state() == "broken"
    (tmp_path / "airflow.cfg").write_text("[core]\ndags_folder = ${WATCHKEEPER_HOME}/dags\n")
    monkeypatch.setenv("WATCHKEEPER_HOME", str(home))
    assert state() == "ok"
    monkeypatch.setenv("AIRFLOW__CORE__DAGS_FOLDER", "/elsewhere")
    assert state() == "broken"
    monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST", '[{"name": "watchkeeper"}]')
    assert state() == "ok"
    assert next(installed.check_airflow(tmp_path))[0] == "broken"


def test_the_answer_is_json_when_asked_and_3_when_something_is_broken(say: Say, tmp_path: Path) -> None:
    well = say("doctor", "--json")
    found = json.loads(well.out)
    assert (well.status, {*found[0]}) == (0, {"looked_at", "state", "told", "todo"})
    (tmp_path / "nothing").mkdir()
    ill = say("doctor", warehouse=str(tmp_path / "nothing"))
    assert (ill.status, "broken" in ill.out) == (3, True)


def changed(settings: Settings, change: Callable[[dict[str, dict[str, object]]], object]) -> None:
    file = settings.models / f"{MODEL}.yaml"
    content = yaml.safe_load(file.read_text())
    change(content)
    file.write_text(yaml.safe_dump(content, sort_keys=False))
