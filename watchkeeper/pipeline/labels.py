"""Takes new labels into the stored cohorts: by what they change where that can be, else from all labels."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date

from ledger.records.runs import LabelSnapshot
from models.spec import Spec
from profiles.profile import Cohort
from profiles.schema import ProfileSchema
from watchkeeper.context import Context


def update_cohorts(ctx: Context, spec: Spec, schema: ProfileSchema, start: date, as_of: date) -> set[date]:
    """Store what is known by ``as_of`` of the cohorts from ``start`` on; return the days that differ from before.

    A cohort starts from what is stored of the newest earlier day. It is counted anew where its partition was written
    since, and all are where other label events or rules stood behind what is stored.
    """
    earlier = ctx.ledger.label_snapshot(spec.model, schema.id, as_of)
    # What is there is looked at before it is read: what is written meanwhile differs from it, and is seen tomorrow.
    partitions = ctx.warehouse.versions(spec, start, as_of)
    events, *then = ctx.warehouse.label_versions(spec, [as_of] if earlier is None else [as_of, earlier.as_of])
    snapshot = LabelSnapshot(spec.model, schema.id, as_of, _rules_digest(spec), events, partitions)
    kept = _unchanged_days(earlier, snapshot) if earlier is not None and then == [earlier.events] else set()
    cohorts = _label_changes(ctx, spec, schema, partitions.keys() - kept, None, as_of)
    counted = set(cohorts)
    if earlier is not None and kept:
        changes = _label_changes(ctx, spec, schema, kept, earlier.as_of, as_of)
        stored = ctx.ledger.cohorts(spec.model, schema.id, min(kept), max(kept), earlier.as_of)
        counted |= changes.keys()
        cohorts |= {day: stored.get(day, Cohort()) + own for day, own in changes.items() if own != Cohort()}
    with ctx.ledger.transaction():
        changed = ctx.ledger.save_cohorts(spec.model, schema.id, as_of, cohorts)
        ctx.ledger.save_label_snapshot(replace(snapshot, partitions={day: partitions[day] for day in sorted(counted)}))
    return changed


def _unchanged_days(earlier: LabelSnapshot, now: LabelSnapshot) -> set[date]:
    """Return the days whose cohorts were counted by the same rules, from what is still their partition."""
    if earlier.rules != now.rules:
        return set()
    return {day for day, version in now.partitions.items() if earlier.partitions.get(day) == version}


def _label_changes(
    ctx: Context, spec: Spec, schema: ProfileSchema, days: set[date], since: date | None, as_of: date
) -> dict[date, Cohort]:
    if not days:
        return {}
    found = ctx.warehouse.label_changes(spec, schema, min(days), max(days), since, as_of)
    return {day: found[day] for day in days & found.keys()}


def _rules_digest(spec: Spec) -> str:
    """Return a digest of all that the model file says of which payments count, and as what."""
    parts = (spec.features.model_dump_json(include={"table", "day", "id"}), spec.score.model_dump_json())
    labels = spec.labels.model_dump_json() if spec.labels else ""
    return hashlib.sha256("\n".join([*parts, labels]).encode()).hexdigest()[:16]
