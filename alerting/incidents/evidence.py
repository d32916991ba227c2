"""What an incident rests on: how sure it is, why it probably happened, every figure, and what to do first."""

from __future__ import annotations

import catalogue
from alerting.incidents.evidence_kinds import is_false_alarm_metric
from alerting.incidents.inhibition import Finding
from alerting.wording import describe_figure, format_factor, pluralise, quote_name
from catalogue import causes
from catalogue.causes.real_changes import FALSE_ALARMS, MISSED, MOVED
from catalogue.metrics.arrival import CHECK_MONITOR
from ledger.records.measurements import Measurement
from models.spec import Spec

ALL_ROWS = 0.99
"""The share of a column's rows from which on all of them count as broken."""
MOST_EVIDENCE = 8
"""Sentences kept with an incident; the rest is on the day's page."""
PROBABLE_CAUSE = "Probable cause: "


def describe_confidence(finding: Finding) -> str:
    """Return how sure it is, in words, with the figure that says so.

    Of its reason the first sentence is enough: what a figure leaves out stands with the evidence.
    A count is certain. A figure with an interval is "very likely" where the whole interval lies beyond its limit,
    and "likely" where only the value does (a breach is significant in either case).
    """
    first = finding.own[0]
    cause = catalogue.cause(finding.cause)
    said = _reason_sentence(first) if cause.about_the_watch else first_sentence(_reason_sentence(first))
    several = not cause.explained and len(finding.own) > 1
    named = "" if cause.states_figure and not several else f"{_figure_label(first)}: "
    return f"{_certainty(finding)}: {named}{said}"


def first_sentence(text: str) -> str:
    """Return a text up to its first full stop that ends a sentence."""
    head, stop, _ = text.partition(". ")
    return f"{head}." if stop else text


def evidence_sentences(finding: Finding, *, moved: bool, worst: Measurement | None = None) -> tuple[str, ...]:
    """Return the probable cause, then a sentence for each breach, the strongest first.

    ``moved`` says whether features or the score moved as well, which makes decay less of a riddle; ``worst`` is the
    slice in which it decayed most, where that is beyond chance.
    """
    sentences = [f"{_figure_label(m)}: {_reason_text(m)}" for m in finding.own]
    more = len(sentences) - MOST_EVIDENCE
    if more > 0:
        sentences = [*sentences[:MOST_EVIDENCE], f"And {pluralise(more, 'other figure')} beyond their limits."]
    return (PROBABLE_CAUSE + describe_probable_cause(finding, moved=moved, worst=worst), *sentences)


def describe_probable_cause(finding: Finding, *, moved: bool, worst: Measurement | None = None) -> str:
    """Return a sentence on what probably broke or changed."""
    entry = catalogue.cause(finding.cause)
    if finding.cause == causes.COLUMN_FAULT:
        return _describe_column_cause(finding.own[0]) or entry.probable_cause
    if finding.cause != causes.PERFORMANCE_DECAY:
        return entry.probable_cause
    if moved:
        return entry.probable_causes[MOVED]
    if all(is_false_alarm_metric(m.metric) for m in finding.own):
        return entry.probable_causes[FALSE_ALARMS]
    where = f", mostly in {quote_name(worst.slice)}" if worst else ""
    return entry.probable_causes[MISSED].format(where=where)


def describe_first_step(spec: Spec, finding: Finding) -> str:
    """Return one sentence that says what to do first."""
    return catalogue.cause(finding.cause).first_step.format(
        table=quote_name(spec.features.table),
        column=quote_name(finding.feature) if finding.feature else "the columns of the failed check",
        group=quote_name(finding.slice),
    )


def _describe_column_cause(m: Measurement) -> str:
    """Return what probably broke a column, by the figure that says how it is broken; '' where none says it."""
    fault = catalogue.metric(m.metric).fault
    if fault is None:
        return ""
    value = m.value or 0.0
    text = (fault.probable_cause_of_all if value > ALL_ROWS else "") or fault.probable_cause
    if "{factor}" in text and value <= 0:
        return ""
    return text.format(factor=format_factor(value) if value > 0 else "")


def _certainty(finding: Finding) -> str:
    m = finding.own[0]
    cause, fault = catalogue.cause(finding.cause), catalogue.metric(m.metric).fault
    likely_only = m.monitor == CHECK_MONITOR or (fault is not None and not fault.certain)
    if cause.about_the_watch or (cause.data_fault and not likely_only):
        return "Certain"
    if m.low is None or m.high is None or m.limit is None or m.value is None:
        return "Very likely" if m.monitor == CHECK_MONITOR else "Likely"
    clear = m.low > m.limit if m.value > m.limit else m.high < m.limit
    return "Very likely" if clear else "Likely"


def _reason_sentence(m: Measurement) -> str:
    reason = _reason_text(m)
    return reason if reason.endswith(".") else f"{reason}."


def _reason_text(m: Measurement) -> str:
    """Return a measurement's own reason on one line, or one made of its figures where it has none."""
    if m.reason:
        return " ".join(m.reason.replace("`", "'").split())
    if m.value is None:
        return f"{m.verdict}"
    interval = f" ({m.low:.3g} to {m.high:.3g})" if m.low is not None and m.high is not None else ""
    limit = f", limit {m.limit:.3g}" if m.limit is not None else ""
    return f"{m.value:.3g}{interval}{limit}, n = {m.n:,}"


def _figure_label(m: Measurement) -> str:
    """Return which figure a reason is about; only the column where the reason begins with the figure's name."""
    if m.feature and m.reason.startswith(catalogue.metric(m.metric).phrase):
        return f"{quote_name(m.feature)}{f' in {quote_name(m.slice)}' if m.slice else ''}"
    return describe_figure(m)
