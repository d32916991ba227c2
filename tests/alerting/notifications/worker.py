"""Watches and tells in processes that die: ``python -m tests.alerting.notifications.worker <ledger> <slack>``.

Each line of input, ``<now> <ms> <ms> <model>@<day> ...``, forks two children, which conclude the first and the second
half of the days, deliver, and are killed so many milliseconds after they opened the ledger (0: never). Answers 'done'
and how each ended.
"""

from __future__ import annotations

import os
import random
import signal
import sys
from datetime import date, datetime

from alerting.incidents.conclude import conclude_incidents
from alerting.notifications.channels.slack.sender import SlackChannel
from alerting.notifications.messages.links import Links
from alerting.notifications.outbox import deliver_messages, enqueue_incident_messages
from ledger.records.messages import Chart, ChartPoint
from ledger.store import Ledger
from tests.alerting.made import ARRIVED, FIRST, NULL_FLOOD, on, spec
from tests.alerting.notifications.channels.slack.server import CHANNEL_ID, TOKEN

SITE = Links("https://watch.example")
PICTURE = Chart("Nulls", "31 % since.", "", (ChartPoint(FIRST, 0.2), ChartPoint(FIRST, 31.0)), FIRST)


def tell(ledger: Ledger, model: str, day: date) -> None:
    """Conclude a day of a model, once, as the watch does."""
    of = spec(model=model, title=model, features={"table": model, "columns": {"device_age_days": {"kind": "number"}}})
    with ledger.transaction():
        if not ledger.incidents(model):  # Airflow tries a killed task again
            found = on(day, *ARRIVED, NULL_FLOOD)
            concluded = conclude_incidents(of, day, found, [])
            ledger.save_incidents(model, day, concluded)
            enqueue_incident_messages(ledger, of, day, CHANNEL_ID, SITE, picture=lambda _: PICTURE)


def child(url: str, slack: str, now: datetime, ms: float, work: list[str]) -> None:
    ledger = Ledger.open(url)
    signal.setitimer(signal.ITIMER_REAL, ms / 1000)  # nobody catches SIGALRM: the process is gone then, as if killed
    for each in work:
        model, _, day = each.partition("@")
        tell(ledger, model, date.fromisoformat(day))
    deliver_messages(ledger, SlackChannel(TOKEN, CHANNEL_ID, slack, timeout_seconds=5), now, rng=random.Random(1))


def fork(url: str, slack: str, now: datetime, ms: float, work: list[str]) -> int:
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            child(url, slack, now, ms, work)
            status = 0
        finally:
            os._exit(status)
    return pid


def main(url: str, slack: str) -> None:
    Ledger.open(url).close()
    print("ready", flush=True)  # noqa: T201
    for line in sys.stdin:
        now, *rest = line.split()
        delays, work = [float(ms) for ms in rest[:2]], rest[2:]
        half = (len(work) + 1) // 2
        first = datetime.fromisoformat(now)
        moments = [first, first.replace(microsecond=1)]  # no two clocks agree
        parts = [work[:half], work[half:]]
        pids = [fork(url, slack, moments[i], delays[i], parts[i]) for i in range(2)]
        ended = [os.waitpid(pid, 0)[1] for pid in pids]
        print("done", *ended, flush=True)  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
