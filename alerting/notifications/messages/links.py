"""The addresses that messages link to."""

from __future__ import annotations

from dataclasses import dataclass

import catalogue
from ledger.records.incidents import Incident


@dataclass(frozen=True)
class Links:
    """Where the report and the documentation are, both without a trailing slash; '' where there is no documentation."""

    site: str
    docs: str = ""

    def page(self, incident: Incident) -> str:
        """Return the address of an incident's page in the report."""
        return f"{self.site}/{incident.page}"

    def runbook(self, cause: str) -> str:
        """Return the address of what to do about a cause, '' where there is no documentation of it."""
        known = catalogue.CAUSES.get(cause)
        return f"{self.docs}/runbook/{known.runbook}/" if self.docs and known is not None else ""
