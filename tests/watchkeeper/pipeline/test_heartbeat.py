from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from ledger.store import Ledger
from models.errors import WatchkeeperError
from models.spec import Spec
from tests.watchkeeper.conftest import MODEL, Say, one_sentence
from watchkeeper.pipeline import heartbeat
from watchkeeper.pipeline.heartbeat import ModelHeartbeat, parse_age
from watchkeeper.settings import Settings

NOW = datetime(2026, 2, 1, tzinfo=UTC)
RUN = ("run", "--model", MODEL, "--day", "2026-01-20", "--no-site")


def test_a_watch_that_came_to_its_end_leaves_a_sign_of_life(say: Say, settings: Settings) -> None:
    assert say("heartbeat").status == 3
    assert say(*RUN).status == 0
    own = {"at": NOW.isoformat(), "day": "2026-01-20"}
    assert json.loads(settings.heartbeat.read_text()) == {"at": NOW.isoformat(), "models": {MODEL: own}}
    answer = say("heartbeat", "--json")
    assert (answer.status, json.loads(answer.out)[0]["well"]) == (0, True)
    assert "ok     heartbeat: each model's watch was completed in the last 26 hours" in say("doctor").out


def test_what_a_person_does_is_no_sign_that_the_watch_runs(
    say: Say, broken_bank: Callable[..., Path], settings: Settings
) -> None:
    root = str(broken_bank(without=date(2026, 1, 20)))
    assert say(*RUN, warehouse=root).status == 0
    before = settings.heartbeat.read_text()
    act = ("incident", "acknowledge", f"{MODEL}-20260120-missing_partition", "--by", "on-call", "--reason", "mine")
    assert say(*act, warehouse=root, now="2026-02-03T00:00:00").status == 0
    assert settings.heartbeat.read_text() == before


def test_a_sign_of_life_that_is_too_old_is_status_3(say: Say) -> None:
    assert say(*RUN).status == 0
    later = say("heartbeat", "--max-age", "26h", now="2026-02-02T03:00:00")
    assert (later.status, later.out.strip()) == (
        3,
        f"{MODEL}: its last watch was completed at 2026-02-01 00:00 UTC, 27 hours ago; at most 26 hours is wanted",
    )
    assert say("heartbeat", "--max-age", "2d", now="2026-02-02T03:00:00").status == 0
    assert f"broken heartbeat: {MODEL}: its last watch was completed at" in say("doctor", now="2026-02-02T03:00:00").out


def test_an_age_that_is_none_is_refused(say: Say) -> None:
    assert "must be minutes, hours or days such as 90m, 26h or 2d" in one_sentence(
        say("heartbeat", "--max-age", "long")
    )
    assert (parse_age("90m"), parse_age("2 d")) == (timedelta(minutes=90), timedelta(days=2))


@pytest.mark.parametrize(("hours", "late"), [(26, False), (26.1, True)])
def test_the_limit_itself_is_still_well(hours: float, late: bool) -> None:
    told = heartbeat.late_models(
        {"a": ModelHeartbeat(NOW, None)}, ["a"], NOW + timedelta(hours=hours), timedelta(hours=26)
    )
    assert bool(told) is late


def test_a_model_without_a_sign_of_life_is_late_however_alive_the_others_are() -> None:
    told = heartbeat.late_models(
        {"a": ModelHeartbeat(NOW, None), "gone": ModelHeartbeat(NOW, None)}, ["a", "b"], NOW, timedelta(hours=26)
    )
    assert told == ["b: no watch was completed yet"]


def test_each_models_watch_leaves_the_others_in_the_file(tmp_path: Path, spec: Spec) -> None:
    ledger = Ledger.open(f"sqlite:///{tmp_path}/ledger.db")
    file = tmp_path / "beat" / "heartbeat.json"
    other = spec.model_copy(update={"model": "card_payments"})
    heartbeat.write_heartbeat(file, ledger, [other], NOW)
    later = NOW + timedelta(hours=1)
    both = {"card_payments": ModelHeartbeat(NOW, None), MODEL: ModelHeartbeat(later, None)}
    assert heartbeat.write_heartbeat(file, ledger, [spec], later) == both
    assert heartbeat.read_heartbeat(file) == both
    ledger.close()


def test_watches_that_end_at_the_same_moment_all_are_in_the_file(tmp_path: Path, spec: Spec) -> None:
    file, address = tmp_path / "heartbeat.json", f"sqlite:///{tmp_path}/ledger.db"
    names = [f"model_{n}" for n in range(8)]

    def end(name: str) -> None:
        ledger = Ledger.open(address)
        heartbeat.write_heartbeat(file, ledger, [spec.model_copy(update={"model": name})], NOW)
        ledger.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(end, names))
    assert sorted(heartbeat.read_heartbeat(file)) == names


@pytest.mark.parametrize("content", ["", "[]", '{"models": {"a": {"at": "x", "day": ""}}}', '{"at": "2026-02-01"}'])
def test_a_broken_file_is_one_sentence(tmp_path: Path, content: str) -> None:
    (tmp_path / "h.json").write_text(content)
    with pytest.raises(WatchkeeperError, match=r"h\.json: can't be read as a heartbeat"):
        heartbeat.read_heartbeat(tmp_path / "h.json")


def test_coverage_lists_what_is_not_watched(say: Say) -> None:
    (never,) = [g for g in json.loads(say("coverage", "--json").out) if g["kind"] == "never watched"]
    assert never["model"] == MODEL
    assert say(*RUN).status == 0
    found = json.loads(say("coverage", "--json").out)
    assert all(set(gap) == {"model", "kind", "what", "why"} for gap in found)
    assert "never watched" not in {gap["kind"] for gap in found}
    assert date(2026, 1, 20).isoformat() not in {gap["what"] for gap in found}
