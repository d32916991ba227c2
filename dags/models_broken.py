"""Raises what is wrong with broken model files, so that Airflow shows it as this file's import error."""

from __future__ import annotations

from airflow.sdk import get_parsing_context

from models.load import SpecError, list_model_files, load_model_file
from watchkeeper.settings import read_settings

problems: list[str] = []
folder = read_settings().models  # where none is set, models_watched.py says so
if folder is not None and get_parsing_context().dag_id is None:  # a worker that runs a model's task needn't look
    for path in list_model_files(folder):
        try:
            load_model_file(path)
        except SpecError as error:
            problems += error.problems
if problems:
    raise ValueError("\n".join(problems))
