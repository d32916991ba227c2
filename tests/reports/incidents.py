"""Made-up incidents: a flood of nulls, a gap between groups, a model that catches less."""

from __future__ import annotations

from datetime import date

from catalogue import causes
from ledger.records.incidents import Incident, Status
from models.spec import Spec


def flooded(model: Spec, day: date, flood: date) -> Incident | None:
    if day < flood:
        return None
    return Incident(
        f"{model.model}-column_fault-device_age_days-{flood}",
        model.model,
        causes.COLUMN_FAULT,
        day,
        flood,
        day,
        Status.FIRING,
        "device_age_days",
        "",
        flood,
        None,
        0,
        (day - flood).days + 1,
        41_200.0,
        28_100.0,
        55_400.0,
        f"`device_age_days` stopped arriving: {31 + (day - flood).days} % empty",
        "Certain: never above 0.4 % in 59 days",
        "Look at the device feed's run of that day.",
        ("Null share 31 %, baseline 0.4 %, limit 2.4 %", "PSI 0.34, limit 0.1", "The score moved by PSI 0.05"),
        ("drift/null_share/device_age_days/", "drift/psi/device_age_days/", "score/psi/score/"),
        14,
        explained=("drift/ks/device_age_days/", "drift/psi/device_age_days/channel=app", "score/psi/score/"),
    )


def gap(model: Spec, day: date) -> Incident | None:
    first = date(2026, 4, 10)
    if not first <= day <= date(2026, 4, 20):
        return None
    over = day == date(2026, 4, 20)
    last_bad = min(day, date(2026, 4, 18))
    return Incident(
        f"{model.model}-fairness_gap-age_band-{first}",
        model.model,
        causes.FAIRNESS_GAP,
        day,
        first,
        last_bad,
        Status.RESOLVED if over else Status.PENDING if day == first else Status.FIRING,
        "",
        "age_band=60+",
        None if day == first else date(2026, 4, 11),
        day if over else None,
        (day - last_bad).days,
        (last_bad - first).days + 1,
        summary="Legitimate customers of 60+ are stopped 2.6 times as often as those of 30-59",
        confidence="97 %",
        first_step="Compare the scores of both groups.",
        evidence=("False-positive rate 2.9 % against 1.1 %",),
        figures=("fairness/false_positive_rate_ratio//age_band=60+",),
        explains=3,
    )


def decayed(model: Spec, day: date) -> Incident | None:
    first = date(2026, 4, 14)
    if day < first:
        return None
    return Incident(
        f"{model.model}-performance_decay-{first}",
        model.model,
        causes.PERFORMANCE_DECAY,
        day,
        first,
        day,
        Status.FIRING,
        fired=first,
        bad_days=(day - first).days + 1,
        amount_gbp_per_day=12_900,
        amount_low_gbp_per_day=7_800,
        amount_high_gbp_per_day=18_000,
        summary="Recall fell from 0.81 to 0.68",
        confidence="99 %",
        first_step="Look at missed fraud.",
        evidence=("Recall 0.68 in the newest mature week",),
        figures=("decay/recall//", "performance/recall//"),
        explains=2,
    )
