"""A watched day reads each table of the ledger, and asks the warehouse, at most once for each purpose."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa
import yaml

from ledger.store import Ledger
from models.spec import Spec
from tests.watchkeeper.conftest import MODEL
from tests.watchkeeper.counted import Counted
from watchkeeper.pipeline import watch
from watchkeeper.settings import Settings

FIRST, DAY = date(2026, 1, 20), date(2026, 1, 21)
LEDGER_PURPOSES = {
    "frames": ["the profile schema"],
    "baselines": ["the baseline in force, and the one that is gathered"],
    "batches": ["days that were streamed and never scanned"],
    "profiles": ["days with a profile", "baseline days with the counts of slices", "profiles not seen before"],
    "taken_in": ["what labels were taken in from the day before"],
    "cohorts": [
        "whether labels can be added to what is stored",
        "the cohorts that new labels are added to",
        "what was saved of the same day before, which is replaced",
        "what was known before, to tell which days changed",
        "cohorts as known on the day",
    ],
    "measurements": ["bytes billed today", "past estimates", "what the day is concluded from"],
    "incidents": [
        "what was open the day before",
        "changes that the log lacks",
        "what may be restated",
        "how incidents are handled",
        "what a channel is told",
        "what stands against retraining",
    ],
    "events": [
        "closures of the day",
        "what the model was watched by",
        "changes that the log has",
        "what was restated before",
        "how incidents are handled",
        "silences",
        "the end of the log, to which the next event is chained",
    ],
    "runs": ["days that may be stale", "whether it was ever watched", "days concluded later", "the newest day"],
    "messages": ["whether the day was told to be late", "what a channel was told"],
    "decisions": ["earlier decisions"],
    "retrained": ["outcomes of requests"],
}
"""Why each table of the ledger is read on a watched day."""
WAREHOUSE_PURPOSES = {
    "partition": ["the day", "the columns of a baseline day", "whether the day before is stale"],
    "days": ["baseline days never scanned", "recent days never scanned"],
    "relation": ["the expectations"],
    "profile": ["the day's rows"],
    "versions": ["partitions behind the cohorts"],
    "label_versions": ["label events"],
    "label_changes": ["new cohorts", "labels that came since"],
    "top_cards": ["cards with the highest scores"],
}
"""Why the warehouse is asked on a watched day."""


@pytest.fixture
def spec(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Spec:
    """Return the model with labels and fairness, and two metrics of the bank's own."""
    (tmp_path / "own_metrics.py").write_text("def rows(profile, schema):\n    return profile.rows\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    path = settings.models / f"{MODEL}.yaml"
    metrics = [{"name": name, "function": "own_metrics:rows", "floor": 1.0} for name in ("rows", "again")]
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | {"metrics": metrics}))
    (found,) = watch.load_specs(settings)
    assert found.labels
    assert found.protected
    return found


@contextmanager
def tables_read(ledger: Ledger) -> Iterator[list[str]]:
    """Yield the tables of the ledger that are read inside, one for each statement: the one that it begins with."""
    read: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith("SELECT"):
            read.extend(re.findall(r"FROM (\w+)", statement)[:1])

    sa.event.listen(ledger.engine, "before_cursor_execute", note)
    yield read
    sa.event.remove(ledger.engine, "before_cursor_execute", note)


def test_a_watched_day_reads_each_table_and_asks_the_warehouse_once_for_each_purpose(
    settings: Settings, spec: Spec
) -> None:
    ctx = watch.open_context(settings)
    watch.watch_day(ctx, spec, FIRST)
    counted = Counted(ctx.warehouse)
    ctx = replace(ctx, warehouse=counted)  # type: ignore[arg-type]  # it passes everything on
    with tables_read(ctx.ledger) as read:
        watch.run_day(ctx, spec, DAY)
    found = {m.monitor for m in ctx.ledger.measurements(MODEL, as_of=DAY)}
    assert found >= {"arrival", "check", "drift", "performance", "estimate", "fairness", "custom"}
    for table, times in Counter(read).items():
        assert times <= len(LEDGER_PURPOSES[table]), (table, times)
    asked = Counter(name for name, _ in counted.calls)
    for call, times in asked.items():
        assert times <= len(WAREHOUSE_PURPOSES[call]), (call, times)
    assert max(Counter(repr(call) for call in counted.calls).values()) == 1
    assert {"profiles", "cohorts", "measurements"} <= set(read)
    assert asked["profile"] == 1
