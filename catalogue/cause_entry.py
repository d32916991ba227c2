"""What the catalogue says of a cause: what is wrong, what to do first, and which other alerts it accounts for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

STEP_FIELDS = frozenset({"table", "column", "group"})
"""What ``first_step`` may name between braces."""
SUMMARY_FIELDS = STEP_FIELDS | {"metric", "value", "limit", "of_column", "in_group"}
"""What ``summary`` may name between braces."""


@dataclass(frozen=True)
class Inhibition:
    """Which breaches besides its own evidence a cause accounts for, so that they alert nobody. Each part adds some.

    - ``monitors``: every figure of these monitors
    - ``same_column``: figures of these monitors about a column that its own evidence names; with ``any_monitor`` those
      of every monitor, expectations of several columns included of which one is named; with ``table_too`` figures
      about no column where its own evidence is about none either
    - ``only_soft``: of ``monitors`` and ``same_column`` only soft evidence
    - ``score``: soft evidence of the score; ``alert_rates``: the alert rate, everyone's and one group's
    - ``false_alarms``: figures of performance decay that are about false alarms
    - ``drift_if_few_rows``: soft evidence of columns, where its own evidence is a low row count
    - ``row_count_checks``, ``unique_checks``: expectations of the number of rows, of rows being there only once
    - ``too_many_rows``: a row count that is high
    """

    monitors: tuple[str, ...] = ()
    same_column: tuple[str, ...] = ()
    any_monitor: bool = False
    table_too: bool = False
    only_soft: bool = False
    score: bool = False
    alert_rates: bool = False
    false_alarms: bool = False
    drift_if_few_rows: bool = False
    row_count_checks: bool = False
    unique_checks: bool = False
    too_many_rows: bool = False


@dataclass(frozen=True)
class Cause:
    """Why something broke or changed: what an incident is about.

    ``title`` names it on the pages and heads its page of the runbook. ``order`` is its place in lists (data faults,
    then real changes). ``precedence`` is its place in the search: a cause that is found earlier takes the figures that
    it accounts for from those after it. ``narrows`` is the broader cause that it replaces where diagnostics allow.

    Texts, with ``{table}``, ``{column}`` and ``{group}`` (a slice) between backticks, and in ``summary`` also
    ``{metric}``, ``{value}``, ``{limit}``, ``{of_column}`` and ``{in_group}``, the last two with a word before them
    (" of `amount_gbp`", " in `channel=app`") or empty. ``summary`` and ``first_step`` are whole sentences, the former
    without capital and full stop:

    - ``summary``: what is wrong, where no code words it better from the figures
    - ``probable_cause``: why, after the words "Probable cause:"; ``probable_causes`` are others, for cases that code
      distinguishes
    - ``first_step``: what to do first
    - ``money_unknown``: why no money is at stake, '' where it is measured; ``may_catch_less``: the model may catch less
      under it, so that what it catches bounds the loss; ``affects_all_rows``: every row of the day is affected

    What follows from it:

    - ``data_fault``: the data is broken (it fires at once and blocks retraining), rather than the world changed
    - ``explained``: False where it only says that nothing known explains the figure
    - ``about_the_watch``: the watch itself failed, so that nothing is known of the data
    - ``inhibits``: the breaches of its day that it accounts for; ``inhibits_later``: those of later days, as long as it
      is pending or firing
    - ``spoils_training``: nothing should be learnt from its days
    - ``breaks_scores``: payments were scored wrongly under it, so that their cohorts look decayed later
    - ``shift``: the population moved; ``moves_columns``: features or the score don't look as before
    - ``needs_labels``: it rests on labels, and later ones may restate it
    - ``one_day``: the next partition that comes in time resolves it
    - ``feed_wide``: it lies in the table, so that models of one table share one message
    - ``drilldown``: its page links to an Evidently report
    - ``states_figure``: its summary names the figure already
    """

    key: str
    title: str
    order: int
    precedence: int
    data_fault: bool
    summary: str
    probable_cause: str
    first_step: str
    probable_causes: Mapping[str, str] = field(default_factory=dict)
    narrows: str = ""
    money_unknown: str = ""
    may_catch_less: bool = False
    affects_all_rows: bool = False
    explained: bool = True
    about_the_watch: bool = False
    inhibits: Inhibition = Inhibition()
    inhibits_later: Inhibition = Inhibition()
    spoils_training: bool = False
    breaks_scores: bool = False
    shift: bool = False
    moves_columns: bool = False
    needs_labels: bool = False
    one_day: bool = False
    feed_wide: bool = False
    drilldown: bool = False
    states_figure: bool = False

    @property
    def runbook(self) -> str:
        """Return its page under docs/runbook, without the ending."""
        return self.key

    @property
    def kind(self) -> str:
        """Return in two words what kind of incident it makes."""
        if not self.explained:
            return "unexplained breach"
        return "data fault" if self.data_fault else "real change"

    @property
    def nature(self) -> str:
        """Return in a sentence whether the data is to blame."""
        if self.about_the_watch:
            return "The watch itself failed; whether the data is sound isn't known."
        if not self.explained:
            return "Not explained yet: it may be a data fault or a real change."
        return "Data fault, not a change in customers." if self.data_fault else "Real change, the data looks sound."
