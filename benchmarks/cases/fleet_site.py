"""The static site of a fleet that was watched for a year: built whole on every core, then one new day of one model.

One model's ledger is made up, and copied under the other models' names: what a page costs doesn't hang on its figures.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from ledger.storage import tables
from ledger.store import Ledger
from models.spec import Spec
from reports.site import build_site
from tests.reports import made

CHROMIUM = Path("/usr/bin/chromium")
PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"


class Fleet:
    """A ledger of some models, and where its site goes."""

    def __init__(self, folder: Path, models: int, days: int) -> None:
        self.site = folder / "site"
        self.ledger = Ledger.open(f"sqlite:///{folder}/ledger.db")
        first = made.spec("model_000")
        self.specs = [first, *(made.spec(f"model_{number:03}") for number in range(1, models))]
        made.fill(self.ledger, first, days=days)
        made.retrain(self.ledger, first)
        for spec in self.specs[1:]:
            copy(self.ledger, first, spec)

    def build(self) -> Fleet:
        """Build the whole site, a process for each core."""
        build_site(self.ledger, self.specs, self.site, processes=os.cpu_count() or 1)
        return self


def prepare(*, root: str, models: int, days: int) -> Callable[[], Fleet]:
    """Return the build over a made-up ledger."""
    return Fleet(Path(tempfile.mkdtemp(dir=root)), models, days).build


def copy(ledger: Ledger, old: Spec, new: Spec) -> None:
    """Give a model all that the ledger has of another."""
    with ledger.engine.begin() as connection:
        for table in tables.metadata.sorted_tables:
            if "model" not in table.c or table is tables.events:  # the log is one chain, of all models
                continue
            columns = [
                sa.func.replace(c, old.model, new.model) if isinstance(c.type, sa.String) else c for c in table.c
            ]
            query = sa.select(*columns).where(table.c.model == old.model)
            connection.execute(sa.insert(table).from_select([c.name for c in table.c], query))


def answer(fleet: Fleet) -> dict[str, Any]:
    """Return how many pages and bytes the site has, what one new day of one model takes, and how soon pages show."""
    files = [path for path in fleet.site.rglob("*") if path.is_file()]
    pages = [path.stat().st_size for path in files if path.suffix == ".html"]
    began = time.process_time()
    build_site(fleet.ledger, fleet.specs, fleet.site, touched={(fleet.specs[0].model, made.LAST)})
    day_s = time.process_time() - began
    found = {
        "models": len(fleet.specs),
        "days": len(fleet.ledger.runs(fleet.specs[0].model)),
        "pages": len(pages),
        "gb": round(sum(path.stat().st_size for path in files) / 1e9, 2),
        "largest_kb": round(max(pages) / 1e3),
        "day_s": round(day_s, 2),
        "shown": shown(fleet),
    }
    fleet.ledger.close()
    shutil.rmtree(fleet.site.parent)
    return found


def shown(fleet: Fleet) -> str:
    """Return in words how long the slowest kind of page takes to show from disk."""
    if not CHROMIUM.exists():
        return "no browser here to show them"
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  only where there is a browser

    model = fleet.site / "models" / fleet.specs[0].model
    feature = next(model.glob("features/*.html"))
    incident = next(fleet.site.glob("incidents/*.html"))
    kinds = [fleet.site / "index.html", model / "index.html", model / "days/index.html",
             model / f"days/{made.LAST}.html", feature, incident, fleet.site / "coverage.html"]  # fmt: skip
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        page = browser.new_page()
        times: list[float] = []
        for kind in kinds:
            page.goto(kind.as_uri())
            times.append(page.evaluate(PAINT))
        browser.close()
    return f"the slowest kind of page shows after {max(times):.0f} ms"
