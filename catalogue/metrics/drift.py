"""Drift: how far a day's columns, each by itself, lie from their baseline.

Minimum effect sizes go together: a PSI of 0.03 is a shift by a sixth of a standard deviation, and with it go about
Jensen-Shannon root(0.03 / 8 ln 2) = 0.07, Wasserstein root(0.03) = 0.17 and KS 0.07. The larger ones hold while a
baseline has too few days to learn from: weekdays alone move a PSI by up to 0.05, and Jensen-Shannon
root(0.05 / 8 ln 2), Wasserstein root(0.05), KS root(0.05) / 2 with it.
"""

from __future__ import annotations

from catalogue.entries import ColumnFault, Effect, Evidence, Limit, Metric, Rows, Unit, Worse
from catalogue.registers import add_metric

SECTION = "Drift, a day against the baseline"
EVERY_KIND = ("number", "category", "score")

PSI = add_metric(
    Metric(
        key="psi",
        title="PSI",
        phrase="PSI",
        formula="Σ (p − q) ln(p / q) over the baseline's deciles",
        meaning="Population stability index: how far a distribution moved; 0 is not at all.",
        caveat="Without any change it is about (1/n + 1/m)(bins − 1), so small groups need a higher value; limits "
        "allow for that. It does not say in which direction the values moved.",
        section=SECTION,
        effect=Effect.DISTANCE,
        minimum_effect=0.03,
        minimum_effect_unlearned=0.1,
        limit=Limit.DAILY_DISTANCES,
        columns=EVERY_KIND,
        in_slices=True,
        evidence=Evidence.SOFT,
        evidence_rank=1,
    )
)
JENSEN_SHANNON = add_metric(
    Metric(
        key="jensen_shannon",
        title="Jensen-Shannon distance",
        phrase="Jensen-Shannon distance",
        formula="√(½ KL(p‖m) + ½ KL(q‖m)) with m = (p + q) / 2 and base 2",
        meaning="How far a distribution moved, from 0 to 1; rare categories count as well.",
        caveat="Small samples make it larger by chance, as they do PSI.",
        section=SECTION,
        effect=Effect.DISTANCE,
        minimum_effect=0.07,
        minimum_effect_unlearned=0.12,
        limit=Limit.DAILY_DISTANCES,
        columns=EVERY_KIND,
        evidence=Evidence.SOFT,
        evidence_rank=2,
    )
)
WASSERSTEIN = add_metric(
    Metric(
        key="wasserstein",
        title="Wasserstein distance",
        phrase="Wasserstein distance",
        formula="∫ |F − G| dx / standard deviation of the baseline",
        meaning="How far values moved on average, in standard deviations of the baseline.",
        caveat="A few extreme values can dominate it; only for numbers.",
        section=SECTION,
        unit=Unit.STANDARD_DEVIATIONS,
        effect=Effect.DISTANCE,
        minimum_effect=0.15,
        minimum_effect_unlearned=0.25,
        limit=Limit.DAILY_DISTANCES,
        limit_phrase="Wasserstein distance in standard deviations",
        columns=("number", "score"),
        in_slices=True,
        evidence=Evidence.SOFT,
        evidence_rank=3,
    )
)
KS = add_metric(
    Metric(
        key="ks",
        title="KS statistic",
        phrase="KS statistic",
        formula="max |F − G|",
        meaning="Kolmogorov-Smirnov: the largest gap between the two cumulative distributions, from 0 to 1.",
        caveat="Hardly sees changes among the smallest and largest values; off by at most the share of one bin.",
        section=SECTION,
        effect=Effect.DISTANCE,
        minimum_effect=0.06,
        minimum_effect_unlearned=0.12,
        limit=Limit.DAILY_DISTANCES,
        columns=("number", "score"),
        evidence=Evidence.SOFT,
        evidence_rank=4,
    )
)
NULL_SHARE = add_metric(
    Metric(
        key="null_share",
        title="Share of nulls",
        phrase="share of nulls",
        formula="nulls / rows",
        meaning="How many values are missing.",
        caveat="A default value that was filled in instead of nulls shows as an excess of one value.",
        section=SECTION,
        unit=Unit.SHARE,
        effect=Effect.RISE,
        minimum_effect=0.01,
        minimum_effect_unlearned=0.02,
        limit=Limit.DAILY_SHARES,
        limit_phrase="null",
        columns=EVERY_KIND,
        in_slices=True,
        evidence=Evidence.HARD,
        evidence_rank=1,
        fault=ColumnFault(
            summary="{column} is {share} empty",
            summary_of_several="partly or wholly empty",
            probable_cause="the feed lost part of its values, as after a failed join.",
            probable_cause_of_all="the feed of this column stopped.",
        ),
        rows_affected=Rows.VALUE,
    )
)
NONFINITE_SHARE = add_metric(
    Metric(
        key="nonfinite_share",
        title="Share of non-finite values",
        phrase="share of non-finite values",
        formula="infinite and NaN values / rows",
        meaning="How many values can't be computed with.",
        caveat="Only for floating-point columns.",
        section=SECTION,
        unit=Unit.SHARE,
        effect=Effect.RISE,
        minimum_effect=0.001,
        minimum_effect_unlearned=0.001,
        limit=Limit.DAILY_SHARES,
        limit_phrase="not finite",
        columns=("number", "score"),
        evidence=Evidence.HARD,
        evidence_rank=2,
        fault=ColumnFault(
            summary="{column} is {share} infinite or not a number",
            summary_of_several="partly infinite or not a number",
            probable_cause="a broken calculation upstream: values are infinite or not a number.",
        ),
        rows_affected=Rows.VALUE,
    )
)
UNSEEN_SHARE = add_metric(
    Metric(
        key="unseen_share",
        title="Share of unseen categories",
        phrase="share of unseen categories",
        formula="rows in categories that the baseline never had / rows with a value",
        meaning="How many rows have a category that is new.",
        caveat="A known category with a new meaning is not seen.",
        section=SECTION,
        unit=Unit.SHARE,
        effect=Effect.RISE,
        minimum_effect=0.01,
        minimum_effect_unlearned=0.01,
        limit=Limit.TEST,
        limit_phrase="in levels the baseline never saw",
        columns=("category",),
        in_slices=True,
        evidence=Evidence.HARD,
        evidence_rank=10,
        fault=ColumnFault(
            summary="{share} of {column} is in categories never seen before",
            summary_of_several="in categories never seen before",
            probable_cause="re-encoded categories: they are written in another way than before.",
            certain=False,
        ),
        rows_affected=Rows.VALUE,
    )
)
SCALE_RATIO = add_metric(
    Metric(
        key="scale_ratio",
        title="Ratio of the median to the baseline's",
        phrase="ratio of the median to the baseline's",
        formula="median now / median of the baseline (means where a median falls beyond the bins)",
        meaning="Whether a unit changed, as from pounds to pence; 1 is as before.",
        caveat="A change of unit in some of the rows hardly moves it: see values in another unit.",
        section=SECTION,
        unit=Unit.TIMES,
        worse=Worse.EITHER,
        effect=Effect.FACTOR,
        minimum_effect=5.0,
        limit=Limit.BASELINE_BEHAVIOUR,
        columns=("number",),
        evidence=Evidence.HARD,
        evidence_rank=6,
        fault=ColumnFault(
            summary="{column} is about {factor}",
            summary_of_several="in another unit",
            probable_cause="unit error: values are about {factor}, as when pounds became pence.",
            certain=False,
        ),
        rows_affected=Rows.ALL,
    )
)
TOP_SCORE_SHARE = add_metric(
    Metric(
        key="top_score_share",
        title="Share of scores in the baseline's top 1 %",
        phrase="share of scores in the baseline's top 1 %",
        formula="scores above the baseline's 99 % point / scores",
        meaning="Whether more or fewer payments reach the scores that matter most; about 1 % is as before.",
        caveat="Not measured where so many scores are equal that the baseline has no top 1 % of its own.",
        section=SECTION,
        worse=Worse.EITHER,
        effect=Effect.FACTOR,
        minimum_effect=1.5,
        minimum_effect_unlearned=2.0,
        limit=Limit.DAILY_SHARES,
        limit_phrase="of scores above the baseline's 99 % point",
        columns=("score",),
        evidence=Evidence.SOFT,
        evidence_rank=5,
    )
)
TOP_SCORE_PSI = add_metric(
    Metric(
        key="top_score_psi",
        title="PSI within the top 1 % of scores",
        phrase="PSI within the top 1 % of scores",
        formula="PSI of the scores above the baseline's 99 % point, in four bins",
        meaning="Whether the highest scores are spread as before.",
        caveat="Needs 100 scores in the top 1 %, today and in the baseline.",
        section=SECTION,
        effect=Effect.DISTANCE,
        minimum_effect=0.1,
        minimum_effect_unlearned=0.25,
        limit=Limit.DAILY_DISTANCES,
        columns=("score",),
        evidence=Evidence.SOFT,
        evidence_rank=6,
    )
)
