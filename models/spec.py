"""The one definition of what a model file may say."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from itertools import combinations
from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from models.part import Name, SpecPart
from models.retraining import Retraining
from models.size import Bytes

HISTORY_DAYS = 56
"""Days of row counts against which a partition's completeness is judged: eight of each weekday."""
LATE_DAYS = 7
"""How many days back a partition that came or was rewritten late is still watched again by itself."""
LONGEST_WINDOW_DAYS = 90
"""The longest window that is read from profiles beyond the oldest cohort that may still change."""

JOINT_SEPARATOR = " & "
"""Stands between the two columns of a pair, and between their values in a joint group: ``18-29 & F``."""

Share = Annotated[float, Field(ge=0, le=1)]
Severity = Literal["critical", "warning", "info"]


class Column(SpecPart):
    """One feature: how it is binned and how much the model leans on it."""

    kind: Literal["number", "category", "embedding"] = Field(description="An embedding is an array of numbers.")
    importance: Share | None = Field(None, description="Share of the model's decisions that rest on this feature.")


class Features(SpecPart):
    """The incoming feature table."""

    table: Name = Field(
        description="DuckDB: folder of day=YYYY-MM-DD/*.parquet under the warehouse; BigQuery: dataset.table."
    )
    day: Name = Field("day", description="Partition column, one partition a day.")
    id: Name = Field("payment_id", description="Unique id of a scored payment.")
    time: Name | None = Field(None, description="Event time column.")
    arrives_by: str | None = Field(
        None, pattern=r"^([01]\d|2[0-3]):[0-5]\d$", description="Deadline HH:MM on the day after the partition's day."
    )
    second_moments: bool = Field(
        default=False, description="Also watch how numbers move together: correlation shift, PCA reconstruction error."
    )
    columns: dict[Name, Column] = Field(default_factory=dict, description="Empty: every other column, by its type.")


class Score(SpecPart):
    """The score that the model wrote, and what was done with it."""

    column: Name = "score"
    threshold: float | None = Field(None, description="A payment at or above it raises an alert.")
    range: tuple[float, float] = Field((0.0, 1.0), description="Lowest and highest possible score.")
    amount: Name | None = Field(None, description="Column with the amount in GBP.")
    version: Name | None = Field(None, description="Column with the model version.")
    action: Name | None = Field(None, description="Column with what was done: allow, review, block.")
    blocked: list[str] = Field(default_factory=list, description="Actions after which no honest label can come.")
    false_positive_rate: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.01,
        description="Share of legitimate payments with an alert at which recall is compared, whatever the threshold.",
    )
    review_cost_gbp: Annotated[float, Field(gt=0)] | None = Field(
        None, description="What it costs to look at one alert; with it, the cost of each threshold is shown."
    )
    entity: Name | None = Field(
        None, description="Column with the card or customer, for the precision of the top cards."
    )
    propensity: Name | None = Field(
        None,
        description="Column with the probability, fixed before the action, that the payment would not be blocked.",
    )

    @field_validator("range", mode="before")
    @classmethod
    def _pair(cls, value: Any) -> Any:
        return tuple(float(v) if isinstance(v, int) else v for v in value) if isinstance(value, list) else value

    @model_validator(mode="after")
    def _threshold_in_range(self) -> Score:
        low, high = self.range
        if low >= high:
            raise ValueError(f"range: {low} must be below {high}")
        if self.propensity is not None and not (self.action and self.blocked):
            raise ValueError(
                f"propensity: {self.propensity} says how likely a payment was to be let through, so 'action' and "
                "'blocked' must say which ones were not"
            )
        if self.threshold is not None and not low <= self.threshold <= high:
            raise ValueError(f"threshold: {self.threshold} is outside the score's range {low} to {high}")
        return self


class AfterDays(SpecPart):
    """A payment without a fraud label is taken as legitimate after this many days."""

    after_days: Annotated[int, Field(ge=0, le=730)]


class Labels(SpecPart):
    """Where the labels come from. They are events: id, label, and when it became known; the latest event counts."""

    table: Name
    id: Name = "payment_id"
    label: Name = "is_fraud"
    known_at: Name = "known_at"
    type: Name | None = Field(None, description="Column with the type of a fraud, such as account_takeover.")
    types: Annotated[list[Name], Field(max_length=50)] = Field(
        default_factory=list, description="Types of fraud with figures of their own; the others share '(other)'."
    )
    negative: Literal["explicit"] | AfterDays = AfterDays(after_days=45)
    maturity: Share = Field(0.9, description="Below this share of expected frauds known, a figure is immature.")
    horizon_days: Annotated[int, Field(ge=1, le=730)] = Field(120, description="Cohorts older than this are final.")

    @model_validator(mode="after")
    def _types_of_a_column(self) -> Labels:
        if (self.type is None) != (not self.types):
            raise ValueError(
                "type and types go together: the column of the label table that holds the type of a fraud, "
                "and those of its values that shall have figures of their own"
            )
        if len(set(self.types)) < len(self.types):
            raise ValueError("types: each may be named once")
        return self


class Protected(SpecPart):
    """A protected column and the group the others are compared with."""

    reference: str
    min_rows: Annotated[int, Field(ge=20)] = Field(200, description="Smaller groups are neither shown nor judged.")


class Metric(SpecPart):
    """A metric of the bank's own: a plain function over the sum of some days, and what counts as too much."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
    function: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$",
            description="module:function on PYTHONPATH, given a profile or cube and its profile schema; a number.",
        ),
    ]
    of: Literal["profile", "cube"] = Field(
        "profile", description="What it is given: features and score, or scores by label state and group."
    )
    floor: Annotated[float, Field(gt=0)] = Field(
        description="Smallest change from the baseline that matters, in its unit."
    )
    worse: Literal["higher", "lower", "either"] = "either"
    about: Literal["data", "performance"] = Field(
        "data", description="What a breach means: the payments changed, or the model got worse."
    )
    needs: Literal["nothing", "frauds", "labels"] | None = Field(
        None, description="Labels it waits for; empty: none for a profile, all for a cube."
    )


class Event(SpecPart):
    """A day or days on which customers do other things than usual, such as Black Friday or Christmas."""

    name: Name
    start: date = Field(alias="from")
    end: date | None = Field(None, alias="to", description="Last day, included; empty: the event is one day.")

    @model_validator(mode="after")
    def _ordered(self) -> Event:
        if self.end is not None and self.end < self.start:
            raise ValueError(f"to: {self.end} is before from: {self.start}")
        return self


class Baseline(SpecPart):
    """The days that stand for normal."""

    start: date = Field(alias="from")
    end: date = Field(alias="to")
    exclude: list[date] = Field(default_factory=list)
    events: list[Event] = Field(
        default_factory=list, description="Known unusual days: nothing is learned from them, and limits are wider then."
    )

    @model_validator(mode="after")
    def _ordered(self) -> Baseline:
        if self.end < self.start:
            raise ValueError(f"to: {self.end} is before from: {self.start}")
        return self

    def days(self) -> list[date]:
        """Return the days of the baseline in order, without the excluded ones."""
        return [day for day in self._span() if not self.excludes_day(day)]

    def left_out(self) -> list[date]:
        """Return the days between the baseline's first and last that don't stand for normal, in order."""
        return [day for day in self._span() if self.excludes_day(day)]

    def excludes_day(self, day: date) -> bool:
        """Return whether a day doesn't stand for normal: excluded, or of a known event."""
        return day in self.exclude or self.event_on(day) is not None

    def _span(self) -> list[date]:
        return [self.start + timedelta(days=i) for i in range((self.end - self.start).days + 1)]

    def event_on(self, day: date) -> str | None:
        """Return the name of the event that a day belongs to."""
        return next((event.name for event in self.events if event.start <= day <= (event.end or event.start)), None)


class Alerts(SpecPart):
    """How easily the model may alert people."""

    false_pages_per_quarter: Annotated[float, Field(gt=0)] = 1.0
    limits: dict[str, float] = Field(
        default_factory=dict,
        description="Minimum effect size by metric, e.g. {psi: 0.1}; a breach must also be significant.",
    )
    pending_days: Annotated[int, Field(ge=1, le=30)] = Field(
        2, description="Days that drift, decay or unfairness must show before it is an incident."
    )
    pending_window_days: Annotated[int, Field(ge=1, le=60)] = Field(
        3, description="Judged days within which the pending days must fall: 2 of 3. At least `pending_days`."
    )
    capacity_per_day: Annotated[int, Field(ge=1, le=10_000)] = Field(
        100, description="Cards that can be looked at a day, for card precision; it needs score.entity."
    )
    resolve_days: Annotated[int, Field(ge=1, le=30)] = Field(
        2, description="Clean, evaluated days before an incident is resolved."
    )
    reopen_days: Annotated[int, Field(ge=0, le=90)] = Field(
        7, description="Days after it was resolved in which the same trouble reopens an incident; 0: never."
    )


class Budget(SpecPart):
    """What reading a model's tables may cost where the warehouse bills the bytes it reads (BigQuery)."""

    bytes_per_day: Bytes | None = Field(
        None, description="Bytes billed a day, e.g. 500 GB; above it less is read, and then nothing. Empty: no limit."
    )


class Retention(SpecPart):
    """What `watchkeeper prune` drops from the ledger, by days before the newest watched one. Baselines stay whole."""

    profile_days: Annotated[int, Field(ge=1)] = Field(1100, description="Older profiles are dropped.")
    slice_days: Annotated[int, Field(ge=LONGEST_WINDOW_DAYS)] = Field(
        400, description="Older profiles lose the counts of their features by slice."
    )
    restatement_days: Annotated[int, Field(ge=1)] = Field(
        800, description="Of older cohorts, only what was known last is kept."
    )


class Schedule(SpecPart):
    """When the day before is watched."""

    cron: str = "0 6 * * *"
    timezone: str = "UTC"


class Spec(SpecPart):
    """One production fraud model: what is watched and how."""

    model: Annotated[
        str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$", description="Lower-case name; also the file's name.")
    ]
    title: str | None = None
    owner: Name = "model-monitoring"
    tier: Literal[1, 2, 3] = 2
    features: Features
    score: Score = Score()
    labels: Labels | None = None
    slices: list[Name] = Field(default_factory=list)
    slice_pairs: bool = Field(
        default=False, description="Also look for what got worse in the joint groups of each two slices."
    )
    protected: dict[Name, Protected] = Field(default_factory=dict)
    protected_pairs: bool = Field(
        default=False, description="Also compare the joint groups of each two protected columns, as age band and sex."
    )
    baseline: Baseline
    checks: list[dict[str, dict[str, Any]]] = Field(
        default_factory=list, description="Native Great Expectations types and arguments."
    )
    metrics: list[Metric] = Field(default_factory=list, description="The bank's own metrics, as Python functions.")
    alerts: Alerts = Alerts()
    retraining: Retraining = Retraining()
    budget: Budget = Budget()
    schedule: Schedule = Schedule()
    retention: Retention = Retention()

    @property
    def name(self) -> str:
        """Return the title people read, or the model's name in words."""
        return self.title or self.model.replace("_", " ").capitalize()

    @property
    def groups(self) -> list[str]:
        """Return the columns by which the score cube is also kept: slices, protected columns, a weighted action."""
        action = [self.score.action] if self.score.action and self.score.propensity else []
        return list(dict.fromkeys([*self.slices, *self.protected, *action]))

    @property
    def joint_slices(self) -> dict[str, tuple[str, str]]:
        """Return the pairs of slices whose joint groups are also kept, by the name of the pair."""
        return _column_pairs(self.slices) if self.slice_pairs else {}

    @property
    def joint_protected(self) -> dict[str, tuple[str, str]]:
        """Return the pairs of protected columns whose joint groups are also kept, by the name of the pair."""
        return _column_pairs(self.protected) if self.protected_pairs else {}

    @property
    def pairs(self) -> dict[str, tuple[str, str]]:
        """Return every pair of columns whose joint groups are also kept, by the name of the pair."""
        return self.joint_slices | self.joint_protected

    @property
    def compared(self) -> dict[str, Protected]:
        """Return the protected columns, then their pairs; a pair's reference is the joint group of both references."""
        found = dict(self.protected)
        for name, pair in self.joint_protected.items():
            first, second = (self.protected[column] for column in pair)
            reference = JOINT_SEPARATOR.join((first.reference, second.reference))
            found[name] = Protected(reference=reference, min_rows=max(first.min_rows, second.min_rows))
        return found

    @field_validator("retention")
    @classmethod
    def _longer_than_is_read(cls, retention: Retention, info: ValidationInfo) -> Retention:
        """Refuse a policy that drops what the next watched day reads: it would be scanned again every day."""
        labels = info.data.get("labels")
        read_days = max(HISTORY_DAYS, *_label_days(labels)) + LATE_DAYS
        for key, least in (("profile_days", read_days + LONGEST_WINDOW_DAYS), ("restatement_days", read_days)):
            days = getattr(retention, key)
            if days < least:
                raise ValueError(
                    f"{key}: {days} is too short; accepted is {least} or more, because that far back a watched day "
                    "reads: labels.horizon_days, negative.after_days, row counts, late partitions and windows"
                )
        return retention

    @field_validator("metrics")
    @classmethod
    def _one_name_each(cls, metrics: list[Metric]) -> list[Metric]:
        names = [metric.name for metric in metrics]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"{twice[0]}: is the name of two metrics; accepted is one of each name")
        return metrics

    @field_validator("checks")
    @classmethod
    def _one_expectation_each(cls, checks: list[dict[str, dict[str, Any]]]) -> list[dict[str, dict[str, Any]]]:
        for number, check in enumerate(checks, 1):
            if len(check) != 1:
                raise ValueError(
                    f"entry {number} must be one expectation type with its arguments, not {len(check)} keys"
                )
        return checks


def _column_pairs(columns: Iterable[str]) -> dict[str, tuple[str, str]]:
    return {JOINT_SEPARATOR.join(pair): pair for pair in combinations(columns, 2)}


def _label_days(labels: Labels | None) -> tuple[int, int]:
    """Return the ages, in days, at which the labels are final and at which silence means legitimate."""
    if labels is None:
        return 0, 0
    return labels.horizon_days, 0 if labels.negative == "explicit" else labels.negative.after_days
