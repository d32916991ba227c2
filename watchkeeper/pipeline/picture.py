"""The picture of an incident's strongest figure that goes with its first message."""

from __future__ import annotations

from datetime import timedelta

from ledger.records.incidents import Incident
from ledger.records.measurements import Verdict
from ledger.records.messages import Chart, ChartPoint
from reports import wording
from reports.pages.incident import MIN_CHART_DAYS, describe_series
from watchkeeper.context import Context

CHART_DAYS = 60
"""Days up to the newest that are drawn: on a phone more would be a smear."""
UNITS_BY_ENDING = {"_gbp_per_day": "GBP a day", "_minutes": "minutes", "_ratio": "times"}
"""Units by the end of a metric's name; shares are in per cent, and all others have none."""


def incident_chart(ctx: Context, incident: Incident) -> Chart | None:
    """Return the figure that an incident names first; None where it has too few days to show anything."""
    if not incident.figures:
        return None
    key = incident.figures[0]
    monitor, metric = key.split("/", 2)[:2]
    found = ctx.ledger.measurements(
        incident.model,
        day_from=incident.last_bad - timedelta(days=CHART_DAYS - 1),
        day_to=incident.last_bad,
        monitors=(monitor,),
        metric=metric,
        newest=True,
    )
    same = [m for m in found if m.figure == key and m.value is not None]
    points = sorted(same, key=lambda m: m.day)
    if len(points) < MIN_CHART_DAYS or points[-1].day < incident.opened:
        return None
    times, unit = (100.0, "%") if wording.is_share_metric(metric) else (1.0, _unit_of_metric(metric))
    return Chart(
        title=wording.measurement_title(points[0]) + (f" ({unit})" if unit else ""),
        says=describe_series(points, incident),
        unit=f" {unit}" if unit == "%" else "",
        points=tuple(
            ChartPoint(
                m.day, m.value * times, None if m.limit is None else m.limit * times, m.verdict is Verdict.BREACH
            )
            for m in points
            if m.value is not None
        ),
        since=max(incident.opened, points[0].day),
    )


def _unit_of_metric(metric: str) -> str:
    return next((unit for ending, unit in UNITS_BY_ENDING.items() if metric.endswith(ending)), "")
