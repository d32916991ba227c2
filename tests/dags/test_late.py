from __future__ import annotations

from pathlib import Path

import pytest

from tests.dags.conftest import Ask

INTERVAL = '"data_interval_start": "2026-04-20T00:00:00Z"'


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        (INTERVAL + ', "run_type": "scheduled", "conf": {}', "1 sent, 0 waiting"),
        ('"data_interval_start": None, "run_type": "manual", "conf": {"day": "2026-04-20"}', "1 sent, 0 waiting"),
        (INTERVAL + ', "run_type": "backfill"', "a backfill notifies nobody"),
    ],
)
def test_the_deadline_alert_tells_the_day_of_its_run_and_nothing_of_a_backfill(
    ask: Ask, tmp_path: Path, sent: str, answer: str
) -> None:
    """What is sent is JSON, as the scheduler makes it, not a DAG run."""
    given = {"LEDGER": f"sqlite:///{tmp_path}/ledger.db", "MESSAGES": str(tmp_path / "messages.txt")}
    code = f"""
from dags.late import notify_not_watched
answer = notify_not_watched("app_scams", "UTC", {{"dag_run": {{{sent}}}}})
"""
    assert ask(code, **{f"WATCHKEEPER_{name}": value for name, value in given.items()}) == answer
    told = (tmp_path / "messages.txt").read_text() if (tmp_path / "messages.txt").exists() else ""
    assert ("Mon 20 Apr was not watched" in told) is answer.startswith("1 sent")
