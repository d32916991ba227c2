from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

import pytest
from scipy import stats

from checks import expectation_types, suite
from checks.unsupported import UNSUPPORTED_TYPES
from ledger.records.measurements import Measurement, Verdict
from models.errors import WatchkeeperError
from tests.checks.conftest import DAY, PAYMENTS, RunChecks, spec_of, write
from tests.checks.examples import EXAMPLES
from warehouse.duckdb.engine import ENGINE
from warehouse.duckdb.warehouse import ParquetWarehouse
from warehouse.protocol import Relation

SOME = f"SELECT * FROM ({PAYMENTS}) WHERE "


def only(found: list[Measurement]) -> Measurement:
    (measured,) = found
    return measured


def test_every_expectation_that_is_not_refused_has_an_example() -> None:
    assert EXAMPLES.keys() == expectation_types.runnable_types().keys()


def test_every_expectation_holds_on_data_that_meets_it(run_checks: RunChecks) -> None:
    found = run_checks(*({kind: holds} for kind, (holds, _) in EXAMPLES.items()))
    assert [m for m in found if m.verdict is not Verdict.OK] == []
    assert {m.metric for m in found} == EXAMPLES.keys()
    assert all(m.monitor == "check" and m.n >= 900 and m.day == m.as_of == DAY for m in found)


def test_every_expectation_fails_on_data_that_does_not_meet_it(run_checks: RunChecks) -> None:
    found = run_checks(*({kind: fails} for kind, (_, fails) in EXAMPLES.items()))
    assert [m for m in found if m.verdict is not Verdict.BREACH] == []
    assert {m.metric for m in found} == EXAMPLES.keys()


def test_checks_without_great_expectations_say_what_to_install(
    run_checks: RunChecks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "great_expectations", None)
    with pytest.raises(WatchkeeperError) as raised:
        run_checks({"expect_column_values_to_be_unique": {"column": "payment_id"}})
    assert str(raised.value) == (
        "card_payments: the model file has checks, and Great Expectations is not installed; install watchkeeper[checks]"
    )
    assert run_checks() == []


def test_a_refused_expectation_is_errored_and_says_what_to_use_instead(run_checks: RunChecks) -> None:
    found = run_checks(*({kind: {"column": "channel"}} for kind in UNSUPPORTED_TYPES))
    assert {m.metric: m.verdict for m in found} == dict.fromkeys(UNSUPPORTED_TYPES, Verdict.ERRORED)
    for measured in found:
        assert UNSUPPORTED_TYPES[measured.metric] in measured.reason


def test_the_alternatives_that_are_named_do_run(run_checks: RunChecks) -> None:
    queries = [advice.split('"')[1] for advice in UNSUPPORTED_TYPES.values() if "{batch}" in advice]
    assert len(queries) == 4
    table = """SELECT '{"a_key": 1}' AS a_column"""
    for query in queries:
        measured = only(run_checks({"unexpected_rows_expectation": {"unexpected_rows_query": query}}, query=table))
        assert measured.verdict is (Verdict.OK if "json" in query or "->>" in query else Verdict.BREACH), query


def test_a_failed_share_has_its_interval_and_the_share_it_accepts(run_checks: RunChecks) -> None:
    check = {"expect_column_values_to_not_be_null": {"column": "device_age_days", "mostly": 0.95}}
    measured = only(run_checks(check))
    interval = stats.binomtest(100, 1000).proportion_ci()
    assert (measured.value, measured.limit, measured.n) == (0.1, 0.05, 1000)
    assert measured.low == pytest.approx(interval.low)
    assert measured.high == pytest.approx(interval.high)
    assert measured.reason == "100 of 1,000 values are unexpected (10 %), 5 % is accepted; severity critical"


def test_nulls_are_not_values_to_check(run_checks: RunChecks) -> None:
    bounds = {"column": "device_age_days", "max_value": 99}
    measured = only(run_checks({"expect_column_values_to_be_between": bounds}))
    assert measured.n == 900
    assert measured.value == 1.0 - 90 / 900


def test_a_failed_statistic_shows_the_figure_and_the_bound_it_crossed(run_checks: RunChecks) -> None:
    below, above = run_checks(
        {"expect_column_mean_to_be_between": {"column": "amount_gbp", "min_value": 60, "max_value": 70}},
        {"expect_column_max_to_be_between": {"column": "amount_gbp", "min_value": 0, "max_value": 70}},
    )[::-1]
    assert (below.value, below.limit, below.n) == (50.0, 60.0, 1000)
    assert (above.value, above.limit, above.n) == (99.5, 70.0, 1000)


def test_a_check_that_held_with_nothing_unexpected_says_how_sure_that_is(run_checks: RunChecks) -> None:
    measured = only(run_checks({"expect_column_values_to_be_unique": {"column": "payment_id"}}))
    assert (measured.value, measured.low, measured.limit, measured.verdict) == (0.0, 0.0, 0.0, Verdict.OK)
    assert measured.high == pytest.approx(stats.binomtest(0, 1000).proportion_ci().high)


def test_a_warning_is_a_breach_and_an_info_is_only_noted(run_checks: RunChecks) -> None:
    arguments = {"column": "channel", "value_set": ["web"]}
    noted, warned = run_checks(
        {"expect_column_values_to_be_in_set": arguments | {"severity": "warning"}},
        {"expect_column_distinct_values_to_be_in_set": arguments | {"severity": "info"}},
    )
    assert warned.verdict is Verdict.BREACH
    assert noted.verdict is Verdict.OK
    assert noted.value == 2
    assert "only noted" in noted.reason


def test_a_column_that_is_not_there_is_errored_not_failed(run_checks: RunChecks) -> None:
    measured = only(run_checks({"expect_column_values_to_not_be_null": {"column": "device"}}))
    assert measured.verdict is Verdict.ERRORED
    assert measured.reason == "column 'device' isn't in the partition"


def test_one_expectation_that_cannot_be_computed_takes_no_other_down_with_it(run_checks: RunChecks) -> None:
    found = run_checks(
        {"expect_column_mean_to_be_between": {"column": "channel", "min_value": 0}},
        {"expect_column_mean_to_be_between": {"column": "amount_gbp", "min_value": 0}},
        {"expect_column_values_to_be_between": {"column": "amount_gbp", "max_value": 50}},
        {"expect_column_stdev_to_be_between": {"column": "age", "min_value": 0}},
    )
    assert [(m.feature, m.verdict) for m in found] == [
        ("amount_gbp", Verdict.OK),
        ("channel", Verdict.ERRORED),
        ("age", Verdict.OK),
        ("amount_gbp", Verdict.BREACH),
    ]
    assert found[1].reason.startswith("DuckDB refuses it: ")


def test_no_value_of_the_data_is_in_an_error(run_checks: RunChecks) -> None:
    query = "SELECT * FROM {batch} WHERE CAST(payment_id AS INTEGER) > 0"
    measured = only(run_checks({"unexpected_rows_expectation": {"unexpected_rows_query": query}}))
    assert measured.verdict is Verdict.ERRORED
    assert measured.reason == "DuckDB gave up on it: Conversion Error"


def test_a_pattern_that_is_no_regex_is_errored(run_checks: RunChecks) -> None:
    measured = only(run_checks({"expect_column_values_to_match_regex": {"column": "channel", "regex": "("}}))
    assert measured.verdict is Verdict.ERRORED


def test_a_misspelt_expectation_is_errored_and_the_others_run(run_checks: RunChecks) -> None:
    found = run_checks(
        {"expect_column_values_to_be_nul": {"column": "age"}},
        {"expect_column_values_to_not_be_null": {"column": "age"}},
    )
    assert [m.verdict for m in found] == [Verdict.ERRORED, Verdict.OK]
    assert "did you mean 'expect_column_values_to_be_null'?" in found[0].reason


def test_a_column_of_nulls_tells_nothing_about_its_values(run_checks: RunChecks) -> None:
    found = run_checks(
        {"expect_column_values_to_be_between": {"column": "amount_gbp", "min_value": 0}},
        {"expect_column_values_to_not_be_null": {"column": "amount_gbp"}},
        {"expect_column_values_to_be_null": {"column": "amount_gbp"}},
        {"expect_column_to_exist": {"column": "amount_gbp"}},
        {"expect_column_distinct_values_to_be_in_set": {"column": "amount_gbp", "value_set": [1]}},
        query="SELECT 'p' || i AS payment_id, NULL::DOUBLE AS amount_gbp FROM range(50) AS t(i)",
    )
    assert {m.metric: m.verdict for m in found} == {
        "expect_column_values_to_be_between": Verdict.INSUFFICIENT,
        "expect_column_values_to_not_be_null": Verdict.BREACH,
        "expect_column_values_to_be_null": Verdict.OK,
        "expect_column_to_exist": Verdict.OK,
        "expect_column_distinct_values_to_be_in_set": Verdict.INSUFFICIENT,
    }


def test_an_empty_partition_tells_nothing_but_its_rows_and_columns(run_checks: RunChecks) -> None:
    found = run_checks(*({kind: holds} for kind, (holds, _) in EXAMPLES.items()), query=f"{SOME} 1 = 0")
    told = {m.metric for m in found if m.verdict is Verdict.OK}
    assert told == {
        "expect_column_to_exist",
        "expect_table_column_count_to_be_between",
        "expect_table_column_count_to_equal",
        "expect_table_columns_to_match_ordered_list",
        "expect_table_columns_to_match_set",
    }
    assert next(m for m in found if m.metric == "expect_table_row_count_to_equal").verdict is Verdict.BREACH


def test_not_a_number_and_infinity_are_beyond_every_bound(run_checks: RunChecks) -> None:
    query = "SELECT unnest([1.0, 2.0, 'nan'::DOUBLE, 'inf'::DOUBLE, '-inf'::DOUBLE]) AS x"
    measured = only(
        run_checks({"expect_column_values_to_be_between": {"column": "x", "min_value": 0, "max_value": 9}}, query=query)
    )
    assert (measured.value, measured.n) == (0.6, 5)


def test_a_statistic_that_is_not_finite_fails_without_a_figure(run_checks: RunChecks) -> None:
    query = "SELECT unnest([1.0, 'inf'::DOUBLE]) AS x"
    measured = only(run_checks({"expect_column_max_to_be_between": {"column": "x", "max_value": 9}}, query=query))
    assert measured.verdict is Verdict.BREACH
    assert measured.value is None


def test_a_row_condition_is_a_slice_of_its_own(run_checks: RunChecks) -> None:
    everyone, app, post, big = run_checks(
        {"expect_column_values_to_be_between": {"column": "age", "max_value": 100}},
        {
            "expect_column_values_to_be_between": {
                "column": "age",
                "max_value": 50,
                "row_condition": 'col("channel") == "app"',
            }
        },
        {
            "expect_column_values_to_be_between": {
                "column": "age",
                "max_value": 50,
                "row_condition": 'col("channel") == "post"',
            }
        },
        {
            "expect_column_values_to_be_between": {
                "column": "age",
                "max_value": 100,
                "row_condition": 'col("score") >= 0.5',
            }
        },
    )
    assert (everyone.slice, everyone.n, everyone.verdict) == ("", 1000, Verdict.OK)
    assert (app.slice, app.n, app.verdict) == ('col("channel") == "app"', 333, Verdict.BREACH)
    assert (post.n, post.verdict) == (0, Verdict.INSUFFICIENT)
    assert (big.slice, big.n, big.verdict) == ('col("score") >= 0.5', 500, Verdict.OK)


def test_of_two_severities_of_one_check_the_worse_is_kept_with_both_reasons(run_checks: RunChecks) -> None:
    strict = {"expect_column_values_to_not_be_null": {"column": "device_age_days", "severity": "warning"}}
    lenient = {"expect_column_values_to_not_be_null": {"column": "device_age_days", "mostly": 0.5}}
    for checks in ((strict, lenient), (lenient, strict)):
        measured = only(run_checks(*checks))
        assert (measured.verdict, measured.value, measured.limit) == (Verdict.BREACH, 0.1, 0.0)
        assert "severity warning" in measured.reason
        assert "at most 50 % unexpected" in measured.reason


@pytest.mark.parametrize("name", ['a "quoted" column', "per cent % s", "colon :x and {brace}", "naïve – имя", "select"])
def test_a_column_of_any_name_can_be_checked(run_checks: RunChecks, name: str) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    query = f"SELECT CASE WHEN i < 5 THEN NULL ELSE i END AS {quoted} FROM range(10) AS t(i)"
    found = run_checks(
        {"expect_column_mean_to_be_between": {"column": name, "min_value": 0}},
        {"expect_column_values_to_be_between": {"column": name, "min_value": 0}},
        {"expect_column_values_to_not_be_null": {"column": name}},
        query=query,
    )
    assert [(m.feature, m.verdict, m.n) for m in found] == [
        (name, Verdict.OK, 5),
        (name, Verdict.OK, 5),
        (name, Verdict.BREACH, 10),
    ]


def test_what_great_expectations_cannot_do_with_a_name_is_errored(run_checks: RunChecks) -> None:
    unique = {"expect_column_values_to_be_unique": {"column": 'a "quoted" column'}}
    measured = only(run_checks(unique, query='SELECT 1 AS "a ""quoted"" column"'))
    assert measured.verdict is Verdict.ERRORED


def test_values_that_look_like_sql_are_only_values(run_checks: RunChecks) -> None:
    values = ["'; DROP TABLE x; --", ":name", "100%", 'a"b']
    query = "SELECT unnest(['''; DROP TABLE x; --', ':name', '100%', 'a\"b']) AS note"
    measured = only(
        run_checks({"expect_column_values_to_be_in_set": {"column": "note", "value_set": values}}, query=query)
    )
    assert measured.verdict is Verdict.OK


def test_a_folder_of_any_name_can_hold_the_table(tmp_path: Path) -> None:
    root = tmp_path / "it's 100% :odd"
    write(root)
    spec = spec_of({"expect_table_row_count_to_equal": {"value": 1000}})
    assert only(suite.run_checks(spec, DAY, ParquetWarehouse(root, threads=1))).verdict is Verdict.OK


def test_each_day_is_read_anew_even_when_rewritten(tmp_path: Path) -> None:
    house = ParquetWarehouse(tmp_path, threads=1)
    spec = spec_of(
        {"expect_table_row_count_to_equal": {"value": 1000}},
        {"expect_column_max_to_be_between": {"column": "a", "max_value": 999}},
    )
    other = date(2026, 3, 3)
    write(tmp_path, rows=1000)
    write(tmp_path, rows=1001, day=other)
    assert {m.verdict for m in suite.run_checks(spec, DAY, house)} == {Verdict.OK}
    assert {m.verdict for m in suite.run_checks(spec, other, house)} == {Verdict.BREACH}
    write(tmp_path, rows=1001)
    assert {m.verdict for m in suite.run_checks(spec, DAY, house)} == {Verdict.BREACH}
    write(tmp_path, rows=1000)
    assert {m.verdict for m in suite.run_checks(spec, DAY, house)} == {Verdict.OK}


def test_a_corrupt_file_is_errored_and_never_ok(tmp_path: Path) -> None:
    file = write(tmp_path)

    class Broken(ParquetWarehouse):
        """The query of a file that broke after it was looked at."""

        def relation(self, *_: object) -> Relation:
            return Relation(f"SELECT * FROM read_parquet('{file}')", ENGINE, "duckdb:///:memory:")

    file.write_bytes(b"PAR1 this is no parquet PAR1")
    spec = spec_of(
        {"expect_column_values_to_not_be_null": {"column": "age"}}, {"expect_table_row_count_to_equal": {"value": 1}}
    )
    found = suite.run_checks(spec, DAY, Broken(tmp_path))
    assert [m.verdict for m in found] == [Verdict.ERRORED, Verdict.ERRORED]


def test_nothing_is_held_open_between_days(tmp_path: Path) -> None:
    house = ParquetWarehouse(tmp_path, threads=1)
    spec = spec_of(
        {"expect_column_values_to_not_be_null": {"column": "device_age_days"}},
        {"expect_column_mean_to_be_between": {"column": "channel", "min_value": 0}},
    )
    write(tmp_path)
    suite.run_checks(spec, DAY, house)
    handles = Path("/proc/self/fd")
    if not handles.is_dir():
        pytest.skip("only Linux tells which files are open")
    before = len(list(handles.iterdir()))
    for _ in range(5):
        suite.run_checks(spec, DAY, house)
    assert len(list(handles.iterdir())) <= before


def test_a_model_without_checks_asks_the_warehouse_nothing(tmp_path: Path) -> None:
    assert suite.run_checks(spec_of(), DAY, ParquetWarehouse(tmp_path)) == []
