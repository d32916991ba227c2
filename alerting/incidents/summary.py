"""What is wrong, in one sentence, for each cause."""

from __future__ import annotations

from collections.abc import Callable

from alerting.incidents import evidence_kinds
from alerting.incidents.inhibition import Finding
from alerting.wording import (
    describe_figure,
    format_factor,
    format_percent,
    join_items,
    metric_words,
    pluralise,
    quote_name,
)
from ledger.records.incidents import Cause
from ledger.records.measurements import Measurement
from models.spec import Spec


def summarise_finding(spec: Spec, finding: Finding) -> str:
    """Return one sentence without a full stop: what is wrong. Names from data stand between backticks."""
    return SUMMARISERS[finding.cause](spec, finding)


def _summarise_missing_partition(spec: Spec, _: Finding) -> str:
    return f"no partition arrived in {quote_name(spec.features.table)}"


def _summarise_late_partition(_: Spec, finding: Finding) -> str:
    minutes = finding.own[0].value
    if minutes is None:
        return "the partition came late"
    late = f"{minutes / 60:.1f} hours" if minutes >= 90 else pluralise(round(minutes), "minute")
    return f"the partition came {late} late"


def _summarise_incomplete_partition(_: Spec, finding: Finding) -> str:
    m = finding.own[0]
    if m.value == 0:
        return "the partition is there, but empty"
    rows = f": {m.value:,.0f} rows" if m.monitor == "arrival" and m.value is not None else ""
    few_or_many = "few" if evidence_kinds.is_below_limit(m) or m.monitor == "check" else "many"
    return f"the partition has too {few_or_many} rows{rows}"


def _summarise_schema_change(_: Spec, finding: Finding) -> str:
    said = {"missing_columns": "missing", "retyped_columns": "of another type"}
    columns: dict[str, list[str]] = {}
    for m in finding.own:
        columns.setdefault(said.get(m.metric, m.metric), []).append(quote_name(m.feature) if m.feature else "a column")
    return " and ".join(
        f"{join_items(names)} {'is' if len(names) == 1 else 'are'} {what}" for what, names in columns.items()
    )


def _summarise_duplicate_rows(_: Spec, finding: Finding) -> str:
    m = finding.own[0]
    share = format_percent(m.value) if m.monitor == "arrival" and m.value is not None else "some"
    return f"{share} of the rows are there more than once"


def _summarise_errored(_: Spec, finding: Finding) -> str:
    names = list(dict.fromkeys(describe_figure(m) for m in finding.own))
    return f"{pluralise(len(finding.own), 'figure')} couldn't be computed: {join_items(names, 3)}"


def _summarise_stale_partition(_: Spec, finding: Finding) -> str:
    m = finding.own[0]
    share = format_percent(m.value) if m.value is not None else "most"
    return f"the partition holds an earlier day's rows again: {share} of the columns that can tell are the same"


def _summarise_column_fault(_: Spec, finding: Finding) -> str:
    m, column = finding.own[0], quote_name(finding.feature)
    if m.value is not None and m.metric == "null_share":
        said = f"{column} is {format_percent(m.value)} null"
    elif m.value is not None and m.metric == "nonfinite_share":
        said = f"{column} is {format_percent(m.value)} infinite or not a number"
    elif m.value and m.metric == "scale_ratio":
        said = f"{column} is about {format_factor(m.value)}"
    elif m.value is not None and m.metric == "unseen_share":
        said = f"{format_percent(m.value)} of {column} is in levels never seen before"
    elif m.metric in COLUMN_FAULT_SENTENCES:
        said = COLUMN_FAULT_SENTENCES[m.metric].format(column=column, share=format_percent(m.value or 0.0))
    else:
        said = (
            f"{column} breaks {quote_name(m.metric)}" if finding.feature else f"the data breaks {quote_name(m.metric)}"
        )
    return f"{said} in {quote_name(m.slice)}" if m.slice else said


def _summarise_feed_fault(_: Spec, finding: Finding) -> str:
    names = list(dict.fromkeys(m.feature for m in finding.own))
    said = FEED_FAULT_WORDS.get(finding.own[0].metric, "broken in the same way")
    return f"{pluralise(len(names), 'column')} are {said} together: {join_items([quote_name(name) for name in names])}"


FEED_FAULT_WORDS = {
    "null_share": "partly or wholly null",
    "nonfinite_share": "partly infinite or not a number",
    "scale_ratio": "in another unit",
    "unseen_share": "in levels never seen before",
}
"""How several columns are broken, by the figure that they share."""


def _summarise_population_shift(_: Spec, finding: Finding) -> str:
    if finding.own[0].monitor == "custom":
        return _summarise_custom_metric(finding.own[0])
    names = list(dict.fromkeys(m.feature for m in finding.own if m.feature))
    overall = {m.feature for m in finding.own if m.feature and not m.slice}
    shown = [quote_name(name) for name in sorted(names, key=lambda name: name not in overall)]
    within = "" if overall else " in some slices"
    return f"the population moved in {pluralise(len(names), 'feature')}{within}: {join_items(shown)}"


def _summarise_custom_metric(m: Measurement) -> str:
    up = m.value is not None and m.limit is not None and m.value > m.limit
    value = f" to {m.value:.3g}" if m.value is not None else ""
    return f"{metric_words(m.metric)} {'rose' if up else 'fell'}{value}"


def _summarise_score_shift(_: Spec, finding: Finding) -> str:
    m = finding.own[0]
    if m.metric == "alert_rate":
        return f"the alert rate is {format_percent(m.value or 0.0)} without a shift of the features"
    within = f" in {quote_name(m.slice)}" if m.slice else ""
    return f"the score moved{within} without a shift of the features"


def _summarise_model_release(_: Spec, finding: Finding) -> str:
    within = f" in {quote_name(finding.own[0].slice)}" if finding.own[0].slice else ""
    return f"the score moved{within} with a new model version"


def _summarise_performance_decay(_: Spec, finding: Finding) -> str:
    m = finding.own[0]
    if m.monitor == "custom":
        return _summarise_custom_metric(m)
    up = m.value is not None and m.limit is not None and m.value > m.limit
    value = (
        f" to {format_percent(m.value) if m.metric in evidence_kinds.SHARE_METRICS else f'{m.value:.2g}'}"
        if m.value is not None
        else ""
    )
    if m.metric == "value_detection_rate":
        return f"the share of fraud value detected fell{value}"
    return f"{metric_words(m.metric)} {'rose' if up else 'fell'}{value}"


def _summarise_fairness_gap(_spec: Spec, finding: Finding) -> str:
    m = finding.own[0]
    base, _, kind = m.metric.rpartition("_")
    if m.value is None or kind not in ("ratio", "difference"):
        return f"{quote_name(finding.slice)} is treated unlike the reference group"
    by = f"{m.value:.2g} times" if kind == "ratio" else f"{m.value:+.2g} from"
    return f"for {quote_name(finding.slice)} the {metric_words(base)} is {by} the reference group's"


COLUMN_FAULT_SENTENCES = {
    "constant_share": "{column} has one value for {share} of the rows",
    "repeated_column": "{column} holds the values of an earlier day again",
    "swapped_column": "{column} holds the values of another column",
    "spike_share": "{column} has {share} more of one value than ever before",
    "scaled_share": "{share} of {column} is in another unit",
    "renamed_share": "{share} of {column} came under other names of its levels",
}
"""What is wrong with a column, by the figure that says it."""

SUMMARISERS: dict[Cause, Callable[[Spec, Finding], str]] = {
    Cause.ERRORED: _summarise_errored,
    Cause.MISSING_PARTITION: _summarise_missing_partition,
    Cause.LATE_PARTITION: _summarise_late_partition,
    Cause.STALE_PARTITION: _summarise_stale_partition,
    Cause.INCOMPLETE_PARTITION: _summarise_incomplete_partition,
    Cause.SCHEMA_CHANGE: _summarise_schema_change,
    Cause.DUPLICATE_ROWS: _summarise_duplicate_rows,
    Cause.FEED_FAULT: _summarise_feed_fault,
    Cause.COLUMN_FAULT: _summarise_column_fault,
    Cause.SEASON: _summarise_population_shift,
    Cause.POPULATION_SHIFT: _summarise_population_shift,
    Cause.MODEL_RELEASE: _summarise_model_release,
    Cause.SCORE_SHIFT: _summarise_score_shift,
    Cause.PERFORMANCE_DECAY: _summarise_performance_decay,
    Cause.FAIRNESS_GAP: _summarise_fairness_gap,
}
