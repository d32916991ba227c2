"""A ledger with a month of two models, and the site built from it once for all tests that only read it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.store import Ledger
from models.spec import Spec
from reports import site as reports_site
from tests.reports import made


@pytest.fixture(scope="session")
def specs() -> list[Spec]:
    unlabelled = made.spec("account_opening", labels=None, protected={}, slices=[], score={}, checks=[])
    return [made.spec("card_payments"), made.spec("app_scams"), unlabelled]


@pytest.fixture(scope="session")
def ledger(tmp_path_factory: pytest.TempPathFactory, specs: list[Spec]) -> Iterator[Ledger]:
    ledger = Ledger.open(f"sqlite:///{tmp_path_factory.mktemp('ledger') / 'ledger.db'}")
    made.fill(ledger, specs[0], days=30)
    made.fill(ledger, specs[1], days=6)
    made.retrain(ledger, specs[0])
    yield ledger
    ledger.engine.dispose()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, ledger: Ledger, specs: list[Spec]) -> Path:
    folder = tmp_path_factory.mktemp("built") / "site"
    reports_site.build_site(ledger, specs, folder)
    return folder
