"""Watchkeeper on laid-out days: a backfill, day by day, of what can page; the incidents that it fires are its pages."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from benchmarks.incidents.source import Source
from benchmarks.incidents.verdicts import Page, Truth
from ledger.records.incidents import Incident
from ledger.records.measurements import Measurement, Verdict
from ledger.store import Ledger
from warehouse.duckdb.warehouse import ParquetWarehouse
from watchkeeper.context import Context
from watchkeeper.pipeline import watch
from watchkeeper.pipeline.day_cache import DayCache
from watchkeeper.pipeline.take_in import take_in_day, take_in_past
from watchkeeper.settings import Settings

LEDGER = "ledger.db"
MOST_BREACHES = 40
"""So many of a missed incident's breaches are told."""
NAME = "watchkeeper"


@dataclass
class Watched:
    """A bank's tables under ``root``, watched up to some day; ``pages`` are those of the days watched so far."""

    source: Source
    root: Path
    ctx: Context
    pages: list[Page] = field(default_factory=list)
    cache: DayCache = field(default_factory=DayCache)

    @classmethod
    def open(cls, source: Source, root: Path) -> Watched:
        """Open tables that nobody has watched so far."""
        settings = Settings(
            warehouse=str(root), ledger=f"sqlite:///{root / LEDGER}", site=root / "site", registry=root / "registry"
        )
        noon = datetime.combine(source.start, time(12), UTC)
        warehouse = ParquetWarehouse(root, threads=1)
        return cls(source, root, Context(settings, warehouse, Ledger.open(settings.ledger), noon, live=False))

    def branch(self, root: Path) -> Watched:
        """Return the same watch over tables under another folder: what was scanned so far isn't scanned again."""
        with closing(sqlite3.connect(self.root / LEDGER)) as own, closing(sqlite3.connect(root / LEDGER)) as copy:
            own.backup(copy)  # what was written last isn't in the file yet
        again = Watched.open(self.source, root)
        again.cache = self.cache.without([])
        return again

    def watch(self, day: date) -> list[Page]:
        """Watch a day on the morning after it, and return its pages in the order in which they are concluded."""
        spec = self.source.spec
        self.ctx = replace(self.ctx, now=datetime.combine(day + timedelta(days=1), time(7), UTC))
        taken = take_in_day(self.ctx, spec, day, take_in_past(self.ctx, spec, day, self.cache), self.cache)
        watch.measure_day(self.ctx, spec, day, taken, self.cache, only_what_alerts=True)
        watch.conclude_day(self.ctx, spec, day, taken, self.cache)
        found = [i for i in self.ctx.ledger.incidents(spec.model, as_of=day) if i.fired == day]
        told = [_page(day, i) for i in sorted(found, key=lambda i: (i.cause_entry.order, i.id))]
        self.pages += told
        return told

    def breaches(self, start: date, end: date) -> dict[tuple[date, str], Measurement]:
        """Return what was over its limit as of each day of a span, by day and figure."""
        found = self.ctx.ledger.measurements(self.source.model, as_of_from=start, as_of_to=end)
        return {(m.as_of, _figure(m)): m for m in found if m.verdict in (Verdict.BREACH, Verdict.ERRORED)}

    def explain(self, truth: Truth, quiet: Watched) -> list[str]:
        """Say why an incident may have been missed: what broke a limit anew, and what was said of its columns."""
        end = truth.start + timedelta(days=truth.deadline_days - 1)
        anyway = quiet.breaches(truth.start, end)
        new = [m for key, m in self.breaches(truth.start, end).items() if key not in anyway]
        new.sort(key=lambda m: (m.feature not in truth.columns, bool(m.slice), m.as_of))
        before = self.ctx.ledger.live_incidents(self.source.model, truth.start)
        lines = [f"open before: {i.cause}/{i.feature}/{i.slice} since {i.opened}, {i.status}" for i in before]
        lines += [f"breach {m.as_of} {_figure(m)}: {m.reason}" for m in new[:MOST_BREACHES]]
        lines += [f"alert {page.day} {page.key}: {page.words}" for page in self.pages if page.day >= truth.start]
        found = self.ctx.ledger.measurements(self.source.model, as_of=end)
        return lines + [
            f"{m.verdict} {m.as_of} {_figure(m)} = {_number(m.value)}, limit {_number(m.limit)}: {m.reason}"
            for m in found
            if (m.feature in truth.columns or (not truth.columns and not m.feature and m.monitor != "performance"))
            and not m.slice
        ]

    def close(self) -> None:
        """Close the ledger."""
        self.ctx.ledger.close()


def _page(day: date, incident: Incident) -> Page:
    first = incident.figures[0].split("/") if incident.figures else []
    column = incident.feature or (first[2] if len(first) > 2 else "")
    key = f"{incident.cause}/{incident.feature}/{incident.slice}"
    words = " ".join([incident.summary, *incident.evidence[:2]])
    return Page(day, key, column, str(incident.cause), words)


def _figure(m: Measurement) -> str:
    return "/".join(part for part in (m.monitor, m.metric, m.feature, m.slice) if part)


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.4g}"
