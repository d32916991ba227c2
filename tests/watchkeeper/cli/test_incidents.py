from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from ledger.events import describe_first_broken_event
from ledger.store import Ledger
from tests.watchkeeper.conftest import MODEL, Answer, Say, one_sentence
from watchkeeper.cli import show
from watchkeeper.settings import Settings

DAY = date(2026, 1, 20)
MISSING = f"{MODEL}-20260120-missing_partition"
Handle = Callable[..., Answer]


@pytest.fixture
def handle(say: Say, broken_bank: Callable[..., Path]) -> Handle:
    """Return a function that runs a command beside an open incident: the day's partition is missing."""
    root = str(broken_bank(without=DAY))
    assert say("run", "--model", MODEL, "--day", str(DAY), "--no-site", warehouse=root).status == 0

    def run(*arguments: str, **changed: str) -> Answer:
        return say(*arguments, **{"warehouse": root, **changed})

    return run


def by(name: str = "on-call", reason: str = "looking at it") -> tuple[str, ...]:
    return "--by", name, "--reason", reason


def test_an_incident_is_acknowledged_and_its_message_and_list_say_by_whom(handle: Handle, settings: Settings) -> None:
    answer = handle("incident", "acknowledge", MISSING, *by(), "--json")
    (row,) = json.loads(answer.out)
    assert set(row) == set(show.EVENT_KEYS)
    assert (row["kind"], row["actor"], row["at"]) == ("acknowledged", "on-call", "2026-02-01T00:00:00+00:00")
    (listed,) = json.loads(handle("incidents", "--json").out)
    assert set(listed) == set(show.INCIDENT_KEYS)
    assert (listed["status"], listed["state"], listed["acknowledged_by"]) == ("firing", "acknowledged", "on-call")
    said = settings.messages.read_text()
    assert "Acknowledged by on-call at 00:00 UTC on Sun 1 Feb: looking at it" in said.split("--- ")[-1]


def test_from_the_list_to_the_cause_to_taking_it_on_in_three_commands_of_a_narrow_terminal(
    handle: Handle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHKEEPER_DOCS_URL", "https://docs.example")
    monkeypatch.setenv("WATCHKEEPER_SITE_URL", "https://watch.example")
    listed = handle("incidents", columns="80").out
    id_ = next(line.replace("│", " ").split()[0] for line in listed.splitlines() if MODEL in line)
    assert id_ == MISSING, "it stands whole on its line"
    shown = handle("incident", "show", id_).out
    assert "Probable cause:" in shown
    assert "First step:" in shown
    assert "Runbook: https://docs.example/runbook/missing_partition/" in shown
    command = shown.splitlines()[-1].removeprefix("Take it on: watchkeeper ")
    assert handle(*command.replace("YOU", "on-call").split()).out == f"{MISSING}: acknowledged by on-call\n"
    again = handle("incident", "show", id_).out
    assert "Acknowledged by on-call at 00:00 UTC on Sun 1 Feb: looks at it" in again
    assert "Take it on" not in again
    row = json.loads(handle("incident", "show", id_, "--json").out)
    assert (row["acknowledged_by"], row["first_step"][:5], len(row["evidence"]) > 0) == ("on-call", "Look ", True)


def test_the_log_of_an_incident_tells_its_story_and_holds(handle: Handle, settings: Settings) -> None:
    handle("incident", "note", MISSING, *by(reason="the feed's job failed"))
    handle("incident", "snooze", MISSING, *by(), "--until", "2026-02-10")
    handle("incident", "unsnooze", MISSING, *by(reason="mended"))
    rows = json.loads(handle("incident", "log", MISSING, "--json").out)
    assert [row["kind"] for row in rows] == ["fired", "noted", "snoozed", "unsnoozed"]
    assert (rows[2]["payload"]["until"], rows[0]["actor"]) == ("2026-02-10", "system")
    assert "the feed's job failed" in handle("incident", "log", MISSING).out
    assert describe_first_broken_event(Ledger.open(settings.ledger).events()) == ""


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("acknowledge", "nothing", *by()), "there is no incident 'nothing'"),
        (("acknowledge", MISSING[:-1], *by()), f"did you mean '{MISSING}'?"),
        (("acknowledge", MISSING, *by(name="system")), "by: must be a person's name or address of 1 to 100 characters"),
        (("acknowledge", MISSING, *by(reason=" ")), "reason: must be said in 1 to 2,000 characters"),
        (("snooze", MISSING, *by(), "--until", "2026-02-01"), "can't be snoozed until 2026-02-01, which is not after"),
        (("close", MISSING, *by()), f"{MISSING}: is still bad on 2026-01-20, so it can't be closed; acknowledge it"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_leaves_the_log(
    handle: Handle, settings: Settings, arguments: tuple[str, ...], sentence: str
) -> None:
    before = Ledger.open(settings.ledger).events()
    assert sentence in one_sentence(handle("incident", *arguments))
    assert Ledger.open(settings.ledger).events() == before


def test_a_silence_keeps_a_model_quiet_until_it_is_ended(say: Say, broken_bank: Callable[..., Path]) -> None:
    root = str(broken_bank(without=DAY))
    run = ("run", "--model", MODEL, "--day", str(DAY), "--no-site")
    window = ("--from", "2026-01-19", "--to", "2026-01-21", "--by", "platform", "--comment", "migration")
    (added,) = json.loads(say("silence", "add", "--model", "app_*", *window, "--json", warehouse=root).out)
    assert set(added) == set(show.SILENCE_KEYS)
    assert "messages: 0 sent" in say(*run, warehouse=root).err
    (listed,) = json.loads(say("incidents", "--json", warehouse=root).out)
    assert (listed["quiet"], listed["handled"]) == (
        True,
        ["Silenced by platform for data up to Wed 21 Jan: migration"],
    )
    assert added["id"] in say("silence", "list", "--all", warehouse=root).out
    ended = say("silence", "end", added["id"], *by("platform", "done early"), warehouse=root)
    assert ended.status == 0, ended.err
    assert "is ended already" in one_sentence(say("silence", "end", added["id"], *by(), warehouse=root))
    assert "messages: 1 sent" in say(*run, warehouse=root).err


def test_a_silence_of_everything_is_refused(say: Say) -> None:
    told = one_sentence(say("silence", "add", "--to", "2026-02-03", "--by", "a", "--comment", "b"))
    assert told.startswith("silence: this would silence everything")


def test_a_silence_of_a_cause_that_is_not_there_is_refused_and_a_glob_of_some_is_not(say: Say) -> None:
    window = ("--to", "2026-02-03", "--by", "a", "--comment", "b")
    told = one_sentence(say("silence", "add", "--cause", "colum_fault", *window))
    assert told.startswith("silence: no cause 'colum_fault'; accepted are watch_errored, ")
    assert "did you mean 'column_fault'?" in told
    assert say("silence", "add", "--cause", "*_partition", *window).status == 0


def test_the_log_of_an_incident_that_is_not_there_is_refused(handle: Handle) -> None:
    assert one_sentence(handle("incident", "log", f"{MISSING}s")).startswith(f"there is no incident '{MISSING}s'")
