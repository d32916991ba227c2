"""The addresses that messages link to."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.records.incidents import Cause, Incident


@dataclass(frozen=True)
class Links:
    """Where the report and the documentation are, both without a trailing slash; '' where there is no documentation."""

    site: str
    docs: str = ""

    def page(self, incident: Incident) -> str:
        """Return the address of an incident's page in the report."""
        return f"{self.site}/{incident.page}"

    def runbook(self, cause: Cause) -> str:
        """Return the address of what to do about a cause, '' where there is no documentation."""
        return f"{self.docs}/runbook/{cause}/" if self.docs else ""
