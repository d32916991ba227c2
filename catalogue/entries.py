"""What the catalogue says of a metric, of metrics derived from others, and of a monitor."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class CatalogueError(Exception):
    """An entry that contradicts another one, or code that asks for an entry that isn't there."""


class Unit(StrEnum):
    """In what a metric's value is given, and so how it is shown."""

    NUMBER = "number"
    COUNT = "count"
    SHARE = "share"
    """From 0 to 1, shown in per cent."""
    POINTS = "percentage points"
    """A difference of two shares, shown in points of a per cent."""
    TIMES = "times"
    """A ratio, shown as a factor."""
    MONEY_PER_DAY = "money a day"
    MINUTES = "minutes"
    DAYS = "days"
    BYTES = "bytes"
    STANDARD_DEVIATIONS = "standard deviations"


class Worse(StrEnum):
    """Which way a metric moves when things get worse."""

    HIGHER = "higher"
    LOWER = "lower"
    EITHER = "either"


class Effect(StrEnum):
    """How the size of a change is measured against the metric's minimum effect size."""

    NONE = "none"
    DISTANCE = "distance beyond what chance makes"
    BEYOND_USUAL = "beyond the mean of the baseline's own days"
    SHIFT = "shift away from the baseline"
    RISE = "rise"
    DROP = "drop"
    GAP = "gap between groups"
    FACTOR = "factor"
    """Above 1; where the metric may be worse either way, 5 is also one fifth."""
    SHARE_OF_USUAL = "share of what is usual, either way"
    """Below 1: 0.65 of the usual, and the usual divided by 0.65."""
    LEVEL = "level"
    """The value itself, whatever it was before."""


class Limit(StrEnum):
    """How a metric's limit is found."""

    NONE = "none"
    """It is shown and never judged."""
    DAILY_DISTANCES = "learned from the distances of the baseline's days, each to the others"
    DAILY_SHARES = "learned from the shares of the baseline's days"
    BASELINE_BEHAVIOUR = "learned from the most that any baseline day did"
    TEST = "a hypothesis test against the baseline, and the minimum effect size"
    HISTORY = "learned from the same weekdays before"
    FIXED = "fixed"
    EXPECTATION = "given by the expectation"


class Evidence(StrEnum):
    """What a breach of a metric is evidence of."""

    HARD = "hard"
    """A column is broken."""
    SOFT = "soft"
    """A column's distribution moved; that does not make it wrong."""
    LOSS = "loss"
    """The model does worse."""
    NONE = "none"


class Rows(StrEnum):
    """How many rows are affected where a metric is over its limit: what bounds the money at stake."""

    ALL = "all of them"
    VALUE = "the share that the metric's value says"
    UNKNOWN = "not known"


class Needs(StrEnum):
    """Which labels a metric of the model's quality waits for."""

    NOTHING = "nothing"
    FRAUDS = "frauds"
    LABELS = "labels"
    """Those of legitimate payments too."""


@dataclass(frozen=True)
class ColumnFault:
    """What a metric that is hard evidence says of the column that is over its limit.

    ``summary`` is what is wrong, in a sentence without a full stop, with ``{column}``, ``{share}`` (the value in per
    cent) and ``{factor}`` (``100 times too large``); ``summary_of_several`` completes "3 columns are ... together".
    ``probable_cause`` is where it probably comes from, ``probable_cause_of_all`` where all rows are affected ('':
    the same). ``certain`` is False where a change of customers may, if seldom, bring it about as well.
    """

    summary: str
    probable_cause: str
    probable_cause_of_all: str = ""
    summary_of_several: str = "broken in the same way"
    certain: bool = True


@dataclass(frozen=True)
class Quality:
    """What a metric of the model's quality waits for, and how sentences put it.

    ``same_as`` is the key under which the same rate is computed for all payments, where fairness calls it otherwise
    ('' for its own key). ``false_alarms`` says that worse means more false alarms. ``says`` follows a share in a
    sentence ("71 % of frauds caught"), ``says_estimated`` does so before labels; a metric without it is no share of
    anything. ``cases`` and ``event`` are what a share counts ("3 % of legitimate payments raised an alert").
    ``harm_rank`` puts gaps between groups in order of the harm they do, the worst first (9: no rank).
    """

    needs: Needs
    same_as: str = ""
    false_alarms: bool = False
    says: str = ""
    says_estimated: str = ""
    cases: str = ""
    event: str = ""
    harm_rank: int = 9


@dataclass(frozen=True)
class Metric:
    """A figure that is measured.

    ``key`` is its name in the ledger, JSON and ``alerts.limits``; ``title`` heads a table or chart, ``phrase`` stands
    in the middle of a sentence. ``formula``, ``meaning`` and ``caveat`` are what the methods page says of it, in its
    part ``section``. ``digits`` is how many decimals are shown (None: by size).

    ``minimum_effect`` is the smallest change worth an alert, on the scale that ``effect`` names, and
    ``minimum_effect_unlearned`` the larger one while a baseline has too few days to learn from. ``limit_phrase`` is
    how the reason of a verdict names the figure ('': as ``phrase``); of a share it follows the value ("3.1 % null").

    ``columns`` are the kinds of column (number, category, score) that the daily drift tests measure it for;
    ``in_slices`` says that they do so in each slice as well. ``evidence_rank`` puts metrics of the same ``evidence``
    in order, the most convincing (or most costly) first. ``base`` is the metric that a derived one is made of.
    ``monitors`` are those that measure it, besides the drift monitors of its ``columns``: the register adds it to them.
    """

    key: str
    title: str
    phrase: str
    formula: str
    meaning: str
    caveat: str
    section: str = ""
    monitors: tuple[str, ...] = ()
    unit: Unit = Unit.NUMBER
    digits: int | None = None
    worse: Worse = Worse.HIGHER
    effect: Effect = Effect.NONE
    minimum_effect: float | None = None
    minimum_effect_unlearned: float | None = None
    limit: Limit = Limit.NONE
    limit_phrase: str = ""
    columns: tuple[str, ...] = ()
    in_slices: bool = False
    evidence: Evidence = Evidence.NONE
    evidence_rank: int = 0
    fault: ColumnFault | None = None
    rows_affected: Rows = Rows.UNKNOWN
    quality: Quality | None = None
    base: str = ""

    @property
    def in_a_reason(self) -> str:
        """Return how the reason of a verdict names it."""
        return self.limit_phrase or self.phrase


@dataclass(frozen=True)
class Derived:
    """Metrics made of any other one, known by how their key begins or ends: ``recall_ratio``, ``worst_recall``.

    ``name`` heads it on the methods page. ``title`` and ``phrase`` hold ``{metric}`` where those of the other metric
    stand. ``unit`` None is the other metric's. ``limits_for`` are the metrics of which ``alerts.limits`` accepts it;
    only those have a minimum effect size. ``monitors`` are those that derive it from what they measure.
    """

    name: str
    title: str
    phrase: str
    formula: str
    meaning: str
    caveat: str
    beginning: str = ""
    ending: str = ""
    section: str = ""
    monitors: tuple[str, ...] = ()
    unit: Unit | None = None
    worse: Worse | None = None
    effect: Effect = Effect.NONE
    minimum_effect: float | None = None
    limit: Limit = Limit.NONE
    limits_for: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Return what its metrics' keys have in common: ``_ratio``, ``worst_``."""
        return self.beginning + self.ending

    def base_of(self, key: str) -> str:
        """Return the key of the metric that a key of this family is made of, '' for a key of another family."""
        if not (key.startswith(self.beginning) and key.endswith(self.ending)):
            return ""
        return key.removeprefix(self.beginning).removesuffix(self.ending)

    def of(self, base: Metric) -> Metric:
        """Return the derived metric of another one."""
        return Metric(
            key=f"{self.beginning}{base.key}{self.ending}",
            title=self.title.format(metric=base.title),
            phrase=self.phrase.format(metric=base.phrase),
            formula=self.formula,
            meaning=self.meaning,
            caveat=self.caveat,
            section=self.section,
            monitors=self.monitors,
            unit=self.unit or base.unit,
            digits=base.digits if self.unit is None else None,
            worse=self.worse or base.worse,
            effect=self.effect,
            minimum_effect=self.minimum_effect if base.key in self.limits_for else None,
            limit=self.limit,
            quality=base.quality,
            base=base.key,
        )


class Stage(StrEnum):
    """Where a monitor stands on the way from data to outcome, in that order: what an incident reached."""

    DATA = "The data"
    FEATURES = "Features"
    SCORE = "The score"
    ESTIMATED = "Estimated performance"
    REALISED = "Realised performance"
    FAIRNESS = "Fairness"
    CUSTOM = "The bank's own metrics"
    NONE = ""


class Step(StrEnum):
    """Which step of a day's watch measures a monitor's figures, and replaces them when it runs again."""

    ARRIVAL = "arrival"
    CHECKS = "checks"
    MONITORS = "monitors"
    COST = "cost"


class BudgetPart(StrEnum):
    """Hypothesis tests that may alert alone; each of these parts gets an equal share of the false-alarm budget."""

    DRIFT = "drift of features and score"
    MULTIVARIATE = "numbers or embeddings together"
    PERFORMANCE = "performance"
    FAIRNESS = "fairness"
    CUSTOM = "own metrics"


@dataclass(frozen=True)
class Monitor:
    """Something that is watched: a family of figures with one method.

    ``metrics`` are what it measures, ``derived`` the families that it derives from them: the register fills both in
    from the metrics' entries. ``model_file_names_metrics`` says that the model file names others, as checks and the
    bank's own. ``column_kinds`` are the kinds of column whose daily drift tests it makes. ``order`` is its place on a
    day's page, where ``on_day_page``. ``about_its_day`` says that its figures are about the day on which they are
    known, and count for that day's verdict (cohort figures, nowcasts and diagnostics don't). ``of_columns`` says that
    it compares single columns with their baseline. ``budget_parts`` are the parts of the false-alarm budget that its
    tests spend. ``prefix`` stands before its metrics' names in a sentence, as in "estimated recall". ``subject`` is
    what a figure without column and slice is about. ``restatable`` says that labels which come later may change what it
    once judged.
    ``opens_incidents`` is False where its figures only support an incident that others open, or are never judged.
    """

    key: str
    title: str
    order: int
    metrics: tuple[str, ...] = ()
    derived: tuple[str, ...] = ()
    model_file_names_metrics: bool = False
    column_kinds: tuple[str, ...] = ()
    stage: Stage = Stage.NONE
    step: Step = Step.MONITORS
    about_its_day: bool = True
    on_day_page: bool = True
    of_columns: bool = False
    budget_parts: tuple[BudgetPart, ...] = ()
    prefix: str = ""
    subject: str = "all payments"
    restatable: bool = False
    opens_incidents: bool = True
