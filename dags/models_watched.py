"""Airflow reads this file: a watch DAG and a retraining DAG for every model file.

A broken model file takes only its own DAGs away; models_broken.py shows why.
"""

from __future__ import annotations

from airflow.sdk import get_parsing_context

from dags.factory import retrain_dag, watch_dag
from models.load import SpecError, load, paths
from watchkeeper.settings import read

settings = read()
wanted = get_parsing_context().dag_id  # in a worker: only the DAG it runs
for path in paths(settings.models):
    if wanted is None or wanted.endswith(f"__{path.stem}"):
        try:
            spec = load(path)
        except SpecError:
            continue
        watch_dag(spec, settings)
        retrain_dag(spec)
