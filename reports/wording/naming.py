"""What things are called on pages: metrics, monitors and causes by the catalogue, verdicts, figures, incidents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import catalogue
from ledger.records.incidents import Incident
from ledger.records.measurements import Measurement, Verdict
from reports.wording.formatting import format_figure, format_interval, format_signed


@dataclass(frozen=True)
class VerdictWording:
    """A verdict as people see it: a word, and a shape that says the same without colour."""

    word: str
    mark: str


VERDICTS = {
    Verdict.OK: VerdictWording("within its limit", "●"),
    Verdict.BREACH: VerdictWording("over its limit", "▲"),
    Verdict.INSUFFICIENT: VerdictWording("too few cases", "○"),
    Verdict.IMMATURE: VerdictWording("labels still to come", "◔"),
    Verdict.ERRORED: VerdictWording("could not be measured", "✕"),
    Verdict.MISSING: VerdictWording("not there", "□"),
}


def metric_title(metric: str) -> str:
    """Return a metric's title; an expectation keeps its Great Expectations name, a bank's own metric its name."""
    return catalogue.metric(metric).title


def monitor_title(monitor: str) -> str:
    """Return a monitor's title; its key where a ledger has figures of a monitor that is no longer registered."""
    known = catalogue.MONITORS.get(monitor)
    return known.title if known else monitor.replace("_", " ").capitalize()


def incident_headline(incident: Incident) -> str:
    """Return an incident's summary as the start of a sentence, or its cause in words."""
    text = incident.summary or incident.cause_entry.title
    return text[:1].upper() + text[1:]


def measurement_subject(m: Measurement) -> str:
    """Return what a measurement is about: its column, its group, both, or all of the table or payments."""
    known = catalogue.MONITORS.get(m.monitor)
    whole = known.subject if known else "all payments"
    return " · ".join(part for part in (m.feature, m.slice) if part) or whole


def figure_with_interval(m: Measurement) -> str:
    """Return a figure with its interval and number of cases: ``81 % (77 to 85 %), n 812``."""
    between = format_interval(m.metric, m.low, m.high)
    return format_figure(m.metric, m.value) + (f" ({between})" if between else "") + f", n {m.n:,}"


def measurement_title(m: Measurement) -> str:
    """Return a measurement's metric and what it is about, as a chart's title."""
    return f"{metric_title(m.metric)}: {measurement_subject(m)}"


def comparison_rows(comparison: Mapping[str, Mapping[str, float | None]]) -> list[dict[str, str]]:
    """Return champion and challenger as rows of a table: each figure, the difference, and its interval."""
    return [_comparison_row(name, values) for name, values in comparison.items()]


def _comparison_row(name: str, values: Mapping[str, float | None]) -> dict[str, str]:
    plain, _, group = name.partition(" ")
    ends = (format_signed(values.get("low")), format_signed(values.get("high")))
    return {
        "name": f"{metric_title(plain)}: {group}" if group else metric_title(plain),
        "champion": format_figure(plain, values.get("champion")),
        "challenger": format_figure(plain, values.get("challenger")),
        "difference": format_signed(values.get("difference")),
        "between": f"({ends[0]} to {ends[1]})" if all(ends) else "",
    }
