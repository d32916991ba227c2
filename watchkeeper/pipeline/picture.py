"""The picture of an incident's strongest figure that goes with its first message."""

from __future__ import annotations

from datetime import timedelta

import catalogue
from catalogue import Unit
from ledger.records.incidents import Incident
from ledger.records.measurements import Verdict
from ledger.records.messages import Chart, ChartPoint
from reports.pages.incident import MIN_CHART_DAYS, describe_series
from reports.wording import naming
from watchkeeper.context import Context

CHART_DAYS = 60
"""Days up to the newest that are drawn: on a phone more would be a smear."""
UNITS = {Unit.SHARE: "%", Unit.MONEY_PER_DAY: "GBP a day", Unit.MINUTES: "minutes", Unit.TIMES: "times"}
"""Units that stand in a chart's title; all others have none."""


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
    unit = UNITS.get(catalogue.metric(metric).unit, "")
    times = 100.0 if unit == "%" else 1.0
    return Chart(
        title=naming.measurement_title(points[0]) + (f" ({unit})" if unit else ""),
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
