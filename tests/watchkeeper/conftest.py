"""A small bank with a short baseline, built once; each test gets its own ledger, site and model files."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from models.spec import Spec
from simulator.bank import build
from watchkeeper import cli, watch
from watchkeeper.settings import Settings
from watchkeeper.stored import Context

REPOSITORY = Path(__file__).parents[2]
FIRST, BASELINE_END, LAST = date(2026, 1, 1), date(2026, 1, 14), date(2026, 1, 24)
MODEL = "app_scams"


@pytest.fixture(scope="session")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a warehouse folder with 24 quiet days of one model."""
    root = tmp_path_factory.mktemp("bank")
    build(root, [MODEL], FIRST, LAST, 7, [])
    return root


@pytest.fixture
def settings(bank: Path, tmp_path: Path) -> Settings:
    """Return settings with one model whose baseline is the bank's first two weeks."""
    folder = tmp_path / "models"
    folder.mkdir()
    content = yaml.safe_load((REPOSITORY / "models" / f"{MODEL}.yaml").read_text())
    content["baseline"] = {"from": FIRST, "to": BASELINE_END}
    (folder / f"{MODEL}.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    return Settings(
        models=folder,
        warehouse=str(bank),
        ledger=f"sqlite:///{tmp_path}/ledger.db",
        site=tmp_path / "site",
        registry=tmp_path / "registry",
        messages=tmp_path / "messages.txt",
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
        for name in ("models", "warehouse", "ledger", "site", "registry", "messages", "now"):
            monkeypatch.setenv(f"WATCHKEEPER_{name.upper()}", changed.get(name, str(getattr(settings, name))))
        monkeypatch.setenv("COLUMNS", "400")
        monkeypatch.setattr("sys.argv", ["watchkeeper", *arguments])
        capfd.readouterr()
        status = 0
        try:
            cli.main()
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
    return watch.context(settings)


@pytest.fixture
def spec(settings: Settings) -> Spec:
    (only,) = watch.known_specs(settings)
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


def days(start: date, end: date) -> list[date]:
    return [start + timedelta(days=i) for i in range((end - start).days + 1)]


def noon(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time()).replace(hour=12)
