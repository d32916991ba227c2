"""The demo's month of trouble, and the truth about it: what Watchkeeper should find, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from simulator import incidents as on_demand
from simulator.batch import Incident


@dataclass(frozen=True)
class ScriptedIncident:
    """One thing that goes wrong, in the words of an incident; `end` is its last day, None where it stays open."""

    model: str
    cause: str
    feature: str | None
    slice: str | None
    start: date
    end: date | None
    incident: Incident


def _scripted(
    cause: str, incident: Incident, feature: str | None = None, slice_: str | None = None
) -> ScriptedIncident:
    return ScriptedIncident(incident.model, cause, feature, slice_, incident.start, incident.end, incident)


def _card_payments() -> tuple[ScriptedIncident, ...]:
    model = "card_payments"
    unit = on_demand.unit_error(model, "avg_amount_90d_gbp", date(2026, 4, 16), date(2026, 4, 18))
    nulls = on_demand.null_flood(model, "device_age_days", 0.31, date(2026, 4, 28))
    return (
        _scripted("missing_partition", on_demand.missing_day(model, date(2026, 4, 7), date(2026, 4, 7))),
        _scripted("late_partition", on_demand.late_day(model, 5, date(2026, 4, 13), date(2026, 4, 13))),
        _scripted("column_fault", unit, feature="avg_amount_90d_gbp"),
        _scripted("column_fault", nulls, feature="device_age_days"),
    )


def _app_scams() -> tuple[ScriptedIncident, ...]:
    model = "app_scams"
    names = {"app": "APP", "web": "WEB"}
    return (
        _scripted(
            "performance_decay",
            on_demand.new_fraud_pattern(
                model,
                date(2026, 4, 3),
                share=0.4,
                growth=0.25,
                numbers={"beneficiary_age_days": (0, 0), "amount_gbp": (250, 900)},
                levels={"hour": (0, 1, 2, 3, 4), "payment_reason": ("bills", "rent")},
            ),
        ),
        _scripted("duplicate_rows", on_demand.duplicate_rows(model, 0.03, date(2026, 4, 9), date(2026, 4, 10))),
        _scripted(
            "column_fault",
            on_demand.recode_category(model, "channel", names, date(2026, 4, 20), date(2026, 4, 22)),
            feature="channel",
        ),
    )


def _account_opening() -> tuple[ScriptedIncident, ...]:
    model = "account_opening"
    return (
        _scripted(
            "fairness_gap",
            on_demand.fairness_gap(model, "age_band", "60+", 1.4, 0.006, date(2026, 3, 25)),
            slice_="age_band=60+",
        ),
        _scripted(
            "population_shift",
            on_demand.population_shift(
                model,
                0.35,
                date(2026, 4, 14),
                scale={"income_gbp": 0.5, "address_months": 0.3, "form_seconds": 2.0, "phone_age_days": 2.0},
                levels={"employment": "student"},
            ),
        ),
    )


DEMO_SCRIPT: tuple[ScriptedIncident, ...] = (*_card_payments(), *_app_scams(), *_account_opening())
SCRIPTS: dict[str, tuple[ScriptedIncident, ...]] = {"demo": DEMO_SCRIPT, "quiet": ()}
