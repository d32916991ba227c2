"""How a model is today, in a sentence, and as the line that stands for it on the fleet page."""

from __future__ import annotations

from collections import Counter
from typing import Any

from ledger.records.incidents import Incident, Status
from ledger.records.measurements import Measurement, Verdict
from reports import wording
from reports.model_view import ModelView, StripDay, firing_incidents

STATE_TITLES = {
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


WATCHED_AREAS = ("Drift", "Performance", "Alerts", "Money", "Fairness", "Slices", "Checks", "Lateness")
"""What can be watched of a model."""
TREND_METRICS = ("recall", "precision", "alert_rate")
TREND_DAYS = 60
CARD_METRICS = ("recall", "precision", "value_detection_rate", "false_positive_rate", "alert_rate", "lost_gbp_per_day")
"""What the fleet's JSON and Prometheus tell of a model's newest mature cohorts."""


def describe_model_state(model_view: ModelView) -> str:
    """Return how the model is today, in one or two sentences."""
    if model_view.last is None:
        return "It has not been watched yet."
    open_now = firing_incidents(model_view.incidents)
    pending = [incident for incident in model_view.incidents if incident.status is Status.PENDING]
    counts = Counter(m.verdict for m in model_view.newest)
    if open_now:
        said = _describe_open_incidents(open_now)
    elif counts[Verdict.ERRORED]:
        failed = wording.pluralise(counts[Verdict.ERRORED], "figure")
        said = f"No incident is open, but {failed} could not be measured, so that says less than it seems."
    elif pending:
        said = f"No incident is open; {wording.pluralise(len(pending), 'suspicion')} must hold before it becomes one."
    else:
        over = counts[Verdict.BREACH]
        rest = (
            f"{wording.pluralise(over, 'figure')} over a limit, none that matters yet"
            if over
            else "nothing over a limit"
        )
        measured = wording.pluralise(len(model_view.newest), "figure")
        said = f"All is well: no incident is open, {rest} of {measured} measured."
    return f"{said} {describe_recall(model_view)}".strip()


def _describe_open_incidents(open_now: list[Incident]) -> str:
    worst = open_now[0]
    money = money_at_stake(open_now)
    stake = (
        f", {'up to' if is_upper_bound(open_now) else 'about'} {wording.format_gbp(money)} a day at stake"
        if money is not None
        else ""
    )
    what = f"since {wording.format_day(worst.opened)}: {_with_full_stop(worst.summary or worst.cause_entry.title)}"
    if len(open_now) == 1:
        return f"One incident is open{stake}, {what}"
    return f"{len(open_now)} incidents are open{stake}. The {'worst' if money is None else 'costliest'}, {what}"


def _with_full_stop(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def describe_recall(model_view: ModelView) -> str:
    """Return in a sentence how much fraud is caught, by the newest mature week; empty where nobody can say."""
    found = [m for m in model_view.newest if m.monitor == "decay" and m.metric == "recall" and not m.slice]
    if not found or found[0].value is None:
        return ""
    m = found[0]
    interval = wording.format_interval(m.metric, m.low, m.high)
    between = f" ({interval})" if interval else ""
    share = wording.format_figure(m.metric, m.value)
    return f"It catches {share} of frauds{between}, by the newest week with mature labels."


def money_at_stake(incidents: list[Incident]) -> float | None:
    """Return the pounds a day that firing incidents put at stake: the dearest, for one payment is lost only once."""
    return max((i.amount_gbp_per_day for i in incidents if i.amount_gbp_per_day is not None), default=None)


def is_upper_bound(incidents: list[Incident]) -> bool:
    """Return whether the money that firing incidents put at stake is an upper bound."""
    amount = money_at_stake(incidents)
    return any(_is_bound(i) for i in incidents if i.amount_gbp_per_day is not None and i.amount_gbp_per_day == amount)


def _is_bound(incident: Incident) -> bool:
    """Return whether an incident's money is an upper bound: a data fault may turn out to have cost nothing."""
    return incident.data_fault and not incident.amount_low_gbp_per_day


def model_state(model_view: ModelView) -> str:
    """Return the state of a model now: an open incident, or else what its newest day shows."""
    if firing_incidents(model_view.incidents):
        return "incident"
    return model_view.strip[-1].state if model_view.strip else "unwatched"


def model_card(model_view: ModelView) -> dict[str, Any]:
    """Return a model's line on the fleet page, as plain values that also stand in the model page's JSON."""
    spec, open_now = model_view.spec, firing_incidents(model_view.incidents)
    return {
        "model": spec.model,
        "title": spec.name,
        "owner": spec.owner,
        "tier": spec.tier,
        "state": model_state(model_view),
        "sentence": describe_model_state(model_view),
        "recall": describe_recall(model_view),
        "watched_until": model_view.last,
        "rows": model_view.runs[model_view.last].rows if model_view.last else 0,
        "amount_gbp_per_day": money_at_stake(open_now),
        "at_most": is_upper_bound(open_now),
        "trends": model_trends(model_view),
        "figures": [
            {"metric": m.metric, "value": m.value, "low": m.low, "high": m.high, "verdict": m.verdict}
            for m in model_view.newest
            if m.monitor == "decay" and not m.slice and m.metric in CARD_METRICS
        ],
        "blind": unwatched_areas(model_view),
        "not_watched": describe_unwatched(model_view),
        "open": [open_incident_line(incident) for incident in open_now],
        "strip": [
            {"day": strip_day.day, "state": strip_day.state, "counts": strip_day.counts}
            for strip_day in model_view.strip
        ],
    }


def model_trends(model_view: ModelView) -> list[dict[str, Any]]:
    """Return how the model has been of late, as short series: what it catches, and how often it stops somebody."""
    found = []
    for metric in TREND_METRICS:
        by_day = {m.day: m.value for m in model_view.everyone("decay", metric)}
        days = [strip_day.day for strip_day in model_view.strip][-TREND_DAYS:]
        values = [by_day.get(day) for day in days]
        known = [value for value in values if value is not None]
        if len(known) > 1:
            title, now = wording.metric_title(metric), wording.format_figure(metric, known[-1])
            short = [None if value is None else float(f"{value:.4g}") for value in values]
            found.append({"metric": metric, "title": title, "now": now, "values": short})
    return found


def open_incident_line(incident: Incident) -> dict[str, Any]:
    """Return what the fleet page shows of an open incident."""
    return {
        "page": incident.page,
        "summary": wording.incident_headline(incident),
        "cause": incident.cause_entry.title,
        "data_fault": incident.data_fault,
        "opened": incident.opened,
        "amount_gbp_per_day": incident.amount_gbp_per_day,
        "money": describe_money_at_stake(incident),
    }


def describe_money_at_stake(incident: Incident) -> str:
    """Return an incident's money at stake with its interval, an upper bound for a data fault; empty if unknown."""
    if incident.amount_gbp_per_day is None:
        return ""
    if _is_bound(incident):
        return f"up to {wording.format_gbp(incident.amount_gbp_per_day)} a day"
    interval = wording.format_interval(
        "lost_gbp_per_day", incident.amount_low_gbp_per_day, incident.amount_high_gbp_per_day
    )
    return f"about {wording.format_gbp(incident.amount_gbp_per_day)} a day{f' ({interval})' if interval else ''}"


def describe_strip_day(strip_day: StripDay) -> str:
    """Return what a strip's cell says when pointed at or read aloud."""
    said = [wording.format_short_day(strip_day.day), STATE_TITLES[strip_day.state][0].lower()]
    over, failed = strip_day.counts.get("breach", 0), strip_day.counts.get("errored", 0)
    if over:
        said.append(f"{wording.pluralise(over, 'figure')} over")
    if failed:
        said.append(f"{failed:,} not measured")
    return ", ".join(said)


def unwatched_areas(model_view: ModelView) -> dict[str, str]:
    """Return the areas of ``WATCHED_AREAS`` in which nobody looks at this model, each with the reason as a sentence."""
    spec = model_view.spec
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
    if not model_view.runs:
        found["Drift"] = "It has not been watched yet."
    return found


def describe_unwatched(model_view: ModelView) -> list[str]:
    """Return what nobody looks at on this model, and why, each as a sentence."""
    spec = model_view.spec
    found = [f"{area}: {reason[0].lower()}{reason[1:]}" for area, reason in unwatched_areas(model_view).items()]
    if spec.score.blocked:
        actions = ", ".join(spec.score.blocked)
        found.append(
            f"Payments with the action {actions}: they get no honest label, so "
            "performance leaves them out; figures over all payments are weighted or bounded apart."
        )
    without = [name for name, column in spec.features.columns.items() if column.importance is None]
    if without and spec.features.columns:
        named = f"{', '.join(wording.shorten(name) for name in without[:6])}"
        named += f" and {len(without) - 6} more" if len(without) > 6 else ""
        found.append(
            f"Weight: {wording.pluralise(len(without), 'feature')} without importance ({named}) "
            "count as least important."
        )
    return found + _describe_recent_gaps(model_view)


def _describe_recent_gaps(model_view: ModelView) -> list[str]:
    small = sorted({m.slice for m in model_view.newest if m.monitor == "fairness" and m.value is None and m.slice})
    found = []
    if small:
        found.append(
            f"Groups too small or too young to show: {', '.join(small[:8])}{' and more' if len(small) > 8 else ''}."
        )
    failed = _titles_with_verdict(model_view.newest, Verdict.ERRORED)
    if failed:
        found.append(f"Could not be measured on the newest day: {failed}.")
    gaps = [strip_day.day for strip_day in model_view.strip if not strip_day.watched]
    if gaps:
        last = wording.format_day(gaps[-1])
        were = "was" if len(gaps) == 1 else "were"
        found.append(f"{wording.pluralise(len(gaps), 'day')} of the strip {were} never watched, the last {last}.")
    return found


def _titles_with_verdict(measurements: list[Measurement], verdict: Verdict) -> str:
    named = list(dict.fromkeys(wording.measurement_title(m) for m in measurements if m.verdict is verdict))
    return "; ".join(named[:6]) + (f"; and {len(named) - 6} more" if len(named) > 6 else "")
