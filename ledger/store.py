"""Saves and finds what was concluded. Every write replaces or keeps what stands under its natural key."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from ledger import batches, events
from ledger import measurements as figures
from ledger.batches import BatchOutcome
from ledger.outbox import Outbox
from ledger.records.events import Event
from ledger.records.incidents import Incident, Status
from ledger.records.measurements import Measurement, Verdict
from ledger.records.retraining import BaselineChange, Decision, RetrainingOutcome
from ledger.records.runs import LabelSnapshot, Run, StreamedDay
from ledger.storage import tables
from ledger.storage.content import Record, record_from_json, record_to_row
from ledger.storage.database import Database
from models.spec import Spec
from profiles import codec
from profiles.profile import Cohort, Profile
from profiles.schema import ProfileSchema


class Ledger(Outbox):
    """The store of everything concluded. Each save is a transaction, unless it stands in ``transaction()``.

    Every method raises WatchkeeperError where the database can't be reached, read or written.
    """

    @classmethod
    def open(cls, url: str) -> Ledger:
        """Open a ledger and bring its tables to the newest revision; raise WatchkeeperError where that can't be."""
        return cls(Database(url))

    @property
    def engine(self) -> sa.Engine:
        """Return SQLAlchemy's engine, for those who look at what is asked of the database."""
        return self.database.engine

    def close(self) -> None:
        """Close the ledger's connections."""
        self.database.close()

    # Profile schemas and baselines

    def profile_schema(self, model: str) -> ProfileSchema | None:
        """Return the model's newest profile schema."""
        newest = self._newest_profile_schema(model)
        return codec.profile_schema_from_json(newest.content) if newest else None

    def save_profile_schema(self, model: str, schema: ProfileSchema) -> None:
        """Make a profile schema the model's newest; one that was there before becomes the newest again."""
        with self.transaction():
            newest = self._newest_profile_schema(model)
            if newest and newest.frame == schema.id:
                return
            row = {"model": model, "frame": schema.id, "content": codec.profile_schema_to_json(schema)}
            self.database.replace(tables.frames, [row | {"made": newest.made + 1 if newest else 1}])

    def baseline(self, spec: Spec, as_of: date | None = None) -> BaselineChange:
        """Return the baseline in force on a day (None: the last recorded one), else the model file's."""
        return baseline_in_force(spec, self.baselines(spec.model), as_of)

    def save_baseline(self, baseline_change: BaselineChange) -> None:
        """Record that other days stand for normal."""
        self._save(tables.baselines, baseline_change)

    def baselines(self, model: str) -> list[BaselineChange]:
        """Return the recorded baselines, in order of the day from which each is in force."""
        return sorted(self._all(BaselineChange, tables.baselines, model), key=lambda b: b.day)

    # Profiles and cohorts

    def row_counts(self, model: str, schema_id: str, start: date, end: date, *, whole: bool = False) -> dict[date, int]:
        """Return the rows of each profiled day of a span, in order of day; no profile is decoded.

        ``whole`` leaves out profiles from which the counts of slices were dropped.
        """
        c = tables.profiles.c
        where = [c.model == model, c.frame == schema_id, c.day.between(start, end), *([c.whole] if whole else [])]
        return dict(self.database.rows(sa.select(c.day, c.rows).where(*where).order_by(c.day)))

    def profiles(self, model: str, schema_id: str, start: date, end: date) -> dict[date, Profile]:
        """Return the profiles of a span of days, in order of day."""
        c = tables.profiles.c
        where = (c.model == model, c.frame == schema_id, c.day.between(start, end))
        found = self.database.rows(sa.select(c.day, c.content).where(*where).order_by(c.day))
        return {day: codec.profile_from_bytes(content) for day, content in found}

    def profiles_of_days(self, model: str, schema_id: str, days: Collection[date]) -> dict[date, Profile]:
        """Return the profiles of some days, in order of day; those that aren't stored are left out."""
        c = tables.profiles.c
        where = (c.model == model, c.frame == schema_id, c.day.in_(days))
        found = self.database.rows(sa.select(c.day, c.content).where(*where).order_by(c.day))
        return {day: codec.profile_from_bytes(content) for day, content in found}

    def save_profiles(self, model: str, profiles: Mapping[date, Profile]) -> None:
        """Save profiles of scanned days; those of the same days and schema are replaced, streamed ones too."""
        key = {"model": model, "whole": True}
        rows = [
            key | {"frame": p.schema_id, "day": day, "rows": p.rows, "content": codec.profile_to_bytes(p)}
            for day, p in profiles.items()
        ]
        with self.transaction():
            self.database.replace(tables.profiles, rows)
            for schema_id in {p.schema_id for p in profiles.values()}:
                batches.mark_batches_replaced(self.database, model, schema_id, profiles.keys())

    def forget_profile(self, model: str, schema_id: str, day: date) -> None:
        """Drop a day's profile, whose partition is to be scanned anew or is gone."""
        c = tables.profiles.c
        self.database.write(sa.delete(tables.profiles).where(c.model == model, c.frame == schema_id, c.day == day))

    def add_batch(self, model: str, batch: str, profiles: Mapping[date, Profile]) -> dict[date, BatchOutcome]:
        """Add a batch's profiles to those of their days, each once, and return what became of each day's rows."""
        return batches.add_batch(self.database, model, batch, profiles)

    def batch_days(self, model: str, schema_id: str, batch: str) -> list[date]:
        """Return the days of which a batch's rows are counted, in order."""
        return batches.days_of_batch(self.database, model, schema_id, batch)

    def streamed_days(self, model: str, schema_id: str, start: date, end: date) -> dict[date, StreamedDay]:
        """Return the days of a span whose profile is the sum of batches, in order."""
        return batches.streamed_days(self.database, model, schema_id, start, end)

    def cohorts(self, model: str, schema_id: str, start: date, end: date, as_of: date) -> dict[date, Cohort]:
        """Return what was known of each cohort day by the end of ``as_of``, in order of day."""
        found = self.cohort_contents(model, schema_id, start, end, as_of)
        return {day: codec.cohort_from_bytes(content) for day, content in found.items()}

    def cohort_contents(self, model: str, schema_id: str, start: date, end: date, as_of: date) -> dict[date, bytes]:
        """Return ``cohorts`` as they are stored, for those who decode only what they haven't seen."""
        return self._known(model, schema_id, start, end, as_of)

    def restatements(self, model: str, schema_id: str, start: date, end: date) -> dict[tuple[date, date], Cohort]:
        """Return every stored state of the cohorts of a span by cohort day and the day as of which it was known."""
        c = tables.cohorts.c
        where = (c.model == model, c.frame == schema_id, c.day.between(start, end))
        found = self.database.rows(sa.select(c.day, c.as_of, c.content).where(*where).order_by(c.day, c.as_of))
        return {(day, as_of): codec.cohort_from_bytes(content) for day, as_of, content in found}

    def replace_restatements(
        self, model: str, schema_id: str, restatements: Mapping[tuple[date, date], Cohort]
    ) -> None:
        """Replace stored states of cohorts, by cohort day and as-of day, in a ledger that is only tried out."""
        row = {"model": model, "frame": schema_id}
        rows = [
            row | {"day": day, "as_of": as_of, "content": codec.cohort_to_bytes(cohort)}
            for (day, as_of), cohort in restatements.items()
        ]
        self.database.replace(tables.cohorts, rows)

    def save_cohorts(self, model: str, schema_id: str, as_of: date, cohorts: Mapping[date, Cohort]) -> set[date]:
        """Save what is known by ``as_of`` where it differs from what was known before; return the days that differ.

        What was saved as of the same day is replaced; where that makes a difference, later days can't build any more
        on what they took in. A cohort of which nothing is known differs from none.
        """
        c = tables.cohorts.c
        contents = {day: codec.cohort_to_bytes(cohort) for day, cohort in cohorts.items()}
        nothing = codec.cohort_to_bytes(Cohort())
        with self.transaction():
            same = (c.model == model, c.frame == schema_id, c.as_of == as_of)
            replaced = dict(self.database.rows(sa.select(c.day, c.content).where(*same)))
            self.database.write(sa.delete(tables.cohorts).where(*same))
            span = (min(cohorts), max(cohorts)) if cohorts else (as_of, as_of)
            before = self._known(model, schema_id, *span, as_of)
            changed = {day for day, content in contents.items() if content != before.get(day, nothing)}
            row = {"model": model, "frame": schema_id, "as_of": as_of}
            rows = [row | {"day": day, "content": contents[day]} for day in sorted(changed)]
            self.database.write(sa.insert(tables.cohorts), rows)
            if replaced != {day: contents[day] for day in changed}:
                t = tables.taken_in.c
                later = (t.model == model, t.frame == schema_id, t.as_of > as_of)
                self.database.write(sa.delete(tables.taken_in).where(*later))
        return changed

    def label_snapshot(self, model: str, schema_id: str, before: date) -> LabelSnapshot | None:
        """Return what cohorts were brought up to date from on the newest day before a day on which they were saved.

        None where there is no such day, and where other days can't build on it any more.
        """
        c, t = tables.cohorts.c, tables.taken_in.c
        saved = sa.select(sa.func.max(c.as_of)).where(c.model == model, c.frame == schema_id, c.as_of < before)
        where = (t.model == model, t.frame == schema_id, t.as_of < before)
        newest = self.database.values(saved)[0]
        content = self.database.values(sa.select(t.content).where(*where).order_by(t.as_of.desc()).limit(1))
        snapshot = record_from_json(LabelSnapshot, content[0]) if content else None
        return None if snapshot is None or (newest is not None and snapshot.as_of < newest) else snapshot

    def save_label_snapshot(self, snapshot: LabelSnapshot) -> None:
        """Record what cohorts were brought up to date from; it belongs into one transaction with them."""
        self._save(tables.taken_in, snapshot)

    # Measurements

    def save_measurements(
        self, model: str, as_of: date, monitors: Sequence[str], measurements: Sequence[Measurement]
    ) -> None:
        """Replace what these monitors measured of a model as of a day.

        Raises ValueError where a measurement is not one of these monitors', or not of that model and as-of day.
        """
        figures.replace_measurements(self.database, model, as_of, monitors, measurements)

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
        verdicts: Sequence[Verdict] = (),
        metric: str | None = None,
        newest: bool = False,
    ) -> list[Measurement]:
        """Return measurements in the order of their natural key.

        ``newest`` keeps, of the figures that differ in ``as_of`` only, the latest of those asked for.
        """
        return figures.find_measurements(
            self.database,
            same={"model": model, "as_of": as_of, "metric": metric},
            day=(day_from, day_to),
            as_of=(as_of_from, as_of_to),
            monitors=monitors,
            newest=newest,
            verdicts=verdicts,
        )

    def tally(self, model: str, first: date, last: date, monitors: Sequence[str]) -> dict[date, figures.VerdictTally]:
        """Return how many figures of each monitor had which verdict, by the as-of days of a span; no figure is read."""
        return figures.tally_verdicts(self.database, model, first, last, monitors)

    # Incidents

    def incidents(
        self, model: str | None = None, *, as_of: date | None = None, withdrawn: bool = False
    ) -> list[Incident]:
        """Return the newest state of each incident (concluded by ``as_of``), the newest incident first.

        Withdrawn ones are left out unless they are asked for: nobody was notified of them.
        """
        found = [i for i in self._newest_states(model, as_of) if withdrawn or i.status is not Status.WITHDRAWN]
        return sorted(found, key=lambda i: (-i.opened.toordinal(), i.id))

    def live_incidents(self, model: str, before: date) -> list[Incident]:
        """Return the incidents that were pending or firing at the end of the last concluded day before a day."""
        found = [i for i in self._newest_states(model, before - timedelta(days=1)) if i.live]
        return sorted(found, key=lambda i: i.id)

    def incident_history(self, incident_id: str) -> list[Incident]:
        """Return every concluded state of an incident, in order of day."""
        c = tables.incidents.c
        found = self.database.values(sa.select(c.content).where(c.id == incident_id).order_by(c.concluded))
        return [record_from_json(Incident, content) for content in found]

    def save_incidents(self, model: str, day: date, incidents: Sequence[Incident]) -> None:
        """Replace the states that were concluded of a model on a day; raise ValueError for one that wasn't."""
        for incident in incidents:
            if (incident.model, incident.concluded) != (model, day):
                raise ValueError(f"incident {incident.id} was not concluded of {model} on {day}")
        c = tables.incidents.c
        with self.transaction():
            self.database.write(sa.delete(tables.incidents).where(c.model == model, c.concluded == day))
            self.database.write(sa.insert(tables.incidents), [record_to_row(tables.incidents, i) for i in incidents])

    def save_incident(self, incident: Incident) -> None:
        """Replace one incident's state on the day on which it was concluded."""
        self.database.replace(tables.incidents, [record_to_row(tables.incidents, incident)])

    # Runs, decisions and retrainings

    def concluded_days(self, model: str, after: date) -> list[date]:
        """Return the days after a day that were already concluded, in order."""
        c = tables.runs.c
        return self.database.values(sa.select(c.day).where(c.model == model, c.day > after).order_by(c.day))

    def newest_day(self, model: str) -> date | None:
        """Return the newest watched day."""
        c = tables.runs.c
        newest: date | None = self.database.values(sa.select(sa.func.max(c.day)).where(c.model == model))[0]
        return newest

    def run(self, model: str, day: date) -> Run | None:
        """Return the record of one watched day."""
        found = self.runs(model, day, day)
        return found[0] if found else None

    def runs(self, model: str | None = None, start: date | None = None, end: date | None = None) -> list[Run]:
        """Return the watched days from ``start`` to ``end``, in order of model and day."""
        day = tables.runs.c.day
        where = ([day >= start] if start is not None else []) + ([day <= end] if end is not None else [])
        return sorted(self._all(Run, tables.runs, model, *where), key=lambda r: (r.model, r.day))

    def save_run(self, run: Run) -> None:
        """Record that a day was watched."""
        self._save(tables.runs, run)

    def decisions(self, model: str | None = None) -> list[Decision]:
        """Return the decisions on retraining, in order of model and day."""
        return sorted(self._all(Decision, tables.decisions, model), key=lambda d: (d.model, d.day))

    def save_decision(self, decision: Decision) -> None:
        """Record a day's decision on retraining."""
        self._save(tables.decisions, decision)

    def retraining_outcomes(self, model: str | None = None) -> list[RetrainingOutcome]:
        """Return what became of retraining requests, in order of model and day."""
        return sorted(self._all(RetrainingOutcome, tables.retrained, model), key=lambda r: (r.model, r.day, r.request))

    def save_retraining_outcome(self, outcome: RetrainingOutcome) -> None:
        """Record what became of a retraining request."""
        self._save(tables.retrained, outcome)

    # What happened

    def append_event(self, at: datetime, kind: str, reason: str, **about: Any) -> Event:
        """Add an event to the log, in one transaction with what it is about; ``about`` is as in ``ledger.events``."""
        return events.append_event(self.database, at, kind, reason, **about)

    def events(
        self, model: str | None = None, *, incident: str | None = None, kinds: Collection[str] = ()
    ) -> list[Event]:
        """Return what happened (to a model, to an incident, of some kinds), in order."""
        return events.find_events(self.database, model=model, incident=incident, kinds=kinds)

    # What they share

    def _save(
        self, table: sa.Table, record: BaselineChange | Decision | RetrainingOutcome | Run | LabelSnapshot
    ) -> None:
        self.database.replace(table, [record_to_row(table, record)])

    def _all(
        self, kind: type[Record], table: sa.Table, model: str | None, *where: sa.ColumnElement[bool]
    ) -> list[Record]:
        query = sa.select(table.c.content).where(*where)
        found = self.database.values(query if model is None else query.where(table.c.model == model))
        return [record_from_json(kind, content) for content in found]

    def _newest_profile_schema(self, model: str) -> Any | None:
        t = tables.frames
        found = self.database.rows(sa.select(t).where(t.c.model == model).order_by(t.c.made.desc()).limit(1))
        return found[0] if found else None

    def _known(self, model: str, schema_id: str, start: date, end: date, as_of: date) -> dict[date, bytes]:
        """Return the newest content of each cohort day of a span by the end of ``as_of``, in order of day."""
        c = tables.cohorts.c
        where = (c.model == model, c.frame == schema_id, c.day.between(start, end), c.as_of <= as_of)
        newest = sa.select(c.day, sa.func.max(c.as_of).label("as_of")).where(*where).group_by(c.day).subquery()
        query = sa.select(c.day, c.content).join(newest, (c.day == newest.c.day) & (c.as_of == newest.c.as_of))
        return dict(self.database.rows(query.where(*where).order_by(c.day)))

    def _newest_states(self, model: str | None, as_of: date | None) -> list[Incident]:
        c = tables.incidents.c
        where = [c.model == model] if model is not None else []
        where += [c.concluded <= as_of] if as_of is not None else []
        newest = sa.select(c.id, sa.func.max(c.concluded).label("concluded")).where(*where).group_by(c.id).subquery()
        query = sa.select(c.content).join(newest, (c.id == newest.c.id) & (c.concluded == newest.c.concluded))
        return [record_from_json(Incident, content) for content in self.database.values(query)]


def baseline_in_force(spec: Spec, recorded: Sequence[BaselineChange], as_of: date | None = None) -> BaselineChange:
    """Return the baseline in force on a day (None: the last one) of those recorded in order, else the model file's."""
    before = [change for change in recorded if as_of is None or change.day <= as_of]
    own = spec.baseline
    return before[-1] if before else BaselineChange(spec.model, own.start, own.start, own.end, "model file")
