"""A second process at the ledger: ``python -m tests.ledger.worker <what> <url> <model>``; begins at a line of input."""

from __future__ import annotations

import logging
import sys
import time
from datetime import UTC, datetime

from ledger.store import Ledger
from tests.ledger.made import DAY, days, measurement, profile, run

NIGHT = datetime(2026, 3, 3, 3, 0, tzinfo=UTC)


def say(what: str) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


def dies(url: str, model: str) -> None:
    """Replace a day's figures in a transaction, and wait in the midst of it."""
    ledger = Ledger.open(url)
    with ledger.transaction():
        ledger.save_measurements(model, DAY, ("drift",), [measurement(model=model, value=0.99)])
        ledger.save_run(run(model=model, source_version="new"))
        say("in the midst")
        time.sleep(60)


def writes(url: str, model: str) -> None:
    """Watch 40 days, each in a transaction that reads before it writes, as fast as may be."""
    ledger = Ledger.open(url)
    for day in days(40):
        with ledger.transaction():
            seen = len(ledger.runs(model))
            found = [measurement(model=model, as_of=day, feature=f"f{i}") for i in range(50)]
            ledger.save_measurements(model, day, ("drift",), found)
            ledger.save_run(run(model=model, day=day, rows=seen))


def takes(url: str, model: str) -> None:
    """Take 30 batches of two days, each of which the other process takes too."""
    ledger = Ledger.open(url)
    for i in range(30):
        ledger.add_batch(model, f"b{i}", {day: profile(50 + i) for day in days(2)})


def takes_and_dies(url: str, model: str) -> None:
    """Take a batch, and wait before it is kept."""
    ledger = Ledger.open(url)
    with ledger.transaction():
        ledger.add_batch(model, "b1", {DAY: profile(60)})
        say("in the midst")
        time.sleep(60)


def opens(url: str, model: str) -> None:
    """Open a ledger, at the most talkative level of logging."""
    logging.basicConfig(level=logging.DEBUG)
    before = (logging.root.level, list(logging.root.handlers))
    Ledger.open(url).save_run(run(model=model))
    assert (logging.root.level, list(logging.root.handlers)) == before


def logs(url: str, model: str) -> None:
    """Append 40 events, in transactions with a run each, while another process does."""
    ledger = Ledger.open(url)
    for day in days(40):
        with ledger.transaction():
            ledger.save_run(run(model=model, day=day))
            ledger.append_event(NIGHT, "noted", f"{day}", model=model)


if __name__ == "__main__":
    what, url, model = sys.argv[1:]
    say("ready")
    sys.stdin.readline()
    known = (dies, writes, opens, takes, takes_and_dies, logs)
    {each.__name__: each for each in known}[what](url, model)
