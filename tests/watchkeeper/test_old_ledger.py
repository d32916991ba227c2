"""A ledger that earlier code wrote still opens, and its next day comes out as that code had it.

``old_ledger/`` holds that ledger (SQLite, gzipped), the bank's tables, the model file, and what that code measured and
concluded on the next day. The tables' times of writing and sizes are the versions that the ledger noted.
"""

from __future__ import annotations

import gzip
import json
import tarfile
from datetime import date
from pathlib import Path

import pytest

from ledger.records.incidents import Status
from models.spec import Spec
from watchkeeper.context import Context
from watchkeeper.pipeline import watch
from watchkeeper.settings import Settings

KEPT = Path(__file__).with_name("old_ledger")
NEXT = date(2026, 2, 16)


@pytest.fixture
def old(tmp_path: Path) -> Context:
    with tarfile.open(KEPT / "bank.tar.gz") as bank:
        bank.extractall(tmp_path, filter="data")
    (tmp_path / "ledger.db").write_bytes(gzip.decompress((KEPT / "ledger.db.gz").read_bytes()))
    settings = Settings(
        models=KEPT,
        warehouse=str(tmp_path / "bank"),
        ledger=f"sqlite:///{tmp_path}/ledger.db",
        site=tmp_path / "site",
        messages=tmp_path / "messages.txt",
        now="2026-02-17T06:30:00",
    )
    return watch.open_context(settings)


@pytest.fixture
def spec(old: Context) -> Spec:
    (only,) = watch.load_specs(old.settings)
    return only


def test_what_the_old_code_concluded_is_read_as_it_was_written(old: Context, spec: Spec) -> None:
    (incident,) = old.ledger.incidents(spec.model)
    assert (incident.cause, incident.feature, incident.status) == ("column_fault", "channel", Status.FIRING)
    assert incident.data_fault
    assert [run.day for run in old.ledger.runs(spec.model)] == [date(2026, 2, day) for day in range(11, 16)]
    assert {message.kind for message in old.ledger.messages()} == {"opened", "handled 4"}


def test_the_next_day_is_measured_and_concluded_as_the_old_code_did(old: Context, spec: Spec) -> None:
    expected = json.loads((KEPT / "expected.json").read_text(encoding="utf-8"))
    assert watch.run_day(old, spec, NEXT).day == NEXT
    found = sorted(
        (
            [str(m.day), m.monitor, m.metric, m.feature, m.slice, m.value, m.low, m.high, m.n, m.limit, str(m.verdict)]
            for m in old.ledger.measurements(spec.model, as_of=NEXT)
        ),
        key=lambda row: [str(part) for part in row[:5]],
    )
    for was, now in zip(expected["measurements"], found, strict=True):
        assert (now[:5], now[-1]) == (was[:5], was[-1])
        for old_figure, figure in zip(was[5:10], now[5:10], strict=True):
            assert figure == (None if old_figure is None else pytest.approx(old_figure)), now
    incidents = [i for i in old.ledger.incidents(spec.model, as_of=NEXT) if i.concluded == NEXT]
    assert [
        [i.id, i.cause, str(i.status), list(i.figures), i.explains, i.amount_gbp_per_day] for i in incidents
    ] == expected["incidents"]
    (decision,) = [decision for decision in old.ledger.decisions(spec.model) if decision.day == NEXT]
    assert decision.verdict == expected["decision"]
    messages = sorted([m.incident, m.kind] for m in old.ledger.messages() if m.day == NEXT)
    assert messages == expected["messages"]
    assert watch.stale_days(old, spec, NEXT) == []
