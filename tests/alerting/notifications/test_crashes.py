"""Two workers, killed at 100 random points between concluding and telling: each incident is told once, none is lost."""

from __future__ import annotations

import random
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from alerting.notifications.channels.slack.sender import SlackChannel
from alerting.notifications.outbox import Delivery, deliver_messages
from ledger.store import Ledger
from tests.alerting.made import FIRST
from tests.alerting.notifications import worker
from tests.alerting.notifications.channels.slack.server import CHANNEL_ID, TOKEN, Slack
from tests.ledger.conftest import new_database, server, url

__all__ = ["new_database", "server", "url"]  # the fixtures

NOW = datetime(2026, 3, 4, 6, 0, tzinfo=UTC)
KILLS = 100
KILLED = 14
"""What the system says of a process that its timer killed."""


def test_killed_at_100_random_points_every_incident_is_one_message(url: str, slack: Slack) -> None:
    slack.page_size = 200
    rng = random.Random(6)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.alerting.notifications.worker", url, slack.url],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"

    def run(number: int, kills: tuple[float, float], work: list[str]) -> list[int]:
        now = (NOW + timedelta(hours=number)).isoformat()
        process.stdin.write(" ".join([now, *(f"{ms:.3f}" for ms in kills), *work]) + "\n")
        process.stdin.flush()
        done, *statuses = process.stdout.readline().split()
        assert done == "done"
        return [int(status) for status in statuses]

    work: list[str] = []
    killed, longest_ms = 0, 40.0
    while killed < KILLS:
        number = len(work) // 2
        mine = [f"model{number}x{i}@{FIRST + timedelta(days=number // 2)}" for i in range(2)]
        work += mine
        statuses = run(number, (rng.uniform(1, longest_ms), rng.uniform(1, longest_ms)), mine)
        killed += statuses.count(KILLED)
        # Aims at the whole way from concluding to sent, however fast this machine is.
        longest_ms *= 0.7 if 0 in statuses else 1.1
    assert run(number + 1, (0, 0), work) == [0, 0]  # what was killed before it concluded is watched again
    process.stdin.close()
    assert process.wait(10) == 0
    process.stdout.close()

    ledger = Ledger.open(url)
    channel = SlackChannel(TOKEN, CHANNEL_ID, slack.url, timeout_seconds=5)
    for hours in (1, 2, 3):
        deliver_messages(ledger, channel, NOW + timedelta(days=10, hours=hours))
    assert ledger.unsent(CHANNEL_ID) == []
    bundles = {m.incident: m.bundle for m in ledger.messages()}
    assert len(bundles) == len(work)
    assert bundles.keys() == set(bundles.values())
    shown = Counter(m["metadata"]["event_payload"]["incident"] for m in slack.posted)
    assert set(shown.values()) == {1}, "an incident was told twice"
    assert set(bundles.values()) == set(shown), "an incident was lost"
    assert sorted(p["thread_ts"] for p in slack.pictures) == sorted(m["ts"] for m in slack.posted), "one picture each"
    ledger.close()


def test_four_workers_at_one_outbox_send_nothing_twice(url: str, slack: Slack) -> None:
    slack.page_size, slack.delay_seconds = 200, 0.05
    first = Ledger.open(url)
    for number in range(12):
        worker.tell(first, f"model{number}", FIRST + timedelta(days=number // 4))
    ledgers = [Ledger.open(url) for _ in range(4)]

    def work(number: int) -> Delivery:
        channel = SlackChannel(TOKEN, CHANNEL_ID, slack.url, timeout_seconds=5)
        return deliver_messages(ledgers[number], channel, NOW + timedelta(microseconds=number))

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(work, range(4)))
    assert sum(each.sent for each in done) == 12
    assert sum(each.sent > 0 for each in done) > 1, "they didn't work at the same time"
    assert len(slack.posted) == len({m["metadata"]["event_payload"]["incident"] for m in slack.posted}) == 12
    for ledger in (first, *ledgers):
        ledger.close()
