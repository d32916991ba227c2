"""An Evidently workspace gets each watched day once, as a run of its own in the model's project."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from ledger.records.retraining import BaselineChange
from models.errors import WatchkeeperError
from models.spec import Spec
from reports.export import evidently_workspace
from tests.reports.export.test_evidently_report import BASELINE, DAY, bank, spec  # noqa: F401  fixtures
from warehouse.protocol import Warehouse

NOBODY = date(2026, 1, 9)


def exported(bank: Warehouse, spec: Spec, folder: Path, *days: date) -> list[tuple[date, str]]:  # noqa: F811
    baseline = BaselineChange(spec.model, BASELINE, BASELINE, BASELINE, "model file")
    return list(evidently_workspace.export_days(bank, spec, baseline, days, folder))


def test_each_day_is_a_run_of_the_models_project_once(bank: Warehouse, spec: Spec, tmp_path: Path) -> None:  # noqa: F811
    folder = tmp_path / "workspace"
    (first, (_, why)) = exported(bank, spec, folder, DAY, NOBODY)
    assert first == (DAY, "added, without dead")
    assert "has no partition from 2026-01-09" in why
    assert exported(bank, spec, folder, DAY, BASELINE) == [(DAY, "there already"), (BASELINE, "added")]
    from evidently.ui.workspace import Workspace  # after the export, which keeps its warnings at import quiet

    found = Workspace(str(folder))
    (project,) = found.list_projects()
    assert project.name == "cards"
    runs = [found.get_run(project.id, run) for run in found.list_runs(project.id)]
    assert {run.name for run in runs} == {str(DAY), str(BASELINE)}
    assert {run.timestamp.date() for run in runs} == {DAY, BASELINE}


def test_a_file_is_no_workspace(bank: Warehouse, spec: Spec, tmp_path: Path) -> None:  # noqa: F811
    (tmp_path / "file").write_text("")
    with pytest.raises(WatchkeeperError, match="is a file; accepted is a folder"):
        exported(bank, spec, tmp_path / "file", DAY)
