"""What an incident rests on: how sure it is, why it probably happened, every figure, and what to do first."""

from __future__ import annotations

from alerting.incidents.evidence_kinds import FALSE_ALARM_METRICS
from alerting.incidents.inhibition import Finding
from alerting.wording import describe_figure, format_factor, metric_words, pluralise, quote_name
from ledger.records.incidents import Cause
from ledger.records.measurements import Measurement
from models.spec import Spec

MOST_EVIDENCE = 8
"""Sentences kept with an incident; the rest is on the day's page."""
PROBABLE_CAUSE = "Probable cause: "
SUMMARY_NAMES_FIGURE = {
    Cause.COLUMN_FAULT,
    Cause.MISSING_PARTITION,
    Cause.STALE_PARTITION,
    Cause.LATE_PARTITION,
    Cause.INCOMPLETE_PARTITION,
    Cause.PERFORMANCE_DECAY,
    Cause.FAIRNESS_GAP,
}
"""Causes whose summary already names the figure."""


def describe_confidence(finding: Finding) -> str:
    """Return how sure it is, in words, with the figure that says so.

    Of its reason the first sentence is enough: what a figure leaves out stands with the evidence.
    A count is certain. A figure with an interval is "very likely" where the whole interval lies beyond its limit,
    and "likely" where only the value does (a breach is significant in either case).
    """
    first = finding.own[0]
    said = _reason_sentence(first) if finding.cause is Cause.ERRORED else first_sentence(_reason_sentence(first))
    named = "" if finding.cause in SUMMARY_NAMES_FIGURE else f"{_figure_label(first)}: "
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
    if finding.cause is Cause.COLUMN_FAULT:
        return _describe_column_cause(finding.own[0])
    if finding.cause is not Cause.PERFORMANCE_DECAY:
        return PROBABLE_CAUSES[finding.cause]
    if moved:
        return "payments moved away from those that the model learnt from: features or the score changed as well."
    if any(m.metric not in FALSE_ALARM_METRICS for m in finding.own):
        where_most = f", mostly in {quote_name(worst.slice)}" if worst else ""
        return f"a new fraud pattern{where_most}: features and score look as before, but more fraud passes unnoticed."
    return "more false alarms, while features and score look as before: look for a change in how labels are given."


def describe_first_step(spec: Spec, finding: Finding) -> str:
    """Return one sentence that says what to do first."""
    if finding.cause is Cause.COLUMN_FAULT:
        column = quote_name(finding.feature) if finding.feature else "the failed check"
        return f"Look at the last change and run of the feed that fills {column} in {quote_name(spec.features.table)}."
    return FIRST_STEPS[finding.cause].format(table=quote_name(spec.features.table), group=quote_name(finding.slice))


def _describe_column_cause(m: Measurement) -> str:
    value = m.value
    if m.metric == "null_share":
        everything = value is not None and value > 0.99
        return f"null flood: the feed {'stopped' if everything else 'lost part of its values, as after a failed join'}."
    if m.metric == "nonfinite_share":
        return "a broken calculation upstream: values are infinite or not a number."
    if m.metric == "scale_ratio" and value:
        return f"unit error: values are about {format_factor(value)}, as when pounds became pence."
    if m.metric == "unseen_share":
        return "re-encoded category: levels are written in another way than before."
    return PROBABLE_COLUMN_CAUSES.get(m.metric, "the data broke a rule of the model file.")


def _certainty(finding: Finding) -> str:
    m = finding.own[0]
    likely_only = m.metric in LIKELY_ONLY or m.monitor == "check"
    if finding.cause is Cause.ERRORED or (finding.cause.data_fault and not likely_only):
        return "Certain"
    if m.low is None or m.high is None or m.limit is None or m.value is None:
        return "Very likely" if m.monitor == "check" else "Likely"
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
    if m.feature and m.reason.startswith(metric_words(m.metric)):
        return f"{quote_name(m.feature)}{f' in {quote_name(m.slice)}' if m.slice else ''}"
    return describe_figure(m)


LIKELY_ONLY = ("scale_ratio", "unseen_share", "swapped_column", "spike_share", "scaled_share", "renamed_share")
"""Figures that a change in customers may bring about as well, if seldom."""
PROBABLE_COLUMN_CAUSES = {
    "constant_share": "the feed fills the column with one value, as a default where a lookup finds nothing.",
    "repeated_column": "the column wasn't refreshed: the job that fills it didn't run, or read an old snapshot.",
    "swapped_column": "columns were mixed up, as by a load that goes by their order instead of their names.",
    "spike_share": "a default value stands where others should, as after a failed lookup.",
    "scaled_share": "unit error in part of the rows, as when one of several sources writes pence for pounds.",
    "renamed_share": "re-encoded category: levels are written in another way than before.",
}

PROBABLE_CAUSES: dict[Cause, str] = {
    Cause.ERRORED: "a check or monitor failed to run; this says nothing about the data yet.",
    Cause.MISSING_PARTITION: "the feed didn't run, or wrote to another place.",
    Cause.LATE_PARTITION: "the feed ran late; the data itself came.",
    Cause.STALE_PARTITION: "the feed delivered an earlier day again, as when its own input didn't arrive.",
    Cause.INCOMPLETE_PARTITION: "the feed was cut short, filtered, or ran twice over part of its input.",
    Cause.SCHEMA_CHANGE: "a release upstream changed the table's columns.",
    Cause.DUPLICATE_ROWS: "a run was repeated without replacing its rows, or a join multiplied them.",
    Cause.FEED_FAULT: "one feed or join broke: several columns went wrong in the same way on the same day.",
    Cause.SEASON: "season: days of the same kind moved likewise in the baseline.",
    Cause.POPULATION_SHIFT: "customers or their payments changed; nothing in these columns looks broken.",
    Cause.MODEL_RELEASE: "a new model version was released: it scored payments today, and the score moved with it.",
    Cause.SCORE_SHIFT: "the model itself changed, as by another version, threshold or input that isn't watched.",
    Cause.FAIRNESS_GAP: "the model treats this group unlike the reference group, more than chance and before.",
}

FIRST_STEPS: dict[Cause, str] = {
    Cause.ERRORED: "Read the error on the day's page, then run the day again.",
    Cause.MISSING_PARTITION: "Look at the last run of the job that writes {table}, and start it for this day.",
    Cause.LATE_PARTITION: "Ask the owner of the job that writes {table} why it ran late; score again what was missed.",
    Cause.STALE_PARTITION: "Check which day the job that writes {table} read; load this day, and score it again.",
    Cause.INCOMPLETE_PARTITION: "Compare the row count of {table} with its source for this day, and load it again.",
    Cause.SCHEMA_CHANGE: "Find the release that changed {table}, and have its columns restored.",
    Cause.DUPLICATE_ROWS: "Look for a repeated run of the job that writes {table}, and load the day again.",
    Cause.FEED_FAULT: "Find the feed or join in {table} that these columns share; look at its last run and change.",
    Cause.SEASON: "Nothing to mend if the calendar explains it; a baseline with more such days makes it quiet.",
    Cause.POPULATION_SHIFT: "Ask the business what changed (campaign, season, customers); watch recall as labels come.",
    Cause.MODEL_RELEASE: "Ask whether the release was planned and its threshold set anew; then record a new baseline.",
    Cause.SCORE_SHIFT: "Compare the model version and threshold in production with the last release.",
    Cause.PERFORMANCE_DECAY: "Read ten of the newest missed frauds with an analyst and look for what they share.",
    Cause.FAIRNESS_GAP: "Take {group} to the model's owner and model risk: look at some of its alerts one by one.",
}
