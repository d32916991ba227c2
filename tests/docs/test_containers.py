"""The container files say what they should. They are built where Docker is, which is not where tests run."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from watchkeeper.settings import Settings, read_settings

REPOSITORY = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((REPOSITORY / "compose.yaml").read_text(encoding="utf-8"))
DOCKERFILE = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8")


def test_every_process_of_airflow_runs_from_one_image_after_the_tables_are_there() -> None:
    airflow = {name: each for name, each in COMPOSE["services"].items() if name != "postgres"}
    assert {*airflow} == {"migrated", "api-server", "scheduler", "dag-processor", "triggerer"}
    assert len({each["image"] for each in airflow.values()}) == 1
    assert all(
        each["depends_on"] == {"migrated": {"condition": "service_completed_successfully"}}
        for name, each in airflow.items()
        if name != "migrated"
    )


def test_no_secret_is_written_down_and_a_missing_one_stops_the_start() -> None:
    text = (REPOSITORY / "compose.yaml").read_text(encoding="utf-8")
    for line in text.splitlines():
        if re.search(r"(PASSWORD|KEY|SECRET):", line):
            assert ":?}" in line, line
    assert "TOKEN: ${WATCHKEEPER_SLACK_TOKEN:-}" in text


def test_images_are_pinned_and_run_as_a_plain_user() -> None:
    assert re.search(r"^FROM python:3\.\d+\.\d+-slim", DOCKERFILE, re.MULTILINE)
    assert re.fullmatch(r"postgres:\d+\.\d+-\w+", COMPOSE["services"]["postgres"]["image"])
    assert DOCKERFILE.count("--require-hashes") == 2
    assert "\nUSER watchkeeper\n" in DOCKERFILE


def test_every_setting_in_them_is_one_that_there_is() -> None:
    given = dict(re.findall(r"(WATCHKEEPER_\w+)=(\S+)", DOCKERFILE))
    given |= {k: v for k, v in COMPOSE["services"]["scheduler"]["environment"].items() if k.startswith("WATCHKEEPER_")}
    assert isinstance(read_settings(given), Settings)


def test_only_this_machine_reaches_airflow() -> None:
    ports = [port for each in COMPOSE["services"].values() for port in each.get("ports", [])]
    assert ports == ["127.0.0.1:8080:8080"]
