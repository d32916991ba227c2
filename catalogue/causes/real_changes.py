"""Causes that are real changes (of customers, fraud or the model; the data looks sound), and what nothing explains."""

from __future__ import annotations

from catalogue.cause_entry import Cause, Inhibition
from catalogue.registers import add_cause

_OF_MOVED_COLUMNS = Inhibition(same_column=("check", "drift", "fault", "slow"), score=True, alert_rates=True)
_OF_MOVED_SCORES = Inhibition(score=True, false_alarms=True)
_NO_LOSS_YET = "no measured loss yet; labels will show."

SEASON = add_cause(
    Cause(
        key="season",
        title="A season that the baseline knows",
        order=100,
        precedence=100,
        data_fault=False,
        summary="the population moved, as on similar days of the baseline",
        probable_cause="season: days of the same kind moved likewise in the baseline.",
        first_step="Nothing to fix if the calendar explains it; more such days in the baseline would stop the alert.",
        narrows="population_shift",
        money_unknown=_NO_LOSS_YET,
        may_catch_less=True,
        inhibits=_OF_MOVED_COLUMNS,
        inhibits_later=Inhibition(score=True, alert_rates=True),
        shift=True,
        moves_columns=True,
        feed_wide=True,
    )
)
POPULATION_SHIFT = add_cause(
    Cause(
        key="population_shift",
        title="The customers or payments changed",
        order=110,
        precedence=100,
        data_fault=False,
        summary="the population moved",
        probable_cause="customers or their payments changed; nothing in these columns looks broken.",
        first_step="Ask the business what changed (campaign, season, customers); watch recall as labels come.",
        money_unknown=_NO_LOSS_YET,
        may_catch_less=True,
        inhibits=_OF_MOVED_COLUMNS,
        inhibits_later=Inhibition(score=True, alert_rates=True),
        shift=True,
        moves_columns=True,
        feed_wide=True,
        drilldown=True,
    )
)
MODEL_RELEASE = add_cause(
    Cause(
        key="model_release",
        title="A new model version was released",
        order=120,
        precedence=110,
        data_fault=False,
        summary="the score moved with a new model version",
        probable_cause="a new model version was released: it scored payments today, and the score moved with it.",
        first_step="Ask whether the release was planned and its threshold set anew; then record a new baseline.",
        narrows="score_shift",
        money_unknown=_NO_LOSS_YET,
        may_catch_less=True,
        inhibits=_OF_MOVED_SCORES,
        inhibits_later=Inhibition(false_alarms=True),
        moves_columns=True,
        drilldown=True,
    )
)
SCORE_SHIFT = add_cause(
    Cause(
        key="score_shift",
        title="The score moved without its features",
        order=130,
        precedence=110,
        data_fault=False,
        summary="the score moved without a shift of the features",
        probable_cause="the model itself changed, as by another version, threshold or input that isn't watched.",
        first_step="Compare the model version and threshold in production with the last release.",
        money_unknown=_NO_LOSS_YET,
        may_catch_less=True,
        inhibits=_OF_MOVED_SCORES,
        inhibits_later=Inhibition(false_alarms=True),
        moves_columns=True,
        drilldown=True,
    )
)
MOVED, MISSED, FALSE_ALARMS = "moved", "missed", "false alarms"
"""Cases of performance decay: features or the score moved as well; more fraud is missed; only false alarms rose."""
PERFORMANCE_DECAY = add_cause(
    Cause(
        key="performance_decay",
        title="The model catches less fraud",
        order=140,
        precedence=120,
        data_fault=False,
        summary="{metric} is {value}, beyond its limit of {limit}",
        probable_cause="the model does worse than in its baseline.",
        probable_causes={
            MOVED: "payments moved away from those that the model learnt from: features or the score changed as well.",
            MISSED: "a new fraud pattern{where}: features and score look as before, but more fraud passes unnoticed.",
            FALSE_ALARMS: "more false alarms, while features and score look as before: look for a change in how labels "
            "are given.",
        },
        first_step="Read ten of the newest missed frauds with an analyst and look for what they share.",
        inhibits=Inhibition(monitors=("decay",)),
        needs_labels=True,
        states_figure=True,
    )
)
FAIRNESS_GAP = add_cause(
    Cause(
        key="fairness_gap",
        title="A group is treated differently",
        order=150,
        precedence=130,
        data_fault=False,
        summary="{group} is treated unlike the reference group",
        probable_cause="the model treats this group unlike the reference group, more than chance and before.",
        first_step="Take {group} to the model's owner and model risk: look at some of its alerts one by one.",
        money_unknown="the harm to customers isn't counted in pounds.",
        inhibits=Inhibition(false_alarms=True),
        needs_labels=True,
        states_figure=True,
    )
)
UNCLASSIFIED_BREACH = add_cause(
    Cause(
        key="unclassified_breach",
        title="A figure is over its limit, and no known cause explains it",
        order=1000,
        precedence=1000,
        data_fault=False,
        summary="{metric}{of_column}{in_group} is {value}, beyond its limit of {limit}, and no known cause explains it",
        probable_cause="not known: the figure fits none of the causes that are looked for, so it may be a fault of the "
        "data, a real change, or chance.",
        first_step="Look at the figure on the day's page, over the days before and by slice; then ask the owner of "
        "{table} whether anything changed.",
        money_unknown="as nothing known explains the figure, what it costs can't be estimated.",
        explained=False,
        states_figure=True,
    )
)
