"""What is wrong, in one sentence, for each cause: by code where figures word it better than the catalogue's entry."""

from __future__ import annotations

from collections.abc import Callable

import catalogue
from alerting.incidents import evidence_kinds
from alerting.incidents.inhibition import Finding
from alerting.wording import (
    describe_figure,
    format_factor,
    format_minutes,
    format_percent,
    format_value,
    join_items,
    pluralise,
    quote_name,
)
from catalogue import ColumnFault, Unit, causes
from catalogue.metrics.arrival import ARRIVAL_MONITOR, CHECK_MONITOR, MISSING_COLUMNS, RETYPED_COLUMNS
from catalogue.metrics.performance import ALERT_RATE
from catalogue.metrics.performance_monitors import CUSTOM_MONITOR
from ledger.records.measurements import Measurement
from models.spec import Spec


def summarise_finding(spec: Spec, finding: Finding) -> str:
    """Return one sentence without a full stop: what is wrong. Names from data stand between backticks."""
    return SUMMARISERS.get(finding.cause, _summarise_by_entry)(spec, finding)


def fill_text(spec: Spec, finding: Finding, text: str) -> str:
    """Return a text of the catalogue with what its placeholders stand for, of the finding's strongest figure."""
    m = finding.own[0]
    metric = catalogue.metric(m.metric)
    return text.format(
        table=quote_name(spec.features.table),
        column=quote_name(finding.feature) if finding.feature else "the data",
        group=quote_name(finding.slice) if finding.slice else "everyone",
        metric=quote_name(metric.key) if m.monitor == CHECK_MONITOR else metric.phrase,
        value=format_value(m.metric, m.value) if m.value is not None else "not known",
        limit=format_value(m.metric, m.limit) if m.limit is not None else "not known",
        of_column=f" of {quote_name(m.feature)}" if m.feature else "",
        in_group=f" in {quote_name(m.slice)}" if m.slice else "",
    )


def _summarise_by_entry(spec: Spec, finding: Finding) -> str:
    return fill_text(spec, finding, catalogue.cause(finding.cause).summary)


def _summarise_late_partition(_: Spec, finding: Finding) -> str:
    minutes = finding.own[0].value
    if minutes is None:
        return "the partition came late"
    return f"the partition came {format_minutes(minutes)} late"


def _summarise_incomplete_partition(_: Spec, finding: Finding) -> str:
    m = finding.own[0]
    if m.value == 0:
        return "the partition is there, but empty"
    rows = f": {m.value:,.0f} rows" if m.monitor == ARRIVAL_MONITOR and m.value is not None else ""
    few_or_many = "few" if evidence_kinds.is_below_limit(m) or m.monitor == CHECK_MONITOR else "many"
    return f"the partition has too {few_or_many} rows{rows}"


def _summarise_schema_change(_: Spec, finding: Finding) -> str:
    said = {MISSING_COLUMNS: "missing", RETYPED_COLUMNS: "of another type"}
    columns: dict[str, list[str]] = {}
    for m in finding.own:
        columns.setdefault(said.get(m.metric, m.metric), []).append(quote_name(m.feature) if m.feature else "a column")
    return " and ".join(
        f"{join_items(names)} {'is' if len(names) == 1 else 'are'} {what}" for what, names in columns.items()
    )


def _summarise_duplicate_rows(_: Spec, finding: Finding) -> str:
    m = finding.own[0]
    share = format_percent(m.value) if m.monitor == ARRIVAL_MONITOR and m.value is not None else "some"
    return f"{share} of the rows are there more than once"


def _summarise_errored(_: Spec, finding: Finding) -> str:
    names = list(dict.fromkeys(describe_figure(m) for m in finding.own))
    return f"{pluralise(len(finding.own), 'figure')} couldn't be computed: {join_items(names, 3)}"


def _summarise_stale_partition(_: Spec, finding: Finding) -> str:
    m = finding.own[0]
    share = format_percent(m.value) if m.value is not None else "most"
    return f"the partition holds an earlier day's rows again: {share} of the columns that can show it are the same"


def _summarise_column_fault(spec: Spec, finding: Finding) -> str:
    m = finding.own[0]
    fault = catalogue.metric(m.metric).fault
    said = _word_fault(fault, finding) if fault is not None else None
    if said is None:
        said = _summarise_by_entry(spec, finding)
    return f"{said} in {quote_name(m.slice)}" if m.slice else said


def _word_fault(fault: ColumnFault, finding: Finding) -> str | None:
    """Return what the figure says is wrong with a column; None where there is no value to say it with."""
    value = finding.own[0].value
    if value is None or (value == 0 and "{factor}" in fault.summary):
        return None
    factor = format_factor(value) if value > 0 else ""
    return fault.summary.format(column=quote_name(finding.feature), share=format_percent(value), factor=factor)


def _summarise_feed_fault(_: Spec, finding: Finding) -> str:
    names = list(dict.fromkeys(m.feature for m in finding.own))
    fault = catalogue.metric(finding.own[0].metric).fault
    said = fault.summary_of_several if fault is not None else ColumnFault.summary_of_several
    return f"{pluralise(len(names), 'column')} are {said} together: {join_items([quote_name(name) for name in names])}"


def _summarise_population_shift(_: Spec, finding: Finding) -> str:
    if finding.own[0].monitor == CUSTOM_MONITOR:
        return _summarise_change(finding.own[0])
    names = list(dict.fromkeys(m.feature for m in finding.own if m.feature))
    if not names:
        return f"the population moved: {describe_figure(finding.own[0])} is over its limit"
    overall = {m.feature for m in finding.own if m.feature and not m.slice}
    shown = [quote_name(name) for name in sorted(names, key=lambda name: name not in overall)]
    within = "" if overall else " in some slices"
    return f"the population moved in {pluralise(len(names), 'feature')}{within}: {join_items(shown)}"


def _summarise_change(m: Measurement) -> str:
    """Say of a figure that it rose or fell, and to what."""
    up = m.value is not None and m.limit is not None and m.value > m.limit
    value = f" to {format_value(m.metric, m.value)}" if m.value is not None else ""
    return f"{catalogue.metric(m.metric).phrase} {'rose' if up else 'fell'}{value}"


def _summarise_score_shift(_: Spec, finding: Finding) -> str:
    m = finding.own[0]
    if m.metric == ALERT_RATE:
        return f"the alert rate is {format_percent(m.value or 0.0)} without a shift of the features"
    within = f" in {quote_name(m.slice)}" if m.slice else ""
    return f"the score moved{within} without a shift of the features"


def _summarise_model_release(_: Spec, finding: Finding) -> str:
    within = f" in {quote_name(finding.own[0].slice)}" if finding.own[0].slice else ""
    return f"the score moved{within} with a new model version"


def _summarise_performance_decay(_: Spec, finding: Finding) -> str:
    return _summarise_change(finding.own[0])


def _summarise_fairness_gap(spec: Spec, finding: Finding) -> str:
    m = finding.own[0]
    metric = catalogue.metric(m.metric)
    if m.value is None or not metric.base:
        return _summarise_by_entry(spec, finding)
    by = f"{m.value:.2g} times" if metric.unit is Unit.TIMES else f"{m.value:+.2g} from"
    base = catalogue.metric(metric.base).phrase
    return f"for {quote_name(finding.slice)} the {base} is {by} the reference group's"


def _summarise_unclassified_breach(spec: Spec, finding: Finding) -> str:
    m = finding.own[0]
    if len(finding.own) == 1 and m.value is not None and m.limit is not None:
        return _summarise_by_entry(spec, finding)
    names = list(dict.fromkeys(describe_figure(m) for m in finding.own))
    if len(names) == 1:
        return f"{names[0]} is over its limit, and no known cause explains it"
    return f"{len(names)} figures are over their limits, and no known cause explains them: {join_items(names, 3)}"


SUMMARISERS: dict[str, Callable[[Spec, Finding], str]] = {
    causes.WATCH_ERRORED: _summarise_errored,
    causes.LATE_PARTITION: _summarise_late_partition,
    causes.STALE_PARTITION: _summarise_stale_partition,
    causes.INCOMPLETE_PARTITION: _summarise_incomplete_partition,
    causes.SCHEMA_CHANGE: _summarise_schema_change,
    causes.DUPLICATE_ROWS: _summarise_duplicate_rows,
    causes.FEED_FAULT: _summarise_feed_fault,
    causes.COLUMN_FAULT: _summarise_column_fault,
    causes.SEASON: _summarise_population_shift,
    causes.POPULATION_SHIFT: _summarise_population_shift,
    causes.MODEL_RELEASE: _summarise_model_release,
    causes.SCORE_SHIFT: _summarise_score_shift,
    causes.PERFORMANCE_DECAY: _summarise_performance_decay,
    causes.FAIRNESS_GAP: _summarise_fairness_gap,
    causes.UNCLASSIFIED_BREACH: _summarise_unclassified_breach,
}
"""Causes whose summary takes more than the placeholders of an entry; the others have their entry's."""
