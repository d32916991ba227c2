"""From a tested metric to its verdict, and each limit in words: what was learned, and how seldom chance passes it."""

from __future__ import annotations

from collections.abc import Callable

from ledger.records import Verdict
from models.spec import Spec
from monitors import limits
from monitors.bins import places, quantile_cell
from monitors.calibration import Learned
from monitors.nulls import Null
from monitors.references import Kind
from monitors.testing import SHARES, SOFT, Tested
from warehouse.grid import Grid, Ints, Levels

EVENT_FACTOR = 3.0
"""On the day of a known event a PSI must reach so many times its limit, other figures what goes with that."""
TELLING = 2.5
"""A figure is insufficient where chance alone reaches so many times the floor of a column that nothing is known of."""
DAYS_PER_YEAR = 365.25

NAMES = {
    "psi": "PSI",
    "jensen_shannon": "Jensen-Shannon distance",
    "wasserstein": "Wasserstein distance in standard deviations",
    "ks": "KS statistic",
    "top_score_psi": "PSI within the top 1 % of scores",
    "null_share": "null",
    "nonfinite_share": "not finite",
    "unseen_share": "in levels the baseline never saw",
    "top_score_share": "of scores above the baseline's 99 % point",
}


def judge(
    spec: Spec, one: Tested, learned: Learned | None, strictest: float, alpha: float, event: str | None
) -> tuple[float | None, Verdict, str]:
    """Return a metric's limit, verdict and reason.

    ``strictest`` is the share of false alarms of the day's most unusual test, ``alpha`` that which the day allows.
    """
    if one.figure is None or learned is None:
        return None, one.verdict or Verdict.INSUFFICIENT, one.reason
    if one.metric == "scale_ratio":
        return _scale(one, strictest)
    limit = one.limit(alpha)
    beyond = one.figure.value > limit if one.rises else one.figure.value < limit
    significant = one.p_value < alpha * one.credit
    # Rounding may part what is significant from what is beyond a learned limit; where both say so, it is a breach.
    verdict = limits.judge(beyond=beyond, significant=significant, telling=_telling(one))
    reason = words(one, learned, limit)
    if verdict is Verdict.INSUFFICIENT:
        said = _percent(one.figure.critical) if _is_share(one) else f"{one.figure.critical:.3f}"
        reason += f"; chance alone reaches {said} in {one.values:,} {'rows' if one.metric in SHARES else 'values'}"
    elif verdict is Verdict.BREACH and one.sides is not None:
        reason += f"; {_move(learned.cells, *one.sides)}"
    if verdict is Verdict.BREACH and event is not None and one.metric in SOFT and not _far_over(one, limit):
        verdict = Verdict.INSUFFICIENT
        reason += f"; the day belongs to {event}, when this figure counts only from three times its limit on"
    return limit, verdict, reason


def words(one: Tested, learned: Learned, limit: float) -> str:
    """Return a limit in words: the value, what was usual on how many days, the floor, and the chance to pass it."""
    assert one.figure is not None
    share = _is_share(one)
    show = _percent if share else _decimals
    value = (
        f"{show(one.figure.value)} {NAMES[one.metric]}" if share else f"{NAMES[one.metric]} {show(one.figure.value)}"
    )
    if one.null is None:
        rows = f"{learned.rows:,} rows" if share else f"{one.values_before:,} baseline values"
        before = f"; baseline {show(one.before)} of {rows}" if share else f" against {rows}"
        return f"{value}{before}; limit {show(limit)}"
    before = f"; baseline {show(one.before)}, usually" if share else " against a usual"
    said = usual(one.null, learned, show)
    return f"{value}{before} {said}; limit {show(limit)} ({_floor(one)}), {_chance(one, limit)}"


def usual(null: Null, learned: Learned, show: Callable[[float], str]) -> str:
    """Return what nine in ten of a statistic's baseline days were, and what each was compared with."""
    against = "" if learned.reference.kind is Kind.LEVEL else f", each against {learned.reference.kind.value}"
    return f"{show(null.low)} to {show(null.high)} on {null.days} baseline days{against}"


def once_in(chance: float) -> str:
    """Return how seldom a chance a day comes true: ``about once in 4 years``."""
    days = 1 / max(chance, 1e-12)
    if days < 2 * DAYS_PER_YEAR:
        return f"about once in {days:.0f} days"
    years = days / DAYS_PER_YEAR
    return f"about once in {years:,.0f} years" if years < 1000 else "less than once in 1,000 years"


def _floor(one: Tested) -> str:
    if one.metric == "top_score_share":
        return f"at least {one.floor:g} times as many or as few"
    return f"at least {_percent(one.floor) if _is_share(one) else f'{one.floor:g}'} more than chance"


def _chance(one: Tested, limit: float) -> str:
    chance = one.chance_at(limit)
    return f"passed by chance {once_in(chance)}" if chance is not None else ""


def _is_share(one: Tested) -> bool:
    return one.metric in SHARES or one.metric == "top_score_share"


def _far_over(one: Tested, limit: float) -> bool:
    """Return whether a figure is beyond three times its limit as PSI counts; the other distances are roots of it."""
    assert one.figure is not None
    if one.metric == "top_score_share":
        return abs(one.figure.value - one.before) > EVENT_FACTOR * abs(limit - one.before)
    factor = EVENT_FACTOR if one.metric.endswith("psi") else EVENT_FACTOR**0.5
    return one.figure.value > factor * limit


def _telling(one: Tested) -> bool:
    """Return whether a change that is large by any measure would show among so few values."""
    assert one.figure is not None
    if one.metric == "top_score_share":
        return True
    floor = max(one.floor, limits.UNLEARNED.get(one.metric, 0.0))
    factor = TELLING if one.metric.endswith(("psi", "share")) else TELLING**0.5
    return one.figure.critical <= max(one.effect, one.before + factor * floor)


def _scale(one: Tested, alpha: float) -> tuple[float, Verdict, str]:
    figure = one.figure
    assert figure is not None
    beyond = not 1 / figure.limit <= figure.value <= figure.limit
    verdict = limits.judge(beyond=beyond, significant=one.p_value < alpha)
    reason = f"typical value {figure.value:.3g} times the baseline's; limit {figure.limit:.3g} times either way"
    return figure.limit, verdict, reason


def _move(cells: Grid | Levels, today: Ints, baseline: Ints) -> str:
    """Say what moved most: a number's median, or the level whose share changed most."""
    if isinstance(cells, Grid):
        now, before = (float(places(cells)[quantile_cell(vector, 0.5)]) for vector in (today, baseline))
        if now == before:
            return f"the median stays about {_number(before)}, the shape changed"
        return f"median about {_number(now)}, baseline {_number(before)}"
    p, q = today / today.sum(), baseline / baseline.sum()
    most = int(abs(p - q).argmax())
    level = [*(f"'{level}'" for level in cells.top), "unseen levels", "rare levels"][most]
    return f"most by {level}: {_percent(p[most])}, baseline {_percent(q[most])}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _decimals(value: float) -> str:
    return f"{value:.3f}"


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
