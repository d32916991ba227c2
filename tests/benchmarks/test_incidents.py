"""What the incident benchmark counts as caught, and that its faults change the data they say, and nothing else."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from benchmarks.incidents import __main__ as command
from benchmarks.incidents import bank
from benchmarks.incidents.kinds import GRADUAL_DAYS, KINDS
from benchmarks.incidents.plan import FAST, SEEDS, SETS, SLOW, Asked, Unit, units
from benchmarks.incidents.rules import ks_p_value, psi
from benchmarks.incidents.source import BASELINE_DAYS, Source, begin
from benchmarks.incidents.verdicts import Page, Truth, false_pages, judge
from simulator.batch import Batch
from simulator.columns import NULL_CODE

START = date(2026, 3, 1)
TRUTH = Truth("nulls", START, 3, ("amount_gbp",), ("column_fault",))


def page(after_days: int, column: str = "amount_gbp", cause: str = "column_fault") -> Page:
    return Page(START + timedelta(days=after_days), column, column, cause)


def test_a_detector_that_says_the_same_every_day_catches_nothing() -> None:
    daily = [page(n) for n in range(-5, 10)]
    assert not judge(TRUTH, daily, daily).caught


def test_the_first_bad_day_is_day_one_and_a_page_after_the_deadline_is_none() -> None:
    assert judge(TRUTH, [page(0), page(1)], []).delay_days == 1
    assert judge(TRUTH, [page(2)], []).delay_days == 3
    assert not judge(TRUTH, [page(-1), page(3)], []).caught


def test_what_is_also_said_on_a_later_quiet_day_before_the_deadline_does_not_count() -> None:
    assert not judge(TRUTH, [page(0)], [page(2)]).caught
    assert judge(TRUTH, [page(0)], [page(-1), page(3), page(1, "hour")]).caught


def test_what_is_on_top_of_the_first_new_pages_is_judged() -> None:
    late = judge(TRUTH, [page(0, "hour"), page(1, "merchant", "score_shift"), page(1)], [page(1, "hour")])
    assert (late.delay_days, late.right_column, late.right_cause) == (2, False, False)
    right = judge(TRUTH, [page(1), page(1, "hour", "score_shift")], [])
    assert (right.right_column, right.right_cause) == (True, True)
    blameless = Truth("half", START, 3, (), ("incomplete_partition",))
    assert judge(blameless, [page(0)], []).right_column is None


def test_days_running_are_one_false_page_and_the_kind_count_merges_those_of_a_day() -> None:
    told = [page(0), page(1), page(1, "hour"), page(2), page(5), page(5, "hour")]
    assert [(p.day.day, p.key) for p in false_pages(told, merged=False)] == [
        (1, "amount_gbp"), (2, "hour"), (6, "amount_gbp"), (6, "hour")
    ]  # fmt: skip
    assert [p.day.day for p in false_pages(told, merged=True)] == [1, 2, 6]


def plan(which: str, sets: tuple[str, ...] = tuple(SETS), kinds: tuple[str, ...] = tuple(KINDS)) -> list[Unit]:
    return list(units(Asked(which, sets, kinds, (*FAST, *SLOW))))


def test_reported_seeds_are_never_tuned_on() -> None:
    tuned, reported = ({unit.seed for unit in plan(which)} for which in SEEDS)
    assert not tuned & reported
    assert max(tuned) < min(reported)


def test_quiet_quarters_have_seeds_of_their_own_and_the_bank_has_forty() -> None:
    quiet = [(u.data, u.rows, u.seed) for u in plan("report") if not u.kinds and "watchkeeper" in u.tools]
    assert len(quiet) == len({seed for _, _, seed in quiet})
    assert sum(size[:2] == SETS["bank"] for size in quiet) == 40
    assert {size[:2] for size in quiet} == set(SETS.values())


def test_a_set_has_the_same_seeds_whatever_else_is_run() -> None:
    alone = plan("report", ("large-bank",))
    assert alone == [unit for unit in plan("report") if (unit.data, unit.rows) == SETS["large-bank"]]


def test_a_run_can_be_kept_short() -> None:
    short = list(units(Asked("report", ("bank",), ("unit",), ("watchkeeper", "evidently"), 1, 0)))
    assert [(unit.seed, unit.tools) for unit in short] == [(9_001, ("watchkeeper",)), (9_001, ("evidently",))]


def test_a_run_without_the_handbooks_file_says_what_to_do_before_it_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHKEEPER_REFERENCE_DATA", str(tmp_path))
    monkeypatch.setattr(command, "SCRATCH", tmp_path)
    with pytest.raises(SystemExit, match=r"^WATCHKEEPER_REFERENCE_DATA must name a folder .* --sets bank large-bank$"):
        command.main(["--to", str(tmp_path / "docs")])
    assert not list(tmp_path.iterdir()), "nothing was run or written"


@pytest.mark.parametrize(("n", "m", "decimals"), [(500, 40, 2), (40, 500, 2), (300, 300, 0), (7, 3, 1)])
def test_the_test_of_two_samples_is_scipys(n: int, m: int, decimals: int) -> None:
    rng = np.random.default_rng(n)
    for shift in (0.0, 0.2, 1.0):
        one, other = (np.sort(rng.normal(by, 1, size).round(decimals)) for by, size in ((0.0, n), (shift, m)))
        assert ks_p_value(one, other) == pytest.approx(stats.ks_2samp(one, other, method="asymp").pvalue)


def test_psi_of_a_published_example() -> None:
    base, today = (np.array(c) / sum(c) for c in ([253, 302, 204, 134, 72, 26, 8], [177, 262, 285, 158, 88, 25, 6]))
    assert psi(base, today) == pytest.approx(0.067693, abs=1e-6)


# What the kinds do to the data

ROWS, SEED = 3_000, 102


@pytest.fixture(scope="module")
def source() -> Source:
    return bank.source(ROWS, SEED)


def both(source: Source, kind: str, after_days: int = 0) -> tuple[Batch, Batch, tuple[str, ...]]:
    """Return a day of an incident without and with it, and the columns that are to blame."""
    start = source.day(BASELINE_DAYS)
    injected = KINDS[kind](source, start)
    day = start + timedelta(days=after_days)
    before = source.draw(start - timedelta(days=1), injected.incidents)
    assert (before.score == source.draw(before.day, ()).score).all(), "nothing happens before the first day"
    return source.draw(day, ()), source.draw(day, injected.incidents), injected.truth.columns


def changed(clean: Batch, bad: Batch) -> set[str]:
    return {
        name
        for name, values in clean.columns.items()
        if not np.array_equal(values, bad.columns[name], equal_nan=values.dtype.kind == "f")
        or clean.levels.get(name) != bad.levels.get(name)
    }


OF_A_COLUMN = [
    "nulls_3",
    "nulls_30",
    "unit",
    "stale_feature",
    "constant",
    "renamed",
    "new_level",
    "gradual",
    "slice",
    "swapped",
]


@pytest.mark.parametrize("kind", OF_A_COLUMN)
def test_a_fault_of_a_column_changes_that_column_and_the_score_alone(source: Source, kind: str) -> None:
    clean, bad, columns = both(source, kind)
    assert changed(clean, bad) == set(columns)
    assert np.array_equal(clean.ids, bad.ids)


@pytest.mark.parametrize(("kind", "share"), [("nulls_3", 0.03), ("nulls_30", 0.3)])
def test_nulls_rise_by_the_share_that_is_said(source: Source, kind: str, share: float) -> None:
    clean, bad, (column,) = both(source, kind)
    rise = np.isnan(bad.columns[column]).mean() - np.isnan(clean.columns[column]).mean()
    assert rise == pytest.approx(share, abs=3 * np.sqrt(share / ROWS))


def test_a_stale_feature_has_the_same_values_on_every_day(source: Source) -> None:
    (_, first, (column,)), (_, third, _) = both(source, "stale_feature"), both(source, "stale_feature", 2)
    rows = min(len(first.fraud), len(third.fraud))
    assert np.array_equal(first.columns[column][:rows], third.columns[column][:rows], equal_nan=True)


def test_a_stale_partition_is_the_day_before_again(source: Source) -> None:
    day_before = source.draw(source.day(BASELINE_DAYS - 1), ())
    _, bad, _ = both(source, "stale_partition", 2)
    assert np.array_equal(bad.ids, day_before.ids)
    assert np.array_equal(bad.score, day_before.score)


def test_rows_go_missing_or_come_twice(source: Source) -> None:
    clean, half, _ = both(source, "half")
    assert len(half.ids) == len(half.score) == len(half.columns["hour"]) == len(clean.ids) // 2
    clean, twice, _ = both(source, "duplicates")
    assert len(twice.copies) == round(0.2 * len(clean.ids))


def test_a_new_level_takes_four_per_cent_and_renamed_ones_keep_their_rows(source: Source) -> None:
    clean, bad, (column,) = both(source, "new_level")
    new = len(clean.levels[column])
    assert (bad.columns[column] == new).mean() == pytest.approx(0.04, abs=0.011)
    clean, bad, (column,) = both(source, "renamed")
    moved = bad.columns[column] != clean.columns[column]
    assert 0.2 < moved.mean() < 0.9
    assert {str(bad.levels[column][code])[-3:] for code in np.unique(bad.columns[column][moved])} == {"_V2"}


def log_shift(clean: Batch, bad: Batch, column: str, rows: np.ndarray) -> float:
    before, after = (np.log1p(b.columns[column][rows & (clean.columns[column] > 0)]) for b in (clean, bad))
    return float((np.nanmean(after) - np.nanmean(before)) / np.nanstd(before))


def test_a_gradual_shift_grows_to_what_is_said_and_stays(source: Source) -> None:
    shifts = []
    for after_days in (0, GRADUAL_DAYS - 1, GRADUAL_DAYS + 5):
        clean, bad, (column,) = both(source, "gradual", after_days)
        shifts.append(log_shift(clean, bad, column, np.ones(len(clean.fraud), bool)))
    assert shifts == pytest.approx([0.3 / GRADUAL_DAYS, 0.3, 0.3], rel=0.15, abs=0.01)


def test_a_shift_in_a_slice_is_there_only_and_the_slice_is_a_tenth(source: Source) -> None:
    clean, bad, (column,) = both(source, "slice")
    by, level = source.targets.slice
    inside = clean.columns[by] == clean.levels[by].index(level)
    assert inside.mean() == pytest.approx(0.1, abs=0.02)
    assert log_shift(clean, bad, column, inside) == pytest.approx(0.5, rel=0.15)
    assert np.array_equal(clean.columns[column][~inside], bad.columns[column][~inside], equal_nan=True)


def test_the_score_moves_by_its_logit(source: Source) -> None:
    clean, bad, _ = both(source, "score")
    logits = [np.log(b.score / (1 - b.score)) for b in (clean, bad)]
    inner = clean.score < 0.9
    assert (logits[1] - logits[0])[inner] == pytest.approx(0.3, abs=0.01)
    assert changed(clean, bad) == set()


def test_frauds_of_one_type_are_no_longer_caught_and_others_are(source: Source) -> None:
    days = [both(source, "recall", after_days)[:2] for after_days in range(12)]

    def caught(side: int, *, of_type: bool) -> float:
        rows = [b.alerted[b.fraud & (source.targets.fraud_type(b) == of_type)] for b in (day[side] for day in days)]
        return float(np.concatenate(rows).mean())

    assert min(caught(0, of_type=True), caught(0, of_type=False), caught(1, of_type=False)) > 0.7
    assert caught(1, of_type=True) < 0.2


def test_a_label_flood_brings_false_frauds_on_its_days_only(source: Source) -> None:
    start = source.day(BASELINE_DAYS)
    injected = KINDS["label_flood"](source, start)
    assert not injected.incidents
    counts = [len(injected.extra(start + timedelta(days=n)).ids) for n in (-1, 0, 2, 3)]
    assert counts[0] == counts[3] == 0
    assert counts[1] == pytest.approx(0.02 * 30 * ROWS, rel=0.2)  # the bank has grown
    flood = injected.extra(start)
    assert flood.is_fraud.all()
    assert (flood.known_at.astype("datetime64[D]") == np.datetime64(start)).all()


# The traps in quiet days


def test_the_traps_are_there(source: Source) -> None:
    days = [source.draw(source.day(n), ()) for n in range(7)]
    assert all(len(np.unique(batch.columns["is_weekend"])) == 1 for batch in days)
    assert len({int(batch.columns["is_weekend"][0]) for batch in days}) == 2
    windows = [np.median(source.draw(source.day(n), ()).columns["payments_window_90d"]) for n in (0, 58, 70, 80)]
    assert windows[0] < windows[1] < windows[2]
    assert windows[2] < 1.35 * windows[1]
    assert len(np.unique(np.concatenate([batch.columns["merchant"] for batch in days]))) > 3_000
    assert bank.december(date(2026, 12, 10)) == 1.35
    assert bank.december(date(2026, 11, 10)) == 1
    assert (days[0].columns["merchant"] != NULL_CODE).all()


def test_some_reported_quiet_quarters_have_a_december() -> None:
    quiet = [unit for unit in plan("report", ("bank",)) if not unit.kinds]
    months = [bank.source(2_000, unit.seed).day(BASELINE_DAYS + n).month for unit in quiet for n in range(91)]
    assert 12 in months


def test_a_branch_shares_the_days_before_and_differs_after(source: Source, tmp_path: Path) -> None:
    laid = begin(source, tmp_path / "before")
    laid.lay(source, source.day(2))
    start = source.day(3)
    ways = [laid.branch(tmp_path / "quiet"), laid.branch(tmp_path / "bad")]
    ways[0].lay(source, start)
    ways[1].lay(source, start, KINDS["half"](source, start).incidents)
    one, other = ({str(f.relative_to(way.root)): f.read_bytes() for f in way.root.rglob("*.parquet")} for way in ways)
    assert one.keys() == other.keys()
    assert {name for name in one if one[name] != other[name]} >= {f"bank/features/day={start}/part-0.parquet"}
    assert all(one[name] == other[name] for name in one if f"day={start}" not in name)
