"""The state of a day or a model: a word, a shape, and a sentence."""

from __future__ import annotations

from collections import Counter

from catalogue.metrics import performance
from catalogue.metrics.performance_monitors import DECAY_MONITOR
from ledger.records.incidents import Incident, Status
from ledger.records.measurements import Verdict
from reports.views.model_view import ModelView
from reports.views.strip import StripDay, firing_incidents
from reports.wording import formatting, money

STATE_TITLES = {
    "incident": ("Incident", "▲"),
    "breach": ("Over a limit, no incident", "△"),
    "errored": ("Not measured", "✕"),
    "missing": ("Not there", "□"),
    "ok": ("Within limits", "●"),
    "insufficient": ("Too few cases", "○"),
    "immature": ("Labels still to come", "◔"),
    "unwatched": ("Not watched", "·"),
}
"""A day's or a model's state: a word, and a shape that says the same without colour."""


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
        failed = formatting.pluralise(counts[Verdict.ERRORED], "figure")
        said = f"No incident is open, but {failed} could not be measured, so that says less than it seems."
    elif pending:
        waiting = formatting.pluralise(len(pending), "suspicion")
        said = f"No incident is open; {waiting} must hold before it becomes one."
    else:
        over = counts[Verdict.BREACH]
        rest = (
            f"{formatting.pluralise(over, 'figure')} over a limit, which made no incident"
            if over
            else "nothing over a limit"
        )
        measured = formatting.pluralise(len(model_view.newest), "figure")
        said = f"All is well: no incident is open, {rest} of {measured} measured."
    return f"{said} {describe_recall(model_view)}".strip()


def _describe_open_incidents(open_now: list[Incident]) -> str:
    worst = open_now[0]
    amount = money.money_at_stake(open_now)
    stake = (
        f", {'up to' if money.is_upper_bound(open_now) else 'about'} {formatting.format_gbp(amount)} a day at stake"
        if amount is not None
        else ""
    )
    summary = _with_full_stop(worst.summary or worst.cause_entry.title)
    what = f"since {formatting.format_day(worst.opened)}: {summary}"
    if len(open_now) == 1:
        return f"One incident is open{stake}, {what}"
    return f"{len(open_now)} incidents are open{stake}. The {'worst' if amount is None else 'costliest'}, {what}"


def _with_full_stop(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def describe_recall(model_view: ModelView) -> str:
    """Return in a sentence how much fraud is caught, by the newest mature week; empty where nobody can say."""
    wanted = (DECAY_MONITOR, performance.RECALL, "")
    found = [m for m in model_view.newest if (m.monitor, m.metric, m.slice) == wanted]
    if not found or found[0].value is None:
        return ""
    m = found[0]
    interval = formatting.format_interval(m.metric, m.low, m.high)
    between = f" ({interval})" if interval else ""
    share = formatting.format_figure(m.metric, m.value)
    return f"It catches {share} of frauds{between}, by the newest week with mature labels."


def model_state(model_view: ModelView) -> str:
    """Return the state of a model now: an open incident, or else what its newest day shows."""
    if firing_incidents(model_view.incidents):
        return "incident"
    return model_view.strip[-1].state if model_view.strip else "unwatched"


def describe_strip_day(strip_day: StripDay) -> str:
    """Return what a day of the strip says when pointed at or read aloud."""
    said = [formatting.format_short_day(strip_day.day), STATE_TITLES[strip_day.state][0].lower()]
    over, failed = strip_day.counts.get("breach", 0), strip_day.counts.get("errored", 0)
    if over:
        said.append(f"{formatting.pluralise(over, 'figure')} over")
    if failed:
        said.append(f"{failed:,} not measured")
    return ", ".join(said)
