"""How urgent an incident is, and on which channels."""

from __future__ import annotations

from alerting.notifications.routes.schema import Routes, RoutingRule, Severity
from ledger.records.incidents import Incident
from models.spec import Spec


def slack_channel_of(routes: Routes, spec: Spec, default: str = "") -> str:
    """Return the Slack channel of a model's owner; for an owner without one ``default``, or else the routes' own."""
    return routes.owners.get(spec.owner) or default or routes.default


def severity_of(routes: Routes, spec: Spec, incident: Incident) -> Severity:
    """Return an incident's severity; money and data faults on important models go first."""
    amount = incident.amount_gbp_per_day or 0.0
    costly = routes.page.gbp_per_day is not None and amount >= routes.page.gbp_per_day
    if costly or (incident.data_fault and spec.tier in routes.page.tiers):
        return Severity.PAGE
    if spec.tier in routes.digest.tiers or incident.cause in routes.digest.causes:
        return Severity.DIGEST
    return Severity.MESSAGE


def severity_on_channel(routes: Routes, channel: str, spec: Spec, incident: Incident) -> Severity | None:
    """Return an incident's severity on a further channel; None where no rule sends it there at once."""
    return severity_of(routes, spec, incident) if channel in further_channels(routes, spec, incident) else None


def further_channels(routes: Routes, spec: Spec, incident: Incident, hours: float = 0.0) -> list[str]:
    """Return the further channels that are notified of an incident that nobody took on for so many hours."""
    names = [n for rule in routes.rules if rule.after_hours <= hours and _rule_matches(routes, rule, spec, incident)
             for n in rule.to]  # fmt: skip
    return list(dict.fromkeys(names))


def _rule_matches(routes: Routes, rule: RoutingRule, spec: Spec, incident: Incident) -> bool:
    when = rule.when
    return (
        (when.owners is None or spec.owner in when.owners)
        and (when.tiers is None or spec.tier in when.tiers)
        and (when.severity is None or severity_of(routes, spec, incident) in when.severity)
        and (when.data_fault is None or incident.data_fault is when.data_fault)
        and (when.gbp_per_day is None or (incident.amount_gbp_per_day or 0.0) >= when.gbp_per_day)
    )
