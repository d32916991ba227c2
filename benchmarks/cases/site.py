"""The static site of one model with ninety watched days, built whole, and then the pages that one new day touches."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from ledger.store import Ledger
from reports.site import build_site
from tests.reports import made

DAYS = 90


def prepare(*, root: str, days: int, whole: bool) -> Callable[[], Path]:
    """Return the build over a made-up ledger; a day's build finds the site of the days before it."""
    folder = Path(tempfile.mkdtemp(dir=root))
    ledger, model = Ledger.open(f"sqlite:///{folder}/ledger.db"), made.spec()
    made.fill(ledger, model, days=days)
    touched = None if whole else {(model.model, made.LAST)}
    if not whole:
        build_site(ledger, [model], folder / "site")
    return lambda: build_site(ledger, [model], folder / "site", touched=touched)


def answer(index: Path) -> dict[str, int]:
    """Return the pages and the size of the site."""
    files = [path for path in index.parent.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    return {"pages": sum(path.suffix == ".html" for path in files), "mb": round(size / 1e6)}
