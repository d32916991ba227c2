"""Diagnostics: what points at the cause of a breach. They are never over a limit themselves."""

from __future__ import annotations

from catalogue.entries import Derived, Limit, Metric, Monitor, Unit, Worse
from catalogue.registers import add_derived, add_metric, add_monitor

SECTION = "Diagnostics"

DIAGNOSTICS_MONITOR = add_monitor(
    Monitor(
        key="clue",
        title="Diagnostics",
        order=140,
        about_its_day=False,
        opens_incidents=False,
    )
)
SCORE_MIX = add_metric(
    Metric(
        key="score_mix",
        title="Change of the mean score by the mix of groups",
        phrase="change of the mean score by the mix of groups",
        formula="Σ (p₁ − p₀)(m₀ + m₁) / 2 over a slice column's groups, with shares p and mean scores m",
        meaning="How much of the score's change comes from other groups being more frequent (Kitagawa decomposition).",
        caveat="Explains by the columns that the model file names as slices, and by no others.",
        section=SECTION,
        monitors=(DIAGNOSTICS_MONITOR,),
        worse=Worse.EITHER,
    )
)
SCORE_WITHIN = add_metric(
    Metric(
        key="score_within",
        title="Change of the mean score within groups",
        phrase="change of the mean score within groups",
        formula="Σ (m₁ − m₀)(p₀ + p₁) / 2 over a slice column's groups, with shares p and mean scores m",
        meaning="How much of the score's change happened inside the groups; with the mix it adds up to all of it.",
        caveat="Explains by the columns that the model file names as slices, and by no others.",
        section=SECTION,
        monitors=(DIAGNOSTICS_MONITOR,),
        worse=Worse.EITHER,
    )
)
NEW_VERSION_SHARE = add_metric(
    Metric(
        key="new_version_share",
        title="Share of payments scored by a new model version",
        phrase="share of payments scored by a new model version",
        formula="payments scored by versions with less than 1 % of the baseline's payments / payments",
        meaning="Whether a new model version was released.",
        caveat="Needs the version's column (score.version).",
        section=SECTION,
        monitors=(DIAGNOSTICS_MONITOR,),
        unit=Unit.SHARE,
        worse=Worse.EITHER,
    )
)
SEASON = add_metric(
    Metric(
        key="season",
        title="PSI against similar days of the baseline",
        phrase="PSI against similar days of the baseline",
        formula="PSI against the baseline's days of the same kind, less what chance gives",
        meaning="Whether a feature that moved looks as on the baseline's days of the same kind (date, weekday).",
        caveat="Measured only of a feature whose PSI is over its limit, where the baseline has such days.",
        section=SECTION,
        monitors=(DIAGNOSTICS_MONITOR,),
        limit=Limit.FIXED,
    )
)
WORST = add_derived(
    Derived(
        name="In the slice that got worse most",
        title="{metric} of the slice that got worse most",
        phrase="{metric} of the slice that got worse most",
        formula="the metric of the slice with the smallest p-value against its baseline (Fisher's exact test, Holm)",
        meaning="In which slice, or pair of slices, the model got worse beyond chance.",
        caveat="Slices with fewer than ten cases are not searched.",
        beginning="worst_",
        section=SECTION,
        monitors=(DIAGNOSTICS_MONITOR,),
    )
)
