from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from ledger.events import compute_event_hash, describe_first_broken_event
from ledger.records.events import Event
from ledger.store import Ledger
from tests.watchkeeper.cli.test_incidents import DAY, MISSING, Handle, by, handle
from tests.watchkeeper.conftest import MODEL, Say, one_sentence
from watchkeeper.settings import Settings

__all__ = ["handle"]

PACK = ("audit", "export", "--model", MODEL, "--from", "2026-01-15", "--to", "2026-01-24", "--to-folder")
HOSTILE = "<script>alert(1)</script> & `rm`"


@pytest.fixture
def pack(handle: Handle, tmp_path: Path) -> Path:
    """Return the evidence of a missing partition that somebody took on."""
    assert handle("incident", "acknowledge", MISSING, *by(reason=HOSTILE)).status == 0
    answer = handle(*PACK, str(tmp_path / "pack"), "--by", "model risk")
    assert answer.status == 0, answer.err
    return tmp_path / "pack"


def content(pack: Path, name: str) -> list[dict]:
    return json.loads((pack / f"{name}.json").read_text())


def test_a_whole_log_is_verified_with_its_newest_hash(handle: Handle, settings: Settings) -> None:
    answer = handle("audit", "verify", "--json")
    (row,) = json.loads(answer.out)
    newest = Ledger.open(settings.ledger).events()[-1]
    assert (answer.status, row["whole"], row["events"], row["head"]) == (0, True, newest.number, newest.hash)
    assert handle("audit", "verify", "--head", newest.hash).status == 0


def test_a_log_that_was_tampered_with_is_status_3_and_names_the_event(handle: Handle, settings: Settings) -> None:
    with Ledger.open(settings.ledger).engine.connect() as connection:
        connection.exec_driver_sql("DROP TRIGGER events_no_update")
        connection.exec_driver_sql("UPDATE events SET reason = 'all was well' WHERE kind = 'fired'")
        connection.commit()
    answer = handle("audit", "verify")
    assert answer.status == 3
    assert answer.out.startswith("event 2 (fired, 2026-02-01 00:00 UTC) was changed after it was written")
    assert handle("audit", "verify", "--head", "0" * 63 + "1").status == 3


def test_every_file_of_the_pack_has_its_hash_in_the_manifest(pack: Path) -> None:
    manifest = json.loads((pack / "manifest.json").read_text())
    files = {path.name for path in pack.iterdir()} - {"manifest.json"}
    assert set(manifest["sha256"]) == files
    for name, wanted in manifest["sha256"].items():
        assert hashlib.sha256((pack / name).read_bytes()).hexdigest() == wanted
    assert (manifest["made_by"], manifest["model"]) == ("model risk", MODEL)


def test_the_pack_holds_figures_data_version_query_config_baseline_and_who_did_what(pack: Path) -> None:
    (incident,) = content(pack, "incidents")
    assert [(e["kind"], e["actor"]) for e in incident["events"]] == [("fired", "system"), ("acknowledged", "on-call")]
    assert incident["messages"][0]["kind"] == "opened"
    assert {m["as_of"] for m in content(pack, "figures")} == {str(DAY)}
    (run,) = content(pack, "runs")
    assert set(run) >= {"source_version", "rows", "day"}
    (query,) = content(pack, "queries")
    assert f"has no partition of {DAY}" in query["reason"]
    (configured,) = [e for e in content(pack, "events") if e["kind"] == "configured"]
    manifest = json.loads((pack / "manifest.json").read_text())
    assert configured["payload"]["config_sha256"] == manifest["config_sha256"]
    assert content(pack, "baselines")[0]["reason"] == "model file"


def test_the_packs_events_can_be_checked_without_the_ledger(pack: Path) -> None:
    """Each event's hash is over what it says, and its place in the chain is in the pack too."""
    chain = dict(content(pack, "chain"))
    for row in content(pack, "events"):
        event = Event(**row | {"at": datetime.fromisoformat(row["at"])})
        assert compute_event_hash(event) == event.hash == chain[event.number]
        assert event.number == 1 or chain[event.number - 1] == event.previous


def test_the_summary_is_readable_and_shows_hostile_text_as_text(pack: Path) -> None:
    page = (pack / "summary.html").read_text()
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; rm" in page
    for said in (MISSING, "acknowledged", "each follows the one before it", "2026-01-15 to 2026-01-24"):
        assert said in page


def test_a_folder_with_something_in_it_is_left_alone(pack: Path, say: Say) -> None:
    before = {path: path.read_bytes() for path in pack.iterdir()}
    assert "is not empty; evidence is written into a folder of its own" in one_sentence(say(*PACK, str(pack)))
    assert {path: path.read_bytes() for path in pack.iterdir()} == before


def test_watching_again_logs_nothing_and_a_changed_model_file_is_logged(
    handle: Callable[..., object], settings: Settings
) -> None:
    ledger = Ledger.open(settings.ledger)
    before = ledger.events()
    run = ("run", "--model", MODEL, "--day", str(DAY), "--no-site")
    handle(*run)
    assert ledger.events() == before
    file = settings.models / f"{MODEL}.yaml"
    file.write_text(file.read_text() + "\n# a comment\n")
    handle(*run)
    assert ledger.events() == before
    file.write_text(file.read_text() + "retention: {slice_days: 500}\n")
    handle(*run)
    (configured,) = ledger.events()[len(before) :]
    assert (configured.kind, configured.reason) == ("configured", "the model file changed")
    assert describe_first_broken_event(ledger.events()) == ""
