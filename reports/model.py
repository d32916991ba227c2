"""A model's page: what its owner reads from top to bottom."""

from __future__ import annotations

from typing import Any

from ledger.records import Measurement, Verdict
from reports import distributions, figures, performance, today, words
from reports.performance import HEADLINES
from reports.reading import URGENT, Reading, counts_of, of_verdict, rows
from reports.timeline import spans
from reports.write import file_name

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
        "headlines": performance.headlines(reading),
        "estimated": performance.estimated(reading),
        "beside": performance.beside(reading),
        "performance": performance.charts(reading),
        "drawn": performance.drawn(reading),
        "cohorts": performance.cohorts(reading),
        "delays": performance.delays(reading),
        "heats": heats(reading),
        "scores": scores(reading),
        "fairness": fairness(reading),
        "custom": custom(reading),
        "maturity": performance.maturity(reading),
        "features": [(name, file_name(name)) for name in reading.features],
        "settings": settings(reading),
        "urgent_checks": checks(reading, quiet=False),
        "quiet_checks": checks(reading, quiet=True),
        "most": CHECKS,
        "incidents": reading.incidents[:INCIDENTS],
        "decisions": spans([d for d in reading.decisions if d.verdict != "not needed"])[:DECISIONS],
        "not_needed": sum(d.verdict == "not needed" for d in reading.decisions),
        "outcomes": reading.outcomes,
        "unwatched": card["not_watched"],
        "recent": list(reversed([cell for cell in reading.strip if cell.watched]))[:14],
        "told": today.told,
        "money": today.money,
        "states": today.STATES,
    }


def machine(reading: Reading, card: dict[str, Any]) -> dict[str, Any]:
    """Return the model's page for machines."""
    monitors = ("performance", "nowcast", "estimate")
    return {
        "card": card,
        "performance": rows([m for name in monitors for metric in HEADLINES for m in reading.everyone(name, metric)]),
        "newest": rows(of_verdict(reading.newest, Verdict.BREACH, Verdict.ERRORED, Verdict.MISSING)),
        "checks": rows([*checks(reading, quiet=False), *checks(reading, quiet=True)]),
        "incidents": reading.incidents,
        "decisions": reading.decisions,
        "retrained": list(reading.outcomes.values()),
    }


def heats(reading: Reading) -> list[dict[str, Any]]:
    """Return the drift heat maps, features by days: PSI, and nulls where there are any."""
    features = _rows(reading)
    shown = dict(list(features.items())[: figures.HEAT_FEATURES])
    result = []
    for metric, title, top in (("psi", "Drift (PSI)", 0.3), ("null_share", "Nulls", 0.25)):
        points = [m for m in reading.everyone("drift", metric) if m.value is not None]
        if not points:
            continue
        if metric != "psi" and not any((m.value or 0) * figures.STEPS >= top for m in points):
            continue  # all of one colour
        over = of_verdict(points, Verdict.BREACH)
        worst = max(points, key=lambda m: m.value or 0)
        said = f"{words.plural(len(features), 'feature')} by day; {_times(len(over))} over the limit; the highest is"
        said += f" {words.figure(metric, worst.value)}, {words.short(worst.feature)} on {words.short_day(worst.day)}."
        figure = figures.heat(points, shown, top, reading.span)
        if len(features) > len(shown):
            said += f" The {len(features) - len(shown)} least important are on their own pages."
        result.append({"title": title, "figure": figure, "says": said})
    return result


def _rows(reading: Reading) -> dict[str, tuple[str, str]]:
    """Return how each measured feature reads, and its page, the most important first."""
    measured = {m.feature for m in reading.everyone("drift", "psi")}
    columns = reading.spec.features.columns
    found = {}
    for name in reading.features:
        weight = columns[name].importance if name in columns else None
        label = f"{name} · {100 * weight:.3g}{words.SPACE}%" if weight else name
        if name in measured:
            found[name] = (label, f"features/{file_name(name)}.html")
    return found


def scores(reading: Reading) -> list[dict[str, Any]]:
    """Return how the score is spread now and in the baseline, day by day, and its drift."""
    result = []
    frame, span = reading.frame, reading.span
    column = reading.spec.score.column
    now, normal = counts_of(reading.now, column), counts_of(reading.normal, column)
    if frame is not None and frame.score is not None and span is not None and now.finite and normal.finite:
        figure = distributions.histogram(now, normal, frame.score)
        says = "Bars: the newest seven days; behind them the baseline. The scale is stretched near 0 and 1."
        result.append({"title": "Score, now and in the baseline", "says": says, "figure": figure})
        threshold = reading.spec.score.threshold
        figure = distributions.bands(reading.counts(column), normal, frame.score, span, threshold=threshold)
        says = "Light: nine in ten payments of a day; dark: the middle half; dashed: the same in the baseline."
        result.append({"title": "Score, day by day", "says": says, "figure": figure})
    points = reading.everyone("score", "psi")
    if any(m.value is not None for m in points):
        over = of_verdict(points, Verdict.BREACH)
        says = f"Against the baseline; {words.plural(len(over), 'day')} of {len(points)} over the limit."
        figure = figures.over_time(points, link="days/", height=150, span=span)
        result.append({"title": "Score drift (PSI)", "says": says, "figure": figure})
    return result


def custom(reading: Reading) -> list[dict[str, Any]]:
    """Return a figure over time of each metric of the bank's own, with what its newest day says."""
    result = []
    for own in reading.spec.metrics:
        points = reading.everyone("custom", own.name)
        if points:
            figure = figures.over_time(points, link="days/", span=reading.span)
            result.append({"title": words.metric(own.name), "figure": figure, "says": points[-1].reason})
    return result


def settings(reading: Reading) -> dict[str, str]:
    """Return the baseline and what it takes to be an incident, each in a sentence."""
    spec, chosen = reading.spec, reading.ledger.baseline(reading.spec, reading.last)
    alerts, asked = spec.alerts, spec.retraining
    left_out = f", without {words.plural(len(spec.baseline.exclude), 'day')}" if spec.baseline.exclude else ""
    why = "" if chosen.reason == "model file" else f"; in force since {words.day(chosen.day)}: {chosen.reason}"
    floors = "; ".join(f"{words.metric(name)} below {words.number(value)}" for name, value in alerts.limits.items())
    hold, clean = words.plural(alerts.pending_days, "day"), words.plural(alerts.resolve_days, "clean day")
    found = {
        "Baseline": f"{words.day(chosen.start)} to {words.day(chosen.end)}{left_out}{why}.",
        "False alarms": f"At most {alerts.false_pages_per_quarter:g} a quarter is allowed for; "
        "limits are learnt from the baseline's own days to hold that, whatever the number of features.",
        "Too small to matter": f"{floors}; else the product's own floors." if floors else "The product's own floors.",
        "To become an incident": f"Drift, decay and unfairness must hold {hold}; it is resolved after {clean}.",
    }
    limits = [m for m in performance.headlines(reading) if m.limit is not None]
    if limits:
        said = "; ".join(f"{words.metric(m.metric)} {words.figure(m.metric, m.limit)}" for m in limits)
        found["Limits of performance today"] = f"{said}. A figure must also be worse than chance explains."
    who = "A person approves it" if asked.approval == "required" else "Without approval"
    cooldown, least = words.plural(asked.cooldown_days, "day"), words.plural(asked.min_mature_frauds, "mature fraud")
    found["Retraining"] = f"{who}; at the earliest {cooldown} after the last, from {least} on."
    return found


def _times(number: int) -> str:
    return {0: "never", 1: "once"}.get(number, f"{number:,} times")


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


def checks(reading: Reading, *, quiet: bool) -> list[Measurement]:
    """Return the newest day's arrival, columns and expectations: those that ask for something, or the quiet ones."""
    found = [m for m in reading.newest if m.monitor in ("arrival", "schema", "check")]
    kept = [m for m in found if (m.verdict not in URGENT) is quiet]
    return sorted(kept, key=lambda m: (SEVERITY.index(m.verdict), m.monitor, m.metric, m.feature))
