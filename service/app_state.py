"""What every route is given: the ledger, the model files and the clock; each opened when it is first needed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from ledger.records.incidents import Incident, Status
from ledger.store import Ledger
from models.errors import did_you_mean
from models.load import SpecError, list_model_files, load_model_file
from models.spec import Spec
from service.problems import Refusal
from watchkeeper.settings import Settings

OVERDUE_DAYS = 2
"""A day is watched on the next one, after a wait that ends before the one after it begins."""


def now_utc() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


@dataclass
class AppState:
    """The ledger and model files of one set of settings; ``clock`` returns a time with its zone."""

    settings: Settings
    clock: Callable[[], datetime] = now_utc
    _ledger: Ledger | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def ledger(self) -> Ledger:
        """Return the ledger; raise WatchkeeperError where it can't be opened, and try again the next time."""
        with self._lock:
            if self._ledger is None:
                self._ledger = Ledger.open(self.settings.ledger)
            return self._ledger

    def now(self) -> datetime:
        """Return the settings' fixed time, or what the clock says."""
        fixed = self.settings.now
        return datetime.fromisoformat(fixed).replace(tzinfo=UTC) if fixed else self.clock()

    def specs(self) -> tuple[list[Spec], list[str]]:
        """Return what the model files say, and what is wrong with those that can't be used."""
        found: list[Spec] = []
        problems: list[str] = []
        for path in list_model_files(self.settings.models_folder()):
            try:
                found.append(load_model_file(path))
            except SpecError as error:
                problems += error.problems
        return found, problems

    def spec(self, model: str) -> Spec:
        """Return one model's file; refuse with 404 where there is none that can be used."""
        known = {spec.model: spec for spec in self.specs()[0]}
        if model not in known:
            raise Refusal(404, f"there is no model '{model}'{did_you_mean(model, known)}")
        return known[model]

    def incident(self, incident_id: str) -> Incident:
        """Return the newest state of an incident; refuse with 404 where there is none."""
        history = self.ledger.incident_history(incident_id)
        if not history or history[-1].status is Status.WITHDRAWN:
            known = [incident.id for incident in self.ledger.incidents()]
            raise Refusal(404, f"there is no incident '{incident_id}'{did_you_mean(incident_id, known)}")
        return history[-1]

    def due(self, spec: Spec) -> date:
        """Return the newest day that must have been watched by now."""
        return self.now().astimezone(ZoneInfo(spec.schedule.timezone)).date() - timedelta(days=OVERDUE_DAYS)
