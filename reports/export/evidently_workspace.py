"""Copies watched days into an Evidently workspace, for teams that browse their drift there."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

from ledger.records.retraining import BaselineChange
from models.errors import WatchkeeperError
from models.extras import is_installed, missing_package
from models.spec import Spec
from reports.export.evidently_report import SAMPLE_ROWS, SAMPLE_SEED, comparable_columns, compare_samples
from warehouse.protocol import Warehouse


def export_days(
    warehouse: Warehouse, spec: Spec, baseline: BaselineChange, days: Iterable[date], folder: Path
) -> Iterator[tuple[date, str]]:
    """Add a run for each day to the model's project of a workspace; yield the day, and what became of it.

    A run compares bounded samples of the day and the baseline, as an incident's report does. A day that is there
    already is not added again. Raises WatchkeeperError where the folder can't be a workspace.
    """
    workspace, project = _open_workspace(folder, spec)
    there = {str(workspace.get_run(project.id, run).name) for run in workspace.list_runs(project.id)}
    reference = warehouse.sample(spec, baseline.start, baseline.end, SAMPLE_ROWS, SAMPLE_SEED)
    for day in days:
        if str(day) in there:
            yield day, "there already"
            continue
        try:
            current = warehouse.sample(spec, day, day, SAMPLE_ROWS, SAMPLE_SEED)
        except WatchkeeperError as error:  # a day that was watched without its partition
            yield day, str(error)
            continue
        if current.empty or reference.empty:
            yield day, "no rows"
            continue
        normal = reference.copy()
        numbers, categories, left_out = comparable_columns(spec, current, normal)
        made = compare_samples(current, normal, numbers, categories, left_out, day)
        if made is None:
            yield day, "no column that Evidently can compare"
            continue
        workspace.add_run(project.id, made.run)
        yield day, f"added, without {', '.join(left_out)}" if left_out else "added"


def _open_workspace(folder: Path, spec: Spec) -> tuple[Any, Any]:
    if not is_installed("evidently"):
        raise missing_package("evidently", "an Evidently workspace")
    os.environ["DO_NOT_TRACK"] = "1"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Evidently and its dependencies warn of at import is not ours to fix
        from evidently.ui.workspace import Workspace  # noqa: PLC0415  takes 7 to 15 seconds

        if folder.is_file():
            raise WatchkeeperError(f"{folder}: is a file; accepted is a folder, new or an Evidently workspace")
        workspace = Workspace.create(str(folder))
        found = list(workspace.search_project(spec.model))
        return workspace, found[0] if found else workspace.create_project(spec.model, spec.name)
