"""Airflow lives in processes of its own: it keeps global state, and reads its settings when it is imported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).parents[2]
Ask = Callable[..., Any]


@pytest.fixture
def airflow_env(tmp_path: Path) -> dict[str, str]:
    """Return the environment of an Airflow with a home of its own that reads this repository's DAGs."""
    home = tmp_path / "airflow"
    home.mkdir()
    keep = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "WATCHKEEPER"))}
    return {
        **keep,
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(REPOSITORY / "dags"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
        "WATCHKEEPER_MODELS": str(REPOSITORY / "demo" / "models"),
        "GX_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }


@pytest.fixture
def ask(airflow_env: dict[str, str]) -> Ask:
    """Return a function that runs Python in a process with Airflow and returns what it assigned to ``answer``."""

    def run(code: str, **more: str) -> Any:
        script = f"{code}\nimport json, sys\nsys.stdout.write('ANSWER' + json.dumps(answer, default=str))"
        done = subprocess.run(
            [sys.executable, "-c", script],
            env={**airflow_env, **more},
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout.rsplit("ANSWER", 1)[1])

    return run
