"""Applies a model's retention policy to the ledger. What was concluded is never touched: it is the evidence."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date, timedelta

from ledger import retention
from ledger.store import Ledger
from models.spec import LATE_DAYS, Spec


@dataclass(frozen=True)
class PruneResult:
    """What one rule of a model's policy did to days ``before`` a day (None: no day of the model was watched yet)."""

    model: str
    what: str
    before: date | None
    rows: int
    bytes: int


def prune_ledger(ledger: Ledger, spec: Spec, *, dry_run: bool = False) -> list[PruneResult]:
    """Apply a model's policy in one transaction, and return what each rule freed, or, in a dry run, would free.

    Ages count back from the newest watched day, so that a model that rests loses nothing by the clock. Days of any
    baseline, the model file's or a recorded one, stay whole. A second run finds nothing to do.
    """
    newest = ledger.newest_day(spec.model)
    policy = spec.retention
    rules = {
        "profiles": policy.profile_days,
        "slices": policy.slice_days,
        "restatements": policy.restatement_days,
        "label_versions": LATE_DAYS,  # only days that are watched again by themselves still build on them
    }
    if newest is None:
        return [PruneResult(spec.model, what, None, 0, 0) for what in rules]
    before = {what: newest - timedelta(days=days) for what, days in rules.items()}
    with nullcontext() if dry_run else ledger.transaction():  # a dry run makes no other writer wait
        kept = [(spec.baseline.start, spec.baseline.end), *((b.start, b.end) for b in ledger.baselines(spec.model))]
        common = (ledger.database, spec.model)
        freed = {
            "profiles": retention.drop_profiles(*common, before["profiles"], kept, dry_run=dry_run),
            "slices": retention.drop_slice_counts(*common, before["profiles"], before["slices"], kept, dry_run=dry_run),
            "restatements": retention.drop_restatements(*common, before["restatements"], kept, dry_run=dry_run),
            "label_versions": retention.drop_label_snapshots(*common, before["label_versions"], dry_run=dry_run),
        }
    return [PruneResult(spec.model, what, before[what], own.rows, own.bytes) for what, own in freed.items()]
