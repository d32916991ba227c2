from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.events import GENESIS_HASH, compute_event_hash, describe_first_broken_event
from ledger.store import Ledger
from tests.ledger.made import DAY, MODEL, run
from tests.ledger.test_transactions import begin, process

AT = datetime(2026, 3, 4, 6, 0, tzinfo=UTC)


def three(ledger: Ledger) -> None:
    ledger.append_event(AT, "fired", "null share is 31 %", model=MODEL, incident="i-1", payload={"day": DAY})
    ledger.append_event(AT, "acknowledged", "looking at it", model=MODEL, incident="i-1", actor="on-call")
    ledger.append_event(AT, "silence added", "maintenance", actor="on-call", payload={"matchers": {"model": "*"}})


def tampered(ledger: Ledger, statement: str) -> str:
    """Do what only somebody with the database's own tools can, and return what the check says."""
    with ledger.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            for verb in ("update", "delete"):
                connection.exec_driver_sql(f"DROP TRIGGER events_no_{verb}")
        else:
            connection.exec_driver_sql("ALTER TABLE events DISABLE TRIGGER USER")
        connection.exec_driver_sql(statement)
        connection.commit()
    return describe_first_broken_event(ledger.events())


def test_events_come_back_as_they_were_written_in_order_and_as_a_chain(ledger: Ledger) -> None:
    three(ledger)
    fired, acknowledged, silence = ledger.events()
    assert (fired.number, fired.actor, fired.previous, fired.payload) == (1, "system", GENESIS_HASH, {"day": str(DAY)})
    assert (acknowledged.at, acknowledged.actor, acknowledged.previous) == (AT, "on-call", fired.hash)
    assert (silence.model, silence.previous) == ("", acknowledged.hash)
    assert describe_first_broken_event(ledger.events()) == ""
    assert [e.kind for e in ledger.events(MODEL)] == ["fired", "acknowledged"]
    assert [e.kind for e in ledger.events(incident="i-1", kinds=["acknowledged"])] == ["acknowledged"]


def test_a_time_of_another_zone_is_kept_as_utc(sqlite: Ledger) -> None:
    there = AT.astimezone(timezone(timedelta(hours=5)))
    assert sqlite.append_event(there, "noted", "").at.isoformat() == "2026-03-04T06:00:00+00:00"


@pytest.mark.parametrize("statement", ["UPDATE events SET reason = 'x'", "DELETE FROM events"])
def test_the_database_itself_refuses_to_change_what_was_logged(ledger: Ledger, statement: str) -> None:
    three(ledger)
    before = ledger.events()
    with (
        ledger.engine.connect() as connection,
        pytest.raises(sa.exc.DatabaseError, match="events are kept as they are"),
    ):
        connection.exec_driver_sql(statement)
    assert ledger.events() == before


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        (
            "UPDATE events SET actor = 'nobody' WHERE number = 2",
            "event 2 (acknowledged, 2026-03-04 06:00 UTC) was chang",
        ),
        (
            "UPDATE events SET payload = '{}' WHERE number = 1",
            "event 1 (fired, 2026-03-04 06:00 UTC) was changed after",
        ),
        ("DELETE FROM events WHERE number = 2", "event 2 is missing; the next one there is event 3 (silence added, "),
        ("DELETE FROM events WHERE number = 1", "event 1 is missing; the next one there is event 2 (acknowledged, "),
        ("UPDATE events SET previous = hash WHERE number = 3", "event 3 (silence added, 2026-03-04 06:00 UTC) doesn't"),
    ],
)
def test_the_first_event_that_was_tampered_with_is_named(ledger: Ledger, statement: str, sentence: str) -> None:
    three(ledger)
    assert tampered(ledger, statement).startswith(sentence)


def test_a_log_cut_off_or_written_anew_lacks_a_hash_noted_before(sqlite: Ledger) -> None:
    three(sqlite)
    noted = sqlite.events()[-1].hash
    assert describe_first_broken_event(sqlite.events(), [noted]) == ""
    assert tampered(sqlite, "DELETE FROM events WHERE number = 3") == ""
    assert describe_first_broken_event(sqlite.events(), [noted]).startswith(f"no event has the noted hash {noted}")


def test_an_event_whose_own_hash_was_made_anew_breaks_the_next_one(ledger: Ledger) -> None:
    three(ledger)
    forged = replace(ledger.events()[0], reason="nothing happened")
    forged_hash = compute_event_hash(forged)
    told = tampered(ledger, f"UPDATE events SET reason = 'nothing happened', hash = '{forged_hash}' WHERE number = 1")
    assert told.startswith("event 2 (acknowledged, 2026-03-04 06:00 UTC) doesn't follow the event before it")


def test_what_is_not_kept_is_not_logged_either(ledger: Ledger) -> None:
    def failing() -> None:
        with ledger.transaction():
            ledger.save_run(run())
            ledger.append_event(AT, "fired", "")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        failing()
    assert (ledger.events(), ledger.runs()) == ([], [])


def test_two_processes_that_log_at_once_make_one_chain(url: str) -> None:
    with process("logs", url, "a") as one, process("logs", url, "b") as other:
        begin(one, other)
        assert [worker.communicate()[1] for worker in (one, other)] == ["", ""]
    ledger = Ledger.open(url)
    events = ledger.events()
    assert (len(events), describe_first_broken_event(events)) == (80, "")
    assert [len(ledger.events(model)) for model in ("a", "b")] == [40, 40]
    ledger.close()


TEXT = st.text(max_size=20)
PAYLOAD = st.dictionaries(TEXT, st.none() | st.integers() | TEXT | st.floats(allow_nan=False, allow_infinity=False))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(reason=TEXT, actor=TEXT, payload=PAYLOAD)
def test_whatever_text_a_person_writes_the_chain_holds(
    sqlite: Ledger, reason: str, actor: str, payload: dict[str, object]
) -> None:
    written = sqlite.append_event(AT, "noted", reason, actor=actor, payload=payload)
    assert sqlite.events()[-1] == written
    assert describe_first_broken_event(sqlite.events()) == ""
