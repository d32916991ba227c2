from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from ledger import inbox
from ledger import measurements as figures
from ledger.store import Ledger
from tests.ledger.made import DAY, MODEL, measurement

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


def test_what_was_said_first_of_a_partition_stands(ledger: Ledger) -> None:
    first, news = inbox.record_announcement(ledger.database, MODEL, DAY, NOON, "feed")
    assert news
    assert inbox.record_announcement(ledger.database, MODEL, DAY, NOON + timedelta(hours=1), "other") == (first, False)
    assert (
        inbox.find_announcement(ledger.database, MODEL, DAY)
        == first
        == inbox.PartitionAnnouncement(MODEL, DAY, NOON, "feed")
    )
    assert inbox.find_announcement(ledger.database, MODEL, DAY + timedelta(days=1)) is None


def test_a_request_is_new_to_one_only_of_those_who_ask_at_once(ledger: Ledger) -> None:
    with ThreadPoolExecutor(8) as pool:
        new = list(pool.map(lambda _: inbox.record_request(ledger.database, "v0=abc", NOON), range(16)))
    assert new.count(True) == 1
    assert inbox.record_request(ledger.database, "v0=other", NOON)


def test_a_request_is_forgotten_when_its_age_alone_refuses_it(ledger: Ledger) -> None:
    assert inbox.record_request(ledger.database, "v0=abc", NOON)
    assert not inbox.record_request(ledger.database, "v0=abc", NOON + timedelta(minutes=11))
    assert inbox.record_request(ledger.database, "v0=abc", NOON + timedelta(hours=2))


@pytest.mark.parametrize("newest", [False, True])
def test_pages_of_measurements_hold_each_once(ledger: Ledger, *, newest: bool) -> None:
    next_day = DAY + timedelta(days=1)
    first = [measurement(feature=f"{letter}_{n}") for letter in "aB_é" for n in range(3)]
    ledger.save_measurements(MODEL, DAY, ("drift",), first)
    ledger.save_measurements(MODEL, next_day, ("drift",), [measurement(feature="a_1", as_of=next_day)])
    found, after = [], ()
    while page := figures.find_measurements_after(
        ledger.database, {"model": MODEL}, newest=newest, after=after, limit=5
    ):
        found += page
        after = tuple(getattr(page[-1], name) for name in figures.NATURAL_KEY)
    wanted = ledger.measurements(MODEL, newest=newest)
    assert len(found) == len(wanted) == (12 if newest else 13)
    assert set(found) == set(wanted)
