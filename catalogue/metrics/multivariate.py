"""Drift of several columns together, and drift too slow for one day to show."""

from __future__ import annotations

from catalogue.entries import Effect, Evidence, Limit, Metric, Unit
from catalogue.metrics.drift import SECTION
from catalogue.metrics.drift_monitors import DRIFT_MONITOR, SLOW_MONITOR
from catalogue.registers import add_metric

CORRELATION_SHIFT = add_metric(
    Metric(
        key="correlation_shift",
        title="Largest change of a correlation",
        phrase="largest change of a correlation",
        formula="max |r − r₀| over pairs of numbers",
        meaning="Whether two features stopped moving together, or began to.",
        caveat="Sees linear dependence only; needs second_moments.",
        section=SECTION,
        monitors=(DRIFT_MONITOR,),
        effect=Effect.BEYOND_USUAL,
        minimum_effect=0.1,
        limit=Limit.DAILY_DISTANCES,
        evidence=Evidence.SOFT,
        evidence_rank=8,
    )
)
RECONSTRUCTION_ERROR = add_metric(
    Metric(
        key="reconstruction_error",
        title="PCA reconstruction error relative to the baseline",
        phrase="PCA reconstruction error relative to the baseline",
        formula="tr((I − PPᵀ) S) / the baseline's, P its principal components",
        meaning="Whether the features still belong together as in the baseline; 1 is as before, more is worse.",
        caveat="Sees linear structure only; needs second_moments.",
        section=SECTION,
        monitors=(DRIFT_MONITOR,),
        effect=Effect.BEYOND_USUAL,
        minimum_effect=0.1,
        limit=Limit.DAILY_DISTANCES,
        evidence=Evidence.SOFT,
        evidence_rank=9,
    )
)
FRECHET_DISTANCE = add_metric(
    Metric(
        key="frechet_distance",
        title="Frechet distance",
        phrase="Frechet distance",
        formula="(|m − m₀|² + tr(C + C₀ − 2 (C C₀)^½)) / tr(C₀)",
        meaning="How far a cloud of embeddings moved, relative to how widely the baseline's is spread.",
        caveat="Sees the cloud's centre and spread, no other shape.",
        section=SECTION,
        monitors=(DRIFT_MONITOR,),
        effect=Effect.BEYOND_USUAL,
        minimum_effect=0.02,
        limit=Limit.DAILY_DISTANCES,
        limit_phrase="Frechet distance, of the baseline's variance",
        evidence=Evidence.SOFT,
        evidence_rank=7,
    )
)
SLOW_DRIFT = add_metric(
    Metric(
        key="slow_drift",
        title="Slow drift, in standard deviations",
        phrase="slow drift",
        formula="(median level of the last 5 days − the baseline's) / standard deviation; judged by a CUSUM of 28 days",
        meaning="A creeping change that no single day shows.",
        caveat="Needs 21 baseline days; a jump within one day shows as drift, not here.",
        section=SECTION,
        monitors=(SLOW_MONITOR,),
        unit=Unit.STANDARD_DEVIATIONS,
        effect=Effect.SHIFT,
        minimum_effect=0.15,
        limit=Limit.BASELINE_BEHAVIOUR,
        evidence=Evidence.SOFT,
        evidence_rank=11,
    )
)
