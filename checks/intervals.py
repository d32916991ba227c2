"""Exact 95 % intervals of a share and of a count; scipy.special only, because scipy.stats takes seconds to import."""

from __future__ import annotations

from scipy import special

ALPHA = 0.05


def share_interval(events: int, n: int) -> tuple[float, float]:
    """Return the interval of ``events / n`` (Clopper & Pearson, Biometrika 1934), by quantiles of the beta."""
    low = 0.0 if events <= 0 else float(special.betaincinv(events, n - events + 1, ALPHA / 2))
    high = 1.0 if events >= n else float(special.betaincinv(events + 1, n - events, 1 - ALPHA / 2))
    return low, high


def count_interval(events: float, dispersion: float = 1.0) -> tuple[float, float]:
    """Return the interval of a Poisson count (Garwood, Biometrika 1936), by quantiles of the gamma.

    ``dispersion`` is variance over mean, 1 for Poisson; the count divided by it is taken as Poisson.
    """
    scaled = events / dispersion
    low = 0.0 if scaled <= 0 else float(special.gammaincinv(scaled, ALPHA / 2))
    return low * dispersion, float(special.gammaincinv(scaled + 1, 1 - ALPHA / 2)) * dispersion
