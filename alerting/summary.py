"""What is wrong, in one sentence, for each cause."""

from __future__ import annotations

from collections.abc import Callable

from alerting import metrics
from alerting.explains import Finding
from alerting.words import counted, factor_words, listed, metric_words, percent, quoted, where
from ledger.records import Cause, Measurement
from models.spec import Spec


def summary(spec: Spec, finding: Finding) -> str:
    """Return one sentence without a full stop: what is wrong. Names from data stand between backticks."""
    return SUMMARIES[finding.cause](spec, finding)


def _missing(spec: Spec, _: Finding) -> str:
    return f"no partition arrived in {quoted(spec.features.table)}"


def _late(_: Spec, finding: Finding) -> str:
    minutes = finding.own[0].value
    if minutes is None:
        return "the partition came late"
    return (
        f"the partition came {f'{minutes / 60:.1f} hours' if minutes >= 90 else counted(round(minutes), 'minute')} late"
    )


def _incomplete(_: Spec, finding: Finding) -> str:
    m = finding.own[0]
    if m.value == 0:
        return "the partition is there, but empty"
    rows = f": {m.value:,.0f} rows" if m.monitor == "arrival" and m.value is not None else ""
    return f"the partition has too {'few' if metrics.is_low(m) or m.monitor == 'check' else 'many'} rows{rows}"


def _schema(_: Spec, finding: Finding) -> str:
    said = {"missing_columns": "missing", "retyped_columns": "of another type"}
    columns: dict[str, list[str]] = {}
    for m in finding.own:
        columns.setdefault(said.get(m.metric, m.metric), []).append(quoted(m.feature) if m.feature else "a column")
    return " and ".join(
        f"{listed(names)} {'is' if len(names) == 1 else 'are'} {what}" for what, names in columns.items()
    )


def _duplicates(_: Spec, finding: Finding) -> str:
    m = finding.own[0]
    share = percent(m.value) if m.monitor == "arrival" and m.value is not None else "some"
    return f"{share} of the rows are there more than once"


def _errored(_: Spec, finding: Finding) -> str:
    names = list(dict.fromkeys(where(m) for m in finding.own))
    return f"{counted(len(finding.own), 'figure')} couldn't be computed: {listed(names, 3)}"


def _stale(_: Spec, finding: Finding) -> str:
    m = finding.own[0]
    share = percent(m.value) if m.value is not None else "most"
    return f"the partition holds an earlier day's rows again: {share} of the columns that can tell are the same"


def _column(_: Spec, finding: Finding) -> str:
    m, column = finding.own[0], quoted(finding.feature)
    if m.value is not None and m.metric == "null_share":
        said = f"{column} is {percent(m.value)} null"
    elif m.value is not None and m.metric == "nonfinite_share":
        said = f"{column} is {percent(m.value)} infinite or not a number"
    elif m.value and m.metric == "scale_ratio":
        said = f"{column} is about {factor_words(m.value)}"
    elif m.value is not None and m.metric == "unseen_share":
        said = f"{percent(m.value)} of {column} is in levels never seen before"
    elif m.metric in COLUMN:
        said = COLUMN[m.metric].format(column=column, share=percent(m.value or 0.0))
    else:
        said = f"{column} breaks {quoted(m.metric)}" if finding.feature else f"the data breaks {quoted(m.metric)}"
    return f"{said} in {quoted(m.slice)}" if m.slice else said


def _feed(_: Spec, finding: Finding) -> str:
    names = list(dict.fromkeys(m.feature for m in finding.own))
    said = BROKEN.get(finding.own[0].metric, "broken in the same way")
    return f"{counted(len(names), 'column')} are {said} together: {listed([quoted(name) for name in names])}"


BROKEN = {
    "null_share": "partly or wholly null",
    "nonfinite_share": "partly infinite or not a number",
    "scale_ratio": "in another unit",
    "unseen_share": "in levels never seen before",
}
"""How several columns are broken, by the figure that they share."""


def _shift(_: Spec, finding: Finding) -> str:
    if finding.own[0].monitor == "custom":
        return _custom(finding.own[0])
    names = list(dict.fromkeys(m.feature for m in finding.own if m.feature))
    overall = {m.feature for m in finding.own if m.feature and not m.slice}
    shown = [quoted(name) for name in sorted(names, key=lambda name: name not in overall)]
    within = "" if overall else " in some slices"
    return f"the population moved in {counted(len(names), 'feature')}{within}: {listed(shown)}"


def _custom(m: Measurement) -> str:
    up = m.value is not None and m.limit is not None and m.value > m.limit
    value = f" to {m.value:.3g}" if m.value is not None else ""
    return f"{metric_words(m.metric)} {'rose' if up else 'fell'}{value}"


def _score(_: Spec, finding: Finding) -> str:
    m = finding.own[0]
    if m.metric == "alert_rate":
        return f"the alert rate is {percent(m.value or 0.0)} without a shift of the features"
    within = f" in {quoted(m.slice)}" if m.slice else ""
    return f"the score moved{within} without a shift of the features"


def _release(_: Spec, finding: Finding) -> str:
    within = f" in {quoted(finding.own[0].slice)}" if finding.own[0].slice else ""
    return f"the score moved{within} with a new model version"


def _decay(_: Spec, finding: Finding) -> str:
    m = finding.own[0]
    if m.monitor == "custom":
        return _custom(m)
    up = m.value is not None and m.limit is not None and m.value > m.limit
    value = f" to {percent(m.value) if m.metric in metrics.SHARES else f'{m.value:.2g}'}" if m.value is not None else ""
    if m.metric == "value_detection_rate":
        return f"the share of fraud value detected fell{value}"
    return f"{metric_words(m.metric)} {'rose' if up else 'fell'}{value}"


def _fairness(_spec: Spec, finding: Finding) -> str:
    m = finding.own[0]
    base, _, kind = m.metric.rpartition("_")
    if m.value is None or kind not in ("ratio", "difference"):
        return f"{quoted(finding.slice)} is treated unlike the reference group"
    by = f"{m.value:.2g} times" if kind == "ratio" else f"{m.value:+.2g} from"
    return f"for {quoted(finding.slice)} the {metric_words(base)} is {by} the reference group's"


COLUMN = {
    "constant_share": "{column} has one value for {share} of the rows",
    "repeated_column": "{column} holds the values of an earlier day again",
    "swapped_column": "{column} holds the values of another column",
    "spike_share": "{column} has {share} more of one value than ever before",
    "scaled_share": "{share} of {column} is in another unit",
    "renamed_share": "{share} of {column} came under other names of its levels",
}
"""What is wrong with a column, by the figure that says it."""

SUMMARIES: dict[Cause, Callable[[Spec, Finding], str]] = {
    Cause.ERRORED: _errored,
    Cause.MISSING_PARTITION: _missing,
    Cause.LATE_PARTITION: _late,
    Cause.STALE_PARTITION: _stale,
    Cause.INCOMPLETE_PARTITION: _incomplete,
    Cause.SCHEMA_CHANGE: _schema,
    Cause.DUPLICATE_ROWS: _duplicates,
    Cause.FEED_FAULT: _feed,
    Cause.COLUMN_FAULT: _column,
    Cause.SEASON: _shift,
    Cause.POPULATION_SHIFT: _shift,
    Cause.MODEL_RELEASE: _release,
    Cause.SCORE_SHIFT: _score,
    Cause.PERFORMANCE_DECAY: _decay,
    Cause.FAIRNESS_GAP: _fairness,
}
