from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from alerting.incidents.lifecycle import (
    EVENTS_BY_PEOPLE,
    TRANSITIONS,
    Change,
    EventKind,
    Handling,
    LifecycleState,
    changes_to_log,
    close_incident,
    handlings_from_events,
    next_state,
)
from alerting.incidents.silences import (
    SILENCE_ADDED,
    SILENCE_ENDED,
    check_matchers,
    find_covering_silence,
    silences_from_events,
)
from alerting.incidents.state import incident_states
from catalogue import causes
from ledger.records.events import Event
from ledger.records.incidents import Incident, Status
from models.errors import WatchkeeperError
from tests.alerting.made import FIRST, MODEL, spec

AT = datetime(2026, 3, 10, 6, 0, tzinfo=UTC)
ID = "card_payments-1"


def event(kind: str, number: int = 1, reason: str = "because", **payload: object) -> Event:
    actor = "on-call" if kind in EVENTS_BY_PEOPLE else "system"
    return Event(number, AT, MODEL, ID, actor, kind, reason, payload, "", "")


def fold(words: str) -> Handling:
    return handlings_from_events(event(kind, number) for number, kind in enumerate(words.split(), 1))[ID]


def incident(status: Status, **more: object) -> Incident:
    usual = Incident(
        ID,
        MODEL,
        causes.COLUMN_FAULT,
        FIRST,
        FIRST,
        FIRST,
        status,
        "device_age_days",
        summary="device_age_days is empty",
    )
    return replace(usual, **more)  # type: ignore[arg-type]  # a test's shorthand


@pytest.mark.parametrize(
    ("words", "state"),
    [
        ("noticed", "pending"),
        ("noticed withdrawn", "withdrawn"),
        ("noticed fired", "firing"),
        ("fired acknowledged", "acknowledged"),
        ("fired acknowledged resolved", "resolved"),
        ("fired acknowledged closed", "resolved"),
        ("fired resolved reopened", "firing"),
        ("fired resolved noticed", "pending"),
        ("fired resolved noticed resolved", "resolved"),
        ("fired resolved noticed reopened acknowledged", "acknowledged"),
        ("fired snoozed unsnoozed noted", "firing"),
        ("fired acknowledged snoozed noted", "acknowledged"),
        ("fired withdrawn fired", "firing"),
    ],
)
def test_a_life_leads_where_the_table_says(words: str, state: str) -> None:
    assert fold(words).state == state


@pytest.mark.parametrize(
    ("state", "kind", "sentence"),
    [
        (
            LifecycleState.RESOLVED,
            EventKind.ACKNOWLEDGED,
            "it is resolved and can't be acknowledged; that must be firing or acknowledg",
        ),
        (
            LifecycleState.PENDING,
            EventKind.SNOOZED,
            "it is pending and can't be snoozed; that must be firing or acknowledged",
        ),
        (
            LifecycleState.WITHDRAWN,
            EventKind.CLOSED,
            "it is withdrawn and can't be closed; that must be firing or acknowledged",
        ),
        (
            None,
            EventKind.ACKNOWLEDGED,
            "it is not known yet and can't be acknowledged; that must be firing or acknowledged",
        ),
    ],
)
def test_what_cannot_happen_is_refused_in_a_sentence(
    state: LifecycleState | None, kind: EventKind, sentence: str
) -> None:
    with pytest.raises(WatchkeeperError) as caught:
        next_state(state, kind)
    assert str(caught.value).startswith(sentence)


def test_every_state_can_be_reached_and_nothing_people_do_makes_a_resolved_one_live() -> None:
    assert set(TRANSITIONS.values()) == set(LifecycleState)
    live = {LifecycleState.PENDING, LifecycleState.FIRING, LifecycleState.ACKNOWLEDGED}
    for (state, kind), to in TRANSITIONS.items():
        if kind in EVENTS_BY_PEOPLE:
            assert to is state or state in live, (state, kind, to)


@pytest.mark.parametrize(
    ("logged", "now", "kinds"),
    [
        (None, incident(Status.PENDING), ["noticed"]),
        (None, incident(Status.FIRING), ["fired"]),
        (None, incident(Status.RESOLVED), ["fired", "resolved"]),
        (None, incident(Status.WITHDRAWN), []),
        ("noticed", incident(Status.PENDING), []),
        ("noticed", incident(Status.FIRING), ["fired"]),
        ("noticed", incident(Status.RESOLVED), ["fired", "resolved"]),
        ("noticed", incident(Status.WITHDRAWN), ["withdrawn"]),
        ("noticed withdrawn", incident(Status.WITHDRAWN), []),
        ("noticed withdrawn", incident(Status.FIRING), ["fired"]),
        ("fired", incident(Status.FIRING), []),
        ("fired acknowledged", incident(Status.FIRING), []),
        ("fired acknowledged", incident(Status.RESOLVED), ["resolved"]),
        ("fired", incident(Status.PENDING), ["restated"]),
        ("fired", incident(Status.WITHDRAWN), ["withdrawn"]),
        ("fired closed", incident(Status.RESOLVED), []),
        ("fired resolved", incident(Status.FIRING), ["restated"]),
        ("fired resolved", incident(Status.FIRING, reopened=FIRST), ["reopened"]),
        ("fired resolved", incident(Status.PENDING, reopened=FIRST), ["noticed"]),
        ("fired resolved noticed", incident(Status.FIRING, reopened=FIRST), ["reopened"]),
        ("fired resolved noticed", incident(Status.RESOLVED, reopened=FIRST), ["resolved"]),
        ("fired", None, ["withdrawn"]),
        ("fired withdrawn", None, []),
    ],
)
def test_what_the_log_lacks_of_an_incident_is_told_with_a_reason_and_leads_to_its_state(
    logged: str | None, now: Incident | None, kinds: Sequence[str]
) -> None:
    known = {ID: fold(logged)} if logged else {}
    found = changes_to_log(known, [now] if now else [])
    assert [change.kind for change in found] == list(kinds)
    assert all(change.reason for change in found)
    state = known[ID].state if logged else None
    for change in found:
        state = next_state(state, change.kind, change.payload)
    if now and found:
        assert state == str(now.status)


def logged(found: Sequence[Change]) -> list[Event]:
    return [Event(1, AT, MODEL, c.incident, "system", c.kind, c.reason, dict(c.payload), "", "") for c in found]


def test_reasons_are_sentences_an_engineer_understands() -> None:
    decay = incident(Status.FIRING, cause=causes.PERFORMANCE_DECAY, summary="recall fell", bad_days=2)
    assert changes_to_log({}, [decay])[0].reason == "recall fell; it held for 2 bad days"
    over = replace(decay, status=Status.RESOLVED, resolved=FIRST, clean_days=2)
    (resolved,) = changes_to_log({ID: fold("fired")}, [over])
    assert resolved.reason == "2 clean days up to Tue 3 Mar, each figure measured and ok"
    back = replace(decay, reopened=date(2026, 3, 8), bad_days=4, earlier_bad_days=2)
    (reopened,) = changes_to_log({ID: fold("fired resolved")}, [back])
    assert reopened.reason == "came back on Sun 8 Mar: recall fell; it held for 2 bad days"


def test_who_took_on_an_earlier_spell_did_not_take_on_this_one() -> None:
    assert fold("fired acknowledged resolved").acknowledged is not None
    again = fold("fired noted acknowledged resolved reopened")
    assert (again.acknowledged, again.state, len(again.notes)) == (None, LifecycleState.FIRING, 1)


@pytest.mark.parametrize(
    ("until", "now", "asleep"),
    [
        ("2026-03-12", AT, True),
        ("2026-03-12", AT + timedelta(days=1, hours=17), True),
        ("2026-03-12", AT + timedelta(days=2), False),
        ("", AT + timedelta(days=900), True),
    ],
)
def test_a_snooze_is_over_on_the_morning_of_its_day_or_with_the_incident(
    until: str, now: datetime, asleep: bool
) -> None:
    events = [event("fired"), event("snoozed", 2, until=until)]
    assert (handlings_from_events(events)[ID].asleep(now) is not None) is asleep
    assert handlings_from_events([*events, event("resolved", 3)])[ID].asleep(now) is None
    assert handlings_from_events([*events, event("unsnoozed", 3)])[ID].asleep(now) is None


def test_only_what_is_not_bad_today_can_be_closed() -> None:
    later = FIRST + timedelta(days=1)
    assert close_incident(incident(Status.FIRING)).status is Status.FIRING
    quiet = close_incident(incident(Status.FIRING, concluded=later))
    assert (quiet.status, quiet.resolved) == (Status.RESOLVED, later)
    assert close_incident(incident(Status.RESOLVED, concluded=later, resolved=FIRST)).resolved == FIRST


def silence(number: int = 1, start: date = FIRST, end: date = FIRST, **matchers: str) -> Event:
    payload = {"matchers": matchers, "start": str(start), "end": str(end)}
    return Event(number, AT, "", "", "on-call", SILENCE_ADDED, "migration", payload, "", "")


@pytest.mark.parametrize(
    ("matchers", "covered"),
    [
        ({"model": MODEL}, True),
        ({"model": "card_*"}, True),
        ({"model": "app_*"}, False),
        ({"feature": "device_age_days"}, True),
        ({"feature": "device_*", "cause": "column_fault"}, True),
        ({"feature": "device_*", "cause": "late_partition"}, False),
        ({"owner": "payments-fraud", "tier": "2"}, True),
        ({"tier": "1"}, False),
        ({"slice": ""}, True),
        ({"slice": "channel=*"}, False),
    ],
)
def test_a_silence_covers_what_every_matcher_fits(matchers: dict[str, str], covered: bool) -> None:
    found = silences_from_events([silence(**matchers)])
    assert (find_covering_silence(spec(), incident(Status.FIRING), found) is not None) is covered


def test_a_name_that_looks_like_a_glob_is_matched_as_it_is() -> None:
    odd = incident(Status.FIRING, feature="amounts[0]")
    assert find_covering_silence(spec(), odd, silences_from_events([silence(feature="amounts[0]")])) is not None


@pytest.mark.parametrize(("first", "last", "covered"), [(0, 0, True), (-3, -1, False), (1, 3, False), (-3, 3, True)])
def test_a_silence_is_about_days_of_data(first: int, last: int, covered: bool) -> None:
    window = silence(start=FIRST + timedelta(days=first), end=FIRST + timedelta(days=last), model=MODEL)
    assert (
        find_covering_silence(spec(), incident(Status.FIRING), silences_from_events([window])) is not None
    ) is covered


def test_a_silence_that_was_ended_covers_nothing_more() -> None:
    ended = Event(2, AT, "", "", "on-call", SILENCE_ENDED, "done", {"silence": "silence-1"}, "", "")
    (found,) = silences_from_events([silence(model=MODEL), ended])
    assert (found.ended, find_covering_silence(spec(), incident(Status.FIRING), [found])) == (True, None)


@pytest.mark.parametrize(
    ("matchers", "days", "sentence"),
    [
        ({}, 1, "silence: this would silence everything; give a matcher"),
        ({"model": "*"}, 1, "silence: this would silence everything"),
        ({"modle": "x"}, 1, "silence: no matcher 'modle'; accepted are model, cause, feature, slice, owner, tier"),
        ({"model": "x"}, -1, "silence: its last day 2026-03-02 is before its first day 2026-03-03"),
        ({"model": "x"}, 400, "silence: 2026-03-03 to 2027-04-07 is longer than 366 days"),
    ],
)
def test_a_silence_that_makes_no_sense_is_refused(matchers: dict[str, str], days: int, sentence: str) -> None:
    with pytest.raises(WatchkeeperError) as caught:
        check_matchers(matchers, FIRST, FIRST + timedelta(days=days))
    assert str(caught.value).startswith(sentence)


def test_a_message_says_who_did_what_and_when_and_keeps_quiet_while_asleep_or_silenced() -> None:
    told = handlings_from_events([event("fired"), event("acknowledged", 2), event("snoozed", 3, until="2026-03-12")])
    now = incident_states(spec(), [incident(Status.FIRING)], told, silences_from_events([silence(model=MODEL)]), AT)[ID]
    assert now.lines == (
        "Acknowledged by on-call at 06:00 UTC on Tue 10 Mar: because",
        "Snoozed until Thu 12 Mar by on-call at 06:00 UTC on Tue 10 Mar: because",
        "Silenced by on-call for data up to Tue 3 Mar: migration",
    )
    assert now.quiet
    later = incident_states(spec(), [incident(Status.FIRING)], told, [], AT + timedelta(days=2))[ID]
    assert (len(later.lines), later.quiet) == (1, False)
    assert incident_states(spec(), [incident(Status.FIRING)], {}, [], AT) == {}
