from __future__ import annotations

from datetime import date, timedelta

import sqlalchemy as sa

from ledger import retention
from ledger.records.retraining import BaselineChange
from ledger.storage import tables
from ledger.store import Ledger
from profiles.profile import EVERYONE, Profile
from tests.ledger.made import DAY, MODEL, cohort, cube, days, profile, run

FIVE = days(5)
SLICE = ("channel", "app")


def sliced(rows: int = 100, schema_id: str = "f1") -> Profile:
    plain = profile(rows, schema_id)
    columns = plain.features[EVERYONE]
    return Profile(schema_id, rows, {EVERYONE: columns, SLICE: columns}, cube(rows))


def content_bytes(ledger: Ledger, table: sa.Table) -> int:
    return sum(len(content) for content in ledger.database.values(sa.select(table.c.content)))


def profiled(ledger: Ledger, model: str = MODEL, frame: str = "f1") -> list[date]:
    return list(ledger.row_counts(model, frame, FIVE[0], FIVE[-1]))


def test_old_profiles_go_in_every_frame_but_those_of_a_baseline_and_of_other_models(ledger: Ledger) -> None:
    for frame in ("f1", "f2"):
        ledger.save_profiles(MODEL, {day: profile(schema_id=frame) for day in FIVE})
    ledger.save_profiles("app_scams", {day: profile() for day in FIVE})
    before = content_bytes(ledger, tables.profiles)
    asked = (ledger.database, MODEL, FIVE[3], [(FIVE[1], FIVE[1]), (FIVE[4], FIVE[4])])
    told = retention.drop_profiles(*asked, dry_run=True)
    assert content_bytes(ledger, tables.profiles) == before
    freed = retention.drop_profiles(*asked, dry_run=False)
    assert freed == told == retention.FreedSpace(4, before - content_bytes(ledger, tables.profiles))
    for frame in ("f1", "f2"):
        assert profiled(ledger, frame=frame) == [FIVE[1], FIVE[3], FIVE[4]]
    assert profiled(ledger, "app_scams") == FIVE
    assert retention.drop_profiles(*asked, dry_run=False) == retention.FreedSpace(0, 0)


def test_old_profiles_lose_their_slices_and_nothing_else(ledger: Ledger) -> None:
    ledger.save_profiles(MODEL, {day: sliced() for day in FIVE})
    before = content_bytes(ledger, tables.profiles)
    asked = (ledger.database, MODEL, FIVE[1], FIVE[4], [(FIVE[2], FIVE[2])])
    told = retention.drop_slice_counts(*asked, dry_run=True)
    assert content_bytes(ledger, tables.profiles) == before
    freed = retention.drop_slice_counts(*asked, dry_run=False)
    assert freed == told == retention.FreedSpace(2, before - content_bytes(ledger, tables.profiles))
    assert freed.bytes > 0
    trimmed = {FIVE[1], FIVE[3]}
    expected = {day: profile() if day in trimmed else sliced() for day in FIVE}
    assert ledger.profiles(MODEL, "f1", FIVE[0], FIVE[-1]) == expected
    whole = ledger.row_counts(MODEL, "f1", FIVE[0], FIVE[-1], whole=True)
    assert set(whole) == set(FIVE) - trimmed
    assert retention.drop_slice_counts(*asked, dry_run=False) == retention.FreedSpace(0, 0)
    ledger.save_profiles(MODEL, {FIVE[1]: sliced()})
    assert FIVE[1] in ledger.row_counts(MODEL, "f1", FIVE[0], FIVE[-1], whole=True)


def test_a_profile_without_slices_stays_whole(ledger: Ledger) -> None:
    ledger.save_profiles(MODEL, {FIVE[0]: profile()})
    assert retention.drop_slice_counts(
        ledger.database, MODEL, FIVE[0], FIVE[4], [], dry_run=False
    ) == retention.FreedSpace(0, 0)
    assert ledger.row_counts(MODEL, "f1", FIVE[0], FIVE[0], whole=True) == {FIVE[0]: 100}


def test_of_old_cohorts_only_what_was_known_last_stays(ledger: Ledger) -> None:
    for known, as_of in enumerate(FIVE, 1):
        ledger.save_cohorts(MODEL, "f1", as_of, {day: cohort(known) for day in FIVE[:3] if day <= as_of})
        ledger.save_cohorts("app_scams", "f1", as_of, {FIVE[0]: cohort(known)})
    span = (MODEL, "f1", FIVE[0], FIVE[-1])
    last = ledger.cohorts(*span, as_of=FIVE[-1])
    before = content_bytes(ledger, tables.cohorts)
    asked = (ledger.database, MODEL, FIVE[2], [(FIVE[1], FIVE[1])])
    told = retention.drop_restatements(*asked, dry_run=True)
    assert content_bytes(ledger, tables.cohorts) == before
    freed = retention.drop_restatements(*asked, dry_run=False)
    assert freed == told == retention.FreedSpace(4, before - content_bytes(ledger, tables.cohorts))
    assert ledger.cohorts(*span, as_of=FIVE[-1]) == last
    assert list(ledger.cohorts(*span, as_of=FIVE[3])) == [FIVE[1], FIVE[2]]
    assert list(ledger.cohorts("app_scams", "f1", FIVE[0], FIVE[-1], as_of=FIVE[0])) == [FIVE[0]]
    assert retention.drop_restatements(*asked, dry_run=False) == retention.FreedSpace(0, 0)


def test_a_model_s_recorded_baselines_and_newest_day_are_found(ledger: Ledger) -> None:

    assert (ledger.baselines(MODEL), ledger.newest_day(MODEL)) == ([], None)
    recorded = [BaselineChange(MODEL, DAY + timedelta(days=i), DAY, DAY, "promoted") for i in (0, 3)]
    for baseline_change in reversed(recorded):
        ledger.save_baseline(baseline_change)
    for day in (FIVE[2], FIVE[0]):
        ledger.save_run(run(day=day))
    ledger.save_run(run(model="app_scams", day=FIVE[4]))
    assert (ledger.baselines(MODEL), ledger.newest_day(MODEL)) == (recorded, FIVE[2])
