"""Keeps what reading the warehouse cost a model, and lets it spend no more than its budget of the day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date

from catalogue.metrics.cost import BYTES_BILLED, COST_MONITOR
from ledger.records.measurements import Measurement, Verdict
from models.spec import Spec
from warehouse.budget import StatementCost, format_bytes
from watchkeeper.context import Context


@contextmanager
def cost_accounting(ctx: Context, spec: Spec, day: date) -> Iterator[Callable[[], None]]:
    """Keep the bytes that are billed inside as measurements of monitor 'cost', also where a step fails.

    Their ``day`` is the one on which they were billed, as is the budget's, and their slice the step; a step that runs
    again adds to them. A warehouse that costs nothing leaves no measurement. What this yields is to be called after
    each step, so that a watch that is killed in a later one has kept what the earlier ones cost.
    """
    today, account = ctx.now.date(), ctx.warehouse.account
    before = ctx.ledger.measurements(spec.model, day_from=today, day_to=today, monitors=(COST_MONITOR,))
    account.begin(spec.model, round(sum(m.value or 0 for m in before)))

    def save() -> None:
        billed, used = account.billed(spec.model), account.take(spec.model)
        if not used:
            return
        account.begin(spec.model, billed)
        with ctx.ledger.transaction():
            stored = ctx.ledger.measurements(spec.model, as_of=day, monitors=(COST_MONITOR,))
            found = _add_to_stored(spec, day, today, stored, used, account.left_out.get(spec.model, ""))
            ctx.ledger.save_measurements(spec.model, day, (COST_MONITOR,), found)

    try:
        yield save
    finally:
        save()
        account.left_out.pop(spec.model, "")


def _add_to_stored(
    spec: Spec, day: date, today: date, stored: list[Measurement], used: list[StatementCost], left_out: str
) -> list[Measurement]:
    """Return what is stored of a watched day, with what was used now added to its steps."""
    found = {(m.day, m.slice): m for m in stored}
    by_step: dict[str, list[StatementCost]] = defaultdict(list)
    for each in used:
        by_step[each.step].append(each)
    for step, own in by_step.items():
        blank = Measurement(spec.model, today, day, COST_MONITOR, BYTES_BILLED, slice=f"step={step}", value=0.0)
        known = found.get((today, blank.slice), blank)
        billed = (known.value or 0.0) + sum(each.billed for each in own)
        estimated = sum(each.estimated for each in own)
        reason = f"{format_bytes(round(billed))} billed, {format_bytes(estimated)} estimated at last"
        if left_out and step == "profile":
            reason += f"; read {left_out}, to keep within the budget"
        limit = spec.budget.bytes_per_day
        found[today, blank.slice] = replace(
            known, value=billed, n=known.n + len(own), limit=limit, verdict=Verdict.OK, reason=reason
        )
    return list(found.values())
