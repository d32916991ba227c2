"""Timelines: days of measurements, what people do on some of them, and what Slack is told and the log says.

A day's data is watched at 06:00 on the morning after it; day 1 is FIRST. People act at noon after that watch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from alerting.incidents.conclude import conclude_incidents
from alerting.notifications import outbox
from alerting.notifications.channels.slack.sender import SlackChannel
from alerting.notifications.messages.links import Links
from ledger.records.events import Event
from ledger.records.measurements import Measurement
from ledger.store import Ledger
from tests.alerting import made
from tests.alerting.made import ARRIVED, FIRST, MODEL, on
from tests.alerting.notifications.channels.slack.server import CHANNEL_NAME, TOKEN, Slack
from warehouse.duckdb.warehouse import ParquetWarehouse
from watchkeeper import incident_actions
from watchkeeper.context import Context
from watchkeeper.settings import Settings

SITE = "https://watch.example"
BEGIN = datetime.combine(FIRST, time(6), UTC)
Act = Callable[["Watch"], object]


@dataclass
class Watch:
    """One model's watch beside a Slack: ``days`` are told one after the other, ``told`` is what Slack then shows."""

    ledger: Ledger
    slack: Slack
    warehouse: ParquetWarehouse
    now: datetime = BEGIN
    routes: Path | None = None
    told: list[tuple[int, str]] = field(default_factory=list)
    """Day and 'opened', or a note of the thread."""

    @property
    def ctx(self) -> Context:
        return Context(Settings(site_url=SITE, routes=self.routes), self.warehouse, self.ledger, self.now)

    def day(self, number: int, measurements: Sequence[Measurement]) -> None:
        """Watch a day on the morning after it, as ``watchkeeper.pipeline.watch.conclude_day`` does, and deliver."""
        day = date_of(number)
        self.now = max(self.now, datetime.combine(day + timedelta(days=1), time(6), UTC))
        model = made.spec()
        with self.ledger.transaction():
            live = self.ledger.live_incidents(MODEL, day)
            recent = self.ledger.incidents(MODEL, as_of=day - timedelta(days=1))
            found = conclude_incidents(model, day, on(day, *measurements), live, recent)
            self.ledger.save_incidents(MODEL, day, incident_actions.reapply_closures(self.ledger, MODEL, day, found))
            incident_actions.log_status_changes(self.ctx, model)
            outbox.enqueue_incident_messages(
                self.ledger,
                model,
                day,
                CHANNEL_NAME,
                Links(SITE),
                incident_actions.current_incident_states(self.ctx, model),
            )
        self.deliver(number)

    def act(self, number: int, act: Act) -> None:
        self.now = datetime.combine(date_of(number) + timedelta(days=1), time(12), UTC)
        act(self)
        self.deliver(number)

    def deliver(self, number: int) -> None:
        posted, notes = len(self.slack.posted), len(self.slack.notes)
        channel = SlackChannel(TOKEN, CHANNEL_NAME, self.slack.url, timeout_seconds=2, sleep=lambda _: None)
        outbox.deliver_messages(self.ledger, channel, self.now)
        self.told += [(number, "opened")] * (len(self.slack.posted) - posted)
        self.told += [(number, note) for note in self.slack.notes[notes:]]

    def log(self) -> list[tuple[int, str]]:
        """Return the log as day of data and kind: what is logged in the morning is about the day before."""
        return [(number_of(event), event.kind) for event in self.ledger.events(MODEL)]

    @property
    def incident(self) -> str:
        (only,) = self.ledger.incidents(MODEL)
        return only.id

    @property
    def shown(self) -> str:
        """Return the one message as it stands."""
        (message,) = self.slack.posted
        return str(message["text"])


def date_of(number: int) -> date:
    return FIRST + timedelta(days=number - 1)


def number_of(event: Event) -> int:
    return (event.at.date() - FIRST).days


def days(words: str, evidence: Measurement = made.NULL_FLOOD) -> list[list[Measurement]]:
    """Turn 'clean x2, bad x5, no data' into the measurements of each day."""
    made_of = {
        "bad": [*ARRIVED, evidence],
        "clean": [*ARRIVED, *made.ok(evidence)],
        "no data": made.NO_PARTITION,
        "insufficient": [*ARRIVED, *made.with_verdict(made.Verdict.INSUFFICIENT, evidence)],
    }
    result: list[list[Measurement]] = []
    for part in words.split(","):
        word, _, times = part.strip().partition(" x")
        result += [made_of[word]] * int(times or 1)
    return result


def lived(watch: Watch, words: str, do: dict[int, Act] | None = None, evidence: Measurement = made.NULL_FLOOD) -> Watch:
    """Let the days pass; after the watch of a day, do what is to be done that day."""
    for number, measurements in enumerate(days(words, evidence), 1):
        watch.day(number, measurements)
        if do and number in do:
            watch.act(number, do[number])
    return watch


def acknowledge(watch: Watch) -> None:
    incident_actions.acknowledge_incident(watch.ctx, [made.spec()], watch.incident, "on-call", "the feed's job failed")


def close(watch: Watch) -> None:
    incident_actions.close_incident(watch.ctx, [made.spec()], watch.incident, "on-call", "the campaign is over")


def snooze(until: int | None) -> Act:
    day = date_of(until) if until else None
    return lambda watch: incident_actions.snooze_incident(
        watch.ctx, [made.spec()], watch.incident, "on-call", "fix is under way", day
    )


def silence(start: int, end: int, **matchers: str) -> Act:
    return lambda watch: incident_actions.add_silence(
        watch.ctx, matchers, date_of(start), date_of(end), "platform", "migration of the feed"
    )
