"""Without Airflow, Evidently and Great Expectations the command line watches, shows and says what it lacks."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
import yaml

from tests.watchkeeper.conftest import MODEL, REPOSITORY
from watchkeeper.settings import Settings

DAY = date(2026, 1, 20)
REFUSAL = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("airflow", "evidently", "great_expectations"):
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)

sys.meta_path.insert(0, Refuse())
"""
Plain = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def plain(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plain:
    """Return a function that runs the command line of a plain installation in a process of its own."""
    (tmp_path / "refusing").mkdir()
    (tmp_path / "refusing" / "sitecustomize.py").write_text(REFUSAL)
    assert settings.models is not None
    file = settings.models / f"{MODEL}.yaml"
    content = yaml.safe_load(file.read_text())
    content.pop("checks")
    file.write_text(yaml.safe_dump(content, sort_keys=False))
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("WATCHKEEPER_", "AIRFLOW"))}
    names = ("models", "warehouse", "ledger", "site", "registry", "messages", "heartbeat", "now")
    given = {f"WATCHKEEPER_{name.upper()}": str(getattr(settings, name)) for name in names}
    path = f"{tmp_path / 'refusing'}:{REPOSITORY}"

    def run(*arguments: str, **changed: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "watchkeeper", *arguments],
            env=kept | given | {"PYTHONPATH": path, "COLUMNS": "400"} | changed,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return run


def test_a_model_is_checked_watched_and_shown(plain: Plain, settings: Settings) -> None:
    for arguments in (
        ("--help",),
        ("validate",),
        ("run", "--model", MODEL, "--day", str(DAY)),
        ("incidents", "--json"),
        ("site",),
    ):
        answer = plain(*arguments)
        assert answer.returncode == 0, answer.stderr
        assert "Traceback" not in answer.stderr
    assert (settings.site / "index.html").is_file()


def test_what_is_lacking_is_said_where_it_is_needed(plain: Plain) -> None:
    watched = plain("run", "--model", MODEL, "--day", str(DAY), "--no-site")
    assert watched.returncode == 0, watched.stderr
    span = ("--from", str(DAY), "--to", str(DAY))
    exported = plain("export", "evidently", "--model", MODEL, *span, "--to-folder", "workspace")
    assert (exported.returncode, exported.stderr.strip()) == (
        2,
        "an Evidently workspace needs evidently, which is not installed: pip install 'watchkeeper[evidently]'",
    )
    suggested = plain("suggest", "--model", MODEL, "--write")
    assert "to run the checks: pip install 'watchkeeper[checks]'" in suggested.stdout
    examined = plain("doctor", AIRFLOW_HOME="/nowhere").stdout
    assert "great_expectations is not installed (extra checks)" in examined
    assert "Airflow is not installed here; pip install 'watchkeeper[airflow]'" in examined
