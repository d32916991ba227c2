"""How a model is today, in a sentence, and as the line that stands for it on the fleet page."""

from __future__ import annotations

from collections import Counter
from typing import Any

from ledger.records import Incident, Measurement, Status, Verdict
from reports import words
from reports.reading import Cell, Reading, firing

STATES = {
    "incident": ("Incident", "▲"),
    "breach": ("Over a limit, no incident", "△"),
    "errored": ("Not measured", "✕"),
    "missing": ("Not there", "□"),
    "ok": ("Within limits", "●"),
    "insufficient": ("Too few to tell", "○"),
    "immature": ("Labels still to come", "◔"),
    "unwatched": ("Not watched", "·"),
}
"""A day's or a model's state: a word, and a shape that says the same without colour."""


AREAS = ("Drift", "Performance", "Alerts", "Money", "Fairness", "Slices", "Checks", "Lateness")
"""What can be watched of a model."""
TRENDS = ("recall", "precision", "alert_rate")
TREND_DAYS = 60
FIGURES = ("recall", "precision", "value_detection_rate", "false_positive_rate", "alert_rate", "lost_gbp_per_day")
"""What the fleet's JSON and Prometheus tell of a model's newest mature cohorts."""


def sentence(reading: Reading) -> str:
    """Return how the model is today, in one or two sentences."""
    if reading.last is None:
        return "It has not been watched yet."
    open_now = firing(reading.incidents)
    pending = [incident for incident in reading.incidents if incident.status is Status.PENDING]
    counts = Counter(m.verdict for m in reading.newest)
    if open_now:
        said = _trouble(open_now)
    elif counts[Verdict.ERRORED]:
        failed = words.plural(counts[Verdict.ERRORED], "figure")
        said = f"No incident is open, but {failed} could not be measured, so that says less than it seems."
    elif pending:
        said = f"No incident is open; {words.plural(len(pending), 'suspicion')} must hold before it becomes one."
    else:
        over = counts[Verdict.BREACH]
        rest = f"{words.plural(over, 'figure')} over a limit, none that matters yet" if over else "nothing over a limit"
        said = f"All is well: no incident is open, {rest} of {words.plural(len(reading.newest), 'figure')} measured."
    return f"{said} {recall(reading)}".strip()


def _trouble(open_now: list[Incident]) -> str:
    worst = open_now[0]
    money = money_at_stake(open_now)
    stake = (
        f", {'up to' if at_most(open_now) else 'about'} {words.gbp(money)} a day at stake" if money is not None else ""
    )
    what = f"since {words.day(worst.opened)}: {_ended(worst.summary or words.CAUSES[worst.cause])}"
    if len(open_now) == 1:
        return f"One incident is open{stake}, {what}"
    return f"{len(open_now)} incidents are open{stake}. The {'worst' if money is None else 'costliest'}, {what}"


def _ended(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def recall(reading: Reading) -> str:
    """Return in a sentence how much fraud is caught, by the newest mature week; empty where nobody can say."""
    found = [m for m in reading.newest if m.monitor == "decay" and m.metric == "recall" and not m.slice]
    if not found or found[0].value is None:
        return ""
    m = found[0]
    interval = words.interval(m.metric, m.low, m.high)
    between = f" ({interval})" if interval else ""
    return f"It catches {words.figure(m.metric, m.value)} of frauds{between}, by the newest week with mature labels."


def money_at_stake(incidents: list[Incident]) -> float | None:
    """Return the pounds a day that firing incidents put at stake: the dearest, for one payment is lost only once."""
    return max((i.amount_gbp_per_day for i in incidents if i.amount_gbp_per_day is not None), default=None)


def at_most(incidents: list[Incident]) -> bool:
    """Return whether the money that firing incidents put at stake is an upper bound."""
    amount = money_at_stake(incidents)
    return any(_is_bound(i) for i in incidents if i.amount_gbp_per_day is not None and i.amount_gbp_per_day == amount)


def _is_bound(incident: Incident) -> bool:
    """Return whether an incident's money is an upper bound: a data fault may turn out to have cost nothing."""
    return incident.data_fault and not incident.amount_low_gbp_per_day


def state(reading: Reading) -> str:
    """Return the state of a model now: an open incident, or else what its newest day shows."""
    if firing(reading.incidents):
        return "incident"
    return reading.strip[-1].state if reading.strip else "unwatched"


def card(reading: Reading) -> dict[str, Any]:
    """Return a model's line on the fleet page, as plain values that also stand in the model page's JSON."""
    spec, open_now = reading.spec, firing(reading.incidents)
    return {
        "model": spec.model,
        "title": spec.name,
        "owner": spec.owner,
        "tier": spec.tier,
        "state": state(reading),
        "sentence": sentence(reading),
        "recall": recall(reading),
        "watched_until": reading.last,
        "rows": reading.runs[reading.last].rows if reading.last else 0,
        "amount_gbp_per_day": money_at_stake(open_now),
        "at_most": at_most(open_now),
        "trends": trends(reading),
        "figures": [
            {"metric": m.metric, "value": m.value, "low": m.low, "high": m.high, "verdict": m.verdict}
            for m in reading.newest
            if m.monitor == "decay" and not m.slice and m.metric in FIGURES
        ],
        "blind": blind(reading),
        "not_watched": unwatched(reading),
        "open": [opened(incident) for incident in open_now],
        "strip": [{"day": cell.day, "state": cell.state, "counts": cell.counts} for cell in reading.strip],
    }


def trends(reading: Reading) -> list[dict[str, Any]]:
    """Return how the model has been of late, as short series: what it catches, and how often it stops somebody."""
    found = []
    for metric in TRENDS:
        by_day = {m.day: m.value for m in reading.everyone("decay", metric)}
        days = [cell.day for cell in reading.strip][-TREND_DAYS:]
        values = [by_day.get(day) for day in days]
        known = [value for value in values if value is not None]
        if len(known) > 1:
            title, now = words.metric(metric), words.figure(metric, known[-1])
            short = [None if value is None else float(f"{value:.4g}") for value in values]
            found.append({"metric": metric, "title": title, "now": now, "values": short})
    return found


def opened(incident: Incident) -> dict[str, Any]:
    """Return what the fleet page shows of an open incident."""
    return {
        "page": incident.page,
        "summary": words.headline(incident),
        "cause": words.CAUSES[incident.cause],
        "data_fault": incident.data_fault,
        "opened": incident.opened,
        "amount_gbp_per_day": incident.amount_gbp_per_day,
        "money": money(incident),
    }


def money(incident: Incident) -> str:
    """Return an incident's money at stake with its interval, an upper bound for a data fault; empty if unknown."""
    if incident.amount_gbp_per_day is None:
        return ""
    if _is_bound(incident):
        return f"up to {words.gbp(incident.amount_gbp_per_day)} a day"
    interval = words.interval("lost_gbp_per_day", incident.amount_low_gbp_per_day, incident.amount_high_gbp_per_day)
    return f"about {words.gbp(incident.amount_gbp_per_day)} a day{f' ({interval})' if interval else ''}"


def told(cell: Cell) -> str:
    """Return what a strip's cell says when pointed at or read aloud."""
    said = [words.short_day(cell.day), STATES[cell.state][0].lower()]
    over, failed = cell.counts.get("breach", 0), cell.counts.get("errored", 0)
    if over:
        said.append(f"{words.plural(over, 'figure')} over")
    if failed:
        said.append(f"{failed:,} not measured")
    return ", ".join(said)


def blind(reading: Reading) -> dict[str, str]:
    """Return the areas of ``AREAS`` in which nobody looks at this model, each with the reason as a sentence."""
    spec = reading.spec
    found = {}
    if spec.labels is None:
        found["Performance"] = "The model file names no labels, so nobody knows whether fraud is caught."
    if spec.score.threshold is None:
        found["Alerts"] = (
            "The model file names no threshold, so there is no recall, precision, false-positive or alert rate."
        )
    if spec.score.amount is None:
        found["Money"] = "The model file names no amount column, so value detected and pounds at stake are unknown."
    if not spec.protected:
        found["Fairness"] = "The model file names no protected columns."
    if not spec.slices:
        found["Slices"] = "The model file names none, so trouble in one channel or country can hide in the whole."
    if not spec.checks:
        found["Checks"] = "The model file lists no expectations."
    if spec.features.arrives_by is None:
        found["Lateness"] = "The model file sets no deadline (arrives_by)."
    if not reading.runs:
        found["Drift"] = "It has not been watched yet."
    return found


def unwatched(reading: Reading) -> list[str]:
    """Return what nobody looks at on this model, and why, each as a sentence."""
    spec = reading.spec
    found = [f"{area}: {reason[0].lower()}{reason[1:]}" for area, reason in blind(reading).items()]
    if spec.score.blocked:
        actions = ", ".join(spec.score.blocked)
        found.append(
            f"Payments with the action {actions}: they get no honest label, so "
            "performance leaves them out; figures over all payments are weighted or bounded apart."
        )
    without = [name for name, column in spec.features.columns.items() if column.importance is None]
    if without and spec.features.columns:
        named = f"{', '.join(words.short(name) for name in without[:6])}"
        named += f" and {len(without) - 6} more" if len(without) > 6 else ""
        found.append(
            f"Weight: {words.plural(len(without), 'feature')} without importance ({named}) count as least important."
        )
    return found + _lately(reading)


def _lately(reading: Reading) -> list[str]:
    small = sorted({m.slice for m in reading.newest if m.monitor == "fairness" and m.value is None and m.slice})
    found = []
    if small:
        found.append(
            f"Groups too small or too young to show: {', '.join(small[:8])}{' and more' if len(small) > 8 else ''}."
        )
    failed = _subjects(reading.newest, Verdict.ERRORED)
    if failed:
        found.append(f"Could not be measured on the newest day: {failed}.")
    gaps = [cell.day for cell in reading.strip if not cell.watched]
    if gaps:
        last = words.day(gaps[-1])
        were = "was" if len(gaps) == 1 else "were"
        found.append(f"{words.plural(len(gaps), 'day')} of the strip {were} never watched, the last {last}.")
    return found


def _subjects(measurements: list[Measurement], verdict: Verdict) -> str:
    named = list(dict.fromkeys(words.title(m) for m in measurements if m.verdict is verdict))
    return "; ".join(named[:6]) + (f"; and {len(named) - 6} more" if len(named) > 6 else "")
