from __future__ import annotations

import shutil
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from dags.day import day_of_run
from tests.dags.conftest import REPOSITORY, Ask

BAG = """
from airflow.dag_processing.dagbag import DagBag
bag = DagBag(dag_folder="dags")
"""


def test_each_model_file_has_a_watch_and_a_retraining_dag(ask: Ask) -> None:
    answer = ask(
        BAG
        + """
answer = {"errors": bag.import_errors, "dags": {d: [list(dag.task_dict), dag.max_active_runs, sorted(dag.tags),
    dag.default_args["owner"]] for d, dag in bag.dags.items()}}
"""
    )
    assert answer["errors"] == {}
    assert sorted(answer["dags"]) == [
        f"{kind}__{model}"
        for kind in ("retrain", "watch")
        for model in ("account_opening", "app_scams", "card_payments")
    ]
    tasks, runs, tags, owner = answer["dags"]["watch__card_payments"]
    assert (tasks, runs, owner) == (["wait", "watch", "publish", "notify"], 1, "payments-fraud")
    assert "watchkeeper" in tags


def test_a_watch_that_is_not_done_in_time_is_told_by_a_deadline_alert(ask: Ask) -> None:
    code = """
from airflow.serialization.serialized_objects import DagSerialization
dag = bag.dags["watch__card_payments"]
(alert,) = dag.deadline
DagSerialization.to_dict(dag)
of_retraining = bag.dags["retrain__card_payments"].deadline
answer = [alert.callback.path, alert.callback.kwargs, alert.interval.total_seconds(), of_retraining]
"""
    path, given, seconds, of_retraining = ask(BAG + code)
    assert (path, given["model"], seconds) == ("dags.late.notify_not_watched", "card_payments", 24 * 3600)
    assert not of_retraining


def test_a_model_that_needs_approval_waits_for_a_person_before_it_is_retrained(ask: Ask, tmp_path: Path) -> None:
    for approval in ("required", "none"):
        folder = tmp_path / approval
        folder.mkdir()
        content = yaml.safe_load((REPOSITORY / "demo" / "models" / "card_payments.yaml").read_text())
        content["retraining"] = {"approval": approval}
        (folder / "card_payments.yaml").write_text(yaml.safe_dump(content))
    code = BAG + "answer = list(bag.dags['retrain__card_payments'].task_dict)"
    assert ask(code, WATCHKEEPER_MODELS=str(tmp_path / "required")) == [
        "request",
        "announce",
        "approve",
        "retrain",
        "finish",
    ]
    assert ask(code, WATCHKEEPER_MODELS=str(tmp_path / "none")) == ["request", "retrain", "finish"]


def test_a_broken_model_file_takes_only_its_own_dags_away_and_says_why(ask: Ask, tmp_path: Path) -> None:
    for name in ("card_payments", "app_scams"):
        shutil.copy(REPOSITORY / "demo" / "models" / f"{name}.yaml", tmp_path)
    (tmp_path / "broken.yaml").write_text("model: broken\ntitel: x\n")
    answer = ask(
        BAG + "answer = [sorted(bag.dags), list(bag.import_errors.values())]", WATCHKEEPER_MODELS=str(tmp_path)
    )
    dags, errors = answer
    assert dags == ["retrain__app_scams", "retrain__card_payments", "watch__app_scams", "watch__card_payments"]
    assert len(errors) == 1
    assert "broken.yaml: line 2: titel: unknown key" in errors[0]
    assert "did you mean 'title'?" in errors[0]


def test_without_a_folder_of_model_files_airflow_shows_what_to_set(ask: Ask) -> None:
    (error,) = ask(BAG + "answer = list(bag.import_errors.values())", WATCHKEEPER_MODELS="")
    assert "WATCHKEEPER_MODELS is not set: name the folder of your model files" in error


def test_parsing_imports_none_of_the_heavy_libraries(ask: Ask) -> None:
    answer = ask(
        """
import sys, airflow.sdk
from airflow.dag_processing.dagbag import DagBag
before = set(sys.modules)
bag = DagBag(dag_folder="dags")
answer = [len(bag.dags), sorted({name.split(".")[0] for name in set(sys.modules) - before})]
"""
    )
    dags, imported = answer
    assert dags == 6
    heavy = {"great_expectations", "evidently", "pandas", "duckdb", "sklearn", "scipy", "plotly", "pyarrow", "numpy"}
    assert heavy & set(imported) == set()
    assert "dags" in imported, "the files must have been parsed for this to mean anything"


def test_a_run_watches_the_day_of_its_interval_unless_it_is_told_another() -> None:
    def day(start: datetime, timezone: str = "UTC", **conf: str) -> date:
        return day_of_run({"dag_run": SimpleNamespace(conf=conf, data_interval_start=start)}, timezone)

    assert day(datetime(2026, 4, 28, 6, tzinfo=UTC)) == date(2026, 4, 28)
    assert day(datetime(2026, 4, 28, 22, tzinfo=UTC), "Pacific/Auckland") == date(2026, 4, 29)
    assert day(datetime(2026, 4, 28, 6, tzinfo=UTC), day="2026-03-01") == date(2026, 3, 1)


def test_a_run_without_a_date_says_how_to_give_one() -> None:
    with pytest.raises(ValueError, match="YYYY-MM-DD"):
        day_of_run({"dag_run": SimpleNamespace(conf=None, data_interval_start=None)})


def test_airflow_reads_the_few_settings_of_airflow_cfg(ask: Ask, airflow_env: dict[str, str]) -> None:
    del airflow_env["AIRFLOW__CORE__DAGS_FOLDER"]
    secrets = dict.fromkeys(("AIRFLOW_FERNET_KEY", "AIRFLOW_SECRET_KEY", "AIRFLOW_JWT_SECRET"), "x" * 64)
    answer = ask(
        """
from airflow.configuration import conf
answer = [conf.get("core", "dags_folder"), conf.get("api", "base_url"), conf.get("api_auth", "jwt_secret")]
""",
        AIRFLOW_CONFIG=str(REPOSITORY / "airflow.cfg"),
        WATCHKEEPER_HOME="the-bundle",
        AIRFLOW_PORT="8765",
        AIRFLOW_DATABASE=airflow_env["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"],
        **secrets,
    )
    assert answer == ["the-bundle/dags", "http://localhost:8765", "x" * 64]
