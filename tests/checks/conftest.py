"""A partition of a small payments table, as real Parquet, and a model file that checks it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from checks import suite
from ledger.records.measurements import Measurement
from models.spec import Spec
from warehouse.duckdb.warehouse import ParquetWarehouse

DAY = date(2026, 3, 2)
PAYMENTS = """
    SELECT 'p' || i AS payment_id, i % 100 + 0.5 AS amount_gbp, ['web', 'app', 'phone'][i % 3 + 1] AS channel,
        i % 90 AS age, CASE WHEN i % 10 = 0 THEN NULL ELSE i::DOUBLE END AS device_age_days, i AS a, i + 1 AS b,
        i AS also_a, DATE '2026-03-02' AS opened, i / 1000 AS score
    FROM range({rows}) AS t(i)
"""

Check = dict[str, dict[str, Any]]
RunChecks = Callable[..., list[Measurement]]


def spec_of(*checks: Check, **keys: Any) -> Spec:
    content = {
        "model": "card_payments",
        "features": {"table": "payments"},
        "baseline": {"from": date(2026, 1, 1), "to": date(2026, 1, 2)},
        "checks": list(checks),
    }
    return Spec.model_validate(content | keys)


def write(root: Path, query: str = PAYMENTS, *, rows: int = 1000, day: date = DAY, table: str = "payments") -> Path:
    file = root / table / f"day={day}" / "part-0.parquet"
    file.parent.mkdir(parents=True, exist_ok=True)
    duckdb.sql(query.replace("{rows}", str(rows))).write_parquet(str(file))
    return file


@pytest.fixture
def run_checks(tmp_path: Path) -> RunChecks:
    """Write a partition from a query, and run checks on it."""

    def run(*checks: Check, query: str = PAYMENTS, rows: int = 1000) -> list[Measurement]:
        write(tmp_path, query, rows=rows)
        return suite.run_checks(spec_of(*checks), DAY, ParquetWarehouse(tmp_path, threads=1))

    return run
