"""Causes that are data faults: they fire at once and block retraining while they last."""

from __future__ import annotations

from catalogue.cause_entry import Cause, Inhibition
from catalogue.registers import add_cause

WATCH_ERRORED = add_cause(
    Cause(
        key="watch_errored",
        title="The watch itself could not measure",
        order=10,
        precedence=70,
        data_fault=True,
        summary="some figures couldn't be computed",
        probable_cause="a check or monitor failed to run; this says nothing about the data yet.",
        first_step="Read the error on the day's page, then run the day again.",
        money_unknown="what couldn't be computed has no figure.",
        about_the_watch=True,
        feed_wide=True,
    )
)
MISSING_PARTITION = add_cause(
    Cause(
        key="missing_partition",
        title="A day's data did not arrive",
        order=20,
        precedence=10,
        data_fault=True,
        summary="no partition arrived in {table}",
        probable_cause="the feed didn't run, or wrote to another place.",
        first_step="Look at the last run of the job that writes {table}, and start it for this day.",
        affects_all_rows=True,
        inhibits=Inhibition(monitors=("arrival", "schema", "check", "drift", "score", "fault", "slow")),
        spoils_training=True,
        one_day=True,
        feed_wide=True,
        states_figure=True,
    )
)
LATE_PARTITION = add_cause(
    Cause(
        key="late_partition",
        title="The data came late",
        order=30,
        precedence=20,
        data_fault=True,
        summary="the partition came late",
        probable_cause="the feed ran late; the data itself came.",
        first_step="Ask the owner of the job that writes {table} why it ran late; score again what was missed.",
        money_unknown="the data came, but late; which payments were scored before it came is not known.",
        one_day=True,
        feed_wide=True,
        states_figure=True,
    )
)
STALE_PARTITION = add_cause(
    Cause(
        key="stale_partition",
        title="An earlier day's data came again",
        order=40,
        precedence=40,
        data_fault=True,
        summary="the partition holds an earlier day's rows again",
        probable_cause="the feed delivered an earlier day again, as when its own input didn't arrive.",
        first_step="Check which day the job that writes {table} read; load this day, and score it again.",
        affects_all_rows=True,
        inhibits=Inhibition(
            monitors=("arrival", "check", "drift", "score", "fault", "slow"), score=True, alert_rates=True
        ),
        spoils_training=True,
        breaks_scores=True,
        feed_wide=True,
        states_figure=True,
    )
)
INCOMPLETE_PARTITION = add_cause(
    Cause(
        key="incomplete_partition",
        title="The data is incomplete",
        order=50,
        precedence=60,
        data_fault=True,
        summary="the partition has too few rows, or too many",
        probable_cause="the feed was cut short, filtered, or ran twice over part of its input.",
        first_step="Compare the row count of {table} with its source for this day, and load it again.",
        money_unknown="what the rows that are missing, or too many, are worth is not known.",
        inhibits=Inhibition(drift_if_few_rows=True, row_count_checks=True),
        spoils_training=True,
        breaks_scores=True,
        feed_wide=True,
        states_figure=True,
    )
)
SCHEMA_CHANGE = add_cause(
    Cause(
        key="schema_change",
        title="The table's columns changed",
        order=60,
        precedence=30,
        data_fault=True,
        summary="columns of {table} are missing, or of another type",
        probable_cause="a release upstream changed the table's columns.",
        first_step="Find the release that changed {table}, and have its columns restored.",
        affects_all_rows=True,
        inhibits=Inhibition(monitors=("schema",), any_monitor=True, score=True, alert_rates=True),
        spoils_training=True,
        breaks_scores=True,
        feed_wide=True,
    )
)
DUPLICATE_ROWS = add_cause(
    Cause(
        key="duplicate_rows",
        title="Payments arrived twice",
        order=70,
        precedence=50,
        data_fault=True,
        summary="rows are there more than once",
        probable_cause="a run was repeated without replacing its rows, or a join multiplied them.",
        first_step="Look for a repeated run of the job that writes {table}, and load the day again.",
        inhibits=Inhibition(too_many_rows=True, row_count_checks=True, unique_checks=True),
        spoils_training=True,
        feed_wide=True,
    )
)
FEED_FAULT = add_cause(
    Cause(
        key="feed_fault",
        title="Several columns broke together",
        order=80,
        precedence=80,
        data_fault=True,
        summary="several columns broke in the same way on the same day",
        probable_cause="one feed or join broke: several columns went wrong in the same way on the same day.",
        first_step="Find the feed or join in {table} that these columns share; look at its last run and change.",
        inhibits=Inhibition(same_column=("check", "drift", "score", "fault", "slow"), score=True, alert_rates=True),
        inhibits_later=Inhibition(monitors=("drift", "fault", "slow"), only_soft=True, score=True, alert_rates=True),
        spoils_training=True,
        breaks_scores=True,
        moves_columns=True,
        feed_wide=True,
        drilldown=True,
    )
)
COLUMN_FAULT = add_cause(
    Cause(
        key="column_fault",
        title="A column is broken",
        order=90,
        precedence=90,
        data_fault=True,
        summary="{column} breaks {metric}",
        probable_cause="the data broke a rule of the model file.",
        first_step="Look at the last change and run of the feed that fills {column} in {table}.",
        inhibits=Inhibition(
            same_column=("check", "drift", "score", "fault", "slow"), table_too=True, score=True, alert_rates=True
        ),
        inhibits_later=Inhibition(
            same_column=("drift", "fault", "slow"), table_too=True, only_soft=True, score=True, alert_rates=True
        ),
        spoils_training=True,
        breaks_scores=True,
        moves_columns=True,
        feed_wide=True,
        drilldown=True,
        states_figure=True,
    )
)
