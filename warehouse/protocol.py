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
    """Reads the tables of models; an engine's folder implements it.

    In every method ``spec`` is the model file, which names the tables and columns; days are partition days, of
    ``features.day``; a span of days includes ``start`` and ``end``. ``account`` keeps what reading cost; it stays empty
    where the engine doesn't bill. Every method raises WatchkeeperError where a table, file or column can't be read.
    """

    account: CostAccount

    def partition(self, spec: Spec, day: date) -> Partition | None:
        """Look at what arrived for a day, without reading its features.

        Returns:
            The partition; None where nothing arrived.
        """
        ...

    def days(self, spec: Spec, start: date, end: date) -> list[date]:
        """List the days of a span that have a partition.

        Returns:
            The days in order.
        """
        ...

    def fit_profile_schema(self, spec: Spec) -> ProfileSchema:
        """Fix the bins of every feature, and the groups, from the model's baseline days.

        Returns:
            The profile schema, whose id is a digest of its content: the same rows give the same id.

        Raises:
            WatchkeeperError: no baseline day has a partition.
        """
        ...

    def profile(self, spec: Spec, schema: ProfileSchema, start: date, end: date) -> dict[date, Profile]:
        """Scan the partitions of a span of days, each column once.

        Args:
            schema: how partitions are profiled; a column that a day doesn't have is left out of its profile.

        Returns:
            The profile of each day that has a partition, in order.
        """
        ...

    def versions(self, spec: Spec, start: date, end: date) -> dict[date, str]:
        """Return what shows whether partitions were rewritten, without reading their rows where that can be.

        Returns:
            For each day that has a partition, a short text that changes whenever its data was rewritten.
        """
        ...

    def label_versions(self, spec: Spec, as_of: Sequence[date]) -> list[str]:
        """Return what shows whether label events came in.

        Args:
            as_of: days, each ending in UTC.

        Returns:
            For each, a short text that changes with the label events known by its end; ``scanning.NO_LABEL_EVENTS``
            where there are none.
        """
        ...

    def label_changes(
        self, spec: Spec, schema: ProfileSchema, start: date, end: date, since: date | None, as_of: date
    ) -> dict[date, Cohort]:
        """Count the labels of scored payments by a join on keys; no feature column is read.

        Args:
            schema: gives the score's bins and the groups.
            since: the labels known by the end of this day (UTC) are left out; None: nothing was known.
            as_of: the labels known by the end of this day are counted.

        Returns:
            What changed between the two, for each day of the span that has a partition; cohorts add up over spans of
            ``since`` to ``as_of``.
        """
        ...

    def top_cards(self, spec: Spec, start: date, end: date, as_of: date) -> list[RankedCard]:
        """Rank the cards (``score.entity``) of each day by their highest score.

        Args:
            as_of: a card has a fraud by the labels known by the end of this day.

        Returns:
            The first cards of each day, the highest score first; nothing where the model file names no entity, or
            there are no labels.
        """
        ...

    def relation(self, spec: Spec, day: date) -> Relation:
        """Describe a day's partition to Great Expectations, which sends statements of its own.

        Returns:
            The query of its rows, with all values written out, and the engine in which it runs.

        Raises:
            WatchkeeperError: the day has no partition.
        """
        ...

    def sample(self, spec: Spec, start: date, end: date, rows: int, seed: int) -> pd.DataFrame:
        """Read some payments of a span of days.

        Args:
            rows: at most so many are read.
            seed: chooses which, by a hash of it and the id; the same seed chooses the same rows at every call.

        Returns:
            Rows with every column of the table, in the order of their hash.
        """
        ...

    def labelled_rows(self, spec: Spec, start: date, end: date, as_of: date, rows: int, seed: int) -> pd.DataFrame:
        """Read some payments with their labels, for training; blocked ones are left out.

        Args:
            as_of: labels count as known by the end of this day (UTC).
            rows: at most so many are read.
            seed: chooses which, as in ``sample``.

        Returns:
            Rows with every column of the table and the boolean column ``label``. Payments without a label count as
            legitimate where the model file says so (``negative.after_days``), and are left out elsewhere.

        Raises:
            WatchkeeperError: the model file names no labels.
        """
        ...
