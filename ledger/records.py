"""The two records that carry everything: what was learned (Measurement) and what is done about it (Incident)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """What a measurement says; only ``ok`` is good news and only ``breach`` is bad news, the rest is no news."""

    OK = "ok"
    BREACH = "breach"
    INSUFFICIENT = "insufficient"
    IMMATURE = "immature"
    ERRORED = "errored"
    MISSING = "missing"


@dataclass(frozen=True)
class Measurement:
    """One figure about one model and day.

    ``day`` is the partition or cohort day, ``as_of`` the day up to which data was known. ``monitor`` is one of
    arrival, schema, check, fault (a column or partition broken in a way that its distribution gives away), drift, slow
    (drift too slow for one day to tell), score, performance (one cohort day), nowcast (what an immature cohort day will
    come to), decay (recent mature cohorts pooled, against the baseline's), estimate (the newest week, by its scores
    alone), selective (mature days, with payments that were blocked reckoned in), fairness, custom (the bank's own),
    clue (what points at a cause) and cost (its ``day`` is the one on which bytes were billed).
    ``feature`` is the column (or '' for the table), ``slice`` reads ``column=value``
    (or '' for everyone). ``value`` lies between ``low`` and ``high`` (95 %
    interval), rests on ``n`` cases, and is judged against ``limit``; ``reason`` says the verdict in words.
    Natural key: model, as_of, day, monitor, metric, feature, slice.
    """

    model: str
    day: date
    as_of: date
    monitor: str
    metric: str
    feature: str = ""
    slice: str = ""
    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    limit: float | None = None
    verdict: Verdict = Verdict.OK
    reason: str = ""

    @property
    def figure(self) -> str:
        """Return its name within its model and day, as incidents name it: ``monitor/metric/feature/slice``."""
        return f"{self.monitor}/{self.metric}/{self.feature}/{self.slice}"


class Cause(StrEnum):
    """What probably broke, in the order in which causes are looked for: the first one that fits explains the rest."""

    ERRORED = "watch_errored"
    MISSING_PARTITION = "missing_partition"
    LATE_PARTITION = "late_partition"
    STALE_PARTITION = "stale_partition"
    INCOMPLETE_PARTITION = "incomplete_partition"
    SCHEMA_CHANGE = "schema_change"
    DUPLICATE_ROWS = "duplicate_rows"
    FEED_FAULT = "feed_fault"
    COLUMN_FAULT = "column_fault"
    SEASON = "season"
    POPULATION_SHIFT = "population_shift"
    MODEL_RELEASE = "model_release"
    SCORE_SHIFT = "score_shift"
    PERFORMANCE_DECAY = "performance_decay"
    FAIRNESS_GAP = "fairness_gap"

    @property
    def data_fault(self) -> bool:
        """Return whether the data is broken, so that retraining on it would do harm."""
        return self not in _REAL_CHANGES


_REAL_CHANGES = {
    Cause.SEASON,
    Cause.POPULATION_SHIFT,
    Cause.MODEL_RELEASE,
    Cause.SCORE_SHIFT,
    Cause.PERFORMANCE_DECAY,
    Cause.FAIRNESS_GAP,
}


class Status(StrEnum):
    """Where an incident is in its life."""

    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"
    WITHDRAWN = "withdrawn"
    """It was pending and went away before it fired; nobody was told."""


@dataclass(frozen=True)
class Incident:
    """One cause on one model, as concluded on one day. Natural key: id, concluded.

    ``opened`` is the first bad day, ``fired`` the day it was concluded to be an incident, ``last_bad`` the latest
    bad day, ``clean_days`` the evaluated days without a finding since. ``reopened`` is the first bad day since it came
    back after it was resolved, and ``earlier_bad_days`` are those of ``bad_days`` before that.
    ``amount_*_gbp_per_day`` is the money at stake with its interval. ``explains`` counts the breaches it accounts for,
    ``evidence`` are sentences, the strongest first, and ``figures`` names the measurements behind them as
    ``monitor/metric/feature/slice``; ``explained`` names so the first of those that it accounts for.
    """

    id: str
    model: str
    cause: Cause
    concluded: date
    opened: date
    last_bad: date
    status: Status
    feature: str = ""
    slice: str = ""
    fired: date | None = None
    resolved: date | None = None
    clean_days: int = 0
    bad_days: int = 1
    amount_gbp_per_day: float | None = None
    amount_low_gbp_per_day: float | None = None
    amount_high_gbp_per_day: float | None = None
    summary: str = ""
    confidence: str = ""
    first_step: str = ""
    evidence: tuple[str, ...] = ()
    figures: tuple[str, ...] = ()
    explains: int = 0
    reopened: date | None = None
    earlier_bad_days: int = 0
    explained: tuple[str, ...] = ()

    @property
    def data_fault(self) -> bool:
        """Return whether the data is broken (retraining is blocked) rather than the world changed."""
        return self.cause.data_fault

    @property
    def page(self) -> str:
        """Return the incident's page, relative to the root of the site."""
        return f"incidents/{self.id}.html"

    @property
    def live(self) -> bool:
        """Return whether it still asks for attention or may come to."""
        return self.status in (Status.PENDING, Status.FIRING)


@dataclass(frozen=True)
class Decision:
    """Whether retraining was asked for on a day, and every reason. Natural key: model, day.

    ``verdict`` is 'requested', 'refused' or 'not needed'. Fit on ``fit_from .. fit_to`` without ``excluded`` (days
    of a data fault), judge on the days after ``fit_to`` up to ``evaluate_to``, all mature. ``evidence`` are the
    incident's sentences; ``gain_gbp_per_day`` is the most that a good challenger wins back a day: the fraud value
    lost a day since the baseline, with its 95 % interval.
    """

    model: str
    day: date
    verdict: str
    incident: str = ""
    reasons: tuple[str, ...] = ()
    fit_from: date | None = None
    fit_to: date | None = None
    evaluate_to: date | None = None
    excluded: tuple[date, ...] = ()
    approval: str = "required"
    evidence: tuple[str, ...] = ()
    gain_gbp_per_day: float | None = None
    gain_low_gbp_per_day: float | None = None
    gain_high_gbp_per_day: float | None = None

    @property
    def request(self) -> str:
        """Return the name of the request, under which its outcome is recorded."""
        return f"{self.model}/{self.day}"


@dataclass(frozen=True)
class Baselined:
    """A recorded decision that other days stand for normal from ``day`` on. Natural key: model, day."""

    model: str
    day: date
    start: date
    end: date
    reason: str


@dataclass(frozen=True)
class Retrained:
    """What became of a retraining request. Natural key: request (``<model>/<day>``).

    ``outcome`` is 'promoted', 'kept champion', 'in shadow' (better, and to prove it on new days), 'not approved' or
    'rolled back' (``request`` is then ``<model>/rollback-<day>``, and ``challenger`` the champion that is back).
    ``comparison`` holds each figure of champion and challenger with its interval on the evaluation window;
    ``challenger`` names the stored model, or is empty where none was made; ``approved_by`` says who agreed, or not.
    """

    request: str
    model: str
    day: date
    outcome: str
    reasons: tuple[str, ...]
    fit_from: date
    fit_to: date
    evaluated_from: date
    evaluated_to: date
    champion: str
    challenger: str
    comparison: dict[str, Any]
    approved_by: str = ""


NOTES = ("asked", "answered", "after shadow", "rolled back")
"""Kinds of messages that tell, in an incident's thread, what becomes of the retraining it asked for."""


KIND_ORDER = {
    kind: order
    for order, kind in enumerate(("opened", "reopened", "repeated", "updated", *NOTES, "resolved", "handled"))
}


@dataclass(frozen=True)
class Point:
    """A figure's value on a day, its limit, and whether it is over it."""

    day: date
    value: float
    limit: float | None = None
    bad: bool = False


@dataclass(frozen=True)
class Picture:
    """A figure over days, in their order, as it is drawn beside a message.

    ``title`` says what and in which unit, ``says`` the same as the line in words, for those who can't see it. ``unit``
    follows each value; an incident began on ``since``.
    """

    title: str
    says: str
    unit: str
    points: tuple[Point, ...]
    since: date


@dataclass(frozen=True)
class Message:
    """One thing to be told about an incident. Natural key: incident, day, kind, channel.

    ``kind`` is 'opened' (a new message), 'updated', 'reopened', 'resolved' or, with the number of the event that it is
    about, 'handled 7': these edit it and reply in its thread; 'repeated' says it again. One of NOTES adds to it what
    becomes of a retraining.
    ``blocks`` is Slack's Block Kit, ``text`` the same in plain words. ``sent_at`` is None until delivered.
    Messages of one ``group`` are told as one, in which ``line`` stands for each, the greatest ``weight`` first;
    ``bundle`` names that one message, given when it is first tried or, for a digest, from the start. Until ``due_at``
    nobody tries; ``dead`` ones are tried no more. ``about`` holds the incidents as JSON, for programs; ``picture`` is
    the strongest figure, with the first message about an incident.
    """

    incident: str
    day: date
    kind: str
    channel: str
    text: str
    blocks: list[dict[str, Any]]
    thread_note: str = ""
    sent_at: datetime | None = None
    attempts: int = 0
    last_error: str = ""
    group: str = ""
    line: str = ""
    weight: tuple[float, ...] = ()
    bundle: str = ""
    first_tried_at: datetime | None = None
    due_at: datetime | None = None
    dead: bool = False
    about: tuple[dict[str, Any], ...] = ()
    picture: Picture | None = None

    @property
    def key(self) -> tuple[str, date, str, str]:
        """Return the natural key."""
        return self.incident, self.day, self.kind, self.channel

    @property
    def model(self) -> str:
        """Return the model that the incident is about: the first part of its id."""
        return self.incident.partition("-")[0]

    @property
    def order(self) -> tuple[date, int, int, str, str]:
        """Return by what messages are put in the order in which they are to be told."""
        kind, _, number = self.kind.partition(" ") if self.kind not in KIND_ORDER else (self.kind, "", "")
        return self.day, KIND_ORDER.get(kind, len(KIND_ORDER)), int(number or 0), self.incident, self.channel


@dataclass(frozen=True)
class Event:
    """One thing that happened to an incident, a model or the fleet, and who did it. Natural key: number, from 1.

    ``at`` is in UTC. ``model`` and ``incident`` are '' where it is about all. ``actor`` is 'system' or a person's
    name, ``reason`` says why in words. ``hash`` is over all the rest with ``previous``, the hash of the event before.
    """

    number: int
    at: datetime
    model: str
    incident: str
    actor: str
    kind: str
    reason: str
    payload: dict[str, Any]
    previous: str
    hash: str


@dataclass(frozen=True)
class TakenIn:
    """What a model's cohorts were brought up to date from, as of a day. Natural key: model, frame, as_of.

    ``rules`` is a digest of what the model file says of scores and labels, ``events`` the version of the label events
    known by then, ``partitions`` that of each cohort day's partition.
    """

    model: str
    frame: str
    as_of: date
    rules: str
    events: str
    partitions: dict[date, str]


@dataclass(frozen=True)
class Streamed:
    """A day whose profile is the sum of micro-batches: its rows, and what changes with every batch.

    Nobody looked at its ids or columns, and its rows are gone.
    """

    rows: int
    version: str


@dataclass(frozen=True)
class Run:
    """One watch of one model and day. Natural key: model, day.

    ``source_version`` is the version that was watched, of the partition or of a streamed day; ``steps`` maps each
    step to its summary.
    """

    model: str
    day: date
    source_version: str
    rows: int
    live: bool
    steps: dict[str, str]
