"""A small bank with a short baseline, built once; each test gets its own ledger, site and model files."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple, NoReturn

import pytest
import yaml

from ledger.store import Ledger
from models.spec import Spec
from simulator import incidents as trouble
from simulator.bank import build_bank
from warehouse.budget import CostAccount
from watchkeeper.cli import main
from watchkeeper.context import Context
from watchkeeper.pipeline import watch
from watchkeeper.pipeline.day_cache import DayCache
from watchkeeper.settings import Settings

REPOSITORY = Path(__file__).parents[2]
FIRST, BASELINE_END, LAST = date(2026, 1, 1), date(2026, 1, 14), date(2026, 1, 24)
MODEL = "app_scams"


@pytest.fixture(scope="session")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a warehouse folder with 24 quiet days of one model."""
    root = tmp_path_factory.mktemp("bank")
    build_bank(root, [MODEL], FIRST, LAST, 7, [])
    return root


@pytest.fixture
def settings(bank: Path, tmp_path: Path) -> Settings:
    """Return settings with one model whose baseline is the bank's first two weeks."""
    return settings_in(tmp_path, bank)


def settings_in(path: Path, bank: Path) -> Settings:
    """Return settings of a bank with everything else in one folder."""
    folder = path / "models"
    folder.mkdir()
    content = yaml.safe_load((REPOSITORY / "demo" / "models" / f"{MODEL}.yaml").read_text())
    content["baseline"] = {"from": FIRST, "to": BASELINE_END}
    (folder / f"{MODEL}.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    return Settings(
        models=folder,
        warehouse=str(bank),
        ledger=f"sqlite:///{path}/ledger.db",
        site=path / "site",
        registry=path / "registry",
        messages=path / "messages.txt",
        heartbeat=path / "heartbeat.json",
        now="2026-02-01T00:00:00",
    )


class Answer(NamedTuple):
    status: int
    out: str
    err: str


Say = Callable[..., Answer]


@pytest.fixture
def say(settings: Settings, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Say:
    """Return a function that runs the command line as a user would, and what it answered."""

    def run(*arguments: str, **changed: str) -> Answer:
        for name in ("models", "warehouse", "ledger", "site", "registry", "messages", "heartbeat", "now"):
            monkeypatch.setenv(f"WATCHKEEPER_{name.upper()}", changed.get(name, str(getattr(settings, name))))
        monkeypatch.setenv("COLUMNS", changed.get("columns", "400"))
        monkeypatch.setattr("sys.argv", ["watchkeeper", *arguments])
        capfd.readouterr()
        status = 0
        try:
            main()
        except SystemExit as stop:
            status = int(stop.code or 0)
        return Answer(status, *capfd.readouterr())

    return run


def one_sentence(answer: Answer) -> str:
    """Return the user's mistake as it was told: status 2, no traceback, nothing on stdout."""
    assert answer.status == 2, answer.err
    assert "Traceback" not in answer.err
    assert answer.out == ""
    return answer.err.strip()


@pytest.fixture
def ctx(settings: Settings) -> Context:
    return watch.open_context(settings)


@pytest.fixture
def spec(settings: Settings) -> Spec:
    (only,) = watch.load_specs(settings)
    return only


@pytest.fixture
def broken_bank(bank: Path, tmp_path: Path) -> Callable[..., Path]:
    """Return a function that copies the bank's partitions by link, but for those a test means to break."""

    def copied(*, without: date | None = None) -> Path:
        root = tmp_path / "bank"
        for file in bank.rglob("*.parquet"):
            if without and f"features/day={without}" in file.as_posix():
                continue
            target = root / file.relative_to(bank)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.hardlink_to(file)
        return root

    return copied


FROM, BROKEN, TO = date(2026, 1, 18), date(2026, 1, 20), date(2026, 1, 22)
"""Days that were watched for the tests of stored history, one of them with a null flood."""


class Shut:
    """A warehouse that nobody may ask for anything."""

    account = CostAccount()

    def __getattr__(self, name: str) -> NoReturn:
        raise AssertionError(f"the warehouse was asked for {name}")


@pytest.fixture(scope="session")
def history_file(bank: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a ledger file of five watched days."""
    folder = tmp_path_factory.mktemp("history")
    root = folder / "bank"
    for file in bank.rglob("*.parquet"):
        if f"features/day={BROKEN}" not in file.as_posix():
            (root / file.relative_to(bank)).parent.mkdir(parents=True, exist_ok=True)
            (root / file.relative_to(bank)).hardlink_to(file)
    build_bank(root, [MODEL], BROKEN, BROKEN, 7, [trouble.null_flood(MODEL, "session_minutes", 0.3, BROKEN)])
    ctx = watch.open_context(settings_in(folder, root), live=False)
    (spec,) = watch.load_specs(ctx.settings)
    cache = DayCache()
    for day in days(FROM, TO):
        watch.watch_day(ctx, spec, day, cache=cache)
    ctx.ledger.close()
    return folder / "ledger.db"


@pytest.fixture
def watched(settings: Settings, history_file: Path) -> Context:
    """Return a context on a copy of the five watched days, with a warehouse that is shut."""
    shutil.copy(history_file, settings.ledger.removeprefix("sqlite:///"))
    return Context(settings, Shut(), Ledger.open(settings.ledger), datetime(2026, 2, 1, tzinfo=UTC), live=False)


def days(start: date, end: date) -> list[date]:
    return [start + timedelta(days=i) for i in range((end - start).days + 1)]


def noon(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time()).replace(hour=12)
