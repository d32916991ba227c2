"""A model's page: what its owner reads from top to bottom."""

from __future__ import annotations

from datetime import date
from typing import Any

from ledger.records import Measurement, Verdict
from reports import figures, incident, today, words
from reports.reading import URGENT, Reading, of_verdict, rows

HEADLINES = ("recall", "precision", "value_detection_rate", "false_positive_rate")
FAIRNESS = ("selection_rate", "true_positive_rate", "false_positive_rate", "precision", "calibration_gap")
INCIDENTS = 60
DECISIONS = 20
CHECKS = 120
"""Most rows that a table of the page shows; the JSON beside the page has the rest."""
SEVERITY = (Verdict.BREACH, Verdict.ERRORED, Verdict.MISSING, Verdict.OK, Verdict.INSUFFICIENT, Verdict.IMMATURE)


def page(reading: Reading) -> dict[str, Any]:
    """Return what the template of a model's page is filled with."""
    card = today.card(reading)
    return {
        "reading": reading,
        "spec": reading.spec,
        "headline_metrics": HEADLINES,
        "card": card,
        "strip": reading.strip,
        "headlines": headlines(reading),
        "estimated": estimated(reading),
        "performance": performance(reading),
        "cohorts": cohorts(reading),
        "heats": heats(reading),
        "score": score(reading),
        "fairness": fairness(reading),
        "custom": custom(reading),
        "maturity": maturity(reading),
        "urgent_checks": checks(reading, quiet=False),
        "quiet_checks": checks(reading, quiet=True),
        "most": CHECKS,
        "incidents": reading.incidents[:INCIDENTS],
        "decisions": incident.spans([d for d in reading.decisions if d.verdict != "not needed"])[:DECISIONS],
        "not_needed": sum(d.verdict == "not needed" for d in reading.decisions),
        "outcomes": reading.outcomes,
        "unwatched": today.unwatched(reading),
        "recent": list(reversed([cell for cell in reading.strip if cell.watched]))[:14],
        "told": today.told,
        "money": today.money,
        "states": today.STATES,
    }


def machine(reading: Reading, card: dict[str, Any]) -> dict[str, Any]:
    """Return the model's page for machines."""
    performance = [m for metric in HEADLINES for m in reading.everyone("performance", metric)]
    return {
        "card": card,
        "performance": rows(performance),
        "newest": rows(of_verdict(reading.newest, Verdict.BREACH, Verdict.ERRORED, Verdict.MISSING)),
        "checks": rows([*checks(reading, quiet=False), *checks(reading, quiet=True)]),
        "incidents": reading.incidents,
        "decisions": reading.decisions,
        "retrained": list(reading.outcomes.values()),
        "not_watched": today.unwatched(reading),
    }


def headlines(reading: Reading) -> list[Measurement]:
    """Return the newest mature week's figure of each headline metric."""
    found = {m.metric: m for m in reading.newest if m.monitor == "decay" and not m.slice}
    return [found[metric] for metric in HEADLINES if metric in found]


def estimated(reading: Reading) -> list[Measurement]:
    """Return what the headline metrics of the newest week are estimated to be, where they could be estimated."""
    found = {m.metric: m for m in reading.newest if m.monitor == "estimate" and m.value is not None}
    return [found[metric] for metric in HEADLINES if metric in found]


def performance(reading: Reading) -> list[dict[str, Any]]:
    """Return a figure of each headline metric by cohort day, with the sentence that says it."""
    result = []
    for metric in HEADLINES:
        points = reading.everyone("performance", metric)
        if any(m.value is not None for m in points):
            says = f"{_cohorts(points)} {nowcast(reading.everyone('nowcast', metric))}".strip()
            result.append({"title": words.metric(metric), "figure": figures.over_time(points), "says": says})
    return result


def nowcast(points: list[Measurement]) -> str:
    """Return in words what the newest day with an estimate will come to when all of its fraud is known."""
    found = next((m for m in reversed(points) if m.value is not None), None)
    if found is None:
        return ""
    between = words.interval(found.metric, found.low, found.high)
    told = f"{words.figure(found.metric, found.value)} ({between})"
    return f"{words.short_day(found.day)} is estimated to come to {told} when all of its fraud is known."


def cohorts(reading: Reading) -> list[tuple[date, list[Measurement | None]]]:
    """Return the headline metrics of each cohort day as a table, the newest day first."""
    found: dict[date, dict[str, Measurement]] = {}
    for metric in HEADLINES:
        for m in reading.everyone("performance", metric):
            found.setdefault(m.day, {})[metric] = m
    return [(day, [found[day].get(metric) for metric in HEADLINES]) for day in sorted(found, reverse=True)]


def _cohorts(points: list[Measurement]) -> str:
    settled = of_verdict(points, Verdict.OK)
    young = of_verdict(points, Verdict.IMMATURE)
    said = words.plural(len(settled), "mature day")
    if settled:
        m = settled[-1]
        said += f", the last {words.short_day(m.day)} with {words.figure(m.metric, m.value)}"
    return f"{said}; {len(young)} provisional." if young else f"{said}."


def heats(reading: Reading) -> list[dict[str, Any]]:
    """Return the drift heat maps, features by days: PSI, and nulls where there are any."""
    features, labels = _ordered(reading)
    result = []
    for metric, title, top in (("psi", "Drift (PSI)", 0.3), ("null_share", "Nulls", 0.25)):
        points = [m for m in reading.everyone("drift", metric) if m.value is not None]
        if not points:
            continue
        over = of_verdict(points, Verdict.BREACH)
        worst = max(points, key=lambda m: m.value or 0)
        said = f"{words.plural(len(features), 'feature')} by day; {_times(len(over))} over the limit; the highest is"
        said += f" {words.figure(metric, worst.value)}, {worst.feature} on {words.short_day(worst.day)}."
        figure = figures.heat(points, features[: figures.HEAT_FEATURES], labels[: figures.HEAT_FEATURES], top)
        if len(features) > figures.HEAT_FEATURES:
            said += f" The {len(features) - figures.HEAT_FEATURES} least important are on the day pages."
        result.append({"title": title, "figure": figure, "says": said})
    return result


def _times(number: int) -> str:
    return {0: "never", 1: "once"}.get(number, f"{number:,} times")


def _ordered(reading: Reading) -> tuple[list[str], list[str]]:
    """Return the features, the most important first, and how each reads."""
    measured = {m.feature for m in reading.everyone("drift", "psi")}
    columns = reading.spec.features.columns
    weight = {name: (columns[name].importance or 0.0) if name in columns else 0.0 for name in measured}
    features = sorted(measured, key=lambda name: (-weight[name], name))
    labels = [f"{name} · {100 * weight[name]:.3g}{words.SPACE}%" if weight[name] else name for name in features]
    return features, labels


def score(reading: Reading) -> dict[str, Any] | None:
    """Return the score's drift over time."""
    points = reading.everyone("score", "psi")
    if not any(m.value is not None for m in points):
        return None
    over = of_verdict(points, Verdict.BREACH)
    says = f"Against the baseline; {words.plural(len(over), 'day')} of {len(points)} over the limit."
    return {"title": "Drift of the score (PSI)", "figure": figures.over_time(points, linked=True), "says": says}


def fairness(reading: Reading) -> list[dict[str, Any]]:
    """Return a figure of each fairness metric: one dot with its interval per group, on the newest day."""
    found = [m for m in reading.newest if m.monitor == "fairness" and m.slice]
    reference = {f"{column}={protected.reference}" for column, protected in reading.spec.compared.items()}
    names = {m.slice: f"{m.slice} · reference" if m.slice in reference else m.slice for m in found}
    result = []
    for metric in FAIRNESS:
        points = [m for m in found if m.metric == metric][:40]
        if not points:
            continue
        verdicts = {m.slice: _worst(found, metric, m) for m in points}
        gaps = [m for m in found if m.metric.startswith(f"{metric}_") and m.verdict is Verdict.BREACH]
        says = "; ".join(
            f"{m.slice} {words.figure(m.metric, m.value)} the reference" for m in gaps if m.metric.endswith("_ratio")
        )
        title = words.metric(metric)
        figure = figures.groups(points, verdicts, names)
        result.append({"title": title, "figure": figure, "says": f"{says or 'No gap over its limit'}."})
    return result


def _worst(found: list[Measurement], metric: str, point: Measurement) -> Verdict:
    """Return a group's verdict on a metric: the worst of its difference and ratio to the reference."""
    own = [
        m.verdict for m in found if m.slice == point.slice and m.metric in (f"{metric}_difference", f"{metric}_ratio")
    ]
    return min([*own, point.verdict], key=SEVERITY.index)


def custom(reading: Reading) -> list[dict[str, Any]]:
    """Return a figure over time of each metric of the bank's own, with what its newest day says."""
    result = []
    for own in reading.spec.metrics:
        points = reading.everyone("custom", own.name)
        if points:
            figure = figures.over_time(points, linked=True)
            result.append({"title": words.metric(own.name), "figure": figure, "says": points[-1].reason})
    return result


def maturity(reading: Reading) -> str:
    """Return in words how long a day's labels take."""
    newest = {m.metric: m for m in reading.newest if m.monitor == "decay"}
    age, later, frauds = (newest.get(name) for name in ("frauds_mature_until", "mature_until", "mature_frauds"))
    labels = reading.spec.labels
    if labels is None:
        return ""
    said = f"A day counts as mature once {labels.maturity:.0%} of its missed fraud is expected to be known"
    if age is not None and age.value is not None:
        said += f", which takes {words.figure('mature_until', age.value)} here"
    if age is not None and later is not None and later.value is not None and later.value != age.value:
        said += f" ({words.figure('mature_until', later.value)} for precision and the false-positive rate)"
    said += "; until then its figures are provisional and wake nobody."
    if frauds is not None and frauds.value is not None:
        said += f" {frauds.value:,.0f} frauds are mature."
    return said


def checks(reading: Reading, *, quiet: bool) -> list[Measurement]:
    """Return the newest day's arrival, columns and expectations: those that ask for something, or the quiet ones."""
    found = [m for m in reading.newest if m.monitor in ("arrival", "schema", "check")]
    kept = [m for m in found if (m.verdict not in URGENT) is quiet]
    return sorted(kept, key=lambda m: (SEVERITY.index(m.verdict), m.monitor, m.metric, m.feature))
