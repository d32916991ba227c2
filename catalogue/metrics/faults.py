"""Column faults and stale data: what is broken in a way that the distribution alone gives away."""

from __future__ import annotations

from catalogue.entries import ColumnFault, Effect, Evidence, Limit, Metric, Monitor, Rows, Stage, Unit, Worse
from catalogue.registers import add_metric, add_monitor

SECTION = "Column faults and stale data"

FAULT_MONITOR = add_monitor(
    Monitor(
        key="fault",
        title="Column faults and stale data",
        order=40,
        stage=Stage.DATA,
        of_columns=True,
    )
)
REPEATED_SHARE = add_metric(
    Metric(
        key="repeated_share",
        title="Share of columns that repeat an earlier day",
        phrase="share of columns that repeat an earlier day",
        formula="columns that repeat one and the same earlier day / columns that can show it",
        meaning="Whether an earlier day was delivered again.",
        caveat="Only the last eight days are compared.",
        section=SECTION,
        monitors=(FAULT_MONITOR,),
        unit=Unit.SHARE,
        effect=Effect.LEVEL,
        minimum_effect=0.5,
        limit=Limit.FIXED,
    )
)
REPEATED_COLUMN = add_metric(
    Metric(
        key="repeated_column",
        title="Difference from an earlier day, relative to chance",
        phrase="difference from an earlier day, relative to chance",
        formula="difference from the most similar of the last eight days / what chance alone makes",
        meaning="Whether one column holds the values of an earlier day: about 1 is another day, near 0 the same one.",
        caveat="Not measured for a column of few different values, which may repeat by chance.",
        section=SECTION,
        monitors=(FAULT_MONITOR,),
        worse=Worse.LOWER,
        limit=Limit.BASELINE_BEHAVIOUR,
        evidence=Evidence.HARD,
        evidence_rank=4,
        fault=ColumnFault(
            summary="{column} holds the values of an earlier day again",
            probable_cause="the column wasn't refreshed: the job that fills it didn't run, or read an old snapshot.",
        ),
        rows_affected=Rows.ALL,
    )
)
CONSTANT_SHARE = add_metric(
    Metric(
        key="constant_share",
        title="Share of the most frequent value",
        phrase="share of the most frequent value",
        formula="rows with the most frequent value / rows with a value",
        meaning="Whether all rows have one and the same value.",
        caveat="A column that had a single value on some baseline day is never over its limit.",
        section=SECTION,
        monitors=(FAULT_MONITOR,),
        unit=Unit.SHARE,
        effect=Effect.LEVEL,
        limit=Limit.BASELINE_BEHAVIOUR,
        evidence=Evidence.HARD,
        evidence_rank=3,
        fault=ColumnFault(
            summary="{column} has one value for {share} of the rows",
            probable_cause="the feed fills the column with one value, as a default where a lookup finds nothing.",
        ),
        rows_affected=Rows.VALUE,
    )
)
SWAPPED_COLUMN = add_metric(
    Metric(
        key="swapped_column",
        title="Likeness to another column",
        phrase="likeness to another column",
        formula="distance to the column's own baseline / distance to another column's",
        meaning="Whether two columns were exchanged: how many times better another column's baseline fits.",
        caveat="Columns that are much alike to begin with can't be distinguished.",
        section=SECTION,
        monitors=(FAULT_MONITOR,),
        effect=Effect.LEVEL,
        limit=Limit.FIXED,
        evidence=Evidence.HARD,
        evidence_rank=5,
        fault=ColumnFault(
            summary="{column} holds the values of another column",
            probable_cause="columns were mixed up, as by a load that goes by their order instead of their names.",
            certain=False,
        ),
        rows_affected=Rows.ALL,
    )
)
SPIKE_SHARE = add_metric(
    Metric(
        key="spike_share",
        title="Excess share of one value",
        phrase="excess share of one value",
        formula="share of one value − its largest share on any baseline day",
        meaning="Whether one value, such as a default that fills gaps, is far more frequent than ever before.",
        caveat="Not for columns of few different values, where this looks like an ordinary shift.",
        section=SECTION,
        monitors=(FAULT_MONITOR,),
        unit=Unit.SHARE,
        effect=Effect.RISE,
        minimum_effect=0.03,
        limit=Limit.BASELINE_BEHAVIOUR,
        evidence=Evidence.HARD,
        evidence_rank=7,
        fault=ColumnFault(
            summary="{column} has {share} more of one value than ever before",
            probable_cause="a default value stands where others should, as after a failed lookup.",
            certain=False,
        ),
        rows_affected=Rows.VALUE,
    )
)
CLUSTER_SHARE = add_metric(
    Metric(
        key="cluster_share",
        title="Share in a new cluster of values",
        phrase="share in a new cluster of values",
        formula="rise of a narrow range of values, less the rise of the ranges beside it",
        meaning="Whether many values came within a narrow range that was hardly used before, as of a bot.",
        caveat="A cluster is not seen where the baseline had many values already.",
        section=SECTION,
        monitors=(FAULT_MONITOR,),
        unit=Unit.SHARE,
        effect=Effect.RISE,
        minimum_effect=0.02,
        limit=Limit.BASELINE_BEHAVIOUR,
        evidence=Evidence.SOFT,
        evidence_rank=10,
    )
)
SCALED_SHARE = add_metric(
    Metric(
        key="scaled_share",
        title="Share of values in another unit",
        phrase="share of values in another unit",
        formula="share of values that fit the baseline only once multiplied or divided by a factor",
        meaning="Whether some of the rows are in another unit, as pence among pounds.",
        caveat="Factors of 10, 60, 100 and 1,000 are tried, no others.",
        section=SECTION,
        monitors=(FAULT_MONITOR,),
        unit=Unit.SHARE,
        effect=Effect.LEVEL,
        minimum_effect=0.02,
        limit=Limit.FIXED,
        evidence=Evidence.HARD,
        evidence_rank=8,
        fault=ColumnFault(
            summary="{share} of {column} is in another unit",
            probable_cause="unit error in part of the rows, as when one of several sources writes pence for pounds.",
            certain=False,
        ),
        rows_affected=Rows.VALUE,
    )
)
RENAMED_SHARE = add_metric(
    Metric(
        key="renamed_share",
        title="Share of values in renamed categories",
        phrase="share of values in renamed categories",
        formula="share that left known categories and came back in new ones",
        meaning="Whether categories are written under another name.",
        caveat="Goes by frequency only: a new category as frequent as one that is gone looks like a renamed one.",
        section=SECTION,
        monitors=(FAULT_MONITOR,),
        unit=Unit.SHARE,
        effect=Effect.LEVEL,
        minimum_effect=0.01,
        limit=Limit.FIXED,
        evidence=Evidence.HARD,
        evidence_rank=9,
        fault=ColumnFault(
            summary="{share} of {column} came under other names of its categories",
            probable_cause="re-encoded categories: they are written in another way than before.",
            certain=False,
        ),
        rows_affected=Rows.VALUE,
    )
)
