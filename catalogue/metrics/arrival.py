"""Arrival, columns and checks: whether the right data came, in time, whole, and with the columns the model reads."""

from __future__ import annotations

from catalogue.entries import Effect, Limit, Metric, Monitor, Rows, Stage, Step, Unit, Worse
from catalogue.registers import add_metric, add_monitor

SECTION = "Arrival and columns"

ARRIVAL_MONITOR = add_monitor(
    Monitor(
        key="arrival",
        title="Arrival",
        order=10,
        stage=Stage.DATA,
        step=Step.ARRIVAL,
        subject="the table",
    )
)
SCHEMA_MONITOR = add_monitor(
    Monitor(
        key="schema",
        title="Columns",
        order=20,
        stage=Stage.DATA,
        step=Step.ARRIVAL,
        subject="the table",
    )
)
CHECK_MONITOR = add_monitor(
    Monitor(
        key="check",
        title="Checks",
        order=30,
        model_file_names_metrics=True,
        stage=Stage.DATA,
        step=Step.CHECKS,
        subject="the table",
    )
)
ROW_COUNT = add_metric(
    Metric(
        key="row_count",
        title="Row count",
        phrase="row count",
        formula="rows of the day's partition",
        meaning="Whether the day is complete, compared with the same weekday of the eight weeks before.",
        caveat="A day with the usual number of wrong rows looks complete.",
        section=SECTION,
        monitors=(ARRIVAL_MONITOR,),
        unit=Unit.COUNT,
        worse=Worse.EITHER,
        effect=Effect.SHARE_OF_USUAL,
        minimum_effect=0.65,
        limit=Limit.HISTORY,
    )
)
ARRIVAL_DELAY = add_metric(
    Metric(
        key="arrival_delay_minutes",
        title="Arrival delay",
        phrase="arrival delay",
        formula="arrival − deadline",
        meaning="Whether the day's data came in time; below 0 it came early.",
        caveat="Needs arrives_by in the model file. Data that is late but complete is only late.",
        section=SECTION,
        monitors=(ARRIVAL_MONITOR,),
        unit=Unit.MINUTES,
        effect=Effect.LEVEL,
        limit=Limit.FIXED,
    )
)
DUPLICATE_SHARE = add_metric(
    Metric(
        key="duplicate_share",
        title="Share of duplicate ids",
        phrase="share of duplicate ids",
        formula="1 − distinct ids / rows",
        meaning="Whether payments arrived more than once; a row without an id counts too.",
        caveat="Two payments that share an id look like one payment that came twice.",
        section=SECTION,
        monitors=(ARRIVAL_MONITOR,),
        unit=Unit.SHARE,
        effect=Effect.LEVEL,
        minimum_effect=0.001,
        limit=Limit.FIXED,
        rows_affected=Rows.VALUE,
    )
)
MISSING_COLUMNS = add_metric(
    Metric(
        key="missing_columns",
        title="Missing column",
        phrase="missing column",
        formula="columns that were there before, or that the model file names, and are gone",
        meaning="Whether a column is no longer delivered.",
        caveat="A column that is there but empty shows as nulls instead.",
        section=SECTION,
        monitors=(SCHEMA_MONITOR,),
        unit=Unit.COUNT,
        effect=Effect.LEVEL,
        limit=Limit.FIXED,
    )
)
EXTRA_COLUMNS = add_metric(
    Metric(
        key="extra_columns",
        title="New column",
        phrase="new column",
        formula="columns that were not there before",
        meaning="What was added to the table.",
        caveat="Never over a limit by itself.",
        section=SECTION,
        monitors=(SCHEMA_MONITOR,),
        unit=Unit.COUNT,
    )
)
RETYPED_COLUMNS = add_metric(
    Metric(
        key="retyped_columns",
        title="Changed column type",
        phrase="changed column type",
        formula="columns of another type than before",
        meaning="Whether the meaning of a column may have changed.",
        caveat="A change of meaning within the same type is not seen here.",
        section=SECTION,
        monitors=(SCHEMA_MONITOR,),
        unit=Unit.COUNT,
        effect=Effect.LEVEL,
        limit=Limit.FIXED,
    )
)
