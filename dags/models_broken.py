"""Raises what is wrong with broken model files, so that Airflow shows it as this file's import error."""

from __future__ import annotations

from airflow.sdk import get_parsing_context

from models.load import SpecError, list_model_files, load_model_file
from watchkeeper.settings import read_settings

problems: list[str] = []
if get_parsing_context().dag_id is None:  # a worker that runs another model's task needn't look
    for path in list_model_files(read_settings().models):
        try:
            load_model_file(path)
        except SpecError as error:
            problems += error.problems
if problems:
    raise ValueError("\n".join(problems))
