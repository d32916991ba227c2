"""Airflow parses the DAG files over many model files, as its DAG processor does every half minute."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.measure import REPOSITORY


def prepare(*, root: str, models: int) -> Callable[[], Any]:
    """Return the parse; Airflow itself is imported before."""
    folder = Path(tempfile.mkdtemp(dir=root))
    (folder / "models").mkdir()
    content = (REPOSITORY / "demo" / "models" / "card_payments.yaml").read_text(encoding="utf-8")
    for i in range(models):
        name = f"card_payments_{i:03}"
        mine = content.replace("model: card_payments\n", f"model: {name}\n")
        (folder / "models" / f"{name}.yaml").write_text(mine, encoding="utf-8")
    os.environ |= {
        "AIRFLOW_HOME": str(folder),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(REPOSITORY / "dags"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{folder}/airflow.db",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
        "WATCHKEEPER_MODELS": str(folder / "models"),
    }
    import airflow.sdk  # noqa: F401, PLC0415  reads its settings when it is imported
    from airflow.dag_processing.dagbag import DagBag  # noqa: PLC0415

    return lambda: DagBag(dag_folder=str(REPOSITORY / "dags"))


def answer(bag: Any) -> dict[str, int]:
    """Return the DAGs that were made, and the files that were not understood."""
    return {"dags": len(bag.dags), "errors": len(bag.import_errors)}
