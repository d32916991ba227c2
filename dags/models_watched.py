"""Airflow reads this file: a watch DAG and a retraining DAG for every model file.

A broken model file takes only its own DAGs away; models_broken.py shows why.
"""

from __future__ import annotations

from airflow.sdk import get_parsing_context

from dags.factory import make_retrain_dag, make_watch_dag
from models.load import SpecError, list_model_files, load_model_file
from watchkeeper.settings import read_settings

settings = read_settings()
wanted = get_parsing_context().dag_id  # in a worker: only the DAG it runs
for path in list_model_files(settings.models_folder()):
    if wanted is None or wanted.endswith(f"__{path.stem}"):
        try:
            spec = load_model_file(path)
        except SpecError:
            continue
        make_watch_dag(spec, settings)
        make_retrain_dag(spec)
