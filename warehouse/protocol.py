"""What Watchkeeper asks of a bank's data warehouse; nothing else ever touches the bank's data."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Protocol

from models.spec import Spec
from profiles.profile import Cohort, Profile
from profiles.schema import ProfileSchema
from warehouse.budget import CostAccount
from warehouse.engines import Engine
from warehouse.sql.top_entities import RankedCard

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Partition:
    """One day of a table: its rows, when it was last written (UTC), what it was written as, and its columns' types.

    ``version`` changes whenever the data was rewritten. ``distinct_ids`` counts the different non-null ids;
    where the id column is missing it is ``rows``, and the missing column says what is wrong.
    """

    rows: int
    distinct_ids: int
    arrived_at: datetime
    version: str
    columns: Mapping[str, str]


def short_digest(*facts: object) -> str:
    """Return a short digest of what a version rests on, for ``Partition.version``: other facts, another digest."""
    return hashlib.sha256("\n".join(map(str, facts)).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Relation:
    """The query of a day's partition, the engine in which it runs, and its SQLAlchemy address and arguments there."""

    query: str
    engine: Engine
    address: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


class Warehouse(Protocol):
    """Reads one model's tables. Days are partition days; ``end`` is included. ``account`` keeps what reading cost."""

    account: CostAccount

    def partition(self, spec: Spec, day: date) -> Partition | None:
        """Return what arrived for a day, or None; raise WatchkeeperError where the table or file can't be read."""
        ...

    def days(self, spec: Spec, start: date, end: date) -> list[date]:
        """Return the days that have a partition, in order."""
        ...

    def fit_profile_schema(self, spec: Spec) -> ProfileSchema:
        """Fix the bins of every feature from the model's baseline days; raise WatchkeeperError if none is there."""
        ...

    def profile(self, spec: Spec, schema: ProfileSchema, start: date, end: date) -> dict[date, Profile]:
        """Scan the partitions of a span of days once and return a profile for each day that has one."""
        ...

    def versions(self, spec: Spec, start: date, end: date) -> dict[date, str]:
        """Return a short text for each day that has a partition, which changes whenever its data was rewritten."""
        ...

    def label_versions(self, spec: Spec, as_of: Sequence[date]) -> list[str]:
        """Return for each day a short text that changes with the label events known by its end (UTC)."""
        ...

    def label_changes(
        self, spec: Spec, schema: ProfileSchema, start: date, end: date, since: date | None, as_of: date
    ) -> dict[date, Cohort]:
        """Return what was known of each partition day by the end of ``as_of``, less what was by the end of ``since``.

        Days end in UTC. ``since`` None means nothing was known. By a join on keys; no feature column is read.
        """
        ...

    def top_cards(self, spec: Spec, start: date, end: date, as_of: date) -> list[RankedCard]:
        """Return the cards (``score.entity``) with the highest scores of each day, by what was known by ``as_of``.

        Nothing where the model file names none, or no labels.
        """
        ...

    def relation(self, spec: Spec, day: date) -> Relation:
        """Return the query of a day's partition, for expectations; raise WatchkeeperError where none is."""
        ...

    def sample(self, spec: Spec, start: date, end: date, rows: int, seed: int) -> pd.DataFrame:
        """Return at most ``rows`` payments of a span of days, the same ones at every call (by hash of id and seed)."""
        ...

    def labelled_rows(self, spec: Spec, start: date, end: date, as_of: date, rows: int, seed: int) -> pd.DataFrame:
        """Return at most ``rows`` payments with a boolean column ``label`` as known by ``as_of``, for training.

        Payments without a label count as legitimate only where the model file says so (``negative.after_days``).
        """
        ...
