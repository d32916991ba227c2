"""An engine is one folder and one line: ``tests/warehouse/toy`` is read by CSV files, and nothing else knows of it."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

import warehouse
from checks import suite
from ledger.records.measurements import Verdict
from models.errors import WatchkeeperError
from tests.warehouse import made
from tests.warehouse.made import DAY
from tests.warehouse.toy.warehouse import CsvWarehouse
from warehouse import engines
from watchkeeper.pipeline import lineage

REPOSITORY = Path(__file__).parents[2]
ROOMS = ("catalogue", "models", "profiles", "warehouse", "ledger", "checks", "monitors", "alerting", "reports",
         "watchkeeper", "service", "dags")  # fmt: skip
NAMED_ELSEWHERE = {
    "warehouse/engines.py": {"duckdb", "bigquery"},  # the line of each
    "warehouse/sql/dialect.py": {"duckdb"},  # the SQL in which statements are written
    "warehouse/profiling/arrow.py": {"duckdb"},  # rows in memory, counted in this process
    "warehouse/profiling/jsonlines.py": {"duckdb"},
    "watchkeeper/onboarding/guess.py": {"duckdb"},  # files that no model file describes yet
    "watchkeeper/onboarding/guess_features.py": {"duckdb"},
    "watchkeeper/onboarding/guess_roles.py": {"duckdb"},
    "watchkeeper/onboarding/init.py": {"duckdb"},
    "models/extras.py": {"bigquery"},  # which extra installs the client
    "models/spec.py": {"duckdb", "bigquery"},  # the help of a model file's key
}
"""Files outside an engine's folder that name one."""


@pytest.fixture
def toy(bank, tmp_path, monkeypatch) -> str:
    """Register the engine by its line, and give the address of the week of payments as it holds it."""
    monkeypatch.setattr(engines, "FOLDERS", (*engines.FOLDERS, "tests.warehouse.toy"))
    rows = pd.concat([own.assign(day=day) for day, own in bank.days.items()])
    rows.to_csv(tmp_path / "cards.features.csv", index=False)
    return f"toy://{tmp_path}"


def test_its_address_opens_it(toy):
    assert isinstance(warehouse.open_warehouse(toy), CsvWarehouse)


def test_it_profiles_a_day_as_duckdb_profiles_the_same_rows(toy, bank):
    found = warehouse.open_warehouse(toy)
    assert found.days(bank.model, bank.start, bank.end) == list(bank.days)
    expected = bank.warehouse.profile(bank.model, bank.frame, bank.start, bank.end)
    assert found.profile(bank.model, bank.frame, bank.start, bank.end) == expected
    assert found.fit_profile_schema(bank.model).numbers == bank.frame.numbers
    partition, theirs = found.partition(bank.model, DAY), bank.warehouse.partition(bank.model, DAY)
    assert (partition.rows, partition.distinct_ids) == (theirs.rows, theirs.distinct_ids)


def test_it_runs_expectations_on_the_days_own_rows(toy, bank):
    held = {"expect_column_values_to_be_unique": {"column": "payment_id"}}
    failed = {"expect_column_values_to_not_be_null": {"column": "age_days"}}
    errored = {"expect_column_mean_to_be_between": {"column": "country", "min_value": 0}}
    spec = made.spec(checks=[held, failed, errored])
    found = {m.metric: m for m in suite.run_checks(spec, DAY, warehouse.open_warehouse(toy))}
    unique, filled, mean = (found[next(iter(check))] for check in (held, failed, errored))
    assert (unique.verdict, unique.n) == (Verdict.OK, len(bank.days[DAY]))
    assert (filled.verdict, filled.value) == (Verdict.BREACH, bank.days[DAY].age_days.isna().mean())
    assert mean.verdict is Verdict.ERRORED
    assert mean.reason.startswith("Toy gave up on it: ")


def test_its_tables_have_its_name_in_lineage(toy, bank):
    event = lineage.lineage_event(bank.model, DAY, toy, "START", "r")
    assert {each["namespace"] for each in event["inputs"]} == {"toy"}
    assert event["inputs"][0]["name"].endswith(".cards/features")


def test_an_unknown_address_names_it_among_the_accepted_ones(toy):
    with pytest.raises(
        WatchkeeperError, match=r"accepted .* are a folder of Parquet tables, and .*, and toy:///folder"
    ):
        warehouse.open_warehouse("s3://bucket")
    with pytest.raises(WatchkeeperError, match=r"unknown kind 'tOy'; .*; did you mean 'toy'\?"):
        warehouse.open_warehouse("tOy://bucket")
    with pytest.raises(WatchkeeperError, match="no such folder; accepted is a folder of CSV files"):
        warehouse.open_warehouse("toy:///nowhere")


def test_an_engine_whose_package_is_missing_says_which_extra_to_install():
    code = (
        "import sys, warehouse; sys.modules['google.cloud.bigquery'] = None\n"
        "try: warehouse.open_warehouse('bigquery://project')\n"
        "except warehouse.WatchkeeperError as error: print(error)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPOSITORY)
    assert said.stdout.startswith("warehouse bigquery://project: the package google.cloud")
    assert said.stdout.endswith(" is not installed; install watchkeeper[bigquery]\n")


def test_finding_an_engine_loads_none():
    code = (
        "import sys; from warehouse import engines; engines.engine_at('tables'); engines.engine_at('bigquery://p');"
        "print({'duckdb', 'google.cloud.bigquery', 'great_expectations', 'sqlglot'} & sys.modules.keys())"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPOSITORY)
    assert said.stdout.strip() == "set()"


def test_every_engine_has_a_page_in_the_documentation():
    assert [engine.name for engine in engines.list_engines() if not (REPOSITORY / engine.how_to).is_file()] == []


def test_an_engine_that_bills_keeps_its_costs_and_another_keeps_none(bank):
    assert [engine.name for engine in engines.list_engines() if engine.bills] == ["BigQuery"]
    bank.warehouse.profile(bank.model, bank.frame, DAY, DAY + timedelta(days=1))
    assert bank.warehouse.account.used == []


def test_no_code_outside_an_engines_folder_names_it():
    named: dict[str, set[str]] = {}
    for folder in engines.FOLDERS:
        own = folder.rpartition(".")[2]
        for room in ROOMS:
            for file in (REPOSITORY / room).rglob("*.py"):
                path = file.relative_to(REPOSITORY).as_posix()
                if not path.startswith(folder.replace(".", "/")) and any(own in each.lower() for each in _said(file)):
                    named.setdefault(path, set()).add(own)
    assert {path for path, found in named.items() if found - NAMED_ELSEWHERE.get(path, set())} == set()


def _said(file: Path) -> Iterator[str]:
    """Yield the names, imports and texts of a module; what its docstrings explain is left out."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    # a text that stands alone explains something
    explains = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
        elif isinstance(node, ast.alias):
            yield node.name
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in explains:
            yield node.value
