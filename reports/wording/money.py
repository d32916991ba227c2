"""The money that incidents put at stake, in words."""

from __future__ import annotations

from catalogue.metrics.money import LOST
from ledger.records.incidents import Incident
from reports.wording import formatting


def money_at_stake(incidents: list[Incident]) -> float | None:
    """Return the pounds a day that firing incidents put at stake: the costliest's, for a payment is lost once."""
    return max((i.amount_gbp_per_day for i in incidents if i.amount_gbp_per_day is not None), default=None)


def is_upper_bound(incidents: list[Incident]) -> bool:
    """Return whether the money that firing incidents put at stake is an upper bound."""
    amount = money_at_stake(incidents)
    return any(_is_bound(i) for i in incidents if i.amount_gbp_per_day is not None and i.amount_gbp_per_day == amount)


def _is_bound(incident: Incident) -> bool:
    """Return whether an incident's money is an upper bound: a data fault may turn out to have cost nothing."""
    return incident.data_fault and not incident.amount_low_gbp_per_day


def describe_money_at_stake(incident: Incident) -> str:
    """Return an incident's money at stake with its interval, an upper bound for a data fault; empty if unknown."""
    if incident.amount_gbp_per_day is None:
        return ""
    if _is_bound(incident):
        return f"up to {formatting.format_gbp(incident.amount_gbp_per_day)} a day"
    interval = formatting.format_interval(LOST, incident.amount_low_gbp_per_day, incident.amount_high_gbp_per_day)
    return f"about {formatting.format_gbp(incident.amount_gbp_per_day)} a day{f' ({interval})' if interval else ''}"
