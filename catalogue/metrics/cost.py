"""Cost: what watching a model cost."""

from __future__ import annotations

from catalogue.entries import Limit, Metric, Monitor, Step, Unit
from catalogue.registers import add_metric, add_monitor

SECTION = "Cost of the watch"

COST_MONITOR = add_monitor(
    Monitor(
        key="cost",
        title="Cost of the watch",
        order=160,
        step=Step.COST,
        about_its_day=False,
        on_day_page=False,
        subject="the watch",
        opens_incidents=False,
    )
)
BYTES_BILLED = add_metric(
    Metric(
        key="bytes_billed",
        title="Bytes billed",
        phrase="bytes billed",
        formula="bytes that the warehouse bills for a step",
        meaning="What a step of the watch cost on a day; its limit is the model's budget.",
        caveat="Only where the warehouse bills the bytes it reads.",
        section=SECTION,
        monitors=(COST_MONITOR,),
        unit=Unit.BYTES,
        limit=Limit.FIXED,
    )
)
