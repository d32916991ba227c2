"""An incident's life as on-call engineers meet it: day by day, with what Slack shows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.events import describe_first_broken_event
from ledger.records.incidents import Status
from ledger.store import Ledger
from models.errors import WatchkeeperError
from tests.alerting import made
from tests.alerting.incidents.timeline import Watch, acknowledge, close, date_of, lived, silence, snooze
from tests.alerting.notifications.channels.slack.server import Slack
from warehouse.duckdb.warehouse import ParquetWarehouse
from watchkeeper import incident_actions


@pytest.fixture
def watch(tmp_path: Path, slack: Slack) -> Iterator[Watch]:
    ledger = Ledger.open(f"sqlite:///{tmp_path}/ledger.db")
    watch = Watch(ledger, slack, ParquetWarehouse(tmp_path))
    yield watch
    assert describe_first_broken_event(ledger.events()) == ""
    ledger.close()


def test_nulls_start_on_day_3_one_message_comes_that_night_and_are_mended_on_day_9_resolved_on_day_10(
    watch: Watch,
) -> None:
    lived(watch, "clean x2, bad x6, clean x3")
    assert watch.log() == [(3, "fired"), (10, "resolved")]
    assert [day for day, note in watch.told if note == "opened"] == [3]
    assert watch.told[-1] == (10, "Thu 12 Mar: resolved after 6 bad days and 2 clean days.")
    assert watch.shown.startswith("✅ Card payments, resolved")


def test_decay_is_told_on_its_second_day_once_and_resolved_on_the_second_clean_day(watch: Watch) -> None:
    lived(watch, "clean x2, bad x6, clean x3", evidence=made.RECALL)
    assert watch.log() == [(3, "noticed"), (4, "fired"), (10, "resolved")]
    assert [day for day, note in watch.told if note == "opened"] == [4]


def test_what_was_chance_is_told_to_nobody_but_stands_in_the_log(watch: Watch) -> None:
    lived(watch, "clean, bad, clean x2", evidence=made.RECALL)
    assert (watch.told, watch.log()) == ([], [(2, "noticed"), (4, "withdrawn")])


def test_no_data_resolves_nothing_however_long_it_lasts(watch: Watch) -> None:
    lived(watch, "bad, insufficient x9")
    assert watch.log() == [(1, "fired")]


def test_an_acknowledged_incident_says_by_whom_in_its_one_message_and_is_resolved_as_any(watch: Watch) -> None:
    lived(watch, "bad x2, insufficient, clean x2", {1: acknowledge})
    assert watch.log() == [(1, "fired"), (1, "acknowledged"), (5, "resolved")]
    noted = "Acknowledged by on-call at 12:00 UTC on Wed 4 Mar: the feed's job failed"
    assert watch.told[:2] == [(1, "opened"), (1, noted)]
    assert noted in watch.shown
    assert len(watch.slack.posted) == 1


def test_a_snoozed_incident_is_quiet_until_its_day_and_then_speaks_in_the_same_message(watch: Watch) -> None:
    lived(watch, "bad x7", {2: snooze(until=6)})
    assert [day for day, _ in watch.told] == [1, 2, 2, 5, 6, 7]
    assert watch.told[2][1].startswith("Snoozed until Sun 8 Mar by on-call at 12:00 UTC on Thu 5 Mar")
    assert "Snoozed" not in watch.shown


def test_an_incident_snoozed_until_it_is_resolved_tells_just_that(watch: Watch) -> None:
    lived(watch, "bad x5, clean x2", {1: snooze(until=None)})
    assert [day for day, _ in watch.told] == [1, 1, 7]
    assert watch.shown.startswith("✅")


def test_a_maintenance_window_keeps_its_days_quiet_and_what_outlasts_it_is_told(watch: Watch) -> None:
    lived(watch, "clean x2, bad x3, clean x3", {1: silence(3, 5, model="card_*", feature="device_age_days")})
    assert (watch.told, watch.log()) == ([], [(3, "fired"), (7, "resolved")])


def test_what_outlasts_its_window_is_told_on_the_first_day_after_it(watch: Watch) -> None:
    lived(watch, "clean x2, bad x5", {1: silence(3, 5, cause="column_fault")})
    assert watch.told[0] == (6, "opened")
    assert "Silenced" not in watch.shown


def test_a_maintenance_window_of_the_reviewed_file_keeps_its_days_quiet(watch: Watch, tmp_path: Path) -> None:
    first, last = date_of(3), date_of(5)
    window = f"{{match: {{model: 'card_*'}}, from: {first}, to: {last}, by: platform, comment: a move}}"
    file = tmp_path / "routes.yaml"
    file.write_text(f"default: '#fraud'\nmaintenance: [{window}]\n")
    watch.routes = file
    lived(watch, "clean x2, bad x5")
    assert watch.told[0] == (6, "opened")
    with pytest.raises(WatchkeeperError, match=r"maintenance-1 stands in .*routes\.yaml; take it out there"):
        incident_actions.end_silence(watch.ctx, "maintenance-1", "platform", "done")


def test_a_silence_of_another_feature_changes_nothing(watch: Watch) -> None:
    lived(watch, "bad x2", {1: silence(1, 9, feature="amount_gbp")})
    assert [day for day, _ in watch.told] == [1, 2]


def test_an_open_incident_that_is_silenced_says_so_once_and_still_tells_its_end(watch: Watch) -> None:
    lived(watch, "bad x6, clean x2", {2: silence(1, 9, feature="device_*")})
    notes = [(day, note[:20]) for day, note in watch.told[2:]]
    assert notes == [(3, "Silenced by platform"), (8, "Tue 10 Mar: resolved")]


def test_trouble_that_comes_back_within_a_week_reopens_its_message_and_whoever_had_it_is_asked_again(
    watch: Watch,
) -> None:
    lived(watch, "bad, clean x4, bad x2, clean x2", {1: acknowledge})
    assert watch.log() == [(1, "fired"), (1, "acknowledged"), (3, "resolved"), (6, "reopened"), (9, "resolved")]
    assert len(watch.slack.posted) == 1
    (again,) = [note for day, note in watch.told if day == 6]
    assert again == "Sun 8 Mar: it came back, and is open again. device_age_days is 31 % empty"
    assert [m["reply_broadcast"] for m in watch.slack.messages if m["text"] == again] == [True]
    assert "Acknowledged" not in watch.shown


def test_trouble_that_comes_back_after_a_month_is_another_message(watch: Watch) -> None:
    lived(watch, "bad, clean x30, bad")
    assert [day for day, note in watch.told if note == "opened"] == [1, 32]


def test_a_person_can_end_what_the_data_cannot_and_a_day_watched_again_keeps_it_ended(watch: Watch) -> None:
    lived(watch, "bad x2, insufficient x3", {5: close}, evidence=made.RECALL)
    assert watch.log()[-1] == (5, "closed")
    assert watch.shown.splitlines()[1] == "Closed by on-call at 12:00 UTC on Sun 8 Mar: the campaign is over"
    before = watch.told[:]
    watch.day(5, made.ARRIVED)
    watch.day(6, made.ARRIVED)
    (incident,) = watch.ledger.incidents()
    assert (incident.status, watch.told) == (Status.RESOLVED, before)


def test_a_closed_incident_whose_day_turns_out_bad_is_open_again_and_the_log_says_why(watch: Watch) -> None:
    lived(watch, "bad x2, insufficient", {3: close}, evidence=made.RECALL)
    watch.day(3, [*made.ARRIVED, made.RECALL])
    assert watch.log()[-2:] == [(3, "closed"), (3, "restated")]
    assert "its days were watched again: it isn't over" in watch.ledger.events()[-1].reason


def test_an_incident_that_is_gone_once_its_data_is_mended_is_withdrawn_in_the_log_and_in_slack(watch: Watch) -> None:
    lived(watch, "clean, bad")
    watch.day(2, [*made.ARRIVED, *made.ok(made.NULL_FLOOD)])
    assert [kind for _, kind in watch.log()] == ["fired", "withdrawn"]
    assert watch.shown.startswith("⚪ withdrawn")


def test_slack_that_is_dead_for_days_is_told_the_present_once_it_is_back(watch: Watch) -> None:
    watch.slack.next = [(503, {}, "")] * 3
    lived(watch, "bad x3, clean x2", {2: acknowledge})
    assert len(watch.slack.posted) == 1
    assert watch.shown.startswith("✅")
