from __future__ import annotations

from pathlib import Path

from tests.dags.conftest import Ask

CODE = "from dags import steps\nanswer = steps._settings().slack_token"


def test_the_slack_token_comes_from_an_airflow_connection_where_the_environment_has_none(ask: Ask) -> None:
    connection = '{"conn_type": "slack", "password": "xoxb-from-airflow"}'
    assert ask(CODE, AIRFLOW_CONN_WATCHKEEPER_SLACK=connection) == "xoxb-from-airflow"
    both = {"AIRFLOW_CONN_WATCHKEEPER_SLACK": connection, "WATCHKEEPER_SLACK_TOKEN": "xoxb-from-environment"}
    assert ask(CODE, **both) == "xoxb-from-environment"


def test_without_a_token_or_a_connection_messages_go_to_the_terminal(ask: Ask) -> None:
    assert ask(CODE) == ""


def test_the_secret_of_every_other_channel_comes_from_its_connection_too(ask: Ask, tmp_path: Path) -> None:
    file = tmp_path / "routes.yaml"
    file.write_text("default: '#a'\nchannels: {on-call: {kind: pagerduty}}\n")
    code = "from dags import steps\nanswer = steps._settings().secrets['WATCHKEEPER_SECRET_ON_CALL']"
    connection = {
        "WATCHKEEPER_ROUTES": str(file),
        "AIRFLOW_CONN_WATCHKEEPER_ON_CALL": '{"conn_type": "generic", "password": "key-from-airflow"}',
    }
    assert ask(code, **connection) == "key-from-airflow"
    assert ask(code, **connection, WATCHKEEPER_SECRET_ON_CALL="key-from-environment") == "key-from-environment"
