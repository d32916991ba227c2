"""Saves and finds what was concluded. Every write replaces or keeps what stands under its natural key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime
from typing import Any, TypeVar

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.exc import OperationalError

from ledger import tables
from ledger.database import connect
from ledger.records import Baselined, Decision, Incident, Measurement, Message, Retrained, Run, Status, Verdict
from models.errors import WatchkeeperError
from models.spec import Spec
from warehouse import codec
from warehouse.grid import Frame
from warehouse.profile import Cohort, Profile

Record = TypeVar("Record", bound=object)
NATURAL_KEY = ("model", "as_of", "day", "monitor", "metric", "feature", "slice")
ADAPTERS: dict[type, TypeAdapter[Any]] = {
    kind: TypeAdapter(kind) for kind in (Baselined, Decision, Incident, Message, Retrained, Run)
}
KIND_ORDER = {"opened": 0, "updated": 1, "resolved": 2}


class Ledger:
    """The store of everything concluded. Each save is a transaction, unless it stands in ``transaction()``."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self._open: ContextVar[sa.Connection | None] = ContextVar("open transaction", default=None)

    @classmethod
    def open(cls, url: str) -> Ledger:
        """Open a ledger and bring its tables to the newest revision; raise WatchkeeperError where that can't be."""
        return cls(connect(url))

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """Make everything saved inside one transaction: all of it is kept, or none."""
        inside = self._open.get()
        if inside is not None:
            yield inside
            return
        try:
            with self.engine.begin() as connection:
                token = self._open.set(connection)
                try:
                    yield connection
                finally:
                    self._open.reset(token)
        except OperationalError as error:
            raise WatchkeeperError(
                f"the ledger can't be written ({error.orig}); nothing of this step was kept"
            ) from error

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        inside = self._open.get()
        if inside is not None:
            yield inside
            return
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            yield connection

    # Frames, baselines, profiles and cohorts

    def frame(self, model: str) -> Frame | None:
        """Return the model's newest frame."""
        t = tables.frames
        found = self._contents(sa.select(t.c.content).where(t.c.model == model).order_by(t.c.made.desc()).limit(1))
        return codec.frame_from_json(found[0]) if found else None

    def save_frame(self, model: str, frame: Frame) -> None:
        """Make a frame the model's newest; one that was there before becomes the newest again."""
        t = tables.frames
        with self.transaction() as connection:
            newest = connection.scalar(sa.select(sa.func.max(t.c.made)).where(t.c.model == model)) or 0
            row = {"model": model, "frame": frame.id, "made": newest + 1, "content": codec.frame_to_json(frame)}
            self._replace(t, [row], "model", "frame")

    def baseline(self, spec: Spec, as_of: date | None = None) -> Baselined:
        """Return the baseline in force on a day (None: now): the newest recorded one, else the model file's."""
        t = tables.baselines
        query = sa.select(t.c.content).where(t.c.model == spec.model).order_by(t.c.day.desc()).limit(1)
        found = self._contents(query if as_of is None else query.where(t.c.day <= as_of))
        if found:
            return _parse(Baselined, found[0])
        days = spec.baseline
        return Baselined(spec.model, days.start, days.start, days.end, "model file")

    def save_baseline(self, baselined: Baselined) -> None:
        """Record that other days stand for normal."""
        self._replace(tables.baselines, [_row(baselined, "model", "day")], "model", "day")

    def row_counts(self, model: str, frame_id: str, start: date, end: date) -> dict[date, int]:
        """Return the rows of each profiled day of a span, in order of day; no profile is decoded."""
        t = tables.profiles
        where = (t.c.model == model, t.c.frame == frame_id, t.c.day.between(start, end))
        with self._reading() as connection:
            rows = connection.execute(sa.select(t.c.day, t.c.rows).where(*where).order_by(t.c.day))
            return {row.day: row.rows for row in rows}

    def profiles(self, model: str, frame_id: str, start: date, end: date) -> dict[date, Profile]:
        """Return the profiles of a span of days, in order of day."""
        t = tables.profiles
        where = (t.c.model == model, t.c.frame == frame_id, t.c.day.between(start, end))
        with self._reading() as connection:
            rows = connection.execute(sa.select(t.c.day, t.c.content).where(*where).order_by(t.c.day)).all()
        return {day: codec.profile_from_bytes(content) for day, content in rows}

    def save_profiles(self, model: str, profiles: Mapping[date, Profile]) -> None:
        """Save profiles of days; those of the same days and frame are replaced."""
        rows = [
            {"model": model, "frame": p.frame, "day": day, "rows": p.rows, "content": codec.profile_to_bytes(p)}
            for day, p in profiles.items()
        ]
        self._replace(tables.profiles, rows, "model", "frame", "day")

    def cohorts(self, model: str, frame_id: str, start: date, end: date, as_of: date) -> dict[date, Cohort]:
        """Return what was known of each cohort day by the end of ``as_of``, in order of day."""
        return {
            day: codec.cohort_from_bytes(content) for day, content in self._known(model, frame_id, start, end, as_of)
        }

    def save_cohorts(self, model: str, frame_id: str, as_of: date, cohorts: Mapping[date, Cohort]) -> set[date]:
        """Save what is known by ``as_of`` where it differs from what was known before; return the days that differ."""
        if not cohorts:
            return set()
        t = tables.cohorts
        with self.transaction() as connection:
            same = (t.c.model == model, t.c.frame == frame_id, t.c.as_of == as_of)
            connection.execute(sa.delete(t).where(*same))
            before = dict(self._known(model, frame_id, min(cohorts), max(cohorts), as_of))
            contents = {day: codec.cohort_to_bytes(cohort) for day, cohort in cohorts.items()}
            empty = codec.cohort_to_bytes(Cohort())
            changed = {day for day, content in contents.items() if content != before.get(day, empty)}
            rows = [
                {"model": model, "frame": frame_id, "day": day, "as_of": as_of, "content": contents[day]}
                for day in sorted(changed)
            ]
            if rows:
                connection.execute(sa.insert(t), rows)
        return changed

    def _known(self, model: str, frame_id: str, start: date, end: date, as_of: date) -> list[tuple[date, bytes]]:
        t = tables.cohorts
        where = (t.c.model == model, t.c.frame == frame_id, t.c.day.between(start, end), t.c.as_of <= as_of)
        newest = sa.select(t.c.day, sa.func.max(t.c.as_of).label("as_of")).where(*where).group_by(t.c.day).subquery()
        query = sa.select(t.c.day, t.c.content).join(newest, (t.c.day == newest.c.day) & (t.c.as_of == newest.c.as_of))
        with self._reading() as connection:
            return [(day, content) for day, content in connection.execute(query.where(*where).order_by(t.c.day))]

    # Measurements

    def save_measurements(
        self, model: str, as_of: date, monitors: Sequence[str], measurements: Sequence[Measurement]
    ) -> None:
        """Replace what these monitors measured of a model as of a day."""
        t = tables.measurements
        with self.transaction() as connection:
            old = (t.c.model == model, t.c.as_of == as_of, t.c.monitor.in_(monitors))
            connection.execute(sa.delete(t).where(*old))
            if measurements:
                connection.execute(sa.insert(t), [{**vars(m), "verdict": str(m.verdict)} for m in measurements])

    def measurements(
        self,
        model: str | None = None,
        *,
        day_from: date | None = None,
        day_to: date | None = None,
        as_of: date | None = None,
        as_of_from: date | None = None,
        as_of_to: date | None = None,
        monitors: Sequence[str] = (),
        metric: str | None = None,
        newest: bool = False,
    ) -> list[Measurement]:
        """Return measurements in the order of their natural key.

        ``newest`` keeps, of the figures that differ in ``as_of`` only, the latest of those asked for.
        """
        c = tables.measurements.c
        where = [
            condition
            for value, condition in (
                (model, c.model == model),
                (day_from, c.day >= day_from),
                (day_to, c.day <= day_to),
                (as_of, c.as_of == as_of),
                (as_of_from, c.as_of >= as_of_from),
                (as_of_to, c.as_of <= as_of_to),
                (metric, c.metric == metric),
            )
            if value is not None
        ]
        if monitors:
            where.append(c.monitor.in_(monitors))
        query = sa.select(tables.measurements).where(*where)
        if newest:
            same = [c[name] for name in NATURAL_KEY if name != "as_of"]
            rank = sa.func.row_number().over(partition_by=same, order_by=c.as_of.desc()).label("rank")
            ranked = sa.select(tables.measurements, rank).where(*where).subquery()
            query = sa.select(*[ranked.c[column.name] for column in c]).where(ranked.c.rank == 1)
        with self._reading() as connection:
            rows = connection.execute(query).mappings().all()
        found = [Measurement(**{**row, "verdict": Verdict(row["verdict"])}) for row in rows]
        return sorted(found, key=lambda m: (m.model, m.as_of, m.day, m.monitor, m.metric, m.feature, m.slice))

    # Incidents

    def incidents(self, model: str | None = None, *, as_of: date | None = None) -> list[Incident]:
        """Return the newest state of each incident (concluded by ``as_of``), withdrawn ones left out, newest first."""
        t = tables.incidents
        query = sa.select(t.c.id, sa.func.max(t.c.concluded).label("concluded")).group_by(t.c.id)
        query = query if model is None else query.where(t.c.model == model)
        newest = (query if as_of is None else query.where(t.c.concluded <= as_of)).subquery()
        states = sa.select(t.c.content).join(newest, (t.c.id == newest.c.id) & (t.c.concluded == newest.c.concluded))
        found = [_parse(Incident, content) for content in self._contents(states)]
        shown = [incident for incident in found if incident.status is not Status.WITHDRAWN]
        return sorted(shown, key=lambda i: (-i.opened.toordinal(), i.id))

    def live_incidents(self, model: str, before: date) -> list[Incident]:
        """Return the incidents that were pending or firing at the end of the last concluded day before a day."""
        day = before.fromordinal(before.toordinal() - 1)
        t = tables.incidents
        query = sa.select(t.c.id, sa.func.max(t.c.concluded).label("concluded")).group_by(t.c.id)
        newest = query.where(t.c.model == model, t.c.concluded <= day).subquery()
        states = sa.select(t.c.content).join(newest, (t.c.id == newest.c.id) & (t.c.concluded == newest.c.concluded))
        found = [_parse(Incident, content) for content in self._contents(states.order_by(t.c.id))]
        return [incident for incident in found if incident.live]

    def incident_history(self, incident_id: str) -> list[Incident]:
        """Return every concluded state of an incident, in order of day."""
        t = tables.incidents
        query = sa.select(t.c.content).where(t.c.id == incident_id).order_by(t.c.concluded)
        return [_parse(Incident, content) for content in self._contents(query)]

    def save_incidents(self, model: str, day: date, incidents: Sequence[Incident]) -> None:
        """Replace the states that were concluded of a model on a day."""
        t = tables.incidents
        rows = [_row(incident, "id", "concluded", "model") for incident in incidents]
        with self.transaction() as connection:
            connection.execute(sa.delete(t).where(t.c.model == model, t.c.concluded == day))
            if rows:
                connection.execute(sa.insert(t), rows)

    # Runs, decisions, retrainings

    def concluded_days(self, model: str, after: date) -> list[date]:
        """Return the days after a day that were already concluded, in order."""
        t = tables.runs
        query = sa.select(t.c.day).where(t.c.model == model, t.c.day > after).order_by(t.c.day)
        with self._reading() as connection:
            return list(connection.scalars(query))

    def run(self, model: str, day: date) -> Run | None:
        """Return the record of one watched day."""
        found = self.runs(model, day, day)
        return found[0] if found else None

    def runs(self, model: str | None = None, start: date | None = None, end: date | None = None) -> list[Run]:
        """Return the watched days, in order of model and day."""
        c = tables.runs.c
        query = sa.select(c.content).order_by(c.model, c.day)
        for value, condition in ((model, c.model == model), (start, c.day >= start), (end, c.day <= end)):
            query = query if value is None else query.where(condition)
        return [_parse(Run, content) for content in self._contents(query)]

    def save_run(self, run: Run) -> None:
        """Record that a day was watched."""
        self._replace(tables.runs, [_row(run, "model", "day")], "model", "day")

    def decisions(self, model: str | None = None) -> list[Decision]:
        """Return the decisions on retraining, in order of model and day."""
        return self._of_model(Decision, tables.decisions, model, "day")

    def save_decision(self, decision: Decision) -> None:
        """Record a day's decision on retraining."""
        self._replace(tables.decisions, [_row(decision, "model", "day")], "model", "day")

    def retrained(self, model: str | None = None) -> list[Retrained]:
        """Return what became of retraining requests, in order of model and request."""
        return self._of_model(Retrained, tables.retrained, model, "request")

    def save_retrained(self, outcome: Retrained) -> None:
        """Record what became of a retraining request."""
        self._replace(tables.retrained, [_row(outcome, "model", "request")], "model", "request")

    # Messages

    def messages(self, incident: str | None = None) -> list[Message]:
        """Return the messages (about an incident) in the order in which they are to be told."""
        t = tables.messages
        query = sa.select(t.c.content)
        return self._ordered(query if incident is None else query.where(t.c.incident == incident))

    def unsent(self, channel: str) -> list[Message]:
        """Return what waits to be told on a channel, in order."""
        t = tables.messages
        return self._ordered(sa.select(t.c.content).where(t.c.channel == channel, t.c.sent.is_(False)))

    def enqueue(self, message: Message) -> bool:
        """Put a message into the outbox unless one of the same key is there; return whether it was put."""
        t = tables.messages
        with self.transaction() as connection:
            if connection.scalar(sa.select(sa.literal(1)).where(*_same(t, message))):
                return False
            connection.execute(sa.insert(t), [{**_row(message, "incident", "day", "kind", "channel"), "sent": False}])
        return True

    def record_attempt(self, message: Message, *, sent_at: datetime | None, error: str) -> None:
        """Record that it was tried to send a message, and whether it was sent."""
        t = tables.messages
        with self.transaction() as connection:
            content = connection.scalar(sa.select(t.c.content).where(*_same(t, message)))
            stored = vars(_parse(Message, content)) if content else vars(message)
            tried = Message(**{**stored, "attempts": stored["attempts"] + 1, "sent_at": sent_at, "last_error": error})
            new = {"content": _json(tried), "sent": sent_at is not None}
            connection.execute(sa.update(t).where(*_same(t, message)).values(**new))

    def thread(self, incident: str, channel: str) -> str | None:
        """Return where an incident's one message stands on a channel."""
        t = tables.threads
        query = sa.select(t.c.ts).where(t.c.incident == incident, t.c.channel == channel)
        with self._reading() as connection:
            return connection.scalar(query)

    def save_thread(self, incident: str, channel: str, ts: str) -> None:
        """Record where an incident's one message stands on a channel."""
        self._replace(tables.threads, [{"incident": incident, "channel": channel, "ts": ts}], "incident", "channel")

    # What they share

    def _contents(self, query: sa.Select[Any]) -> list[str]:
        with self._reading() as connection:
            return list(connection.scalars(query))

    def _ordered(self, query: sa.Select[Any]) -> list[Message]:
        found = [_parse(Message, content) for content in self._contents(query)]
        return sorted(found, key=lambda m: (m.day, KIND_ORDER.get(m.kind, 9), m.incident, m.channel))

    def _of_model(self, kind: type[Record], table: sa.Table, model: str | None, order: str) -> list[Record]:
        query = sa.select(table.c.content).order_by(table.c.model, table.c[order])
        contents = self._contents(query if model is None else query.where(table.c.model == model))
        return [_parse(kind, content) for content in contents]

    def _replace(self, table: sa.Table, rows: Sequence[Mapping[str, Any]], *key: str) -> None:
        """Delete and insert rows by their natural key, which every database can."""
        with self.transaction() as connection:
            for row in rows:
                connection.execute(sa.delete(table).where(*(table.c[name] == row[name] for name in key)))
            if rows:
                connection.execute(sa.insert(table), list(rows))


def _json(record: object) -> str:
    return ADAPTERS[type(record)].dump_json(record).decode()


def _parse(kind: type[Record], content: str) -> Record:
    record: Record = ADAPTERS[kind].validate_json(content)
    return record


def _row(record: object, *key: str) -> dict[str, Any]:
    return {**{name: getattr(record, name) for name in key}, "content": _json(record)}


def _same(table: sa.Table, message: Message) -> tuple[sa.ColumnElement[bool], ...]:
    return tuple(table.c[name] == getattr(message, name) for name in ("incident", "day", "kind", "channel"))
